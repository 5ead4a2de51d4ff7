"""Inputs of a model: codes, or real numbers that integers stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spintron_ir import IntType
from spintron_ir.errors import ParameterError

from .reading import Tensor
from .refusal import Refusal
from .state import of_tensor

__all__ = ["Inputs"]


class Inputs:
    """Integers that stand for the real inputs of a model, checked.

    Parameters
    ----------
    kinds : IntType, dict of IntType by the name of the input, or None
        Their types.
    scales : float, or dict of float by the name of the input
        Real value of one unit.

    Raises
    ------
    ParameterError
        If a type has more than 16 bits, or a scale is out of range.
    """

    def __init__(self, kinds: Any, scales: Any) -> None:
        self.kinds, self.scales = kinds, scales
        for kind in kinds.values() if isinstance(kinds, Mapping) else [kinds]:
            if kind is not None and kind.bits > 16:
                raise ParameterError(
                    f"load_tflite: input_type must have at most 16 bits, not {kind.bits}"
                )
        for scale in scales.values() if isinstance(scales, Mapping) else [scales]:
            real = isinstance(scale, (int, float, np.floating)) and not isinstance(scale, bool)
            if not real or not 1e-30 <= scale <= 1e30:
                raise ParameterError(
                    f"load_tflite: input_scale must be in 1e-30..1e30, not {scale!r}"
                )

    def check(self, names: list[str]) -> None:
        """Refuse types or scales that name other inputs than the model's."""
        for what, given in (("input_type", self.kinds), ("input_scale", self.scales)):
            if isinstance(given, Mapping) and not set(given) <= set(names):
                raise ParameterError(
                    f"load_tflite: {what} must be given for {', '.join(names)}, not for "
                    f"{', '.join(map(str, given))}"
                )

    def of(self, tensor: Tensor) -> tuple[IntType | None, float, int, bool]:
        """Type, scale and zero point of an input, and whether it is real; no type if none is given.

        Raises
        ------
        Refusal
            If what was given does not fit; the text says what to do.
        """
        kinds, scales = self.kinds, self.scales
        kind = kinds.get(tensor.name) if isinstance(kinds, Mapping) else kinds
        scale = float(scales.get(tensor.name, 1.0) if isinstance(scales, Mapping) else scales)
        if tensor.kind == "float32":
            return kind, scale, 0, True
        held, unit, zero = of_tensor(tensor)
        if kind not in (None, held):
            raise Refusal(f"holds {held} already, not real numbers for {kind}: feed {held}")
        if scale not in (1.0, unit):
            raise Refusal(
                f"holds integers of the scale {unit:g} already, not {scale:g}: leave the input "
                "scale out"
            )
        return held, unit, zero, False
