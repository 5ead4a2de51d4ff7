"""Integers that stand for the real inputs of a quantised model, as its user names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spintron_ir import IntType
from spintron_ir.errors import ParameterError

__all__ = ["InputTypes"]


class InputTypes:
    """Types and scales of inputs, one for all or one for each.

    Parameters
    ----------
    owner : str
        Who asks, for messages.
    kinds : IntType, dict of IntType by the name of the input, or None
        Their types, at most 16 bits.
    scales : float, or dict of float by the name of the input
        Real value of one unit, 1e-30..1e30.

    Raises
    ------
    ParameterError
        If a type has more bits, or a scale is out of range.
    """

    def __init__(self, owner: str, kinds: Any, scales: Any) -> None:
        self.owner, self.kinds, self.scales = owner, kinds, scales
        for kind in kinds.values() if isinstance(kinds, Mapping) else [kinds]:
            if kind is not None and kind.bits > 16:
                raise ParameterError(
                    f"{owner}: input_type must have at most 16 bits, not {kind.bits}"
                )
        for scale in scales.values() if isinstance(scales, Mapping) else [scales]:
            real = isinstance(scale, (int, float, np.floating)) and not isinstance(scale, bool)
            if not real or not 1e-30 <= scale <= 1e30:
                raise ParameterError(f"{owner}: input_scale must be in 1e-30..1e30, not {scale!r}")

    def check(self, names: list[str], *, every: bool) -> None:
        """Refuse names of other inputs than the model's; with :py:`every`, each must be there."""
        for what, given in (("input_type", self.kinds), ("input_scale", self.scales)):
            if not isinstance(given, Mapping):
                continue
            if not set(given) <= set(names) or (every and set(given) != set(names)):
                raise ParameterError(
                    f"{self.owner}: {what} must be given for {', '.join(names)}, not for "
                    f"{', '.join(map(str, given)) or 'none'}"
                )

    def kind(self, name: str) -> IntType | None:
        """Type of an input, where one is given."""
        found: IntType | None = (
            self.kinds.get(name) if isinstance(self.kinds, Mapping) else self.kinds
        )
        return found

    def scale(self, name: str) -> float:
        """Real value of one unit of an input; 1 where none is given."""
        return float(
            self.scales.get(name, 1.0) if isinstance(self.scales, Mapping) else self.scales
        )
