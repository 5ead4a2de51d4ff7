"""Between two cells that move the same vector with different numbers of lanes."""

from typing import Any

import numpy as np
from amaranth import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike

from spintron_ir.arith import as_int
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.types import IntType

from ..checks import check_type
from ..stream import vector

__all__ = ["StreamWidthAdapter"]


class StreamWidthAdapter(wiring.Component):
    """Gathers beats of a vector into wider ones, or cuts them into narrower ones.

    Elements keep their order, the lowest lane first. Every vector begins with a new beat; what
    the unused lanes of a last beat carry is open.

    Timing
    ------
    Gathering: a beat is offered 1 cycle (:attr:`latency`) after the last of its parts was taken,
    and parts of the next are taken from the cycle on in which it leaves; a vector takes
    ``ceil(length / i_lanes)`` cycles (:attr:`interval`). Cutting: the first part is offered 1 cycle
    after its beat was taken, and the next beat is taken in the cycle in which the last part
    leaves; a vector takes ``ceil(length / o_lanes)`` cycles. In both directions ready of :py:`i`
    follows ready of :py:`o` in the same cycle while a beat is offered.

    Parameters
    ----------
    type : IntType
        Type of an element.
    length : int, 1..1048576
        Elements of a vector.
    i_lanes, o_lanes : int, 1..length
        Elements of a beat on either side, not the same. The smaller one divides the larger one,
        or the larger one is :py:`length`.

    Members
    -------
    i : In(stream.Signature(vector(type, i_lanes)))
        Vectors.
    o : Out(stream.Signature(vector(type, o_lanes)))
        The same vectors.

    Attributes
    ----------
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range, or no adapter between these lanes is needed or made.
    """

    latency = 1

    def __init__(self, *, type: IntType, length: int, i_lanes: int, o_lanes: int):
        self.type = check_type("StreamWidthAdapter", "type", type, 64)
        self.length = check_int("StreamWidthAdapter", "length", length, 1, 1 << 20)
        self.i_lanes = check_int("StreamWidthAdapter", "i_lanes", i_lanes, 1, self.length)
        self.o_lanes = check_int("StreamWidthAdapter", "o_lanes", o_lanes, 1, self.length)
        small, large = sorted((self.i_lanes, self.o_lanes))
        if small == large:
            raise ParameterError(
                f"StreamWidthAdapter: i_lanes and o_lanes must differ, not both be {small}; join "
                "the streams without an adapter"
            )
        if large % small and large != self.length:
            raise ParameterError(
                f"StreamWidthAdapter: one of i_lanes and o_lanes must divide the other or be the "
                f"length {self.length}, not {self.i_lanes} and {self.o_lanes}; chain two adapters"
            )
        self.interval = -(-self.length // small)
        super().__init__(
            {
                "i": In(stream.Signature(vector(self.type, self.i_lanes))),
                "o": Out(stream.Signature(vector(self.type, self.o_lanes))),
            }
        )

    def compute(self, beats: ArrayLike) -> list[list[int | None]]:
        """Beats of :py:`o` for whole vectors of beats, ``(beats, i_lanes)``; None where open."""
        vectors = as_int(beats).reshape(-1, -(-self.length // self.i_lanes) * self.i_lanes)
        o_beats = -(-self.length // self.o_lanes)
        padded = np.full((len(vectors), o_beats * self.o_lanes), None)
        padded[:, : self.length] = vectors[:, : self.length]
        return padded.reshape(-1, self.o_lanes).tolist()

    def elaborate(self, platform: Any) -> Module:
        return self._gather() if self.o_lanes > self.i_lanes else self._cut()

    def _gather(self) -> Module:
        m = Module()

        taken = self.i.valid & self.i.ready
        slot, last = self._part(m, taken)
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(taken & last):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        for lane in range(self.o_lanes):
            with m.If(taken & (slot == lane // self.i_lanes)):
                m.d.sync += self.o.payload[lane].eq(self.i.payload[lane % self.i_lanes])

        return m

    def _cut(self) -> Module:
        m = Module()

        _, last = self._part(m, self.o.valid & self.o.ready)
        parts = -(-self.i_lanes // self.o_lanes)
        held = Signal(parts * self.o_lanes * self.type.bits, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | (self.o.ready & last)),
            self.o.payload.eq(held[: self.o_lanes * self.type.bits]),
        ]
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), held.eq(Value.cast(self.i.payload))]
        with m.Elif(self.o.ready):
            m.d.sync += held.eq(held[self.o_lanes * self.type.bits :])

        return m

    def _part(self, m: Module, advance: Any) -> tuple[Signal, Signal]:
        """Which narrow beat of a wide one is under way, and whether it is the last one."""
        small, large = sorted((self.i_lanes, self.o_lanes))
        wide, ragged = divmod(self.length, large)
        part, last = Signal(range(-(-large // small))), Signal()
        m.d.comb += last.eq(part == -(-large // small) - 1)
        if wide and ragged:
            beat = Signal(range(wide + 1))
            with m.If(beat == wide):
                m.d.comb += last.eq(part == -(-ragged // small) - 1)
            with m.If(advance & last):
                m.d.sync += beat.eq(Mux(beat == wide, 0, beat + 1))
        with m.If(advance):
            m.d.sync += part.eq(Mux(last, 0, part + 1))
        return part, last
