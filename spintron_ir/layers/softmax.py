"""Shares of a whole: a softmax in fixed point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int, doubling_high_multiply, round_shift_away, saturate
from ..errors import ParameterError, check_int, check_shape
from ..record import array, register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["SUM_SHIFT", "Softmax", "reciprocal"]

SUM_SHIFT = 12
"""Places that an exponential drops before it is added: room for 4,095 of them in 31 bits."""

FORTY_EIGHT_SEVENTEENTHS = 1_515_870_810
THIRTY_TWO_SEVENTEENTHS = 1_010_580_540
"""48/17 and 32/17 in units of ``2**-29``: the straight line that Newton's method starts from."""

ONE = 1 << 29
ROUNDS = 3
"""Of Newton's method; each doubles the number of right bits."""


def reciprocal(total: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Reciprocals of sums, in fixed point.

    Parameters
    ----------
    total : int array, 1..2**31 - 1
        Sums.

    Returns
    -------
    scale : int64 array
        ``2**31`` over the sum, once that is shifted into ``2**31 .. 2**32``: between a half and
        one, in units of ``2**-31``.
    bits : int64 array
        Bits of each sum.

    Source
    ------
    gemmlowp, ``one_over_one_plus_x_for_x_in_0_1``: Newton's method on half the denominator.

    Examples
    --------
    >>> [int(part) for part in reciprocal(3 << 20)]  # 2**31 / 1.5
    [1431655762, 22]
    """
    total = as_int(total)
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)  # exact below 2**53
    half = total << (31 - bits)  # the denominator in 1..2, halved, in units of 2**-31
    x = FORTY_EIGHT_SEVENTEENTHS + doubling_high_multiply(half, -THIRTY_TWO_SEVENTEENTHS)
    for _ in range(ROUNDS):
        error = ONE - doubling_high_multiply(half, x)
        x = x + saturate(doubling_high_multiply(x, error) << 2, 32)
    return saturate(x << 1, 32), bits


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Softmax(UnaryLayer):
    """Each value's exponential over the sum of all along the last axis, in fixed point.

    ::

        e[c] = exponential[max(x) - x[c]]
        y[c] = clip(low + round(e[c] / sum(round(e / 2**12)) * 2**(bits - 12)))

    with the reciprocal of :func:`reciprocal`, products rounded to 31 bits, ties upwards, and the
    quotient rounded to nearest, ties away from zero. A result is a share in units of
    ``2**-bits``; the largest share that it can hold is one unit less than one.

    Parameters
    ----------
    in_shape : tuple of int, 1 to 8 sizes, the last at most 4,095
        Shape of the input, at most ``2**24`` values.
    input : IntType, at most 12 bits
        Type of the values.
    exponential : array of shape ``(2 ** input.bits,)``, 0..2**31 - 1, falling, the first 2**31 - 1
        Exponential of minus each difference, in units of ``2**-31``.
    type : IntType, 2..16 bits
        Type of the results: 0 is its lowest value.

    Raises
    ------
    ParameterError
        If a field is outside its range.

    Source
    ------
    TensorFlow Lite, reference kernel of SOFTMAX for 8 bits.

    Examples
    --------
    >>> table = np.array([(1 << 31) - 1, 1 << 30, 1 << 29, 1 << 28])  # a half a step
    >>> Softmax(in_shape=(2,), input=IntType(2), exponential=table, type=IntType(8)).run([[3, 2]])
    array([[171,  85]])
    """

    kind: ClassVar[str] = "softmax"

    in_shape: tuple[int, ...]
    input: IntType
    exponential: NDArray[np.int32] = array("int32", 1)
    type: IntType

    def check(self) -> None:
        """Check the fields against each other."""
        check_shape("Softmax", "in_shape", self.in_shape)
        check_int("Softmax", "the last size of in_shape", self.in_shape[-1], 1, 4095)
        check_int("Softmax", "input.bits", self.input.bits, 1, 12)
        check_int("Softmax", "type.bits", self.type.bits, 2, 16)
        entries = 1 << self.input.bits
        if len(self.exponential) != entries:
            raise ParameterError(
                f"Softmax: exponential must have {entries} entries for {self.input}, "
                f"not {len(self.exponential)}"
            )
        falls = bool(np.all(self.exponential[1:] <= self.exponential[:-1]))
        if self.exponential[0] != (1 << 31) - 1 or self.exponential[-1] < 0 or not falls:
            raise ParameterError(
                "Softmax: exponential must fall from 2**31 - 1 and stay at 0 or above"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output: that of the input."""
        return tuple(self.in_shape)

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Shares of the inputs, each ``(batch, *in_shape)``."""
        x = as_int(x)
        exponential = self.exponential.astype(np.int64)[x.max(axis=-1, keepdims=True) - x]
        total = round_shift_away(exponential, SUM_SHIFT).sum(axis=-1, keepdims=True)
        scale, bits = reciprocal(total)
        share = doubling_high_multiply(scale, exponential)
        places = bits + SUM_SHIFT - 1 - self.type.bits
        return np.clip(
            round_shift_away(share, places) + self.type.low, self.type.low, self.type.high
        )
