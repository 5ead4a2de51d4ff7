"""A small component with every construct that emitted Verilog must carry, to check tools with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from amaranth import Array, Const, Module, Mux, Signal, signed, unsigned
from amaranth.hdl import ValueLike
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.types import IntType

from ..mapping.ports import StreamPort
from .verilog import Design, emit

__all__ = ["Sample", "sample_design"]

_IN, _MID, _OUT = IntType(6, signed=True), IntType(9, signed=True), IntType(14, signed=True)


class Sample(wiring.Component):
    """Two layers joined by a stream with a tap: a gain with an offset, and a running sum.

    Layer ``gain`` has constants for each element: ``mid = ((x * gain) >> shift) + offset[x & 3]``.
    Layer ``sum`` has two outputs a frame: the sum of ``mid``, and the sum of its first or second
    beat, as the parity of ``mid[6]`` says.
    It holds a constant table, a ROM and a RAM with synchronous ports, a multiplexer over an array,
    products and shifts of signed numbers.

    Timing
    ------
    One beat a cycle; the sums are offered 3 cycles after the last beat was taken.

    Members
    -------
    i_x : In(stream.Signature(ArrayLayout(signed(6), 3)))
        Eight elements, in three beats.
    o_y : Out(stream.Signature(ArrayLayout(signed(14), 2)))
        Two elements, in one beat.
    tap_gain_valid, tap_gain_ready, tap_gain_payload : Out
        The stream between the layers: three lanes of 9 bits, signed.

    Attributes
    ----------
    streams : tuple of StreamPort
        What the ports carry.
    """

    gains = np.array([3, -5, 7, 1, -2, 6, 4, -7])
    shifts = np.array([0, 1, 2])
    offsets = np.array([11, -20, 0, 31])
    streams = (
        StreamPort("i_x", "input", "x", 8, _IN, 3),
        StreamPort("tap_gain", "tap", "gain", 8, _MID, 3),
        StreamPort("o_y", "output", "sum", 2, _OUT, 2),
    )

    def __init__(self) -> None:
        super().__init__(
            {
                "i_x": In(stream.Signature(data.ArrayLayout(signed(6), 3))),
                "o_y": Out(stream.Signature(data.ArrayLayout(signed(14), 2))),
                "tap_gain_valid": Out(1),
                "tap_gain_ready": Out(1),
                "tap_gain_payload": Out(27),
            }
        )

    @classmethod
    def trace(
        cls, x: np.ndarray | Mapping[str, np.ndarray], first_frame: int = 0
    ) -> dict[str, np.ndarray]:
        """Results of both layers for frames of 8 values, as a network gives them."""
        x = np.asarray(x["x"] if isinstance(x, Mapping) else x)
        x = x.reshape(len(x), 8)
        mid = ((x * cls.gains) >> cls.shifts[np.arange(8) // 3]) + cls.offsets[x & 3]
        of_beats = np.stack([mid[:, :3].sum(axis=1), mid[:, 3:6].sum(axis=1)], axis=1)
        picked = np.take_along_axis(of_beats, mid[:, 6:7] & 1, axis=1)
        return {"gain": mid, "sum": np.hstack([mid.sum(axis=1, keepdims=True), picked])}

    def elaborate(self, platform: object) -> Module:
        m = Module()

        m.submodules.rom = rom = memory.Memory(
            shape=data.ArrayLayout(signed(4), 3), depth=4, init=self._rom_rows()
        )
        gain = rom.read_port()
        beat = Signal(range(3))
        beat_next = Signal(range(3))
        m.d.comb += [beat_next.eq(beat), gain.addr.eq(beat_next), gain.en.eq(1)]
        m.d.sync += beat.eq(beat_next)

        mid_valid = Signal()
        mid_last = Signal()
        mid = Signal(data.ArrayLayout(signed(9), 3))
        mid_ready = Signal()
        with m.If(~mid_valid | mid_ready):
            m.d.comb += self.i_x.ready.eq(1)
            m.d.sync += [mid_valid.eq(self.i_x.valid), mid_last.eq(beat == 2)]
            with m.If(self.i_x.valid):
                m.d.comb += beat_next.eq(Mux(beat == 2, 0, beat + 1))
            shift = Array(int(shift) for shift in self.shifts)[beat]
            for lane in range(3):
                x = self.i_x.payload[lane]
                product = (x * gain.data[lane]) >> shift
                m.d.sync += mid[lane].eq(product + self._offset(x))
        m.d.comb += [
            self.tap_gain_valid.eq(mid_valid),
            self.tap_gain_ready.eq(mid_ready),
            self.tap_gain_payload.eq(mid),
        ]

        self._elaborate_sum(m, mid, mid_valid, mid_ready, mid_last)
        return m

    def _elaborate_sum(
        self,
        m: Module,
        mid: data.View,
        mid_valid: Signal,
        mid_ready: Signal,
        mid_last: Signal,
    ) -> None:
        """Layer ``sum``: adds up a frame, and keeps the sums of its beats in a RAM."""
        m.submodules.ram = ram = memory.Memory(shape=signed(14), depth=4, init=[])
        write = ram.write_port()
        read = ram.read_port()
        total = Signal(signed(14))
        done = Signal()
        slot = Signal(unsigned(2))
        lanes = [Mux(mid_last & (lane == 2), 0, mid[lane]) for lane in range(3)]
        transfer = Signal()
        m.d.comb += [
            mid_ready.eq(~done & ~self.o_y.valid),
            transfer.eq(mid_valid & mid_ready),
            read.addr.eq(mid[0][0]),
            read.en.eq(transfer),
            write.addr.eq(slot),
            write.data.eq(sum(lanes)),
            write.en.eq(transfer),
        ]
        with m.If(transfer):
            m.d.sync += [
                total.eq(total + write.data),
                done.eq(mid_last),
                slot.eq(Mux(mid_last, 0, slot + 1)),
            ]
        with m.If(done):
            m.d.sync += [
                self.o_y.valid.eq(1),
                self.o_y.payload[0].eq(total),
                self.o_y.payload[1].eq(read.data),
                done.eq(0),
                total.eq(0),
            ]
        with m.If(self.o_y.valid & self.o_y.ready):
            m.d.sync += self.o_y.valid.eq(0)

    def _rom_rows(self) -> list[list[int]]:
        """Gains in the order of the beats; nothing uses the last row."""
        gains = [int(gain) for gain in self.gains] + [0]
        return [gains[3 * beat : 3 * beat + 3] for beat in range(3)] + [[0, 0, 0]]

    def _offset(self, x: ValueLike) -> data.View:
        """Offset of element :py:`x`, out of one constant of all of them."""
        offsets = data.ArrayLayout(signed(6), 4).const([int(offset) for offset in self.offsets])
        bits = Const(offsets.as_bits(), 24)
        return bits.word_select(x[:2], 6).as_signed()


def sample_design() -> Design:
    """Return the design of :class:`Sample`, whose golden model is :meth:`Sample.trace`."""
    return Design("sample", Sample.streams, emit(Sample(), name="sample"), component=Sample)
