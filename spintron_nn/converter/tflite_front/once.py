"""Requantisers that round once: real factors in float64, as some reference kernels have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Interval, IntType, MulShift, Thresholds

from ..moving import bisect
from .fixed import multiplier_of, rounded
from .refusal import Refusal

__all__ = ["rounding_once"]

Ints = NDArray[np.int64]

LARGEST = (1 << 31) - 1
MOST = 1 << 14
"""Most channels: each is looked at in all its codes."""


def rounding_once(
    factors: NDArray[np.float64],
    zero: int,
    ends: tuple[int, int],
    kind: IntType,
    acc: Interval,
) -> MulShift | Thresholds:
    """The requantiser ``clip(zero + round(acc * factor), *ends)``, ties away from zero.

    It is a multiplier and a shift where these give the same code for every accumulator: one unit
    more or less decides ties and sums next to them. Thresholds stand in where none does, as where
    the codes end within their type.

    Parameters
    ----------
    factors : float64 array of shape ``(channels,)``
        Positive factors; the product is rounded to float64 first.
    zero : int
        Zero point.
    ends : pair of int
        Least and largest code.
    kind : IntType
        Type of the codes.
    acc : Interval
        Range of the accumulators.

    Raises
    ------
    Refusal
        If there are too many channels, or a product leaves 32 bits; the text says what to do.

    Examples
    --------
    >>> kind = IntType(4, signed=True)
    >>> rounding_once(np.array([0.3]), 0, (-8, 7), kind, Interval(-32, 31)).kind
    'mulshift'
    >>> half = rounding_once(np.array([0.5]), 0, (-8, 7), kind, Interval(-32, 31))
    >>> half.multiplier.tolist(), half.run([[-3], [-1], [0], [1], [2]]).ravel().tolist()
    ([1073741825], [-2, -1, 0, 1, 1])
    >>> rounding_once(np.array([0.3]), 0, (0, 6), kind, Interval(-32, 31)).kind
    'thresholds'
    """
    if len(factors) > MOST:
        raise Refusal(f"has {len(factors)} outputs, and at most {MOST} are converted: split it")
    if float(factors.max()) * max(-acc.low, acc.high) >= 1 << 31:
        raise Refusal("scales sums beyond 32 bits: check the scales of its tensors")
    pairs = [multiplier_of(float(factor)) for factor in factors]
    multiplier: Any = np.array([pair[0] for pair in pairs], dtype=np.int32)
    shift: Any = np.array([31 - pair[1] for pair in pairs], dtype=np.uint8)
    rule = MulShift(multiplier=multiplier, shift=shift, zero_point=zero, type=kind)
    if ends[0] == ends[1]:
        return MulShift(multiplier=0 * multiplier, shift=shift, zero_point=ends[0], type=kind)

    def at(places: Ints) -> Ints:
        codes = zero + rounded(places * factors).astype(np.int64)
        return np.clip(codes, ends[0], ends[1])

    wanted = np.arange(ends[0] + 1, ends[1] + 1)[:, None]
    # Each step is where the division says, give or take the rounding of float64.
    near = np.ceil(np.clip((wanted - zero - 0.5) / factors, acc.low - 3, acc.high + 3))
    first, last = (np.clip(near.astype(np.int64) + by, acc.low, acc.high) for by in (-2, 2))
    found = bisect(at, wanted, first, last)
    lowest, highest = (np.full((1, len(factors)), end) for end in (acc.low, acc.high))
    steps = np.concatenate([lowest, np.minimum(found, highest), np.maximum(found - 1, lowest),
                            highest])  # fmt: skip
    # Both rise: what agrees on either side of every step agrees everywhere.
    codes = at(steps)
    chosen, open_ = multiplier.astype(np.int64), np.ones(len(factors), dtype=np.bool_)
    for by in (0, 1, -1, 2, -2):
        tried: Any = np.clip(multiplier.astype(np.int64) + by, 0, LARGEST).astype(np.int32)
        agrees = (replace(rule, multiplier=tried).run(steps) == codes).all(axis=0) & open_
        chosen, open_ = np.where(agrees, tried, chosen), open_ & ~agrees
        if not open_.any():
            return replace(rule, multiplier=chosen.astype(np.int32))
    sign: Any = np.ones(len(factors), dtype=np.int8)
    return Thresholds(thresholds=found.T, sign=sign, low=ends[0], type=kind)
