"""Domain walls as analog memory: a wall's place divides the area of a junction.

What is here is explained, with its limits, in docs/domain-walls.md.
"""

from .device import DomainWallDevice
from .dynamics import WallDynamics, WallPath
from .pinning import NotchTrack
from .programming import WriteResult, write_conductance, write_error
from .skyrmion import SkyrmionCell
from .steps import StepLaw, StepModel, StepTable, fit_steps, pooled_error

__all__ = [
    "DomainWallDevice",
    "NotchTrack",
    "SkyrmionCell",
    "StepLaw",
    "StepModel",
    "StepTable",
    "WallDynamics",
    "WallPath",
    "WriteResult",
    "fit_steps",
    "pooled_error",
    "write_conductance",
    "write_error",
]
