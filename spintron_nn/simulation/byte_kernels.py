"""What follows the products of byte reads, in one pass each, compiled by Numba.

The first call of a process loads both from Numba's cache, or compiles them in a second or two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

__all__ = ["digitise", "on_lines"]


def _compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, kept on disk where there is a folder for it."""
    try:
        return njit(function, nogil=True, cache=True)
    except RuntimeError:  # neither the package nor the user's home can be written
        return njit(function, nogil=True)


@_compiled
def digitise(
    level: Any,
    gain: Any,
    offset: Any,
    shift: Any,
    low: int,
    high: int,
    scales: Any,
    acc: Any,
) -> None:
    """Add the codes of levels to accumulators.

    A code is ``(level * gain + offset) >> shift``, at least :py:`low` and at most :py:`high`; every
    value on the way must stay within 32 bits.

    Parameters
    ----------
    level : int32 array of shape ``(chips, reads, vectors, parts * cols)``
        Levels.
    gain, offset : int32 arrays of shape ``(chips, parts * cols)``
        Of each converter; the offset with half a step.
    shift : int32 array of shape ``(chips,)``
        Of the converters of each chip.
    low, high : int
        Least and largest code.
    scales : int32 array of shape ``(parts, reads)``
        What a code counts.
    acc : float32 array of shape ``(chips, vectors, cols)``
        Accumulators, which hold integers.
    """
    parts, cols = scales.shape[0], acc.shape[2]
    least, most = np.int32(low), np.int32(high)
    total = np.empty(cols, np.int32)
    for chip in range(level.shape[0]):
        places = shift[chip]
        for vector in range(level.shape[2]):
            total[:] = 0
            for part in range(parts):
                own = slice(part * cols, (part + 1) * cols)
                gains, offsets = gain[chip, own], offset[chip, own]
                for read in range(level.shape[1]):
                    levels, scale = level[chip, read, vector, own], scales[part, read]
                    for col in range(cols):
                        scaled = np.int32(levels[col] * gains[col] + offsets[col])
                        code = min(max(np.int32(scaled >> places), least), most)
                        total[col] += np.int32(code * scale)
            found = acc[chip, vector]
            for col in range(cols):
                found[col] += np.float32(total[col])


@_compiled
def on_lines(
    acc: Any, slope: Any, offset: Any, low: float, high: float, out: Any, first: int
) -> None:
    """Round ``acc * slope + offset`` down, to at least :py:`low` and at most :py:`high`.

    Parameters
    ----------
    acc : float32 array of shape ``(chips, vectors, cols)``
        Accumulators.
    slope, offset : float32 arrays of shape ``(chips, cols)``
        Line of each column.
    low, high : float
        Least and largest result.
    out : integer array of shape ``(chips, more vectors, cols)``
        Is overwritten.
    first : int
        Which of its vectors is the first of the accumulators.
    """
    least, most = np.float32(low), np.float32(high)
    for chip in range(acc.shape[0]):
        slopes, offsets = slope[chip], offset[chip]
        for vector in range(acc.shape[1]):
            given, found = acc[chip, vector], out[chip, first + vector]
            for col in range(acc.shape[2]):
                value = np.floor(given[col] * slopes[col] + offsets[col])
                found[col] = np.int32(min(max(value, least), most))
