"""A change of shape that moves no value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_shape
from ..record import register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["Flatten"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Flatten(UnaryLayer):
    """All values in one vector, or in another shape, in row-major order. Free in hardware.

    Parameters
    ----------
    in_shape : tuple of int, 1 to 8 sizes
        Shape of the input, at most ``2**24`` values.
    type : IntType
        Type of the values.
    out_shape : tuple of int or None
        Shape of the output, of as many values: an image, where a convolution gave its positions in
        a row. None: one vector.

    Raises
    ------
    ParameterError
        If a shape is none, or the two hold different numbers of values.
    """

    kind: ClassVar[str] = "flatten"

    in_shape: tuple[int, ...]
    type: IntType
    out_shape: tuple[int, ...] | None = field(default=None, metadata={"later": True})

    def check(self) -> None:
        """Check the fields."""
        check_shape("Flatten", "in_shape", self.in_shape)
        if self.out_shape is None:
            return
        check_shape("Flatten", "out_shape", self.out_shape)
        if math.prod(self.out_shape) != math.prod(self.in_shape):
            raise ParameterError(
                f"Flatten: out_shape must hold the {math.prod(self.in_shape)} values of in_shape, "
                f"not {math.prod(self.out_shape)}"
            )

    @property
    def in_type(self) -> IntType:
        """Type of every value."""
        return self.type

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output."""
        return (math.prod(self.in_shape),) if self.out_shape is None else self.out_shape

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Inputs in the other shape, ``(batch, *shape)``."""
        x = as_int(x)
        return x.reshape(len(x), *self.shape)
