"""What the sums of devices stand for, from calibration data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_line"]

Reals = NDArray[np.float64]

LEAST = 1e-6
"""Least slope that is one, over that of a nominal chip."""


def fit_line(
    acc: Reals, target: Reals, *, per_channel: bool, nominal: Reals
) -> tuple[Reals, Reals]:
    """Straight line from the accumulators to the real values that they stand for.

    Least squares; where the accumulators do not move, or not with the target, the slope is that of
    a nominal chip.
    """
    centred = acc - acc.mean(axis=0)
    power = (centred**2).sum(axis=0)
    common = (centred * (target - target.mean(axis=0))).sum(axis=0)
    if not per_channel:
        power, common = (np.full_like(values, values.sum()) for values in (power, common))
    slope = nominal.copy()
    # A target that stands still leaves its rounding errors over noise.
    np.divide(common, power, out=slope, where=(power > 0) & (common > LEAST * nominal * power))
    return slope, target.mean(axis=0) - slope * acc.mean(axis=0)
