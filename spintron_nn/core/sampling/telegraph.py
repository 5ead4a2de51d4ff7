"""Random telegraph noise: devices that switch between two conductances by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fields import check_fields

__all__ = ["Telegraph", "column_variance", "shares_of_read", "telegraph"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Telegraph:
    """Two-state noise of a share of the devices.

    Such a device conducts ``G (1 + a / 2)`` or ``G (1 - a / 2)``, each for a mean time ``tau``; the
    correlation time is ``tau_c = tau / 2``. A read averages over the time ``t_r = x tau_c``, which
    leaves ``2 (x - 1 + exp(-x)) / x**2`` of the variance ``(a G / 2)**2``. A read that starts in
    one state shows ``(1 - exp(-x)) / x`` of it on average: that is frozen into the conductance,
    with a state drawn once for the chip, and is also what reads that follow each other share. The
    rest of the variance is noise, fresh for each read. So slow devices stand in one of their
    states, and of fast ones the share ``2 / x`` of the variance is noise.

    Parameters
    ----------
    share : float, 0..1
        Probability that a device does this.
    amplitude : float, at least 0
        Median of the relative distance ``a`` between both conductances.
    amplitude_spread : float, at least 0
        Standard deviation of ``ln a``; 0: all alike. No device reaches beyond ``a = 2``.
    switching_time : float, s, above 0
        Median of ``tau``.
    switching_time_spread : float, at least 0
        Standard deviation of ``ln tau``.
    read_time : float, s, above 0
        Time over which a read averages.

    Source
    ------
    Machlup, J. Appl. Phys. 25, 341 (1954): correlation ``exp(-t / tau_c)``; integrated over a read.
    """

    share: float = 0.0
    amplitude: float = 0.0
    amplitude_spread: float = 0.0
    switching_time: float = 1e-3
    switching_time_spread: float = 0.0
    read_time: float = 1e-8

    def __post_init__(self) -> None:
        check_fields(
            self,
            {
                "share": ("in 0..1", ""),
                "amplitude": ("at least 0", ""),
                "amplitude_spread": ("at least 0", ""),
                "switching_time": ("above 0", "s"),
                "switching_time_spread": ("at least 0", ""),
                "read_time": ("above 0", "s"),
            },
        )

    @property
    def on(self) -> bool:
        """Whether any device does this."""
        return self.share > 0 and self.amplitude > 0


def telegraph(
    settings: Telegraph, random: np.random.Generator, shape: tuple[int, ...]
) -> tuple[Reals, Reals]:
    """Draw the devices that switch by themselves.

    Returns
    -------
    factor : array of :py:`shape`
        Factor on the conductance, frozen.
    variance : array of :py:`shape`
        Variance of each read over the square of the conductance.
    """
    draw = random.random(shape)
    chosen = draw < settings.share
    count = int(chosen.sum())
    sign = np.where(random.random(count) < 0.5, -1.0, 1.0)
    size = settings.amplitude * np.exp(settings.amplitude_spread * random.standard_normal(count))
    half = np.minimum(size, 2.0) / 2
    spread = settings.switching_time_spread * random.standard_normal(count)
    ratio = 2 * settings.read_time / (settings.switching_time * np.exp(spread))
    frozen, fresh = shares_of_read(ratio)
    factor, variance = np.ones(shape), np.zeros(shape)
    factor[chosen] += sign * half * frozen
    variance[chosen] = half**2 * fresh
    return factor, variance


def shares_of_read(ratio: Reals) -> tuple[Reals, Reals]:
    """What of a telegraph signal a read shows, by its time over the correlation time.

    Returns
    -------
    frozen : array
        Share of the state in which it starts.
    fresh : array
        Share of the variance that is new in each read.

    Examples
    --------
    >>> frozen, fresh = shares_of_read(np.array([1e-6, 1.0, 1e3]))
    >>> print(*frozen.round(3), *fresh.round(3))
    1.0 0.632 0.001 0.0 0.336 0.002
    """
    x = np.asarray(ratio, dtype=np.float64)
    shown = -np.expm1(-x)
    # For short reads the difference loses its digits; two terms of its series are exact enough.
    fresh = np.where(x < 1e-3, 2 * x / 3 - x**2 / 2, (2 * (x - shown) - shown**2) / x**2)
    return shown / x, fresh


def column_variance(variance: Reals, tile: int | None) -> Reals:
    """Sum over the rows of each array: the variance of a column of which every row is driven.

    With the input ``x`` on a row its device counts ``x**2`` times, so the noise of a read is this
    sum times the mean square of the inputs, in units of the chunk 1.

    Parameters
    ----------
    variance : array of shape ``(..., rows, cols)``
        Of every device.
    tile : int or None
        Rows of an array.

    Returns
    -------
    array of shape ``(..., arrays, cols)``
    """
    rows = variance.shape[-2]
    starts = np.arange(0, rows, rows if tile is None else tile)
    return np.asarray(np.add.reduceat(variance, starts, axis=-2))
