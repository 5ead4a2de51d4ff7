"""Stalls and valid bits that the pipelined cells share."""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import stream

__all__ = ["Pipeline"]


class Pipeline:
    """A row of registers from stream :py:`i` to stream :py:`o` that all stall together.

    Adds the logic of the valid bits to module :py:`m`. With :py:`beats` above 1 the last stage
    gathers that many beats into one payload of :py:`o`; it works on the next beats while the
    payload waits, and stalls only where the next payload is complete.

    Parameters
    ----------
    m : Module
        Module of the cell.
    i, o : stream.Interface
        Its streams.
    stages : int
        Registers between them, the payload of :py:`o` included.
    beats : int
        Beats of :py:`i` for each of :py:`o`.

    Attributes
    ----------
    enable : Signal
        All registers move.
    valid : list of Value
        A beat stands before register ``k``; ahead of register 0 that is :py:`i`.
    taken : list of Value
        A beat enters register ``k`` at the end of this cycle. Constants of that stage advance
        with it.
    first, last : Value
        The beat before the last register begins, and ends, a payload of :py:`o`.
    done : Value
        The payload of :py:`o` is to be written.
    """

    def __init__(
        self, m: Module, i: stream.Interface, o: stream.Interface, stages: int, beats: int = 1
    ):
        self.m = m
        self.enable = Signal(name="enable")
        self.valid = valid = [
            i.valid,
            *(Signal(name=f"valid_{stage}") for stage in range(1, stages)),
        ]
        self.taken = [bit & self.enable for bit in valid]
        self.first, self.last = self._count(beats)
        self.done = self.taken[-1] & self.last

        # Of the input only the place in the payload counts: ready must not wait for valid.
        arrives = Const(1, 1) if stages == 1 else valid[-1]
        m.d.comb += self.enable.eq(~(arrives & self.last) | ~o.valid | o.ready)
        m.d.comb += i.ready.eq(self.enable)
        with m.If(self.enable):
            m.d.sync += [later.eq(bit) for bit, later in zip(valid, valid[1:])]
        with m.If(self.done):
            m.d.sync += o.valid.eq(1)
        with m.Elif(o.ready):
            m.d.sync += o.valid.eq(0)

    def _count(self, beats: int) -> tuple[Value, Value]:
        """Whether the beat before the last register is the first, and the last, of a payload."""
        if beats == 1:
            return Const(1, 1), Const(1, 1)
        beat = Signal(range(beats), name="beat")
        last = beat == beats - 1
        with self.m.If(self.taken[-1]):
            self.m.d.sync += beat.eq(Mux(last, 0, beat + 1))
        return beat == 0, last

    def register(self, value: Any, name: str = "stage") -> Signal:
        """Return a register of the pipeline that takes :py:`value`."""
        value = Value.cast(value)
        register = Signal(value.shape(), name=name, reset_less=True)
        with self.m.If(self.enable):
            self.m.d.sync += register.eq(value)
        return register

    def finish(self, target: Value, value: Any) -> None:
        """Write :py:`value` to :py:`target`, part of the payload of the output."""
        with self.m.If(self.done):
            self.m.d.sync += target.eq(value)

    def tree(
        self, items: Sequence[tuple[Value, ...]], join: Callable[..., tuple[Value, ...]]
    ) -> tuple[Value, ...]:
        """Reduce tuples of values pairwise, with a register after every two levels."""
        items = list(items)
        while len(items) > 1:
            for _ in range(2):
                odd = items[-1:] if len(items) % 2 else []
                items = [join(a, b) for a, b in zip(items[::2], items[1::2])] + odd
            items = [tuple(self.register(part) for part in item) for item in items]
        return items[0]
