"""Words dropped, repeated and padded while they pass."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..mapping.gather import STREAM, steps_of
from ..stream import vector
from .constants import scheduled_constants

__all__ = ["GatherStream"]


class GatherStream(wiring.Component):
    """Gives the words of each vector that an index names, in an order that never goes back.

    A slice drops words, nearest upsampling repeats them, padding puts constants between. What is
    done cycle by cycle stands in a table of runs, so nothing of the vector is stored.

    Timing
    ------
    A word is offered 1 cycle (:attr:`latency`) after it was taken, again and again in the cycles
    that follow; padding follows what was given before it, and at the beginning of a vector the
    first word. In each cycle a word is taken, or given, or both: :attr:`interval` cycles a vector.
    Backpressure on :py:`o` stalls :py:`i` in the same cycle, unless the word there is dropped.

    Parameters
    ----------
    type : IntType
        Type of an element.
    lanes : int, 1..65536
        Elements of a word.
    words : int, 1..2**24
        Words of a vector.
    index : array of int, -1..words - 1
        Word of each output, never falling but for -1, which is padding.
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
        If a parameter is outside its range, or the index falls.
    """

    latency = STREAM

    def __init__(self, *, type: IntType, lanes: int, words: int, index: ArrayLike, pad_value: int):
        self.type = check_type("GatherStream", "type", type, 64)
        self.lanes = check_int("GatherStream", "lanes", lanes, 1, 1 << 16)
        self.words = check_int("GatherStream", "words", words, 1, 1 << 24)
        self.index = check_table("GatherStream", "index", index, -1, self.words - 1, (None,))
        self.pad_value = check_int("GatherStream", "pad_value", pad_value, type.low, type.high)
        if np.any(np.diff(self.index[self.index >= 0]) < 0):
            raise ParameterError(
                "GatherStream: index must never fall but for -1; take a GatherBuffer"
            )
        self._steps = steps_of(self.index, self.words)
        self.interval = int(self._steps[:, 4].sum())
        shape = vector(type, self.lanes)
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def compute(self, beats: ArrayLike) -> NDArray[np.int64]:
        """Beats of all outputs for the beats of whole vectors, shape ``(beats, lanes)``."""
        vectors = np.asarray(beats).reshape(-1, self.words, self.lanes)
        found = np.where(self.index[:, None] < 0, self.pad_value, vectors[:, self.index])
        return found.reshape(-1, self.lanes)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        o = self.o
        step, ends, move = Signal(), Signal(), Signal()
        runs = self._steps - [0, 0, 0, 0, 1]
        take, give, pad, again, more = scheduled_constants(m, runs, ends, name="run")
        repeat = Signal(range(int(runs[:, 4].max()) + 1))
        m.d.comb += [
            move.eq(~o.valid | o.ready | ~give),
            self.i.ready.eq(take & move),
            step.eq(move & (self.i.valid | ~take)),
            ends.eq(step & (repeat == more)),
        ]
        with m.If(step):
            m.d.sync += repeat.eq(Mux(ends, 0, repeat + 1))
        with m.If(step & give):
            m.d.sync += o.valid.eq(1)
        with m.Elif(o.ready):
            m.d.sync += o.valid.eq(0)

        padded = bool(np.any(self.index < 0))
        for lane, (there, value) in enumerate(zip(self.i.payload, o.payload)):
            shape = Value.cast(value).shape()
            held = value  # without padding between, the output holds it
            if padded:
                held = Signal(shape, name=f"held_{lane}", reset_less=True)
                with m.If(step & take):
                    m.d.sync += held.eq(there)
            with m.If(step & give):
                word = Mux(again, held, there)
                m.d.sync += value.eq(Mux(pad, Const(self.pad_value, shape), word))
        return m
