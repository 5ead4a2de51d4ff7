"""Requantisers: from the accumulator of a column to the code that the next layer takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import arith
from .errors import ParameterError, check_int
from .record import Record, array, register
from .search import count_reached
from .types import Interval, IntType

__all__ = ["MulShift", "Requantiser", "TFLite", "Table", "Thresholds", "product_bound"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class MulShift(Record):
    """An integer multiplier, a rounding shift and a zero point for each channel, then saturation.

    Parameters
    ----------
    multiplier : array of shape ``(C,)``, 32 bits signed
        Multiplier of each channel.
    shift : array of shape ``(C,)``, 0..62
        Right shift of each channel, rounding to nearest, ties upwards.
    zero_point : int, 32 bits signed
        Added before saturation.
    type : IntType, at most 32 bits
        Type of the result.

    Raises
    ------
    ParameterError
        If a field is outside its range.
    """

    kind: ClassVar[str] = "mulshift"

    multiplier: NDArray[np.int32] = array("int32", 1)
    shift: NDArray[np.uint8] = array("uint8", 1)
    zero_point: int
    type: IntType

    def check(self) -> None:
        """Check the fields against each other."""
        check_int("MulShift", "zero_point", self.zero_point, -(1 << 31), (1 << 31) - 1)
        check_int("MulShift", "type.bits", self.type.bits, 1, 32)
        check_int("MulShift", "the largest shift", int(self.shift.max()), 0, 62)
        if self.shift.shape != self.multiplier.shape:
            raise ParameterError(
                f"MulShift: shift must have a value for each of the {self.cols} multipliers, "
                f"not {len(self.shift)}"
            )

    @property
    def cols(self) -> int:
        """Number of channels."""
        return len(self.multiplier)

    def run(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Requantise accumulators of shape ``(..., C)``."""
        return arith.mulshift(
            acc,
            multiplier=self.multiplier,
            shift=self.shift,
            zero_point=self.zero_point,
            bits=self.type.bits,
            signed=self.type.signed,
        )


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class TFLite(Record):
    """TensorFlow Lite's requantisation, with its two roundings, bit for bit.

    ::

        y = clip(zero_point + (acc << left) * multiplier / 2**31 / 2**right, low, high)

    The first quotient is rounded to nearest, ties upwards; the second, ties away from zero.

    Parameters
    ----------
    multiplier : array of shape ``(C,)``, 32 bits signed
        Multiplier of each channel, in units of ``2**-31``.
    shift : array of shape ``(C,)``, -31..30
        Shift of each channel as TFLite writes it: positive is left, negative is right.
    zero_point : int, 32 bits signed
        Added before clipping.
    low, high : int
        Least and largest result: TFLite's activation range.
    type : IntType, at most 32 bits
        Type of the result; holds :py:`low` and :py:`high`.

    Raises
    ------
    ParameterError
        If a field is outside its range.
    """

    kind: ClassVar[str] = "tflite"

    multiplier: NDArray[np.int32] = array("int32", 1)
    shift: NDArray[np.int8] = array("int8", 1)
    zero_point: int
    low: int
    high: int
    type: IntType

    def check(self) -> None:
        """Check the fields against each other."""
        check_int("TFLite", "zero_point", self.zero_point, -(1 << 31), (1 << 31) - 1)
        check_int("TFLite", "type.bits", self.type.bits, 1, 32)
        check_int("TFLite", "low", self.low, self.type.low, self.type.high)
        check_int("TFLite", "high", self.high, self.low, self.type.high)
        check_int("TFLite", "the least shift", int(self.shift.min()), -31, 30)
        check_int("TFLite", "the largest shift", int(self.shift.max()), -31, 30)
        if self.shift.shape != self.multiplier.shape:
            raise ParameterError(
                f"TFLite: shift must have a value for each of the {self.cols} multipliers, "
                f"not {len(self.shift)}"
            )

    @property
    def cols(self) -> int:
        """Number of channels."""
        return len(self.multiplier)

    @property
    def left(self) -> NDArray[np.int64]:
        """Left shift of each channel, before the product."""
        return np.maximum(self.shift.astype(np.int64), 0)

    @property
    def right(self) -> NDArray[np.int64]:
        """Right shift of each channel, after the product."""
        return np.maximum(-self.shift.astype(np.int64), 0)

    def run(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Requantise accumulators of shape ``(..., C)``."""
        return arith.tflite(
            acc,
            multiplier=self.multiplier,
            shift=self.shift,
            zero_point=self.zero_point,
            low=self.low,
            high=self.high,
        )


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Thresholds(Record):
    """Count the thresholds that an accumulator reaches: exact for any monotone function.

    Parameters
    ----------
    thresholds : array of shape ``(C, n)``, 64 bits signed, n at most 255
        Rising in each row.
    sign : array of shape ``(C,)`` of 1 and -1
        -1 for a channel whose function falls: its accumulator is negated first.
    low : int
        Result where no threshold is reached.
    type : IntType
        Type of the result; holds :py:`low` to :py:`low + n`.

    Raises
    ------
    ParameterError
        If a field is outside its range.
    """

    kind: ClassVar[str] = "thresholds"

    thresholds: NDArray[np.int64] = array("int64", 2)
    sign: NDArray[np.int8] = array("int8", 1)
    low: int
    type: IntType

    def check(self) -> None:
        """Check the fields against each other."""
        check_int("Thresholds", "number of thresholds", self.thresholds.shape[1], 1, 255)
        check_int("Thresholds", "low", self.low, self.type.low, self.type.high)
        top = self.low + self.thresholds.shape[1]
        if top > self.type.high:
            raise ParameterError(
                f"Thresholds: low + number of thresholds must be at most {self.type.high} "
                f"for {self.type}, not {top}"
            )
        if self.sign.shape != (self.cols,) or not np.all(np.abs(self.sign.astype(int)) == 1):
            raise ParameterError(
                f"Thresholds: sign must be 1 or -1 for each of the {self.cols} channels"
            )
        if np.any(self.thresholds[:, 1:] < self.thresholds[:, :-1]):
            raise ParameterError("Thresholds: thresholds must rise in each row")

    @property
    def cols(self) -> int:
        """Number of channels."""
        return len(self.thresholds)

    def run(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Requantise accumulators of shape ``(..., C)``."""
        turned = arith.as_int(acc) * self.sign
        return self.low + count_reached(turned, self.thresholds)


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Table(Record):
    """Look a saturated code up in a table that all channels share.

    Parameters
    ----------
    code : MulShift
        Gives the code, at most 16 bits.
    table : array of shape ``(2 ** code.type.bits,)``
        The first entry belongs to the lowest code.
    type : IntType
        Type of the result; holds every entry.

    Raises
    ------
    ParameterError
        If a field is outside its range.
    """

    kind: ClassVar[str] = "table"

    code: MulShift
    table: NDArray[np.int64] = array("int64", 1)
    type: IntType

    def check(self) -> None:
        """Check the fields against each other."""
        check_int("Table", "code.type.bits", self.code.type.bits, 1, 16)
        entries = 1 << self.code.type.bits
        if len(self.table) != entries:
            raise ParameterError(
                f"Table: table must have {entries} entries for a code of "
                f"{self.code.type.bits} bits, not {len(self.table)}"
            )
        low, high = int(self.table.min()), int(self.table.max())
        if low < self.type.low or high > self.type.high:
            raise ParameterError(
                f"Table: table must lie in {self.type.low}..{self.type.high} for {self.type}, "
                f"not in {low}..{high}"
            )

    @property
    def cols(self) -> int:
        """Number of channels."""
        return self.code.cols

    def run(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Requantise accumulators of shape ``(..., C)``."""
        return arith.lookup(self.code.run(acc), table=self.table, low=self.code.type.low)


Requantiser = MulShift | Thresholds | Table | TFLite


def product_bound(requantise: Requantiser | None, acc: Interval) -> int:
    """Largest magnitude before the shift when :py:`requantise` is given :py:`acc`.

    Raises
    ------
    ParameterError
        If TFLite's result would be undefined: an accumulator must fit 32 bits, shifted left too.
    """
    inner = requantise.code if isinstance(requantise, Table) else requantise
    if isinstance(inner, TFLite):
        wide = acc.bound << int(inner.left.max())
        if wide >= 1 << 31:
            raise ParameterError(
                "TFLite: accumulators shifted left must stay below 2**31, where TFLite's own are "
                f"defined, not reach {wide}: split the layer, or use a smaller left shift"
            )
        return wide * int(np.abs(inner.multiplier.astype(np.int64)).max()) + (1 << 30)
    if not isinstance(inner, MulShift):
        return acc.bound
    half = (1 << int(inner.shift.max())) >> 1
    return acc.bound * int(np.abs(inner.multiplier.astype(np.int64)).max()) + half
