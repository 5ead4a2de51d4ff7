"""Binary search among rising constants: the core of the cells that count thresholds."""

from collections.abc import Sequence

import numpy as np
from amaranth import Cat, Const, Module, Value
from numpy.typing import NDArray

from spintron_ir.types import IntType

from ..contents import StoredWords
from ..pipeline import Pipeline
from ..stream import shape_of
from .constants import scheduled_constants

__all__ = ["search", "search_order"]


def search_order(bits: int) -> list[int]:
    """Order in which a binary search meets ``2 ** bits - 1`` rising entries, level by level.

    Entry 0 is the middle one; entries ``2n + 1`` and ``2n + 2`` are in the middle of what is left
    where entry ``n`` is not, and is, reached.

    >>> search_order(3)
    [3, 1, 5, 0, 2, 4, 6]
    """
    return [
        ((2 * found + 1) << (bits - 1 - level)) - 1
        for level in range(bits)
        for found in range(1 << level)
    ]


def search(
    m: Module,
    pipe: Pipeline,
    values: Sequence[Value],
    thresholds: NDArray[np.int64],
    repeat: int = 1,
) -> list[Value]:
    """Count the thresholds that each lane's value reaches, bit by bit, the highest first.

    One comparison a bit, each against the threshold in the middle of what is left, which a ROM
    gives. Takes all registers of :py:`pipe` but the last:
    :func:`spintron_hw.mapping.timing.search_latency`.

    Parameters
    ----------
    m : Module
        Module of the cell, to which ROMs and counters are added.
    pipe : Pipeline
        Its pipeline.
    values : sequence of Value
        What enters the pipeline, one a lane.
    thresholds : array of int, shape ``(steps, lanes, 2 ** bits - 1)``
        Rising on the last axis. A step is used for :py:`repeat` beats, then the next; after the
        last comes the first.
    repeat : int
        Beats for each step.

    Returns
    -------
    list of Value
        Counts of :py:`bits` bits, before the last register.
    """
    steps, _, entries = thresholds.shape
    bits = entries.bit_length()
    heap = thresholds[:, :, search_order(bits)]
    middles = scheduled_constants(m, heap[:, :, 0], pipe.taken[0], repeat=repeat, name="middle")
    counter = np.arange(steps)[:, None]
    step = scheduled_constants(m, counter, pipe.taken[0], repeat=repeat, name="step")[0]
    counts = [value >= middle for value, middle in zip(values, middles)]
    for level in range(1, bits):
        step = pipe.register(step)
        values = [pipe.register(value) for value in values]
        counts = [pipe.register(count) for count in counts]
        words = heap[:, :, (1 << level) - 1 : (2 << level) - 1]
        middles = [
            _read(m, pipe, words[:, lane], count, step, f"level_{level}_{lane}")
            for lane, count in enumerate(counts)
        ]
        step = pipe.register(step)
        values = [pipe.register(value) for value in values]
        counts = [pipe.register(count) for count in counts]
        reached = [value >= middle for value, middle in zip(values, middles)]
        counts = [Cat(bit, count) for bit, count in zip(reached, counts)]
    return counts


def _read(
    m: Module, pipe: Pipeline, words: NDArray[np.int64], found: Value, step: Value, name: str
) -> Value:
    """Word of this step, ``(steps, found)``, a cycle after the bits found are known."""
    if np.all(words == words[0]):
        words, step = words[:1], Const(0, 0)
    type = IntType.of_range(int(words.min()), int(words.max()))
    m.submodules[name] = rom = StoredWords(shape=shape_of(type), contents=words.ravel())
    m.d.comb += [rom.addr.eq(Cat(found, step)), rom.en.eq(pipe.enable)]
    return rom.data
