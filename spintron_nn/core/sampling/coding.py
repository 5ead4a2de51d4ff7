"""From conductances to the codes that a network carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .telegraph import column_variance

__all__ = ["SampledArray", "coded", "column_shares", "noise_of", "worst_share"]

Reals = NDArray[np.float64]
Codes = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class SampledArray:
    """Conductance codes of the devices of one array, after all that went wrong with them.

    Attributes
    ----------
    codes : uint16 array
        Conductance codes, of the shape of the levels asked for.
    reference : uint16 array of shape ``(..., rows, blocks)`` or None
        Codes of the reference cells of each array, where asked for; the axis of devices is gone.
    stuck, open, short : int
        Devices that do not take what is written, conduct nothing, or are shorts; with those of
        the reference.
    saturated : int
        Devices whose conductance exceeds the largest code and reads as that code.
    pulses : int
        Pulses that wrote the array.
    steps : array of shape ``(cols,)``, siemens
        Conductance of one code, of each column.
    wire_share : float
        Current of the worst column of an array over that without wires, all rows driven alike.
    code_error : float
        Root mean square of the rounding to codes, in codes; without what is saturated.
    telegraph : array of shape ``(..., arrays of rows, cols)`` or None, codes squared
        Variance of each read of a column of which every row is driven with 1.
    """

    codes: Codes
    reference: Codes | None
    stuck: int
    open: int
    short: int
    saturated: int
    pulses: int
    steps: Reals
    wire_share: float
    code_error: float
    telegraph: Reals | None


def coded(conductance: Reals, steps: Reals | float, bits: int) -> tuple[Codes, int, float]:
    """Round to codes of :py:`bits` bits.

    Returns
    -------
    codes : uint16 array
        ``floor(G / step + 1 / 2)``, at most the largest code.
    saturated : int
        Devices beyond the largest code.
    error : float
        Root mean square of the rounding of the others, in codes.
    """
    # Nominal levels lie a whole number of codes apart but the last bit of a float need not:
    # the tiny offset keeps them on one side of a rounding edge.
    place = conductance / steps
    found = place + (0.5 + 1e-9)
    np.floor(found, out=found)
    largest = (1 << bits) - 1
    over = found > largest
    count = int(np.count_nonzero(over))
    rest = np.subtract(found, place, out=place)
    if count:
        rest[over] = 0.0
    error = float(np.sqrt(np.square(rest, out=rest).sum() / max(1, over.size - count)))
    return np.minimum(found, largest, out=found).astype(np.uint16), count, error


def _ratio(effective: Reals, conductance: Reals) -> Reals:
    """Delivered over ideal; columns that conduct nothing count as whole."""
    return np.divide(effective, conductance, out=np.ones_like(conductance), where=conductance > 0)


def column_shares(effective: Reals, conductance: Reals) -> Reals:
    """Share that wires deliver of each column ``(cols,)``, over all rows and leading axes."""
    axes = tuple(range(conductance.ndim - 1))
    return _ratio(effective.sum(axis=axes), conductance.sum(axis=axes))


def worst_share(effective: Reals, conductance: Reals, tile: int | None) -> float:
    """Least share that wires deliver of a column of one array."""
    if effective is conductance:
        return 1.0
    rows = conductance.shape[-2]
    starts = np.arange(0, rows, rows if tile is None else tile)
    sums = (np.add.reduceat(part, starts, axis=-2) for part in (effective, conductance))
    return float(_ratio(*sums).min(initial=1.0))


def noise_of(variance: Reals | None, place: Reals, tile: int | None) -> Reals | None:
    """Variance of a read of each column, in codes squared.

    Parameters
    ----------
    variance : array of shape ``(..., rows, cols)`` or None
        Of each device, over the square of its conductance.
    place : array of the same shape
        Conductance in codes.
    tile : int or None
        Rows of an array.
    """
    return None if variance is None else column_variance(variance * place**2, tile)
