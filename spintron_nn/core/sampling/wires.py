"""Resistance of wires, drivers, converters and access devices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..nodal import effective_conductance
from .fields import check_fields

__all__ = ["Wires", "delivered"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Wires:
    """What lies in series with the devices of an array.

    Rows are driven from the left end of their word line; bit lines end in the ground of their
    converter at the bottom. A linear array obeys ``I = V G_eff``: the codes of a chip are those of
    ``G_eff``.

    Parameters
    ----------
    word, bit : float, ohm, at least 0
        One segment of a word line, or of a bit line, from one cell to the next.
    driver, sense : float, ohm, at least 0
        Before the first segment of a word line, and behind the last one of a bit line.
    access : float, ohm, at least 0
        Access device, in series with every cell.

    Source
    ------
    Model of a crossbar with line resistance: Chen, IEEE Trans. Electron Devices 60, 1318 (2013).
    """

    word: float = 0.0
    bit: float = 0.0
    driver: float = 0.0
    sense: float = 0.0
    access: float = 0.0

    def __post_init__(self) -> None:
        names = ("word", "bit", "driver", "sense", "access")
        check_fields(self, {name: ("at least 0", "ohm") for name in names})

    @property
    def on(self) -> bool:
        """Whether anything is in series."""
        return any((self.word, self.bit, self.driver, self.sense, self.access))

    def effective(self, conductance: Reals) -> Reals:
        """Effective conductance of arrays that are whole, ``(..., rows, cols)``, siemens.

        Column ``c`` carries ``sum_r V[r] G_eff[r, c]``.
        """
        held = np.asarray(conductance, dtype=np.float64)
        held = held / (1 + held * self.access)
        if not any((self.word, self.bit, self.driver, self.sense)):
            return held
        return np.asarray(
            effective_conductance(
                held, wire_word=self.word, wire_bit=self.bit, driver=self.driver, sense=self.sense
            )
        )


def _tiles(conductance: Reals, tile: int) -> Reals:
    """Cut whole tiles, ``(..., bands, blocks, tile rows, tile cols)``; sizes must divide."""
    *lead, rows, cols = conductance.shape
    tall, wide = min(tile, rows), min(tile, cols)
    cut = conductance.reshape(*lead, rows // tall, tall, cols // wide, wide)
    return np.moveaxis(cut, -2, -3)


def _region(wires: Wires, cells: Reals, reference: Reals | None, tile: int) -> None:
    """Replace the conductances of equal tiles by their effective ones."""
    cut = _tiles(cells, tile)
    wide = cut.shape[-1]
    if reference is not None:
        tall = cut.shape[-2]
        *lead, rows, blocks = reference.shape
        side = np.moveaxis(reference.reshape(*lead, rows // tall, tall, blocks), -1, -2)
        cut = np.concatenate([cut, side[..., None]], axis=-1)
    found = wires.effective(cut)
    cells[...] = np.moveaxis(found[..., :wide], -3, -2).reshape(cells.shape)
    if reference is not None:
        reference[...] = np.moveaxis(found[..., wide], -2, -1).reshape(reference.shape)


def delivered(
    wires: Wires, conductance: Reals, reference: Reals | None, tile: int | None
) -> tuple[Reals, Reals | None]:
    """Effective conductances of a matrix on arrays of :py:`tile` rows and columns.

    Arrays at the right and lower edge are as large as what they hold.

    Parameters
    ----------
    conductance : array of shape ``(..., rows, cols)``, siemens
        Every leading index lies on arrays of its own.
    reference : array of shape ``(..., rows, blocks)`` or None, siemens
        One more column at the end of every array, on the same word lines.
    tile : int or None
        None: one array.

    Returns
    -------
    conductance, reference : arrays of the same shapes
    """
    cells = np.array(conductance, dtype=np.float64)
    side = None if reference is None else np.array(reference, dtype=np.float64)
    if not wires.on:
        return cells, side
    rows, cols = cells.shape[-2:]
    tile = max(rows, cols) if tile is None else tile
    full_rows, full_cols = rows // tile * tile, cols // tile * tile
    for down in (slice(0, full_rows), slice(full_rows, rows)):
        for across in (slice(0, full_cols), slice(full_cols, cols)):
            region = cells[..., down, across]
            if region.size:
                blocks = slice(across.start // tile, -(-across.stop // tile))
                _region(wires, region, None if side is None else side[..., down, blocks], tile)
    return cells, side
