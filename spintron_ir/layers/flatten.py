"""A change of shape that moves no value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_int
from ..record import register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["Flatten"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Flatten(UnaryLayer):
    """All values in one vector, in row-major order. Free in hardware.

    Parameters
    ----------
    in_shape : tuple of int
        Shape of the input.
    type : IntType
        Type of the values.
    """

    kind: ClassVar[str] = "flatten"

    in_shape: tuple[int, ...]
    type: IntType

    def check(self) -> None:
        """Check the fields."""
        if not self.in_shape:
            raise ParameterError("Flatten: in_shape must have at least one axis, not ()")
        for axis, size in enumerate(self.in_shape):
            check_int("Flatten", f"in_shape[{axis}]", size, 1, 1 << 24)

    @property
    def in_type(self) -> IntType:
        """Type of every value."""
        return self.type

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output."""
        return (math.prod(self.in_shape),)

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Inputs as vectors, shape ``(batch, length)``."""
        x = as_int(x)
        return x.reshape(len(x), *self.shape)
