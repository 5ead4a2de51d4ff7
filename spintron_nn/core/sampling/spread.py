"""Spread of resistance, tunnel magnetoresistance and switching voltage over devices and dies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from spintron_ir.errors import ParameterError

from .fields import check_fields

__all__ = ["Spread", "correlated_field", "resistance_deviation", "unwritable"]

Reals = NDArray[np.float64]

LONGEST = 1000
"""Largest correlation length, in cells: the padded grid grows with it."""


@dataclass(frozen=True)
class Spread:
    """Log-normal spread beyond the resistance variation from device to device.

    ``ln R`` of a device deviates by ``s (sqrt(1 - c) n + sqrt(c) F) + die + wafer``: ``s`` is
    ``MTJConfig.resistance_variation``, ``n`` standard normal for each device, ``F`` a Gaussian
    random field of variance 1 over the rows and columns of an array, the same for all devices of
    one cell, with the correlation ``exp(-(d / length)**2)`` at a distance of ``d`` cells.

    Parameters
    ----------
    tmr : float, at least 0
        Standard deviation of the logarithm of the TMR ratio from device to device; ``R_P`` stays.
    switching : float, at least 0
        Standard deviation of the logarithm of the switching voltage.
    correlated : float, 0..1
        Share ``c`` of the variance of ``ln R`` that is correlated in space.
    correlation_length : float, 0..1000 cells
        Distance at which the correlation falls to 1/e; above 0 where :py:`correlated` is.
    die, wafer : float, at least 0
        Standard deviation of ``ln R`` from die to die of a wafer, and from wafer to wafer.
    overdrive : float, at least 1
        Write voltage over the nominal switching voltage. A device that needs more is never
        written; one that switches below the read voltage loses what was written. Both rest in
        the antiparallel state, to which reads of this polarity push.

    Source
    ------
    Log-normal resistance: the barrier thickness is normal and resistance exponential in it.
    Pelgrom, Duinmaijer and Welbers, IEEE J. Solid-State Circuits 24, 1433 (1989), for variance
    that is partly one of distance.
    """

    tmr: float = 0.0
    switching: float = 0.0
    correlated: float = 0.0
    correlation_length: float = 0.0
    die: float = 0.0
    wafer: float = 0.0
    overdrive: float = 1.5

    def __post_init__(self) -> None:
        least = ("at least 0", "")
        check_fields(
            self,
            {
                "tmr": least,
                "switching": least,
                "correlated": ("in 0..1", ""),
                "correlation_length": ("at least 0", "cells"),
                "die": least,
                "wafer": least,
                "overdrive": ("at least 1", ""),
            },
        )
        if self.correlation_length > LONGEST:
            raise ParameterError(
                f"Spread: correlation_length must be at most {LONGEST} cells, not "
                f"{self.correlation_length:g}; what is common to a whole array is a die offset"
            )
        if self.correlated > 0 and self.correlation_length == 0:
            raise ParameterError(
                "Spread: correlation_length must be above 0 where a share of the variance is "
                f"correlated, not 0 with {self.correlated:g}; give it in cells"
            )


def correlated_field(
    random: np.random.Generator, rows: int, cols: int, length: float, lead: tuple[int, ...] = ()
) -> Reals:
    """Gaussian random field with variance 1 and the correlation ``exp(-(d / length)**2)``.

    White noise on a grid with a rim of four lengths, so that opposite edges do not meet, is
    multiplied in frequency space by the square root of the spectrum of the correlation. The mean
    of that spectrum is 1, which makes the variance of every cell 1 exactly.

    Parameters
    ----------
    random : Generator
        Random numbers.
    rows, cols : int
        Cells.
    length : float, cells, above 0
        Distance at which the correlation is 1/e.
    lead : tuple of int
        Leading axes: a field of its own for each index.

    Returns
    -------
    array of shape ``(*lead, rows, cols)``

    Source
    ------
    Circulant embedding: Dietrich and Newsam, SIAM J. Sci. Comput. 18, 1088 (1997).
    """
    rim = int(np.ceil(4 * length))
    sizes = [fft.next_fast_len(count + rim, real=True) for count in (rows, cols)]
    axes = [np.minimum(np.arange(size), size - np.arange(size)) for size in sizes]
    down, across = (np.exp(-((axis / length) ** 2)) for axis in axes)
    # The correlation is a product over both axes, and so is its spectrum.
    spectra = [np.maximum(fft.fft(line).real, 0.0) for line in (down, across)]
    spectra = [spectrum / spectrum.mean() for spectrum in spectra]
    half = sizes[1] // 2 + 1
    amplitude = np.sqrt(spectra[0])[:, None] * np.sqrt(spectra[1])[None, :half]
    white = fft.rfft2(random.standard_normal((*lead, *sizes)))
    fields = fft.irfft2(white * amplitude, s=sizes)[..., :rows, :cols]
    return np.asarray(fields, dtype=np.float64)


def resistance_deviation(
    spread: Spread,
    variation: float,
    normal: Reals,
    field_random: np.random.Generator | None,
) -> Reals:
    """Deviation of ``ln R`` of every device from that of its die.

    Parameters
    ----------
    spread : Spread
        Share and length of what is correlated.
    variation : float
        Standard deviation of ``ln R``.
    normal : array of shape ``(..., rows, cols)``
        A standard normal number for each device.
    field_random : Generator
        Random numbers of the field; unused where nothing is correlated.
    """
    if spread.correlated == 0 or field_random is None:
        return variation * normal
    rows, cols = normal.shape[-2:]
    field = correlated_field(field_random, rows, cols, spread.correlation_length)
    shares = np.sqrt(1 - spread.correlated), np.sqrt(spread.correlated)
    return np.asarray(variation * (shares[0] * normal + shares[1] * field))


def unwritable(
    spread: Spread, switching_voltage: float, read_voltage: float, normal: Reals
) -> NDArray[np.bool_]:
    """Devices that the write voltage does not switch, or that the read voltage does.

    Parameters
    ----------
    switching_voltage, read_voltage : float, V
        Nominal switching voltage, and what a read applies.
    normal : array
        A standard normal number for each device.
    """
    own = switching_voltage * np.exp(spread.switching * normal)
    return (own > spread.overdrive * switching_voltage) | (own <= read_voltage)
