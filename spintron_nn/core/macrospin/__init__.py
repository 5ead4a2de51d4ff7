"""Batched stochastic macrospins: Landau-Lifshitz-Gilbert-Slonczewski with Heun's scheme."""

from .device import Macrospin, Trajectory
from .drive import Drive, pulses
from .layer import FreeLayer

__all__ = ["Drive", "FreeLayer", "Macrospin", "Trajectory", "pulses"]
