"""Devices and lines that are broken: opens, shorts, word lines and bit lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fields import check_fields

__all__ = ["Faults", "cut_off"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Faults:
    """Defects of manufacture; devices stuck in a state stand in ``MTJConfig``.

    A broken word line cuts off what lies beyond the break as seen from its driver: with the break
    before column ``b`` the columns ``b`` and up are open. A broken bit line cuts off what lies
    beyond the break as seen from its ground at the bottom: rows ``0 .. b`` are open. Breaks are
    equally likely everywhere along a line of one physical array.

    Parameters
    ----------
    open, short : float, 0..1
        Probability that a device conducts nothing, or is a short. What is both is open.
    short_resistance : float, ohm, above 0
        Resistance of a short, a barrier that has broken down. Where it lies below the range of the
        codes it reads as the largest code, which is less than what it conducts.
    broken_word, broken_bit : float, 0..1
        Probability that a word line, or a bit line, of one physical array is broken.

    Source
    ------
    Fault classes of resistive arrays: Chen et al., RRAM defect modeling and failure analysis,
    IEEE Trans. Computers 64, 180 (2015).
    """

    open: float = 0.0
    short: float = 0.0
    short_resistance: float = 1e3
    broken_word: float = 0.0
    broken_bit: float = 0.0

    def __post_init__(self) -> None:
        probability = ("in 0..1", "")
        check_fields(
            self,
            {
                "open": probability,
                "short": probability,
                "short_resistance": ("above 0", "ohm"),
                "broken_word": probability,
                "broken_bit": probability,
            },
        )


def _breaks(
    random: np.random.Generator,
    probability: float,
    shape: tuple[int, ...],
    extent: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Position of the break of each line, -1 where it is whole; :py:`extent` broadcasts."""
    broken = random.random(shape) < probability
    place = (random.random(shape) * extent).astype(np.intp)
    return np.where(broken, place, -1)


def cut_off(
    faults: Faults, random: np.random.Generator, shape: tuple[int, ...], tile: int | None
) -> tuple[Bools, Bools]:
    """Devices that a broken line cuts off.

    Parameters
    ----------
    random : Generator
        Random numbers.
    shape : tuple ``(..., rows, cols)``
        Devices; every leading index is an array of its own.
    tile : int or None
        Rows and columns of a physical array; the last one has what is left over.

    Returns
    -------
    cut : bool array of :py:`shape`
        Devices without a connection.
    ends : bool array of shape ``(..., rows, blocks)``
        Word lines of each array that do not reach its right end.
    """
    *lead, rows, cols = shape
    tall, wide = (rows, cols) if tile is None else (tile, tile)
    bands, blocks = -(-rows // tall), -(-cols // wide)
    width = np.minimum(wide, cols - wide * np.arange(blocks))
    height = np.minimum(tall, rows - tall * np.arange(bands))[:, None]
    word = _breaks(random, faults.broken_word, (*lead, rows, blocks), width)
    bit = _breaks(random, faults.broken_bit, (*lead, bands, cols), height)
    row, col = np.arange(rows), np.arange(cols)
    at_word = word[..., col // wide]
    at_bit = bit[..., row // tall, :]
    beyond = (at_word >= 0) & (col % wide >= at_word)
    return np.asarray(beyond | ((row % tall)[:, None] <= at_bit)), np.asarray(word >= 0)
