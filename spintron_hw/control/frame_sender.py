"""Puts frames onto a stream of bytes."""

from typing import Any

from amaranth import Module, Signal
from amaranth.lib import crc, data, stream, wiring
from amaranth.lib.wiring import In, Out

from .protocol import START

__all__ = ["HEADER", "FrameSender"]

HEADER = data.StructLayout({"command": 8, "sequence": 8, "length": 16})
"""What an answer starts with."""


class FrameSender(wiring.Component):
    """Sends a frame: start byte, header, as many bytes of payload as it says, checksum.

    Timing
    ------
    A byte each cycle. The header is taken with the last byte of the frame.

    Members
    -------
    header : In(stream.Signature(HEADER))
        Headers, one a frame.
    i : In(stream.Signature(8))
        Bytes of payloads.
    o : Out(stream.Signature(8))
        Bytes of frames.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "header": In(stream.Signature(HEADER)),
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.crc = check = crc.catalog.CRC16_IBM_SDLC(8).create()
        header = self.header.p
        left = Signal(16)
        m.d.comb += [check.data.eq(self.o.payload), check.valid.eq(self.o.valid & self.o.ready)]

        with m.FSM():
            with m.State("START"):
                m.d.comb += [
                    self.o.payload.eq(START),
                    self.o.valid.eq(self.header.valid),
                    check.valid.eq(0),
                    check.start.eq(1),
                ]
                m.d.sync += left.eq(header.length)
                with m.If(self.o.valid & self.o.ready):
                    m.next = "COMMAND"
            for state, byte, following in [
                ("COMMAND", header.command, "SEQUENCE"),
                ("SEQUENCE", header.sequence, "LOW"),
                ("LOW", header.length[:8], "HIGH"),
                ("HIGH", header.length[8:], "PAYLOAD"),
            ]:
                with m.State(state):
                    m.d.comb += [self.o.payload.eq(byte), self.o.valid.eq(1)]
                    with m.If(self.o.ready):
                        m.next = following
            with m.State("PAYLOAD"):
                with m.If(left == 0):
                    m.next = "CRC_LOW"
                with m.Else():
                    m.d.comb += [
                        self.o.payload.eq(self.i.payload),
                        self.o.valid.eq(self.i.valid),
                        self.i.ready.eq(self.o.ready),
                    ]
                    with m.If(self.o.valid & self.o.ready):
                        m.d.sync += left.eq(left - 1)
            with m.State("CRC_LOW"):
                m.d.comb += [
                    self.o.payload.eq(check.crc[:8]),
                    self.o.valid.eq(1),
                    check.valid.eq(0),
                ]
                with m.If(self.o.ready):
                    m.next = "CRC_HIGH"
            with m.State("CRC_HIGH"):
                m.d.comb += [
                    self.o.payload.eq(check.crc[8:]),
                    self.o.valid.eq(1),
                    check.valid.eq(0),
                ]
                m.d.comb += self.header.ready.eq(self.o.ready)
                with m.If(self.o.ready):
                    m.next = "START"
        return m
