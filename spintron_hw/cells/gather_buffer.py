"""Words in any order, out of a buffer."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory, ReadPort
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import check_int
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..loops import Loop, nest
from ..mapping.gather import BUFFER, nest_of
from ..stream import vector
from .constants import scheduled_constants

__all__ = ["GatherBuffer"]

SMALL = 256
"""Bits of an index that goes to a table even where counters could run through it."""


class GatherBuffer(wiring.Component):
    """Gives the words of each vector that an index names, in any order and any number.

    While one vector is read, the next one is loaded. The index comes out of counters where a nest
    of loops runs through it, else out of a table.

    Timing
    ------
    The first word of a vector is offered 2 cycles (:attr:`latency`) after its last beat was taken,
    or, if the words of the vector before are not through by then, directly after the last of them.
    From there on a word is offered in each cycle. Beats are taken in each cycle until two vectors
    are held; the place of a vector is free again 1 cycle after its last word was read, which is
    the cycle in which that word is offered. So a vector takes ``max(words, outputs)`` cycles
    (:attr:`interval`).

    Parameters
    ----------
    type : IntType
        Type of an element.
    lanes : int, 1..65536
        Elements of a word.
    words : int, 1..2**24
        Words of a vector.
    index : array of int, -1..words - 1
        Word of each output; -1 is padding.
    pad_value : int
        Every element of the padding.

    Members
    -------
    i : In(stream.Signature(vector(type, lanes)))
        Words of each vector.
    o : Out(stream.Signature(vector(type, lanes)))
        Words that the index names.

    Attributes
    ----------
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = BUFFER

    def __init__(self, *, type: IntType, lanes: int, words: int, index: ArrayLike, pad_value: int):
        self.type = check_type("GatherBuffer", "type", type, 64)
        self.lanes = check_int("GatherBuffer", "lanes", lanes, 1, 1 << 16)
        self.words = check_int("GatherBuffer", "words", words, 1, 1 << 24)
        self.index = check_table("GatherBuffer", "index", index, -1, self.words - 1, (None,))
        self.pad_value = check_int("GatherBuffer", "pad_value", pad_value, type.low, type.high)
        self.interval = max(self.words, len(self.index))
        shape = vector(type, self.lanes)
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def compute(self, beats: ArrayLike) -> NDArray[np.int64]:
        """Beats of all outputs for the beats of whole vectors, shape ``(beats, lanes)``."""
        vectors = np.asarray(beats).reshape(-1, self.words, self.lanes)
        found = np.where(self.index[:, None] < 0, self.pad_value, vectors[:, self.index])
        return found.reshape(-1, self.lanes)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.buffer = buffer = Memory(
            shape=vector(self.type, self.lanes), depth=2 * self.words, init=[]
        )
        store, fetch = buffer.write_port(), buffer.read_port()

        full, writing, reading = Signal(2), Signal(), Signal()
        active, move, pad, padding = Signal(), Signal(), Signal(), Signal()
        place, done = Signal(range(2 * self.words)), Signal()
        taken = self.i.valid & self.i.ready
        m.d.comb += [
            self.i.ready.eq(~full.bit_select(writing, 1)),
            active.eq(full.bit_select(reading, 1)),
            move.eq(~self.o.valid | self.o.ready),
            store.en.eq(taken),
            store.data.eq(self.i.payload),
            store.addr.eq(place),
            done.eq(taken & (place == Mux(writing, 2 * self.words, self.words) - 1)),
            fetch.en.eq(active & move),
        ]
        with m.If(taken):
            m.d.sync += place.eq(Mux(done & writing, 0, place + 1))
        with m.If(done):
            m.d.sync += [writing.eq(~writing), full.bit_select(writing, 1).eq(1)]
        with m.If(self._walk(m, fetch, reading, pad)):
            m.d.sync += [reading.eq(~reading), full.bit_select(reading, 1).eq(0)]

        with m.If(move):
            m.d.sync += [self.o.valid.eq(active), padding.eq(pad)]
        for there, value in zip(fetch.data, self.o.payload):
            constant = Const(self.pad_value, Value.cast(value).shape())
            m.d.comb += value.eq(Mux(padding, constant, there))
        return m

    def _walk(self, m: Module, fetch: ReadPort, reading: Signal, pad: Signal) -> Value:
        """Go through the index, a word for each read; return when the last one is read."""
        index, loops = self.index, None
        if index.min() >= 0 and len(index) * (self.words - 1).bit_length() > SMALL:
            loops = nest_of(index)
        if loops is None:
            last = np.arange(len(index)) == len(index) - 1
            rows = np.stack([np.maximum(index, 0), index < 0, last], axis=1)
            word, away, ends = scheduled_constants(m, rows, fetch.en, name="index")
            m.d.comb += [pad.eq(away), fetch.addr.eq(word + Mux(reading, self.words, 0))]
            return ends & fetch.en

        counters = [Loop(m, f"loop_{n}", count) for n, (count, _) in enumerate(loops)]
        ended = nest(m, fetch.en, counters)
        first = int(index[0])
        word = Signal(range(2 * self.words), init=first)
        m.d.comb += fetch.addr.eq(word)
        back = 0
        steps: list[tuple[Value, Any]] = []
        for counter, (count, step) in zip(counters, loops):
            steps.append((counter.advance, word + (step - back)))
            back += step * (count - 1)
        steps.append((ended, Mux(reading, first, first + self.words)))
        for number, (condition, value) in enumerate(reversed(steps)):
            with m.If(condition) if number == 0 else m.Elif(condition):
                m.d.sync += word.eq(value)
        return ended
