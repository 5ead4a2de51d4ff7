"""The index of the largest value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import arith
from ..errors import check_int
from ..record import register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["Argmax"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Argmax(UnaryLayer):
    """The index of the largest of a vector; the lowest index where several are equal.

    Parameters
    ----------
    input : IntType
        Type of the values.
    length : int, 1..65536
        Number of values.

    Examples
    --------
    >>> Argmax(input=IntType(4), length=3).run([[1, 9, 9]]).tolist()
    [[1]]
    """

    kind: ClassVar[str] = "argmax"

    input: IntType
    length: int

    def check(self) -> None:
        """Check the fields."""
        check_int("Argmax", "length", self.length, 1, 1 << 16)

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return (self.length,)

    @property
    def type(self) -> IntType:
        """Type of the index."""
        return IntType.of_range(0, self.length - 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """One index."""
        return (1,)

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Index of each input, shape ``(batch, 1)``."""
        return arith.argmax(x, axis=-1)[..., None]
