"""Inputs of a model: codes, or real numbers that integers stand for."""

from __future__ import annotations

from spintron_ir import IntType

from ..input_types import InputTypes
from .reading import Tensor
from .refusal import Refusal
from .state import of_tensor

__all__ = ["Inputs"]


class Inputs(InputTypes):
    """Integers that stand for the real inputs of a model; integer inputs have their own."""

    def of(self, tensor: Tensor) -> tuple[IntType | None, float, int, bool]:
        """Type, scale and zero point of an input, and whether it is real; no type if none is given.

        Raises
        ------
        Refusal
            If what was given does not fit; the text says what to do.
        """
        kind, scale = self.kind(tensor.name), self.scale(tensor.name)
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
