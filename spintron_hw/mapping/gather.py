"""A gather on hardware: what the values are moved by, and when which of them leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Gather
from spintron_ir.errors import MappingError, ParameterError

from . import timing

__all__ = [
    "BUFFER",
    "STREAM",
    "WIRES",
    "GatherPlan",
    "gather_lanes",
    "is_wire",
    "nest_of",
    "plan_gather",
    "steps_of",
    "whole_block",
]

STREAM, BUFFER, WIRES = 1, 2, 0
"""Cycles from the last word that an output waits for to that output, of each body."""

MOST_WIRES = 4096
"""Most values of a block that is wires."""

SHORT = 16
"""Least words of a block in a buffer: a shorter memory costs as much."""


def is_wire(layer: Gather) -> bool:
    """Whether the values stay where they are, so that only their shape changes."""
    count = math.prod(layer.in_shape)
    return len(layer.index) == count and bool(np.all(layer.index == np.arange(count)))


def _divisors(number: int, most: int) -> list[int]:
    """Divisors of a number up to :py:`most`, in order."""
    low = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    return [n for n in sorted({*low, *(number // n for n in low)}) if n <= most]


def _as_words(index: NDArray[Any], lanes: int) -> NDArray[np.int64] | None:
    """The index in words of :py:`lanes` values, where all that it moves is whole words."""
    runs = index.reshape(-1, lanes)
    first = runs[:, :1].astype(np.int64)
    whole = np.where(first < 0, -1, first + np.arange(lanes))
    if np.any(first[first >= 0] % lanes) or not np.array_equal(runs, whole):
        return None
    return np.where(first < 0, -1, first // lanes).reshape(-1)


@lru_cache(maxsize=16)
def gather_lanes(layer: Gather) -> tuple[int, ...]:
    """Powers of two at which the values of a beat stay together, the least first.

    >>> from spintron_ir import IntType
    >>> rows = [[8, 9, 10, 11], [0, 1, 2, 3]]  # of three rows of four
    >>> layer = Gather(in_shape=(12,), type=IntType(4), out_shape=(8,), index=np.ravel(rows))
    >>> gather_lanes(layer)
    (1, 2, 4)
    """
    common, lanes = math.gcd(math.prod(layer.in_shape), len(layer.index)), 1
    while common % (2 * lanes) == 0 and _as_words(layer.index, 2 * lanes) is not None:
        lanes *= 2
    return tuple(1 << power for power in range(lanes.bit_length()))


def whole_block(layer: Gather) -> tuple[int, int]:
    """Values in and out of the least block that lanes can be: powers of two, or all."""
    index, count = layer.index.astype(np.int64), math.prod(layer.in_shape)
    for words, places in _blocks(index, count):
        if words & (words - 1) == 0 and len(places) & (len(places) - 1) == 0:
            return words, len(places)
    return count, len(index)


def plan_gather(name: str, layer: Gather, interval: int) -> GatherPlan:
    """The plan with the least lanes that reach an interval, or else with whole blocks as wires.

    Raises
    ------
    MappingError
        If there is none.
    """
    plan = None
    for lanes in gather_lanes(layer):
        plan = GatherPlan(node=name, layer=layer, i_lanes=lanes, o_lanes=lanes)
        if plan.interval <= interval:
            return plan
    i_lanes, o_lanes = whole_block(layer)
    if max(i_lanes, o_lanes) <= MOST_WIRES:
        plan = GatherPlan(node=name, layer=layer, i_lanes=i_lanes, o_lanes=o_lanes)
        if plan.interval <= interval:
            return plan
    assert plan is not None
    raise MappingError(
        f"{name}: {math.prod(layer.in_shape)} values cannot be moved in {interval} cycles: allow "
        f"at least {plan.interval} cycles, or move more values together, a power of two of them"
    )


def nest_of(index: NDArray[np.int64]) -> list[tuple[int, int]] | None:
    """Loops, each a count and a step, the innermost first, that run through an index; or None.

    >>> nest_of(np.array([5, 7, 9, 5, 7, 9, 6, 8, 10, 6, 8, 10]))
    [(3, 2), (2, 0), (2, 1)]
    """
    if len(index) == 1:
        return []
    step = int(index[1] - index[0])
    other = np.flatnonzero(np.diff(index) != step)
    for count in reversed(_divisors(len(index), int(other[0]) + 1 if len(other) else len(index))):
        rows = index.reshape(-1, count)
        if count == 1 or not np.all(rows == rows[:, :1] + step * np.arange(count)):
            continue
        outer = nest_of(rows[:, 0])
        if outer is not None:
            return [(count, step), *outer]
    return None


def steps_of(index: NDArray[np.int64], words: int) -> NDArray[np.int64]:
    """What is done cycle by cycle for an index that never falls, ``(runs, 5)``.

    Columns are: whether a word is taken, whether one is given, whether that is padding, whether it
    is the word taken last, and how often the step is repeated. Every vector begins by taking a
    word.

    >>> steps_of(np.array([-1, 1, 1]), 3).tolist()
    [[1, 1, 1, 0, 1], [1, 1, 0, 0, 1], [0, 1, 0, 1, 1], [1, 0, 0, 0, 1]]
    """
    used = np.flatnonzero(index >= 0)
    needed = index[used]
    begun = 0 if index[0] < 0 else -1  # word taken before the first that is needed
    steps = np.zeros((len(index), 2, 5), dtype=np.int64)
    steps[:, 0, 0] = 1  # words that no output needs
    steps[used, 0, 4] = np.maximum(np.diff(needed, prepend=begun) - 1, 0)
    steps[:, 1] = 0, 1, 1, 0, 1
    steps[0, 1, 0] = 1
    steps[used, 1, 2] = 0
    steps[used, 1, 0] = np.diff(needed, prepend=begun) > 0
    steps[used, 1, 3] = 1 - steps[used, 1, 0]
    after = words - 1 - (needed[-1] if len(needed) else begun)
    flat = np.concatenate([steps.reshape(-1, 5), [[1, 0, 0, 0, after]]])
    flat = flat[flat[:, 4] > 0]
    new = np.any(np.diff(flat[:, :4], axis=0, prepend=-1), axis=1)
    starts = np.flatnonzero(new)
    flat[starts, 4] = np.add.reduceat(flat[:, 4], starts)
    return flat[starts]


@dataclass(frozen=True, eq=False, kw_only=True)
class GatherPlan:
    """A gather mapped: streamed where the index never falls, else through a buffer.

    Frames are cut into blocks that are treated alike and need nothing of each other.

    Parameters
    ----------
    node : str
        Name of the node.
    layer : Gather
        What it computes.
    i_lanes, o_lanes : int
        Elements a beat. The same on both sides, and such that they stay together; or those of a
        whole block, which then is wires.
    """

    node: str
    layer: Gather
    i_lanes: int
    o_lanes: int

    def __post_init__(self) -> None:
        lanes = self.i_lanes, self.o_lanes
        moved = [(each, each) for each in gather_lanes(self.layer)]
        if lanes not in moved and lanes != whole_block(self.layer):
            raise ParameterError(
                f"GatherPlan: i_lanes and o_lanes must be the same and one of "
                f"{gather_lanes(self.layer)}, or be those of a whole block, "
                f"{whole_block(self.layer)}, not {self.i_lanes} and {self.o_lanes}"
            )

    @cached_property
    def body(self) -> str:
        """``wires``, ``stream`` or ``buffer``."""
        if self.i_lanes != self.o_lanes or self.i_lanes not in gather_lanes(self.layer):
            return "wires"
        index = self._words[self._words >= 0]
        return "stream" if np.all(np.diff(index) >= 0) else "buffer"

    @cached_property
    def _words(self) -> NDArray[np.int64]:
        found = _as_words(self.layer.index, self.i_lanes)
        assert found is not None
        return found

    @cached_property
    def block(self) -> tuple[int, NDArray[np.int64]]:
        """Words of a block, and the word of each of its outputs; values where it is wires."""
        if self.body == "wires":
            return self.i_lanes, self.layer.index[: self.o_lanes].astype(np.int64)
        count = math.prod(self.layer.in_shape) // self.i_lanes
        least = min(SHORT, count) if self.body == "buffer" else 1
        return next(block for block in _blocks(self._words, count) if block[0] >= least)

    @property
    def blocks(self) -> int:
        """Blocks of a frame."""
        values = self.block[0] * (1 if self.body == "wires" else self.i_lanes)
        return math.prod(self.layer.in_shape) // values

    @cached_property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        words, index = self.block
        if self.body == "wires":
            return self.blocks
        if self.body == "stream":
            return self.blocks * int(steps_of(index, words)[:, 4].sum())
        return self.blocks * max(words, len(index))

    @property
    def holds_up(self) -> bool:
        """Whether beats that come at full speed must wait before they are taken."""
        beats = math.prod(self.layer.in_shape) // self.i_lanes
        return self.interval > beats and not (self.body == "buffer" and self.blocks == 1)

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        return self.passage((times,), 1)[1]

    def passage(
        self, times: Sequence[NDArray[np.int64]], frames: int
    ) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Cycles in which each input beat is taken, and in which each output beat leaves.

        Parameters
        ----------
        times : sequence of one array of int
            Cycles from which on each beat is offered.
        frames : int
            How many frames these are.
        """
        (offered,) = times
        words, index = self.block
        if self.body == "wires":
            return [offered], offered + WIRES
        if self.body == "stream":
            runs = steps_of(index, words)
            cycle = np.repeat(runs[:, :4], runs[:, 4], axis=0) > 0
            take, give, _, _ = np.tile(cycle, (frames * self.blocks, 1)).T
            word = np.minimum(np.cumsum(take) - take, len(offered) - 1)
            cycles = timing.paced(np.where(take, offered[word], 0))
            return [cycles[take]], cycles[give] + STREAM
        return self._buffered(offered, words, len(index))

    def _buffered(
        self, offered: NDArray[np.int64], words: int, outputs: int
    ) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        after = np.arange(words)[::-1]
        lasts = (offered.reshape(-1, words) + after).max(axis=1).tolist()
        starts = [-outputs, -outputs]  # of reading each block
        taken = -1
        for last in lasts:  # a block is loaded while the one before is read
            taken = max(last, taken + words, starts[-2] + outputs + words - 1)
            starts.append(max(taken + 1, starts[-1] + outputs))
        free = np.repeat(np.array(starts[:-2]) + outputs, words)
        beats = np.array(starts[2:])[:, None] + np.arange(outputs)
        return [timing.paced(np.maximum(offered, free))], beats.reshape(-1) + BUFFER - 1

    def run(self, x: NDArray[np.int64], first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, length)`` of inputs ``(batch, length)``, block by block."""
        words, index = self.block
        lanes = 1 if self.body == "wires" else self.i_lanes
        blocks = x.reshape(len(x) * self.blocks, words, lanes)
        moved = np.where(index[:, None] < 0, self.layer.pad_value, blocks[:, index])
        return moved.reshape(len(x), len(self.layer.index))


def _blocks(index: NDArray[np.int64], words: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Ways to cut an index into like blocks, the shortest first: words and index of a block."""
    for count in reversed(_divisors(math.gcd(words, len(index)), words)):
        size, places = words // count, len(index) // count
        block = index[:places]
        if block.max() >= size:
            continue
        for number in (min(2, count), count):  # a second block tells most of them
            shifts = size * np.arange(number)[:, None]
            wanted = np.where(block < 0, -1, block + shifts)
            if not np.array_equal(index[: number * places].reshape(number, places), wanted):
                break
        else:
            yield size, block
