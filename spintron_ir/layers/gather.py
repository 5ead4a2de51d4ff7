"""Values in another order: each output is one value of the input, or the padding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_int, check_shape
from ..record import array, register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["Gather"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Gather(UnaryLayer):
    """One value of the input for each value of the output, in row-major order.

    Permutations, slices, padding, nearest upsampling, broadcasts and channel shuffles are gathers.

    Parameters
    ----------
    in_shape : tuple of int, 1 to 8 sizes
        Shape of the input, at most ``2**24`` values.
    type : IntType
        Type of the values.
    out_shape : tuple of int, 1 to 8 sizes
        Shape of the output, at most ``2**24`` values.
    index : array of shape ``(values of the output,)``, 32 bits signed
        Place of each value in the input, in row-major order; -1 is the padding.
    pad_value : int
        What the padding holds.

    Raises
    ------
    ParameterError
        If a shape is none, or the index is of another length or leaves the input.

    Examples
    --------
    >>> turned = Gather(in_shape=(3,), type=IntType(4), out_shape=(2, 2), index=[2, 1, 0, -1])
    >>> turned.run([[5, 6, 7]]).tolist()
    [[[7, 6], [5, 0]]]
    """

    kind: ClassVar[str] = "gather"

    in_shape: tuple[int, ...]
    type: IntType
    out_shape: tuple[int, ...]
    index: NDArray[np.integer] = array("int32", 1)
    pad_value: int = 0

    def check(self) -> None:
        """Check the fields against each other."""
        check_shape("Gather", "in_shape", self.in_shape)
        check_shape("Gather", "out_shape", self.out_shape)
        check_int("Gather", "pad_value", self.pad_value, self.type.low, self.type.high)
        count, places = math.prod(self.in_shape), math.prod(self.out_shape)
        if len(self.index) != places:
            raise ParameterError(
                f"Gather: index must have a place for each of the {places} values of out_shape, "
                f"not {len(self.index)}"
            )
        low, high = int(self.index.min()), int(self.index.max())
        if low < -1 or high >= count:
            raise ParameterError(
                f"Gather: index must lie in -1..{count - 1}, the places of the input and -1 for "
                f"the padding, not in {low}..{high}"
            )

    @property
    def in_type(self) -> IntType:
        """Type of every value."""
        return self.type

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output."""
        return self.out_shape

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, *out_shape)`` of inputs ``(batch, *in_shape)``."""
        x = as_int(x)
        count = math.prod(self.in_shape)
        padded = np.full((len(x), count + 1), self.pad_value)
        padded[:, :-1] = x.reshape(len(x), count)
        return padded.take(self.index, axis=1).reshape(len(x), *self.out_shape)
