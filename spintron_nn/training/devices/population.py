"""Pairs of devices that were drawn once and are picked from ever after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import Ageing
from spintron_nn.core.sampling.coding import coded
from spintron_nn.core.sampling.devices import sample_devices

__all__ = ["Populations", "picked"]

PAIR_BITS = 16
"""Bits that number the pairs of a level."""

TABLE_BITS = 20
"""Bits that number the pairs of all levels together, at most: more would not stay in a cache."""

COUPLED_BITS = 3
"""Bits of a level up to which two weights pick together: two levels have 4,096 entries or more."""


class Populations:
    """For each condition and level, pairs of devices as a chip would have them.

    The positive device of a pair has the level and the negative one ``levels - 1`` less it. Each
    is drawn by :func:`~spintron_nn.core.sampling.devices.sample_devices` with all effects that are
    independent from device to device, and rounded to the codes of a chip. Access devices count;
    what devices share does not: offsets of dies and wafers, correlated fields, lines.

    Up to 8 levels two weights next to each other pick together: an entry is two pairs that have
    nothing in common, and each two levels have entries of their own. That is half of the random
    numbers and of the look-ups.

    Parameters
    ----------
    config : MTJConfig
        Technology.
    conditions : sequence of Ageing
        A population for each, drawn when first needed.
    seed : int, 0..2**64-1
        Seed of all populations; each has random numbers of its own.

    Attributes
    ----------
    together : int
        Weights that pick together, 1 or 2.
    pick_bits : int
        There are ``2**pick_bits`` entries for each level, or each two of them: as many as make
        65,536 pairs of a level, up to 16 levels.
    differences : integer array of shape ``(conditions, levels**together, 2**pick_bits, together)``
        Codes of positive less negative devices; undefined until :meth:`need`. The second axis is
        ``level`` or ``level + levels * next level``.
    codes : int16 array of shape ``(2, *differences.shape)`` or None, codes
        Both devices, where lines can cut one of them off.
    variances : float32 array of the shape of differences, or None, codes squared
        Variance of a read of both devices together, where the technology has telegraph noise.
    """

    def __init__(self, config: MTJConfig, conditions: Sequence[Ageing], seed: int) -> None:
        self.config, self.conditions = config, tuple(conditions)
        self.together = 2 if config.level_bits <= COUPLED_BITS else 1
        number = self.together * config.level_bits
        pairs = min(PAIR_BITS, TABLE_BITS - config.level_bits)
        self.pick_bits = pairs if self.together == 1 else pairs - 1 - config.level_bits
        shape = (len(self.conditions), 1 << number, 1 << self.pick_bits, self.together)
        faults = config.faults
        lines = faults.broken_word > 0 or faults.broken_bit > 0
        self.differences = np.empty(shape, np.int8 if config.cell_bits <= 7 else np.int16)
        self.codes = np.empty((2, *shape), np.int16) if lines else None
        self.variances = np.empty(shape, np.float32) if config.telegraph.on else None
        self._chip = Chip(config, seed=seed)
        self._drawn = np.zeros(len(self.conditions), dtype=bool)
        places = config.level_bits * np.arange(self.together)
        level = np.arange(1 << number)[:, None, None] >> places & (config.levels - 1)
        level = np.broadcast_to(level, shape[1:])
        self._levels = np.stack([level, config.levels - 1 - level])
        spread = config.spread
        self._independent = replace(
            config,
            resistance_variation=config.resistance_variation * (1 - spread.correlated) ** 0.5,
            spread=replace(spread, correlated=0.0, die=0.0, wafer=0.0),
            faults=replace(faults, broken_word=0.0, broken_bit=0.0),
        )

    def need(self, chosen: NDArray[np.integer]) -> None:
        """Draw the populations of these conditions, as far as they are not there yet."""
        if self._drawn.all():
            return
        wanted = np.unique(chosen)
        for index in wanted[~self._drawn[wanted]].tolist():
            self._draw(index)

    def _draw(self, index: int) -> None:
        name = f"population/{index}"
        config = replace(self._independent, ageing=self.conditions[index])
        devices = sample_devices(
            config, lambda effect: self._chip.generator(effect, name), 0.0, self._levels, None
        )
        held = devices.conductance
        found = held / (1 + held * config.wires.access)
        # The step is that of the whole technology, die offsets included.
        step = self.config.conductance_step
        codes = coded(found, step, config.cell_bits)[0].astype(np.int16)
        self.differences[index] = codes[0] - codes[1]
        if self.codes is not None:
            self.codes[:, index] = codes
        if self.variances is not None and devices.variance is not None:
            self.variances[index] = (devices.variance * (found / step) ** 2).sum(axis=0)
        self._drawn[index] = True


def picked(table: NDArray[np.generic], place: NDArray[np.int32], shape: tuple[int, ...]) -> Tensor:
    """Values of weights that have picked.

    Parameters
    ----------
    table : array of shape ``(..., together)``
        Values of all entries.
    place : int32 array
        Flat indices of entries, one for each one or two weights.
    shape : tuple of int
        Chips, and then the shape of the weights of each.
    """
    together = table.shape[-1]
    entries = torch.from_numpy(table.reshape(-1))
    if together == 1:
        return entries.index_select(0, torch.from_numpy(place)).view(shape)
    wide = {1: torch.int16, 2: torch.int32, 4: torch.int64}[table.itemsize]
    found = entries.view(wide).index_select(0, torch.from_numpy(place)).view(entries.dtype)
    count = math.prod(shape[1:])
    if count % 2:
        found = found.view(shape[0], -1)[:, :count]
    return found.reshape(shape)
