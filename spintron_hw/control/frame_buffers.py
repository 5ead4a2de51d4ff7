"""Buffers between the bytes of the host link and the streams of an accelerator.

An accelerator runs much faster than the link. One whole frame waits on each side of it, so that
it runs at full speed for a frame, and the cycles it takes can be counted.
"""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..mapping.ports import StreamPort
from ..stream import vector
from .frame_receiver import PAYLOAD
from .protocol import element_bytes

__all__ = ["InputBuffer", "OutputBuffer"]


class InputBuffer(wiring.Component):
    """Puts the bytes of one input vector together, and plays it at one beat a cycle.

    An element comes as little-endian bytes, of which the lowest bits count.

    Timing
    ------
    A byte each cycle; after the last byte :py:`ready` rises within :py:`lanes + 1` cycles. The
    first beat is offered within 2 cycles of :py:`start`, then one each cycle.

    Parameters
    ----------
    port : StreamPort
        The input stream that is fed.

    Members
    -------
    i : In(stream.Signature(PAYLOAD, always_ready=True))
        Bytes of the vector; ``first`` starts a new one.
    ready : Out(1)
        The vector is complete.
    start : In(1)
        Play the vector.
    stop : In(1)
        Offer nothing more.
    o : Out(stream.Signature(vector))
        Beats of the vector.
    """

    def __init__(self, port: StreamPort):
        self.port = port
        super().__init__(
            {
                "i": In(stream.Signature(PAYLOAD, always_ready=True)),
                "ready": Out(1),
                "start": In(1),
                "stop": In(1),
                "o": Out(stream.Signature(vector(port.type, port.lanes))),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        port = self.port
        beat = Signal(port.width)
        complete = Signal()  # the cycle after the last lane of a beat was shifted in
        place = Signal(range(port.beats + 1))
        self._collect(m, beat, complete, place)

        shown = Signal(range(port.beats + 1))
        playing, fresh = Signal(), Signal()
        m.d.comb += self.ready.eq(place == port.beats)
        taken = self.o.valid & self.o.ready
        m.d.comb += self.o.valid.eq(fresh & playing)
        m.d.sync += fresh.eq(playing)
        with m.If(taken):
            m.d.sync += shown.eq(shown + 1)
            with m.If(shown == port.beats - 1):
                m.d.sync += playing.eq(0)
        with m.If(self.stop):
            m.d.sync += playing.eq(0)
        with m.If(self.start):
            m.d.sync += [playing.eq(1), shown.eq(0), fresh.eq(0)]

        payload = Value.cast(self.o.payload)
        if port.beats == 1:
            m.d.comb += payload.eq(beat)
        else:
            m.submodules.memory = store = memory.Memory(shape=port.width, depth=port.beats, init=[])
            write, read = store.write_port(), store.read_port()
            m.d.comb += [
                write.addr.eq(place),
                write.data.eq(beat),
                write.en.eq(complete),
                read.addr.eq(Mux(taken, shown + 1, shown)),
                read.en.eq(1),
                payload.eq(read.data),
            ]
        return m

    def _collect(self, m: Module, beat: Signal, complete: Signal, place: Signal) -> None:
        """Shift bytes into elements, and elements into beats; fill up the last beat."""
        port, bits = self.port, self.port.type.bits
        size = element_bytes(bits)
        element, byte, at = Signal(8 * size), Signal(range(size)), Signal(range(size))
        lane, number = Signal(range(port.lanes)), Signal(range(port.length + 1))
        shift = Signal()

        with m.If(self.i.valid):
            m.d.sync += element.eq(Cat(element, self.i.p.byte)[8:])
            m.d.sync += byte.eq(Mux(at == size - 1, 0, at + 1))
        filling = (number == port.length) & (lane != 0)
        last = Signal()
        m.d.sync += last.eq(self.i.valid & (at == size - 1))
        m.d.comb += [at.eq(Mux(self.i.p.first, 0, byte)), shift.eq(last | filling)]
        m.d.sync += complete.eq(shift & (lane == port.lanes - 1))
        with m.If(last):
            m.d.sync += number.eq(number + 1)
        with m.If(shift):
            m.d.sync += [
                beat.eq(Cat(beat, element[:bits])[bits:]),
                lane.eq(Mux(lane == port.lanes - 1, 0, lane + 1)),
            ]
        with m.If(complete):
            m.d.sync += place.eq(place + 1)
        with m.If(self.i.valid & self.i.p.first):
            m.d.sync += [lane.eq(0), number.eq(0), place.eq(0)]


class OutputBuffer(wiring.Component):
    """Takes one output vector at full speed, and gives it away as bytes.

    An element leaves as little-endian bytes, sign-extended where it is signed.

    Timing
    ------
    A beat each cycle, then a byte each cycle with a pause of up to 2 cycles between elements.

    Parameters
    ----------
    port : StreamPort
        The output stream that is read.

    Members
    -------
    i : In(stream.Signature(vector, always_ready=True))
        Beats of the vector; those of the next are lost.
    clear : In(1)
        Forget what was taken, and take a new vector.
    done : Out(1)
        Every beat has been taken.
    pending : Out(1)
        Bytes of the vector are still to leave.
    o : Out(stream.Signature(8))
        Bytes of the vector, offered once it is complete.
    """

    def __init__(self, port: StreamPort):
        self.port = port
        super().__init__(
            {
                "i": In(stream.Signature(vector(port.type, port.lanes), always_ready=True)),
                "clear": In(1),
                "done": Out(1),
                "pending": Out(1),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        port = self.port
        payload = Value.cast(self.i.payload)
        place = Signal(range(port.beats + 1))
        shown = Signal(range(port.beats + 1))
        beat = Signal(port.width)
        load = Signal()  # the next beat goes into the shift register

        m.d.comb += self.done.eq(place == port.beats)
        with m.If(self.i.valid & ~self.done):
            m.d.sync += place.eq(place + 1)
        if port.beats == 1:
            with m.If(self.i.valid & ~self.done):
                m.d.sync += beat.eq(payload)
        else:
            m.submodules.memory = store = memory.Memory(shape=port.width, depth=port.beats, init=[])
            write, read = store.write_port(), store.read_port()
            m.d.comb += [
                write.addr.eq(place),
                write.data.eq(payload),
                write.en.eq(self.i.valid & ~self.done),
                read.addr.eq(shown),
                read.en.eq(1),
            ]
            with m.If(load):
                m.d.sync += beat.eq(read.data)
        self._serialise(m, beat, shown, load)
        with m.If(self.clear):
            m.d.sync += [place.eq(0), shown.eq(0)]
        return m

    def _serialise(self, m: Module, beat: Signal, shown: Signal, load: Signal) -> None:
        """Shift elements out of a beat, and bytes out of an element."""
        port, bits = self.port, self.port.type.bits
        size = element_bytes(bits)
        element = Signal(8 * size)
        byte, lane = Signal(range(size)), Signal(range(port.lanes))
        left = Signal(range(port.length + 1))
        value = beat[:bits].as_signed() if port.type.signed else beat[:bits]

        m.d.comb += self.pending.eq(self.done & (left != 0))
        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += lane.eq(0)
                with m.If(self.pending):
                    m.next = "LOAD"
            with m.State("LOAD"):  # the memory shows the beat asked for in the cycle before
                m.d.comb += load.eq(1)
                m.d.sync += shown.eq(shown + 1)
                m.next = "ELEMENT"
            with m.State("ELEMENT"):
                m.d.sync += [element.eq(value), byte.eq(0), beat.eq(beat[bits:])]
                m.next = "BYTE"
            with m.State("BYTE"):
                m.d.comb += [self.o.payload.eq(element[:8]), self.o.valid.eq(1)]
                with m.If(self.o.ready):
                    m.d.sync += [element.eq(element[8:]), byte.eq(byte + 1)]
                    with m.If(byte == size - 1):
                        m.d.sync += [lane.eq(lane + 1), left.eq(left - 1)]
                        m.next = "ELEMENT"
                        with m.If((lane == port.lanes - 1) | (left == 1)):
                            m.next = "WAIT"
        with m.If(self.clear):
            m.d.sync += left.eq(port.length)
