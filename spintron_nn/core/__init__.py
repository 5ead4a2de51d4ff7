"""Devices and chips: the physics that turns a weight into a conductance.

Names are loaded on first use; what is beside them lives in the packages ``junction`` (closed
forms), ``macrospin``, ``domain_wall``, ``nodal`` (wires), ``sampling`` (what goes wrong on a chip)
and ``technology`` (cards).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .chip import Chip, SampledArray
    from .crossbar import MTJCrossbar
    from .domain_wall import DomainWallDevice, SkyrmionCell
    from .energy import EnergyModel, EnergyReport
    from .mtj_models import MTJConfig

__all__ = [
    "Chip",
    "DomainWallDevice",
    "EnergyModel",
    "EnergyReport",
    "MTJConfig",
    "MTJCrossbar",
    "SampledArray",
    "SkyrmionCell",
]

_HOMES = {
    "Chip": ".chip",
    "DomainWallDevice": ".domain_wall",
    "EnergyModel": ".energy",
    "EnergyReport": ".energy",
    "MTJConfig": ".mtj_models",
    "MTJCrossbar": ".crossbar",
    "SampledArray": ".chip",
    "SkyrmionCell": ".domain_wall",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
