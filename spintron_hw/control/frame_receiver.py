"""Takes the host's frames off a stream of bytes."""

from collections.abc import Mapping
from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import crc, data, stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import ParameterError, check_int

from .protocol import START, Cause

__all__ = ["PAYLOAD", "REQUEST", "FrameReceiver"]

PAYLOAD = data.StructLayout({"byte": 8, "first": 1})
"""A byte of a payload, and whether it is the first of its frame."""

REQUEST = data.StructLayout({"command": 8, "sequence": 8, "cause": 8})
"""A request that has been received; ``cause`` is 0 if it is good, a :class:`Cause` otherwise."""


class FrameReceiver(wiring.Component):
    """Receives frames and checks them: start byte, command, length, checksum.

    Bytes of the payload leave while they arrive, before the checksum is known: they must be
    acted upon only when the request that follows has cause 0. After a bad frame everything is
    dropped until the line has been quiet for :py:`timeout` cycles; then the request with its cause
    is offered. So random bytes are never taken for more than one bad frame, and every good frame
    after a quiet time is understood.

    Timing
    ------
    A byte each cycle. While a request waits to be taken, bytes are dropped: it is taken when it
    has been answered, and the host sends one request at a time.

    Parameters
    ----------
    lengths : mapping from int to int
        The commands there are, and the length that the payload of each must have.
    timeout : int, 1..2**32-1
        Cycles without a byte after which a frame has ended.

    Members
    -------
    i : In(stream.Signature(8, always_ready=True))
        Bytes from the host.
    payload : Out(stream.Signature(PAYLOAD, always_ready=True))
        Bytes of the payload.
    command : Out(8)
        Command of the frame whose payload is arriving.
    o : Out(stream.Signature(REQUEST))
        Requests.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """

    def __init__(self, *, lengths: Mapping[int, int], timeout: int):
        self.timeout = check_int("FrameReceiver", "timeout", timeout, 1, (1 << 32) - 1)
        if not lengths:
            raise ParameterError("FrameReceiver: lengths must name at least one command, not {}")
        self.lengths = {
            check_int("FrameReceiver", "command", command, 0, 127): check_int(
                "FrameReceiver", f"lengths[{int(command)}]", length, 0, 0xFFFF
            )
            for command, length in lengths.items()
        }
        super().__init__(
            {
                "i": In(stream.Signature(8, always_ready=True)),
                "payload": Out(stream.Signature(PAYLOAD, always_ready=True)),
                "command": Out(8),
                "o": Out(stream.Signature(REQUEST)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.crc = check = crc.catalog.CRC16_IBM_SDLC(8).create()
        byte, valid, quiet = self.i.payload, self.i.valid, self._quiet(m)
        expected, known = self._expected(m)
        low, first = Signal(8), Signal()
        left = Signal(range(max(self.lengths.values()) + 3))
        m.d.comb += [
            check.data.eq(byte),
            check.valid.eq(valid),
            self.command.eq(self.o.p.command),
            self.payload.p.byte.eq(byte),
            self.payload.p.first.eq(first),
        ]

        def end(state: str, cause: Cause) -> None:
            m.d.sync += self.o.p.cause.eq(cause)
            m.next = state

        with m.FSM():
            with m.State("HUNT"):
                m.d.comb += check.valid.eq(0), check.start.eq(1)
                m.d.sync += self.o.p.cause.eq(0)
                with m.If(valid & (byte == START)):
                    m.next = "COMMAND"
            for state, field, following in [
                ("COMMAND", self.o.p.command, "SEQUENCE"),
                ("SEQUENCE", self.o.p.sequence, "LOW"),
                ("LOW", low, "HIGH"),
            ]:
                with m.State(state):
                    with m.If(valid):
                        m.d.sync += field.eq(byte)
                        m.next = following
                    with m.Elif(quiet):
                        end("DONE", Cause.TRUNCATED)
            with m.State("HIGH"):
                m.d.sync += [left.eq(expected + 2), first.eq(1)]
                with m.If(valid):
                    with m.If(~known):
                        end("FLUSH", Cause.COMMAND)
                    with m.Elif(Cat(low, byte) != expected):
                        end("FLUSH", Cause.LENGTH)
                    with m.Else():
                        m.next = "PAYLOAD"
                with m.Elif(quiet):
                    end("DONE", Cause.TRUNCATED)
            with m.State("PAYLOAD"):
                m.d.comb += self.payload.valid.eq(valid & (left > 2))
                with m.If(left == 0):
                    m.next = "DONE"
                    with m.If(~check.match_detected):
                        end("FLUSH", Cause.CHECKSUM)
                with m.Elif(valid):
                    m.d.sync += [left.eq(left - 1), first.eq(0)]
                with m.Elif(quiet):
                    end("DONE", Cause.TRUNCATED)
            with m.State("FLUSH"):
                with m.If(quiet):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "HUNT"
        return m

    def _quiet(self, m: Module) -> Signal:
        """Whether no byte came for a while."""
        timer, quiet = Signal(range(self.timeout + 1)), Signal()
        m.d.comb += quiet.eq(timer == self.timeout)
        m.d.sync += timer.eq(timer + 1)
        with m.If(self.i.valid | quiet):
            m.d.sync += timer.eq(0)
        return quiet

    def _expected(self, m: Module) -> tuple[Signal, Signal]:
        """Length that the payload of the present command must have, and whether it is known."""
        expected, known = Signal(16), Signal()
        with m.Switch(self.o.p.command):
            for command, length in self.lengths.items():
                with m.Case(command):
                    m.d.comb += [known.eq(1), expected.eq(length)]
        return expected, known
