"""From a trained PyTorch network to one definite spintronic chip, as integers and as hardware.

Names are loaded on first use, so that importing the package loads neither torch nor the gateware.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazy_names

if TYPE_CHECKING:
    from .converter.converter import SpintronConverter
    from .converter.model import SpintronicModel
    from .core.chip import Chip
    from .core.mtj_models import MTJConfig
    from .core.technology import Technology, technologies, technology
    from .models.vision import VisionSpintronNet

__all__ = [
    "Chip",
    "MTJConfig",
    "SpintronConverter",
    "SpintronicModel",
    "Technology",
    "VisionSpintronNet",
    "technologies",
    "technology",
]

_HOMES = {
    "Chip": ".core.chip",
    "MTJConfig": ".core.mtj_models",
    "SpintronConverter": ".converter.converter",
    "SpintronicModel": ".converter.model",
    "Technology": ".core.technology",
    "VisionSpintronNet": ".models.vision",
    "technologies": ".core.technology",
    "technology": ".core.technology",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
