"""Pairs of devices that were drawn once and are picked from ever after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import Ageing
from spintron_nn.core.sampling.coding import coded
from spintron_nn.core.sampling.devices import sample_devices

__all__ = ["Populations"]

PICK_BITS = 16
"""Bits that pick a pair of a level."""

TABLE_BITS = 20
"""Bits that number the pairs of all levels together, at most: more would not stay in a cache."""


class Populations:
    """For each condition and level, pairs of devices as a chip would have them.

    The positive device of a pair has the level and the negative one ``levels - 1`` less it. Each
    is drawn by :func:`~spintron_nn.core.sampling.devices.sample_devices` with all effects that are
    independent from device to device, and rounded to the codes of a chip. Access devices count;
    what devices share does not: offsets of dies and wafers, correlated fields, lines.

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
    pick_bits : int
        A level has ``2**pick_bits`` pairs: 65,536 up to 16 levels.
    differences : integer array of shape ``(conditions, levels, 2**pick_bits)``, codes
        Positive less negative; undefined until :meth:`need`.
    codes : int16 array of shape ``(2, conditions, levels, 2**pick_bits)`` or None, codes
        Both devices, where lines can cut one of them off.
    variances : float32 array of the shape of differences, or None, codes squared
        Variance of a read of both devices together, where the technology has telegraph noise.
    """

    def __init__(self, config: MTJConfig, conditions: Sequence[Ageing], seed: int) -> None:
        self.config, self.conditions = config, tuple(conditions)
        self.pick_bits = min(PICK_BITS, TABLE_BITS - config.level_bits)
        shape = (len(self.conditions), config.levels, 1 << self.pick_bits)
        faults = config.faults
        lines = faults.broken_word > 0 or faults.broken_bit > 0
        self.differences = np.empty(shape, np.int8 if config.cell_bits <= 7 else np.int16)
        self.codes = np.empty((2, *shape), np.int16) if lines else None
        self.variances = np.empty(shape, np.float32) if config.telegraph.on else None
        self._chip = Chip(config, seed=seed)
        self._drawn = np.zeros(len(self.conditions), dtype=bool)
        level = np.broadcast_to(np.arange(config.levels)[:, None], shape[1:])
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
