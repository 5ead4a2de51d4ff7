"""Random telegraph noise: devices that switch between two conductances by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fields import check_fields

__all__ = ["Telegraph", "column_variance", "telegraph"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Telegraph:
    """Two-state noise of a share of the devices.

    Such a device conducts ``G (1 + a / 2)`` or ``G (1 - a / 2)``, each for a mean time ``tau``; the
    correlation time is ``tau_c = tau / 2``. A read is a first-order low-pass of the time ``t_r``,
    which lets through ``A = tau_c / (tau_c + t_r)`` of the variance ``(a G / 2)**2`` (the integral
    of the Lorentzian through the filter). Of that, what two reads that follow each other share,
    ``rho = exp(-t_r / tau_c)``, is frozen into the conductance, with a sign drawn once for the
    chip; the rest, ``A (1 - rho)``, is noise, fresh for each read. So slow devices stand in one of
    their states and fast ones average out.

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
        Time constant of a read.

    Source
    ------
    Machlup, J. Appl. Phys. 25, 341 (1954).
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
    passed, frozen = 1 / (1 + ratio), np.exp(-ratio)
    factor, variance = np.ones(shape), np.zeros(shape)
    factor[chosen] += sign * half * np.sqrt(passed * frozen)
    variance[chosen] = half**2 * passed * (1 - frozen)
    return factor, variance


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
