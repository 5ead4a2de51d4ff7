"""Networks made for crossbars of spintronic devices, some with trained weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .always_on import AlwaysOnVision_Spintronic
    from .base import SpintronicNet
    from .mobile import MobileNetV2_Spintronic
    from .package import HardwarePackage
    from .vision import MicroNet_Spintronic, TinyConvNet_Spintronic, VisionSpintronNet

__all__ = [
    "AlwaysOnVision_Spintronic",
    "HardwarePackage",
    "MicroNet_Spintronic",
    "MobileNetV2_Spintronic",
    "SpintronicNet",
    "TinyConvNet_Spintronic",
    "VisionSpintronNet",
]

_HOMES = {
    "AlwaysOnVision_Spintronic": ".always_on",
    "HardwarePackage": ".package",
    "MicroNet_Spintronic": ".vision",
    "MobileNetV2_Spintronic": ".mobile",
    "SpintronicNet": ".base",
    "TinyConvNet_Spintronic": ".vision",
    "VisionSpintronNet": ".vision",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
