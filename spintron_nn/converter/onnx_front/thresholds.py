"""Exact thresholds of a quantised float32 function of integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType, Thresholds

from .values import Value

__all__ = ["MOST", "find_thresholds"]

Ints = NDArray[np.int64]

MOST = 255
"""Most thresholds of a channel."""

LARGEST = 1 << 23
"""Most thresholds of all channels together."""

BLOCK = 1 << 21
"""Values evaluated at once."""


def find_thresholds(
    value: Value,
    codes: Callable[[NDArray[np.float32]], Ints],
    kind: IntType | None,
    *,
    uniform: bool = False,
) -> Thresholds:
    """Find, by bisection, where the codes of a function of integers step.

    Every operator of the function is monotone, and so is its rounding in float32: the codes step
    at most once to each value, and bisection finds the place.

    Parameters
    ----------
    value : Value
        The function, and the range of its integers.
    codes : function
        From a float32 tensor ``(batch, *shape)`` to its integers; it rises.
    kind : IntType or None
        Type of the codes; None for the narrowest.
    uniform : bool
        Whether the codes are the same function for all elements. Where the values are, too, one
        channel stands for all.

    Raises
    ------
    ValueError
        If the function is not finite at an end, or has more than 256 codes; the text says what to
        do.
    """
    sign = np.where(value.rises < 0, -1, 1)
    first = np.where(sign > 0, value.low, -value.high)
    last = np.where(sign > 0, value.high, -value.low)
    for end in (first, last):
        if not np.isfinite(value.evaluate((sign * end)[None])).all():
            raise ValueError("is not finite over the whole range: check the scales before it")

    def at(places: Ints) -> Ints:
        found = value.evaluate(sign * places).reshape(len(places), *value.shape[1:])
        return codes(found).reshape(len(places), -1)

    least, most = at(first[None]), at(last[None])
    low, high = int(least.min()), int(most.max())
    count = max(high - low, 1)
    if count > MOST:
        raise ValueError(f"has {count + 1} codes, and at most 256 are converted: use 8 bits")
    wanted = np.arange(low + 1, low + 1 + count)
    if uniform and value.uniform:
        found = _one_for_all(value, at, wanted, int(first[0]), int(last[0]))
        sign = sign[:1]
    elif count * value.count > LARGEST:
        raise ValueError("has thresholds of their own for too many values: use one scale")
    else:
        size = max(BLOCK // value.count, 1)
        rows = [
            _bisect(at, wanted[start : start + size, None], first, last)
            for start in range(0, count, size)
        ]
        found = np.concatenate(rows).T
    if kind is None:
        kind = IntType.of_range(low, low + count)
    if low + count > kind.high:  # a constant at the top: one code more, which nothing reaches
        kind = IntType.of_range(min(low, kind.low), low + count)
    return Thresholds(thresholds=found, sign=sign, low=low, type=kind)


def _bisect(at: Callable[[Ints], Ints], wanted: Ints, first: Ints, last: Ints) -> Ints:
    """Least integers of each element, ``first..last``, at which its codes reach those wanted.

    One more than the last where none does.
    """
    shape = np.broadcast_shapes(wanted.shape, first.shape)
    below = np.broadcast_to(first, shape).copy()
    above = np.broadcast_to(last + 1, shape).copy()
    while (below < above).any():
        middle = (below + above) // 2
        reached = at(np.minimum(middle, last)) >= wanted
        open_ = below < above
        above = np.where(open_ & reached, middle, above)
        below = np.where(open_ & ~reached, middle + 1, below)
    return below


def _one_for_all(
    value: Value, at: Callable[[Ints], Ints], wanted: Ints, first: int, last: int
) -> Ints:
    """Thresholds of the one channel of a uniform function: each element looks for another."""
    frames = -(-len(wanted) // value.count)
    spread = np.resize(wanted, frames * value.count).reshape(frames, value.count)
    ends = (np.full(value.count, end) for end in (first, last))
    return _bisect(at, spread, *ends).reshape(-1)[None, : len(wanted)]
