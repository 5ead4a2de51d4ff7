"""Pairs of devices that were drawn once and are picked from ever after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import Ageing
from spintron_nn.core.sampling.coding import coded
from spintron_nn.core.sampling.devices import sample_devices

__all__ = ["Populations", "picked", "places"]

PAIR_BITS = 18
"""Bits that number the pairs of a level, at most."""

TABLE_BITS = 20
"""Bits that number the pairs of all levels together, at most: more would not stay in a cache."""

KEY_BITS = 8
"""Bits of the levels of weights that pick together, at most."""

WORDS = -(1 << 63)
"""The least number of 64 bits: torch draws those from here on without a division."""

WIDE = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64, 16: torch.complex128}
"""Types of so many bytes."""


class Populations:
    """For each condition and level, pairs of devices as a chip would have them.

    The positive device of a pair has the level and the negative one ``levels - 1`` less it. Each
    is drawn by :func:`~spintron_nn.core.sampling.devices.sample_devices` with all effects that are
    independent from device to device, and rounded to the codes of a chip. Access devices count;
    what devices share does not: offsets of dies and wafers, correlated fields, lines.

    Up to 4 levels four weights next to each other pick together, up to 16 levels two: an entry is
    so many pairs that have nothing in common, and each combination of levels has entries of its
    own. That is a quarter, or half, of the random numbers and of the look-ups.

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
        Weights that pick together, 1, 2 or 4.
    pick_bits : int, below 16
        There are ``2**pick_bits`` entries for each combination of levels: as many as make 262,144
        pairs of a level, or a million of all levels, whichever is less.
    differences : integer array of shape ``(conditions, levels**together, 2**pick_bits, together)``
        Codes of positive less negative devices; undefined until :meth:`need`. The second axis is
        ``level + levels * next level + ...``.
    codes : int16 array of shape ``(2, *differences.shape)`` or None, codes
        Both devices, where lines can cut one of them off.
    variances : float32 array of the shape of differences, or None, codes squared
        Variance of a read of both devices together, where the technology has telegraph noise.
    """

    def __init__(self, config: MTJConfig, conditions: Sequence[Ageing], seed: int) -> None:
        self.config, self.conditions = config, tuple(conditions)
        bits = config.level_bits
        self.together = max(count for count in (1, 2, 4) if count == 1 or count * bits <= KEY_BITS)
        number = self.together * bits
        pairs = min(PAIR_BITS, TABLE_BITS - bits)
        self.pick_bits = pairs + bits - number - (self.together.bit_length() - 1)
        shape = (len(self.conditions), 1 << number, 1 << self.pick_bits, self.together)
        faults = config.faults
        lines = faults.broken_word > 0 or faults.broken_bit > 0
        self.differences = np.empty(shape, np.int8 if config.cell_bits <= 7 else np.int16)
        self.codes = np.empty((2, *shape), np.int16) if lines else None
        self.variances = np.empty(shape, np.float32) if config.telegraph.on else None
        self._chip = Chip(config, seed=seed)
        self._drawn = np.zeros(len(self.conditions), dtype=bool)
        self._whole = False
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
        if self._whole:
            return
        wanted = np.unique(chosen)
        for index in wanted[~self._drawn[wanted]].tolist():
            self._draw(index)
        self._whole = bool(self._drawn.all())

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


def places(
    levels: Tensor,
    bits: int,
    shape: tuple[int, int, int],
    chips: NDArray[np.integer],
    random: torch.Generator,
) -> Tensor:
    """Let the weights of chips pick: flat indices of entries, int32.

    Parameters
    ----------
    levels : int8 or int16 Tensor of shape ``(weights,)``
        Their levels.
    bits : int
        Bits of a level.
    shape : (int, int, int)
        Conditions, weights that pick together, bits that number the entries of a combination.
    chips : integer array of shape ``(samples,)``
        Condition of each chip.
    random : Generator
        Random bits.

    Returns
    -------
    int32 Tensor of shape ``(samples * weights that pick,)``
        Of weights whose number is no multiple of those that pick together, the last entry counts
        in part.
    """
    conditions, together, pick_bits = shape
    if together > 1:
        levels = levels.to(torch.int8)
        left = -levels.shape[0] % together
        if left:
            levels = torch.cat([levels, levels.new_zeros(left)])
        levels = levels.view(WIDE[together])
    factor, shift = _joined(bits, together, pick_bits)
    key = levels.to(torch.int32) * factor
    if shift:
        key.bitwise_right_shift_(shift)
    picks = _picks(len(chips) * key.shape[0], pick_bits, random)
    # What lies below the key is crossed out by random bits, and stays random.
    found = torch.bitwise_xor(key, picks if len(chips) == 1 else picks.view(len(chips), -1))
    found.bitwise_and_((1 << bits * together + pick_bits) - 1)
    if conditions > 1:
        above = torch.from_numpy(chips.astype(np.int32) << bits * together + pick_bits)
        found = found + above[:, None]
    return found.view(-1)


@cache
def _joined(bits: int, together: int, low: int) -> tuple[int, int]:
    """Factor, and shift to the right, that bring levels of a byte each together above low bits."""
    # Each field moves by a multiple of 8 - bits; what else the product has lies beside them.
    first = max((8 - bits) * (together - 1), low)
    return sum(1 << first - (8 - bits) * number for number in range(together)), first - low


def _picks(count: int, bits: int, random: torch.Generator) -> Tensor:
    """Random numbers of so many bits, at most 15, in a type without a sign in them."""
    size = 1 if bits <= 8 else 2
    words = torch.empty(-(-count * size // 8), dtype=torch.int64, device=random.device)
    words.random_(WORDS, None, generator=random)
    found = words.cpu().view(torch.uint8 if size == 1 else torch.int16)
    if found.shape[0] > count:
        found = found[:count]
    return found if bits == 8 else found.bitwise_and_((1 << bits) - 1)


def picked(table: NDArray[np.generic], place: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Values of weights that have picked.

    Parameters
    ----------
    table : array of shape ``(..., together)``
        Values of all entries.
    place : int32 Tensor of shape ``(samples * weights that pick,)``
        Flat indices of entries.
    shape : tuple of int
        Chips, and then the shape of the weights of each.
    """
    entries = torch.from_numpy(table).view(-1)
    wide = entries.view(WIDE[table.shape[-1] * table.itemsize])
    entries.view(torch.int32).amax()  # look-ups here and there are slow where nothing is cached
    found = wide.index_select(0, place).view(entries.dtype)
    count = math.prod(shape[1:])
    if count % table.shape[-1]:
        found = found.view(shape[0], -1)[:, :count]
    return found.reshape(shape)
