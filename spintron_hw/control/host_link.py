"""The host link: requests of the host in, answers of the accelerator out."""

from collections.abc import Mapping, Sequence
from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import ParameterError, check_int

from ..mapping.ports import StreamPort
from ..stream import vector
from .frame_buffers import InputBuffer, OutputBuffer
from .frame_receiver import FrameReceiver
from .frame_sender import FrameSender
from .protocol import ANSWER, Cause, Command, Field, encode_info

__all__ = ["HostLink", "write_fields"]


class HostLink(wiring.Component):
    """Answers the requests of a host, byte stream to byte stream, for one accelerator.

    Frames and commands are described in ``docs/host-link.md``. One request is answered at a time;
    bytes that arrive before its answer has left are dropped. Whatever bytes arrive, and whatever
    the accelerator does, the link returns to listening.

    Timing
    ------
    An input vector is offered at one beat a cycle, and output beats are always taken, so the
    accelerator runs at its full speed. The answer to INFER starts with the number of cycles
    from that in which the first input beat is taken to that in which the last output beat is, both
    counted: ``Plan.latency`` for a network.

    Parameters
    ----------
    ports : sequence of StreamPort
        Streams of the accelerator. Taps are left alone.
    digest : bytes, 8
        First bytes of the digest of the network, for INFO.
    clock_hz : int, hertz
        Clock, for INFO.
    timeout : int, cycles
        A pause after which a frame has ended. Must be longer than any pause that the host's serial
        adapter makes within a frame.
    max_cycles : int, cycles
        After this time without an answer from the accelerator it is restarted, and the host told.
    writes : mapping from str to StructLayout, optional
        Streams of the accelerator by which its codes can be written, and their payloads: fields
        ``bank``, ``address`` and ``data``.

    Members
    -------
    rx : In(stream.Signature(8, always_ready=True))
        Bytes from the host.
    tx : Out(stream.Signature(8))
        Bytes to the host.
    i_... : Out(stream.Signature(vector))
        One for each input of the accelerator, by its name.
    o_... : In(stream.Signature(vector, always_ready=True))
        One for each output of the accelerator, by its name.
    w_... : Out(stream.Signature(layout))
        One for each of :py:`writes`, by its name.
    restart : Out(1)
        For one cycle: put the accelerator into the state after reset.

    Attributes
    ----------
    fields : tuple of Field
        What travels in INFER and WRITE, in this order.

    Raises
    ------
    ParameterError
        If there is no input or no output, or a request would be longer than a frame can be.
    """

    def __init__(
        self,
        ports: Sequence[StreamPort],
        *,
        digest: bytes,
        clock_hz: int,
        timeout: int,
        max_cycles: int = 1 << 26,
        writes: Mapping[str, data.StructLayout] | None = None,
    ):
        self.inputs = tuple(port for port in ports if port.role == "input")
        self.outputs = tuple(port for port in ports if port.role == "output")
        if not self.inputs or not self.outputs:
            raise ParameterError(
                "HostLink: ports must hold at least one input and one output, not "
                f"{[port.name for port in ports]}"
            )
        self.writes = dict(writes or {})
        self.timeout = check_int("HostLink", "timeout", timeout, 1, (1 << 32) - 1)
        self.max_cycles = check_int("HostLink", "max_cycles", max_cycles, 1, (1 << 32) - 2)
        self.fields = tuple(Field.of_port(port) for port in self.inputs + self.outputs)
        self.fields += write_fields(self.writes)
        self.info = encode_info(digest, clock_hz, self.fields)
        sizes = {
            role: sum(field.size for field in self.fields if field.role == role)
            for role in ("input", "output", "write")
        }
        for role, size in (*sizes.items(), ("description", len(self.info))):
            check_int("HostLink", f"bytes of {role}", size, 0, 0xFFFF - 4)
        self.requests: dict[int, int] = {Command.PING: 0, Command.INFO: 0, Command.RESET: 0}
        self.requests[Command.INFER] = sizes["input"]
        self.answer_bytes = 4 + sizes["output"]
        if self.writes:
            self.requests[Command.WRITE] = sizes["write"]
        members = {
            "rx": In(stream.Signature(8, always_ready=True)),
            "tx": Out(stream.Signature(8)),
            "restart": Out(1),
        }
        for port in self.inputs:
            members[port.name] = Out(stream.Signature(vector(port.type, port.lanes)))
        for port in self.outputs:
            beat = vector(port.type, port.lanes)
            members[port.name] = In(stream.Signature(beat, always_ready=True))
        for name, layout in self.writes.items():
            members[name] = Out(stream.Signature(layout))
        super().__init__(members)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver(
            lengths=self.requests, timeout=self.timeout
        )
        m.submodules.sender = sender = FrameSender()
        m.d.comb += [
            receiver.i.payload.eq(self.rx.payload),
            receiver.i.valid.eq(self.rx.valid),
            self.tx.payload.eq(sender.o.payload),
            self.tx.valid.eq(sender.o.valid),
            sender.o.ready.eq(self.tx.ready),
        ]
        request, refusal = receiver.o, Signal(8)
        start, ready, first, done = Signal(), Signal(), Signal(), Signal()
        cycles, taken = Signal(32), Signal(32)
        self._inputs(m, receiver, start, ready, first)
        buffers = self._outputs(m, start, done)
        self._answer(m, sender, request.p, refusal | request.p.cause, taken, buffers)
        write, written, unknown = Signal(), Signal(), Signal()
        if self.writes:
            self._write(m, receiver, write, written, unknown)

        with m.FSM():
            with m.State("LISTEN"):
                m.d.sync += refusal.eq(0)
                with m.If(request.valid):
                    m.next = "ANSWER"
                    with m.If(request.p.cause == 0):
                        with m.Switch(request.p.command):
                            with m.Case(Command.INFER):
                                m.next = "COLLECT"
                            with m.Case(Command.RESET):
                                m.d.comb += self.restart.eq(1)
                            with m.Case(Command.WRITE):
                                m.next = "WRITE"
            with m.State("COLLECT"):
                m.d.comb += start.eq(ready)
                m.d.sync += cycles.eq(0)
                with m.If(ready):
                    m.next = "RUN"
            with m.State("RUN"):
                m.d.sync += [cycles.eq(Mux(first, 1, cycles + 1)), taken.eq(cycles)]
                with m.If(done):
                    m.next = "ANSWER"
                with m.Elif(cycles == self.max_cycles):
                    m.d.sync += refusal.eq(Cause.STALLED)
                    m.d.comb += self.restart.eq(1)
                    m.next = "ANSWER"
            with m.State("WRITE"):
                m.d.comb += write.eq(1)
                with m.If(unknown):
                    m.d.sync += refusal.eq(Cause.LAYER)
                with m.If(written | unknown):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += sender.header.valid.eq(1)
                with m.If(sender.header.ready):
                    m.d.comb += request.ready.eq(1)
                    m.next = "LISTEN"
        return m

    def _inputs(
        self, m: Module, receiver: FrameReceiver, start: Signal, ready: Signal, first: Signal
    ) -> None:
        """One buffer an input, filled from its part of the payload."""
        payload, wanted = receiver.payload, Signal()
        index, count = Signal(16), Signal(16)
        m.d.comb += wanted.eq(payload.valid & (receiver.command == Command.INFER))
        m.d.comb += index.eq(Mux(payload.p.first, 0, count))
        with m.If(wanted):
            m.d.sync += count.eq(index + 1)

        offset, all_ready, transfers, before = 0, [], [], Signal()
        for port, field in zip(self.inputs, self.fields, strict=False):
            m.submodules[f"{port.name}_buffer"] = buffer = InputBuffer(port)
            end = offset + field.size
            mine = (index >= offset) & (index < end) if len(self.inputs) > 1 else 1
            beats = getattr(self, port.name)
            m.d.comb += [
                buffer.i.valid.eq(wanted & mine),
                buffer.i.p.byte.eq(payload.p.byte),
                buffer.i.p.first.eq(index == offset),
                buffer.start.eq(start),
                buffer.stop.eq(self.restart),
                beats.payload.eq(buffer.o.payload),
                beats.valid.eq(buffer.o.valid),
                buffer.o.ready.eq(beats.ready),
            ]
            all_ready.append(buffer.ready)
            transfers.append(beats.valid & beats.ready)
            offset = end
        m.d.comb += [ready.eq(Cat(all_ready).all()), first.eq(Cat(transfers).any() & ~before)]
        with m.If(start | first):
            m.d.sync += before.eq(first)

    def _outputs(self, m: Module, start: Signal, done: Signal) -> list[OutputBuffer]:
        """One buffer an output, filled at full speed."""
        buffers = []
        for port in self.outputs:
            m.submodules[f"{port.name}_buffer"] = buffer = OutputBuffer(port)
            beats = getattr(self, port.name)
            m.d.comb += [
                buffer.i.payload.eq(beats.payload),
                buffer.i.valid.eq(beats.valid),
                buffer.clear.eq(start),
            ]
            buffers.append(buffer)
        m.d.comb += done.eq(Cat(buffer.done for buffer in buffers).all())
        return buffers

    def _answer(
        self,
        m: Module,
        sender: FrameSender,
        request: Any,
        cause: Value,
        cycles: Signal,
        buffers: list[OutputBuffer],
    ) -> None:
        """Header and payload of the answer to :py:`request`."""
        header, payload, bad = sender.header.p, sender.i, Signal()
        index = Signal(range(max(len(self.info), 5)))
        m.submodules.info = rom = memory.Memory(shape=8, depth=len(self.info), init=list(self.info))
        info = rom.read_port(domain="comb")
        m.d.comb += [
            bad.eq(cause != 0),
            info.addr.eq(index),
            header.sequence.eq(request.sequence),
            header.command.eq(Mux(bad, Command.NAK, request.command) | ANSWER),
            payload.valid.eq(1),
        ]
        with m.If(~sender.header.valid):
            m.d.sync += index.eq(0)
        with m.Elif(payload.ready & (index != len(self.info) - 1)):
            m.d.sync += index.eq(index + 1)

        with m.If(bad):
            m.d.comb += [header.length.eq(1), payload.payload.eq(cause)]
        with m.Elif(request.command == Command.INFO):
            m.d.comb += [header.length.eq(len(self.info)), payload.payload.eq(info.data)]
        with m.Elif(request.command == Command.INFER):
            m.d.comb += header.length.eq(self.answer_bytes)
            with m.If(index < 4):
                m.d.comb += payload.payload.eq(cycles.word_select(index[:2], 8))
            for buffer in buffers:
                with m.Elif(buffer.pending):
                    m.d.comb += [
                        payload.payload.eq(buffer.o.payload),
                        payload.valid.eq(buffer.o.valid),
                        buffer.o.ready.eq(payload.ready),
                    ]

    def _write(
        self, m: Module, receiver: FrameReceiver, write: Signal, written: Signal, unknown: Signal
    ) -> None:
        """Shift the bytes of a write into a register; offer its fields to the layer it names."""
        size = self.requests[Command.WRITE]
        word, parts = Signal(8 * size), {}
        with m.If(receiver.payload.valid & (receiver.command == Command.WRITE)):
            m.d.sync += word.eq(Cat(word, receiver.payload.p.byte)[8:])
        at = 0
        for field in self.fields:
            if field.role == "write":
                parts[field.name] = word[at : at + field.bits]
                at += 8 * field.size
        with m.Switch(word[:8]):
            for number, (name, layout) in enumerate(self.writes.items()):
                port = getattr(self, name)
                for key, field in layout:
                    payload = Value.cast(port.payload)[field.offset : field.offset + field.width]
                    m.d.comb += payload.eq(parts[key])
                with m.Case(number):
                    m.d.comb += [port.valid.eq(write), written.eq(port.ready)]
            with m.Default():
                m.d.comb += unknown.eq(1)


def write_fields(writes: Mapping[str, data.StructLayout]) -> tuple[Field, ...]:
    """Fields of a WRITE: the number of the layer, and the widest of each field; then the layers."""
    names = ("bank", "address", "data")
    for port, layout in writes.items():
        if tuple(key for key, _ in layout) != names:
            raise ParameterError(
                f"HostLink: {port} must have the fields {', '.join(names)}, not "
                f"{', '.join(str(key) for key, _ in layout)}"
            )
    if not writes:
        return ()
    check_int("HostLink", "number of writable layers", len(writes), 1, 256)
    widest = {name: max(layout[name].width for layout in writes.values()) for name in names}
    fields = [Field("write", "layer", 1, 8)]
    fields += [Field("write", name, 1, max(width, 1)) for name, width in widest.items()]
    return tuple(fields) + tuple(
        Field("layer", name.removeprefix("w_"), 1, layout["data"].width)
        for name, layout in writes.items()
    )
