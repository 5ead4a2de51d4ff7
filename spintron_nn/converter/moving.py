"""Requantisers of integers, moved to the sums of devices that stand for these integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType, MulShift, Table, Thresholds
from spintron_ir.requantise import Requantiser

__all__ = ["Line", "bisect", "moved", "thresholds_of", "whole"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

MOST = 255
"""Most thresholds of a channel."""


@dataclass(frozen=True, eq=False)
class Line:
    """From the sums of devices to the integers that they stand for: ``slope * sum + offset``.

    Parameters
    ----------
    slope, offset : float64 arrays of shape ``(cols,)``
        The line of each column; slopes are positive.
    unit : int or None
        Sum of the integer 1, where lines are exactly ``sum / unit`` plus a whole offset.
    """

    slope: Reals
    offset: Reals
    unit: int | None = None


def bisect(at: Callable[[Ints], Ints], wanted: Ints, first: Ints, last: Ints) -> Ints:
    """Least integers of each element, ``first..last``, at which a rising function reaches values.

    Parameters
    ----------
    at : function
        From integers of the shape of the result to values; rises with each of them.
    wanted, first, last : int64 arrays that broadcast
        Values to reach, and the range of integers.

    Returns
    -------
    int64 array
        One more than the last where nothing reaches the value.

    Examples
    --------
    >>> bisect(lambda x: x // 3, np.array([1, 2, 9]), np.array(0), np.array(9)).tolist()
    [3, 6, 10]
    """
    shape = np.broadcast_shapes(wanted.shape, first.shape, last.shape)
    below = np.broadcast_to(first, shape).copy()
    above = np.broadcast_to(last + 1, shape).copy()
    while (below < above).any():
        middle = (below + above) // 2
        reached = at(np.minimum(middle, last)) >= wanted
        open_ = below < above
        above = np.where(open_ & reached, middle, above)
        below = np.where(open_ & ~reached, middle + 1, below)
    return below


def thresholds_of(requantise: Requantiser, kind: IntType) -> Thresholds | None:
    """Return a monotone requantiser as thresholds, exact over all integers of a type.

    Parameters
    ----------
    requantise : Requantiser
        MulShift, TFLite or Thresholds.
    kind : IntType
        Type of the integers.

    Returns
    -------
    Thresholds or None
        None where it has more codes than thresholds tell apart, or is a table.

    Examples
    --------
    >>> half = MulShift(multiplier=[-1], shift=[1], zero_point=0, type=IntType(2, signed=True))
    >>> found = thresholds_of(half, IntType(3, signed=True))
    >>> found.thresholds.tolist(), found.sign.tolist(), found.low
    ([[-1, 1]], [-1], -1)
    """
    if isinstance(requantise, Thresholds):
        return requantise
    if isinstance(requantise, Table):
        return None
    cols = requantise.cols
    least, most = (requantise.run(np.full((1, cols), end))[0] for end in (kind.low, kind.high))
    sign = np.where(most < least, -1, 1)
    low = int(np.minimum(least, most).min())
    count = int(np.maximum(least, most).max()) - low
    if count > MOST:
        return None
    count = max(count, 1)
    first = np.where(sign > 0, kind.low, -kind.high)
    last = np.where(sign > 0, kind.high, -kind.low)
    wanted = np.arange(low + 1, low + 1 + count)[:, None]
    found = bisect(lambda places: requantise.run(sign * places), wanted, first, last)
    type_ = requantise.type
    if low + count > type_.high:  # a constant at the top: one code more, which nothing reaches
        low, found = low - 1, np.concatenate([first[None], found[:-1]])
    return Thresholds(thresholds=found.T, sign=sign, low=low, type=type_)


def moved(
    requantise: Requantiser, kind: IntType, line: Line, bias: Ints
) -> tuple[Requantiser, Any]:
    """Return a requantiser of the sums of devices, and the bias to add to the sums first.

    Parameters
    ----------
    requantise : Requantiser
        From integers to codes.
    kind : IntType
        Type of the integers.
    line : Line
        From the sums to the integers without their bias, or with it where fitted.
    bias : int64 array of shape ``(cols,)``
        Bias of the integers.
    """
    given = thresholds_of(requantise, kind)
    zero = np.zeros(len(bias), dtype=np.int64)
    if given is not None:
        return _moved_thresholds(given, line, bias), zero
    slope = line.slope
    summand = np.round((line.offset + bias) / slope).astype(np.int64)
    if isinstance(requantise, Table):
        return replace(requantise, code=_scaled(requantise.code, slope)), summand
    assert not isinstance(requantise, Thresholds)
    return _scaled(requantise, slope), summand


def whole(kind: IntType, line: Line, bias: Ints) -> tuple[MulShift, Any]:
    """Return what turns the sums of devices back into integers of a type, and the bias for it."""
    cols: Any = np.ones(len(bias), dtype=np.int64)
    one = MulShift(multiplier=cols, shift=0 * cols, zero_point=0, type=kind)
    return _scaled(one, line.slope), np.round((line.offset + bias) / line.slope).astype(np.int64)


def _moved_thresholds(given: Thresholds, line: Line, bias: Ints) -> Thresholds:
    """Thresholds of the sums: halfway between two integers."""
    sign = given.sign.astype(np.int64)[:, None]
    wanted = given.thresholds - sign * bias[:, None]
    if line.unit is not None:
        places = -((1 - 2 * wanted) * line.unit // 2)
    else:
        slope, offset = line.slope[:, None], line.offset[:, None]
        places = np.ceil((wanted - 0.5 - sign * offset) / slope).astype(np.int64)
    return replace(given, thresholds=places)


def _scaled(given: Any, slope: Reals) -> MulShift:
    """A multiplier of 31 bits for ``slope`` times that of a MulShift or of TFLite's rule."""
    places = 31 - given.shift.astype(np.int64) if not isinstance(given, MulShift) else given.shift
    factor = given.multiplier * 0.5 ** places.astype(np.float64) * slope
    tiny = np.where(factor == 0, 1.0, np.abs(factor))
    shift: Any = np.clip(29 - np.floor(np.log2(tiny)).astype(np.int64), 0, 62)
    multiplier: Any = np.round(factor * 2.0**shift).astype(np.int64)
    return MulShift(
        multiplier=multiplier, shift=shift, zero_point=given.zero_point, type=given.type
    )
