"""Several streams, one after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int
from spintron_ir.types import IntType

from ..checks import check_type
from ..loops import Loop, by_index, nest
from ..mapping.timing import CONCAT
from ..stream import vector

__all__ = ["StreamConcat"]


class StreamConcat(wiring.Component):
    """Passes some beats of each input in turn, over and over.

    Timing
    ------
    A beat is offered 1 cycle (:attr:`latency`) after it was taken, one each cycle; a turn of all
    inputs takes :attr:`interval` cycles. An input is ready only while it is its turn.
    Backpressure on :py:`o` stalls that input in the same cycle.

    Parameters
    ----------
    types : sequence of IntType, 1 to 64
        Type of an element of each input.
    counts : sequence of int, 1..2**24
        Beats of each input in a turn.
    lanes : int, 1..65536
        Elements in a beat.

    Members
    -------
    i_0, i_1, … : In(stream.Signature(vector(types[n], lanes)))
        The inputs.
    o : Out(stream.Signature(vector(type, lanes)))
        Their beats.

    Attributes
    ----------
    type : IntType
        The narrowest type that holds the values of all inputs.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = CONCAT

    def __init__(self, *, types: Sequence[IntType], counts: Sequence[int], lanes: int):
        check_int("StreamConcat", "number of types", len(types), 1, 64)
        if len(counts) != len(types):
            raise ParameterError(
                f"StreamConcat: counts must have a number for each of the {len(types)} inputs, "
                f"not {len(counts)}"
            )
        self.types = tuple(check_type("StreamConcat", "types", type_, 64) for type_ in types)
        self.counts = tuple(
            check_int("StreamConcat", "counts", count, 1, 1 << 24) for count in counts
        )
        self.lanes = check_int("StreamConcat", "lanes", lanes, 1, 1 << 16)
        self.type = IntType.of_range(
            min(type_.low for type_ in self.types), max(type_.high for type_ in self.types)
        )
        self.interval = sum(self.counts)
        inputs = {
            f"i_{n}": In(stream.Signature(vector(type_, self.lanes)))
            for n, type_ in enumerate(self.types)
        }
        super().__init__(inputs | {"o": Out(stream.Signature(vector(self.type, self.lanes)))})

    @property
    def inputs(self) -> list[stream.Interface]:
        """The input streams, in order."""
        return [getattr(self, f"i_{n}") for n in range(len(self.types))]

    def compute(self, inputs: Sequence[ArrayLike]) -> NDArray[np.int64]:
        """Beats of whole turns, each input ``(turns * its count, lanes)``."""
        turns = [
            np.asarray(beats).reshape(-1, count, self.lanes)
            for beats, count in zip(inputs, self.counts, strict=True)
        ]
        return np.concatenate(turns, axis=1).reshape(-1, self.lanes)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        turn = Loop(m, "turn", len(self.counts))
        count = by_index(m, turn.index, self.counts, "count")
        beat = Loop(m, "beat", count, max(self.counts))
        move, taken = ~self.o.valid | self.o.ready, Signal()
        with m.Switch(turn.index):
            for number, port in enumerate(self.inputs):
                with m.Case(number):
                    m.d.comb += [port.ready.eq(move), taken.eq(port.valid & move)]
                    with m.If(move):
                        m.d.sync += self.o.valid.eq(port.valid)
                        m.d.sync += [
                            here.eq(value)
                            for here, value in zip(self.o.payload, port.payload, strict=True)
                        ]
        nest(m, taken, [beat, turn])
        return m
