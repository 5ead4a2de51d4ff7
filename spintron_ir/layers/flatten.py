"""A change of shape that moves no value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import check_shape
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
    in_shape : tuple of int, 1 to 8 sizes
        Shape of the input, at most ``2**24`` values.
    type : IntType
        Type of the values.
    """

    kind: ClassVar[str] = "flatten"

    in_shape: tuple[int, ...]
    type: IntType

    def check(self) -> None:
        """Check the fields."""
        check_shape("Flatten", "in_shape", self.in_shape)

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
