"""The largest values of a vector, or where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import check_bool, check_int, check_shape
from ..record import register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["TopK"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class TopK(UnaryLayer):
    """The largest values along the last axis, the largest first; of equal ones the first.

    Parameters
    ----------
    in_shape : tuple of int, 1 to 8 sizes, the last at most 65,536
        Shape of the input, at most ``2**24`` values.
    input : IntType
        Type of the values.
    k : int, 1..256 and at most the last size
        How many.
    values : bool
        The values themselves, not their indices.

    Raises
    ------
    ParameterError
        If a field is outside its range.

    Examples
    --------
    >>> TopK(in_shape=(4,), input=IntType(4), k=3).run([[2, 9, 1, 9]]).tolist()
    [[1, 3, 0]]
    """

    kind: ClassVar[str] = "topk"

    in_shape: tuple[int, ...]
    input: IntType
    k: int
    values: bool = False

    def check(self) -> None:
        """Check the fields against each other."""
        check_shape("TopK", "in_shape", self.in_shape)
        size = check_int("TopK", "the last size of in_shape", self.in_shape[-1], 1, 1 << 16)
        check_int("TopK", "k", self.k, 1, min(size, 256))
        check_bool("TopK", "values", self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output."""
        return (*self.in_shape[:-1], self.k)

    @property
    def type(self) -> IntType:
        """Type of the values, or of an index."""
        return self.input if self.values else IntType.of_range(0, self.in_shape[-1] - 1)

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Indices or values of the inputs, each ``(batch, *in_shape)``."""
        x = as_int(x)
        # Bitwise not turns the order round, without the overflow that minus has at the least value.
        order = np.argsort(~x, axis=-1, kind="stable")[..., : self.k]
        return np.take_along_axis(x, order, axis=-1) if self.values else order
