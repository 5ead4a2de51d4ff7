"""The last cell of a classifier: which output is the largest."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import check_int
from spintron_ir.types import IntType

from ..checks import check_type
from ..mapping.timing import argmax_latency
from ..pipeline import Pipeline
from ..stream import vector

__all__ = ["ArgMax"]


class ArgMax(wiring.Component):
    """Finds the largest element of each vector; the first of them where several are equal.

    Timing
    ------
    A vector takes :attr:`interval` = ``ceil(length / lanes)`` beats, one each cycle. The index is
    offered :attr:`latency` cycles after the last beat was taken: one cycle for every two levels
    of the tree over the lanes in use, and one to compare with the beats before. The next vector is
    taken while the index waits; what stalls :py:`i`, in the same cycle, is the last beat of a
    vector before the index of the vector ahead of it is taken.

    Parameters
    ----------
    input : IntType, at most 64 bits
        Type of an element.
    length : int, 1..65536
        Elements of a vector.
    lanes : int, 1..65536
        Elements in a beat.

    Members
    -------
    i : In(stream.Signature(vector(input, lanes)))
        Elements.
    o : Out(stream.Signature(vector(type, 1)))
        Index, from 0.

    Attributes
    ----------
    type : IntType
        Type of an index.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    def __init__(self, *, input: IntType, length: int, lanes: int):
        self.input = check_type("ArgMax", "input", input, 64)
        self.length = check_int("ArgMax", "length", length, 1, 1 << 16)
        self.lanes = check_int("ArgMax", "lanes", lanes, 1, 1 << 16)
        self.type = IntType.of_range(0, self.length - 1)
        self.latency = argmax_latency(min(self.lanes, self.length))
        self.interval = -(-self.length // self.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(vector(input, lanes))),
                "o": Out(stream.Signature(vector(self.type, 1))),
            }
        )

    def compute(self, elements: ArrayLike) -> NDArray[np.int64]:
        """Indices, ``(vectors, 1)``, for beats of shape ``(vectors * interval, lanes)``."""
        vectors = np.asarray(elements).reshape(-1, self.interval * self.lanes)
        return contract.argmax(vectors[:, : self.length])[:, None]

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency, self.interval)
        entries = [
            (value, Const(lane, range(self.lanes)))
            for lane, value in enumerate(self._lanes(m, pipe))
        ]
        value, lane = pipe.tree(entries, _larger)
        if self.interval == 1:
            pipe.finish(self.o.payload[0], lane)
            return m

        start = Signal(range(self.length), name="start")  # index of the first lane of the beat
        with m.If(pipe.taken[-1]):
            m.d.sync += start.eq(Mux(pipe.last, 0, start + self.lanes))
        best, index = Signal.like(value, name="best"), Signal(range(self.length), name="index")
        wins = pipe.first | (value > best)
        winner = Mux(wins, start + lane, index)
        with m.If(pipe.taken[-1]):
            m.d.sync += [best.eq(Mux(wins, value, best)), index.eq(winner)]
        pipe.finish(self.o.payload[0], winner)
        return m

    def _lanes(self, m: Module, pipe: Pipeline) -> list[Value]:
        """The lanes of a beat, with unused ones replaced by the first, which wins against them."""
        lanes = [Value.cast(lane) for lane in self.i.payload]
        used = self.length - (self.interval - 1) * self.lanes
        if used == self.lanes:
            return lanes
        if self.interval == 1:
            return lanes[:used]
        left = Signal(range(self.interval), init=self.interval - 1, name="left")
        with m.If(pipe.taken[0]):
            m.d.sync += left.eq(Mux(left == 0, self.interval - 1, left - 1))
        return lanes[:used] + [Mux(left == 0, lanes[0], lane) for lane in lanes[used:]]


def _larger(a: tuple[Value, ...], b: tuple[Value, ...]) -> tuple[Value, ...]:
    """The entry with the larger value; the first where they are equal."""
    wins = b[0] > a[0]
    return Mux(wins, b[0], a[0]), Mux(wins, b[1], a[1])
