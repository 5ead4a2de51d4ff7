"""Networks made for crossbars of spintronic devices, some with trained weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .always_on import AlwaysOnVision_Spintronic
    from .base import SpintronicNet
    from .keyword_spotting import KeywordSpottingNet_Spintronic
    from .mobile import MobileNetV2_Spintronic
    from .package import HardwarePackage
    from .vision import MicroNet_Spintronic, TinyConvNet_Spintronic, VisionSpintronNet
    from .wake_word import Detection, WakeWordDetector_Spintronic

__all__ = [
    "AlwaysOnVision_Spintronic",
    "Detection",
    "HardwarePackage",
    "KeywordSpottingNet_Spintronic",
    "MicroNet_Spintronic",
    "MobileNetV2_Spintronic",
    "SpintronicNet",
    "TinyConvNet_Spintronic",
    "VisionSpintronNet",
    "WakeWordDetector_Spintronic",
]

_HOMES = {
    "AlwaysOnVision_Spintronic": ".always_on",
    "Detection": ".wake_word",
    "HardwarePackage": ".package",
    "KeywordSpottingNet_Spintronic": ".keyword_spotting",
    "MicroNet_Spintronic": ".vision",
    "MobileNetV2_Spintronic": ".mobile",
    "SpintronicNet": ".base",
    "TinyConvNet_Spintronic": ".vision",
    "VisionSpintronNet": ".vision",
    "WakeWordDetector_Spintronic": ".wake_word",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
