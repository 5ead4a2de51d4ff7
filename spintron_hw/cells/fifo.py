"""Storage between two parts of an accelerator that work in bursts."""

from typing import Any

from amaranth import Module, Shape, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import check_int

__all__ = ["StreamFIFO"]


class StreamFIFO(wiring.Component):
    """A first-in, first-out queue of :py:`depth` payloads in a stream.

    Timing
    ------
    A payload that enters an empty queue is offered :attr:`latency` cycles later: 1 if
    :py:`depth` is 1, otherwise 2. One payload each cycle where :py:`depth` is 3 or more, one every
    2 cycles where it is less (:attr:`interval`). Both sides are registered: ready of :py:`i`
    never depends on ready of :py:`o` in the same cycle.

    Parameters
    ----------
    shape : shape-like
        Shape of the payload.
    depth : int, 1..2**24
        Payloads that it holds.

    Members
    -------
    i : In(stream.Signature(shape))
        Payloads.
    o : Out(stream.Signature(shape))
        The same payloads in the same order.

    Raises
    ------
    ParameterError
        If :py:`depth` is out of range.
    """

    def __init__(self, *, shape: Any, depth: int):
        self.depth = check_int("StreamFIFO", "depth", depth, 1, 1 << 24)
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    @property
    def latency(self) -> int:
        """Cycles from the transfer of a payload into an empty queue to its offer."""
        return 1 if self.depth == 1 else 2

    @property
    def interval(self) -> int:
        """Cycles between payloads at full speed."""
        return 1 if self.depth >= 3 else 2

    def compute(self, payloads: list) -> list:
        """The payloads that leave: the same."""
        return list(payloads)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(
            width=Shape.cast(self.shape).width, depth=self.depth
        )
        m.d.comb += [
            queue.w_data.eq(Value.cast(self.i.payload)),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            Value.cast(self.o.payload).eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]
        return m
