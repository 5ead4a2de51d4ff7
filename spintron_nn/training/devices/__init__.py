"""Devices of freshly drawn chips for every forward pass of training."""

from .conditions import Conditions
from .sampler import Converters, DeviceSampler, Dies

__all__ = ["Conditions", "Converters", "DeviceSampler", "Dies"]
