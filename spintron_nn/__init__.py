"""From a trained PyTorch network to one definite spintronic chip, as integers and as hardware.

Names are loaded on first use, so that importing the package loads neither torch nor the gateware.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .converter.converter import SpintronConverter
    from .converter.model import SpintronicModel
    from .core.chip import Chip
    from .core.mtj_models import MTJConfig

__all__ = ["Chip", "MTJConfig", "SpintronConverter", "SpintronicModel"]

_HOMES = {
    "Chip": ".core.chip",
    "MTJConfig": ".core.mtj_models",
    "SpintronConverter": ".converter.converter",
    "SpintronicModel": ".converter.model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
