"""One stream for several consumers."""

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import check_int

__all__ = ["StreamFork"]


class StreamFork(wiring.Component):
    """Delivers each payload exactly once to each of :py:`ways` consumers.

    Each consumer takes the payload when it can; the next payload is offered when all have it.

    Timing
    ------
    No register lies between :py:`i` and the outputs: a payload is offered in the cycle in which it
    arrives (:attr:`latency` = 0), and taken from :py:`i` in the cycle in which the last consumer
    takes it. One payload each cycle (:attr:`interval` = 1) while all consumers are ready.

    Parameters
    ----------
    shape : shape-like
        Shape of the payload.
    ways : int, 1..64
        Number of consumers.

    Members
    -------
    i : In(stream.Signature(shape))
        Payloads.
    o_0, o_1, … : Out(stream.Signature(shape))
        The same payloads, for each consumer.

    Attributes
    ----------
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If :py:`ways` is out of range.
    """

    latency = 0
    interval = 1

    def __init__(self, *, shape: Any, ways: int):
        self.ways = check_int("StreamFork", "ways", ways, 1, 64)
        outputs = {f"o_{n}": Out(stream.Signature(shape)) for n in range(self.ways)}
        super().__init__({"i": In(stream.Signature(shape))} | outputs)

    @property
    def outputs(self) -> list[stream.Interface]:
        """The output streams, in order."""
        return [getattr(self, f"o_{n}") for n in range(self.ways)]

    def compute(self, payloads: list) -> dict[str, list]:
        """The payloads of each output: those of the input."""
        return {f"o_{n}": list(payloads) for n in range(self.ways)}

    def elaborate(self, platform: Any) -> Module:
        m = Module()

        done = Signal(self.ways)
        taken = Signal(self.ways)
        for n, port in enumerate(self.outputs):
            m.d.comb += [
                port.payload.eq(self.i.payload),
                port.valid.eq(self.i.valid & ~done[n]),
            ]
        m.d.comb += [
            taken.eq(done | Cat(port.ready for port in self.outputs)),
            self.i.ready.eq(taken.all()),
        ]
        with m.If(self.i.valid):
            m.d.sync += done.eq(taken & ~self.i.ready.replicate(self.ways))

        return m
