"""Frames no closer to each other than what follows is made for."""

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import check_int

from ..loops import Loop

__all__ = ["StreamPacer"]


class StreamPacer(wiring.Component):
    """Lets a frame begin no sooner than :py:`interval` cycles after the one before it.

    Timing
    ------
    No register lies between :py:`i` and :py:`o`: a payload is offered in the cycle in which it
    arrives (:attr:`latency` = 0). The first of a frame waits until :attr:`interval` cycles have
    passed since the first of the frame before was taken.

    Parameters
    ----------
    shape : shape-like
        Shape of the payload.
    beats : int, 1..2**24
        Payloads of a frame.
    interval : int, 1..2**32
        Cycles from frame to frame.

    Members
    -------
    i : In(stream.Signature(shape))
        Payloads.
    o : Out(stream.Signature(shape))
        The same payloads.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """

    latency = 0

    def __init__(self, *, shape: Any, beats: int, interval: int):
        self.beats = check_int("StreamPacer", "beats", beats, 1, 1 << 24)
        self.interval = check_int("StreamPacer", "interval", interval, 1, 1 << 32)
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def compute(self, payloads: list) -> list:
        """The payloads that leave: the same."""
        return list(payloads)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        beat = Loop(m, "beat", self.beats)
        left, opens, begins = Signal(range(self.interval)), Signal(), Signal()
        taken = self.i.valid & self.i.ready
        m.d.comb += [
            begins.eq(beat.index == 0),
            opens.eq(~begins | (left == 0)),
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & opens),
            self.i.ready.eq(self.o.ready & opens),
            beat.advance.eq(taken),
        ]
        with m.If(taken & begins):
            m.d.sync += left.eq(self.interval - 1)
        with m.Else():
            m.d.sync += left.eq(Mux(left == 0, 0, left - 1))
        return m
