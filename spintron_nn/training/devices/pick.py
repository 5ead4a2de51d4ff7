"""Weights pick pairs of devices from a population, by random bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_nn.compiled import compiled

__all__ = ["picked"]

STEP = 0x9E3779B97F4A7C15
"""From one state of the random numbers to the next."""

BLOCK = 1024
"""Weights whose random bits are made at a time, by vectors."""

LINE = 16
"""Entries of which one is in each line of a cache, at least."""


@compiled
def _mixed(state: Any) -> Any:
    """The output of SplitMix64 in a state."""
    found = np.uint64(state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = np.uint64(found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


@compiled
def _pick(table: Any, levels: Any, starts: Any, bits: int, seed: Any, found: Any) -> Any:
    """Pick entries for the weights of chips, block by block; numbers of 64 bits are four picks.

    Returns a sum that means nothing: for it the table is read once in order, since look-ups here
    and there are slow where nothing is cached.
    """
    words = np.empty(BLOCK // 4, np.uint64)
    picks, size, step = words.view(np.uint16), len(levels), np.uint64(STEP)
    mask, shift, blocks = np.uint64((1 << bits) - 1), np.uint64(bits), -(-size // BLOCK)
    touched = table[0]
    for k in range(0, len(table), LINE):
        touched += table[k]
    for piece in range(len(starts) * blocks):
        chip, begin = piece // blocks, piece % blocks * BLOCK
        end, start = min(begin + BLOCK, size), np.uint64(starts[chip])
        state = np.uint64(seed) + np.uint64(piece * (BLOCK // 4)) * step
        for k in range(np.uint64(BLOCK // 4)):
            words[k] = _mixed(state + k * step)
        level, out = levels[begin:end], found[chip, begin:end]
        for k in range(np.uint64(end - begin)):
            out[k] = table[start + (np.uint64(level[k]) << shift) + (np.uint64(picks[k]) & mask)]
    return touched


def picked(
    table: NDArray[np.generic], levels: Tensor, condition: NDArray[np.integer], seed: int
) -> Tensor:
    """Let the weights of chips pick entries of their levels.

    Parameters
    ----------
    table : array of shape ``(conditions, levels, 2**bits)``, at most 16 bits
        Entries of each condition and level.
    levels : int8 or int16 Tensor
        Level of each weight, within those of the table, which is not looked at.
    condition : integer array of shape ``(samples,)``
        Condition of each chip.
    seed : int, 0..2**64-1
        Where the random bits start: the same seed, the same picks.

    Returns
    -------
    Tensor of shape ``(samples, *levels.shape)``
        On the processor, of the type of the table.

    Source
    ------
    The random bits are SplitMix64's: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable
    pseudorandom number generators", OOPSLA 2014.
    """
    each, bits = table[0].size, table.shape[-1].bit_length() - 1
    flat = levels.detach().cpu().reshape(-1).numpy()
    found = np.empty((len(condition), flat.size), table.dtype)
    _pick(table.reshape(-1), flat, condition * each, bits, np.uint64(seed), found)
    return torch.from_numpy(found).view(len(condition), *levels.shape)
