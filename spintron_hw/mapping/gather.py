"""A gather on hardware: what the values are moved by, and when which of them leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Gather
from spintron_ir.errors import ParameterError, check_int

from . import timing

__all__ = [
    "BUFFER",
    "STREAM",
    "WIRES",
    "GatherPlan",
    "gather_lanes",
    "is_wire",
    "nest_of",
    "steps_of",
]

STREAM, BUFFER, WIRES = 1, 2, 0
"""Cycles from the last word that an output waits for to that output, of each body."""

SHORT = 16
"""Least words of a block in a buffer: a shorter memory costs as much."""


def is_wire(layer: Gather) -> bool:
    """Whether the values stay where they are, so that only their shape changes."""
    count = math.prod(layer.in_shape)
    return len(layer.index) == count and bool(np.all(layer.index == np.arange(count)))


def _divisors(number: int, most: int) -> list[int]:
    """Divisors of a number up to :py:`most`, the least first."""
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
    """Lanes at which the values of a beat stay together, the least first.

    >>> from spintron_ir import IntType
    >>> rows = [[8, 9, 10, 11], [0, 1, 2, 3]]  # of three rows of four
    >>> layer = Gather(in_shape=(12,), type=IntType(4), out_shape=(8,), index=np.ravel(rows))
    >>> gather_lanes(layer)
    (1, 2, 4)
    """
    common = math.gcd(math.prod(layer.in_shape), len(layer.index))
    head = layer.index[: 2 * common]
    return tuple(
        lanes
        for lanes in _divisors(common, 1 << 12)
        if _as_words(head[: lanes * (len(head) // lanes)], lanes) is not None
        and _as_words(layer.index, lanes) is not None
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

    Columns are: whether a word is taken, whether one is given, whether that is padding, whether a
    word must be there, and how often the step is repeated. Padding waits for the first word of its
    vector, and for none after that.

    >>> steps_of(np.array([-1, 1, 1]), 3).tolist()
    [[0, 1, 1, 1, 1], [1, 0, 0, 1, 1], [0, 1, 0, 1, 1], [1, 1, 0, 1, 1], [1, 0, 0, 1, 1]]
    """
    used = np.flatnonzero(index >= 0)
    needed = index[used]
    steps = np.zeros((len(index), 2, 5), dtype=np.int64)
    steps[:, 0] = 1, 0, 0, 1, 0  # words that no output needs
    steps[used, 0, 4] = np.maximum(np.diff(needed, prepend=-1) - 1, 0)
    steps[:, 1] = 0, 1, 1, 0, 1
    steps[: used[0] if len(used) else len(index), 1, 3] = 1
    steps[used, 1, 0] = np.diff(needed, append=words) > 0
    steps[used, 1, 2:4] = 0, 1
    after = words - 1 - (needed[-1] if len(needed) else -1)
    flat = np.concatenate([steps.reshape(-1, 5), [[1, 0, 0, 1, after]]])
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
        count = math.prod(self.layer.in_shape)
        check_int("GatherPlan", "i_lanes", self.i_lanes, 1, count)
        check_int("GatherPlan", "o_lanes", self.o_lanes, 1, len(self.layer.index))
        same = self.i_lanes == self.o_lanes and self.i_lanes in gather_lanes(self.layer)
        if not same and (self.i_lanes, self.o_lanes) != self.whole_block(self.layer):
            raise ParameterError(
                f"GatherPlan: i_lanes and o_lanes must be the same and keep values together, or be "
                f"those of a block, {self.whole_block(self.layer)}, "
                f"not {self.i_lanes} and {self.o_lanes}"
            )

    @staticmethod
    def whole_block(layer: Gather) -> tuple[int, int]:
        """Values of the least block, in and out."""
        index = layer.index.astype(np.int64)
        words, places = next(_blocks(index, math.prod(layer.in_shape)))
        return words, len(places)

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
        count = math.prod(self.layer.in_shape)
        if self.body == "wires":
            return next(_blocks(self.layer.index.astype(np.int64), count))
        least = SHORT if self.body == "buffer" else 1
        blocks = _blocks(self._words, count // self.i_lanes)
        return next(block for block in blocks if block[0] >= min(least, count // self.i_lanes))

    @property
    def blocks(self) -> int:
        """Blocks of a frame."""
        per_word = 1 if self.body == "wires" else self.i_lanes
        return math.prod(self.layer.in_shape) // (self.block[0] * per_word)

    @cached_property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        words, index = self.block
        if self.body == "wires":
            return self.blocks
        if self.body == "stream":
            return self.blocks * int(steps_of(index, words)[:, 4].sum())
        return self.blocks * max(words, len(index))

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        words, index = self.block
        if self.body == "wires":
            return times + WIRES
        if self.body == "stream":
            steps = steps_of(index, words)
            steps = np.tile(np.repeat(steps[:, :4], steps[:, 4], axis=0), (self.blocks, 1))
            word = np.cumsum(steps[:, 0]) - steps[:, 0]
            ready = np.where(steps[:, 3] > 0, times[np.minimum(word, len(times) - 1)], 0)
            return timing.paced(ready)[steps[:, 1] > 0] + STREAM
        after = np.arange(words)[::-1]
        arrive = (times.reshape(-1, words) + after).max(axis=1).tolist()
        starts = [-len(index), -len(index)]  # of reading each block
        taken = -words
        for last in arrive:  # a block is loaded while the one before is read
            taken = max(last, taken + words, starts[-2] + len(index) + words - 1)
            starts.append(max(taken + 1, starts[-1] + len(index)))
        beats = np.array(starts[2:])[:, None] + np.arange(len(index))
        return beats.reshape(-1) + BUFFER - 1

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
