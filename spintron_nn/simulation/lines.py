"""Straight lines that count thresholds: one multiplication in place of a search."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fitted_lines"]

ROUNDS = 64
"""Halvings of the search for a slope: beyond double precision."""

ENOUGH = 8
"""Times the error that the room has, with which a search ends."""

MARGIN = {np.float32: 2.0**-21, np.float64: 2.0**-50}
"""Share of the magnitudes on the way that eight roundings of the format stay below."""

Reals = NDArray[np.float64]


def fitted_lines(
    thresholds: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    start: int,
    dtype: Any,
) -> tuple[Reals, Reals] | None:
    """Lines with ``clip(floor(slope * x + offset), start, start + n)`` the thresholds reached.

    Thresholds of a quantiser with even steps lie near a line; whether one meets all of them is
    decided here, with room for the roundings of the format, so that the count is exact.

    Parameters
    ----------
    thresholds : int64 array ``(channels, n)``, never falling
        Thresholds of each channel.
    low, high : int64 array ``(channels,)``
        Least and largest value of each channel.
    start : int
        The count where no threshold is reached.
    dtype : numpy.float32 or numpy.float64
        Format in which the line is computed.

    Returns
    -------
    pair of float64 array ``(channels,)``, values of the format, or None
        Slopes and offsets; None where a channel has no such line.

    Examples
    --------
    >>> ends = np.array([0]), np.array([99])
    >>> slope, offset = fitted_lines(np.array([[10, 20, 30]]), *ends, 0, np.float32)
    >>> np.floor(slope * [9, 10, 19, 20, 29, 30] + offset).tolist()
    [0.0, 1.0, 1.0, 2.0, 2.0, 3.0]
    >>> fitted_lines(np.array([[1, 2, 4, 8, 16]]), *ends, 0, np.float32) is None
    True
    """
    count = thresholds.shape[1]
    low, high = low[:, None], high[:, None]
    number = start + np.arange(1, count + 1, dtype=np.float64)
    reached = np.where(thresholds <= high, np.maximum(thresholds, low), np.nan)
    missed = np.where(thresholds > low, np.minimum(thresholds, high + 1) - 1, np.nan)
    far = np.maximum(np.abs(low), np.abs(high))[:, 0]
    size = MARGIN[dtype] * (abs(start) + count + 1)
    slope = _slopes(reached, missed, number, size, MARGIN[dtype] * far)
    slope = slope.astype(dtype).astype(np.float64)
    least, most = (part[0] for part in _room(slope, reached, missed, number))
    middle = np.where(np.isinf(least), most - 1, np.where(np.isinf(most), least + 1, 0.0))
    both = np.isfinite(least) & np.isfinite(most)
    middle[both] = (least[both] + most[both]) / 2
    offset = middle.astype(dtype).astype(np.float64)
    error = size + MARGIN[dtype] * (slope * far + np.abs(offset))
    exact = (offset - least > error) & (most - offset > error)
    return (slope, offset) if bool(exact.all()) else None


def _room(slope: Reals, reached: Reals, missed: Reals, number: Reals) -> Any:
    """Least and largest offset of each channel, each with the value that bounds it."""
    least = np.where(np.isnan(reached), -np.inf, number - slope[:, None] * reached)
    most = np.where(np.isnan(missed), np.inf, number - slope[:, None] * missed)
    ends, every = (least.argmax(axis=1), most.argmin(axis=1)), np.arange(len(slope))
    return (least[every, ends[0]], reached[every, ends[0]]), (
        most[every, ends[1]],
        missed[every, ends[1]],
    )


def _slopes(reached: Reals, missed: Reals, number: Reals, error: float, more: Reals) -> Reals:
    """Slopes of lines with room: it is concave, so its own slope says where to go.

    A line's error is :py:`error` and :py:`more` for each unit of its slope.
    """
    left = np.zeros(len(reached))
    right = np.full(len(reached), number[-1] - number[0] + 2)
    both = ~np.isnan(reached) & ~np.isnan(missed)
    first, last = both.argmax(axis=1), both.shape[1] - 1 - both[:, ::-1].argmax(axis=1)
    every = np.arange(len(reached))
    run = reached[every, last] - reached[every, first]
    good = both.any(axis=1) & (run > 0)
    slope = np.where(good, (last - first) / np.where(good, run, 1), 0.5)
    rest = every
    for _ in range(ROUNDS):
        found = _room(slope[rest], reached[rest], missed[rest], number)
        (least, lower), (most, upper) = found
        further = lower > upper
        enough = most - least > ENOUGH * (error + more[rest] * slope[rest])
        left[rest] = np.where(further, slope[rest], left[rest])
        right[rest] = np.where(further, right[rest], slope[rest])
        rest = rest[~enough]
        if not rest.size:
            break
        slope[rest] = (left[rest] + right[rest]) / 2
    return slope
