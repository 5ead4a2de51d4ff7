"""Devices and chips: the physics that turns a weight into a conductance."""

from .chip import Chip, SampledArray
from .mtj_models import MTJConfig

__all__ = ["Chip", "MTJConfig", "SampledArray"]
