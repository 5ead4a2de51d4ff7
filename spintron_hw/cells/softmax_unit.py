"""A softmax in fixed point: exponentials from a table, one reciprocal a vector."""

from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Signal, Value, signed, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Softmax
from spintron_ir.errors import ParameterError
from spintron_ir.layers.softmax import (
    FORTY_EIGHT_SEVENTEENTHS,
    ONE,
    ROUNDS,
    SUM_SHIFT,
    THIRTY_TWO_SEVENTEENTHS,
)

from ..arith import clip, doubling_high_multiply, round_shift, saturate
from ..loops import Loop
from ..mapping.vectors import NEWTON, NORMALISE, settled, softmax_latency
from ..stream import shape_of, vector

__all__ = ["SoftmaxUnit"]


class SoftmaxUnit(wiring.Component):
    """Gives each element's share of the sum of exponentials of its vector.

    A vector is stored and its largest element found; its exponentials are added; Newton's method
    makes the reciprocal of the sum; then every exponential is multiplied with it.

    Timing
    ------
    A vector takes ``length`` beats of one element, one each cycle. The first share is offered
    :attr:`latency` cycles after the last element was taken, the others in the cycles after it.
    The next vector is taken from the cycle on after the last share was: vectors are
    :attr:`interval` cycles apart. Backpressure on :py:`o` stalls what leaves, and so the next
    vector.

    Parameters
    ----------
    layer : Softmax
        What is computed; its vectors are those along the last axis.

    Members
    -------
    i : In(stream.Signature(vector(layer.input, 1)))
        Elements.
    o : Out(stream.Signature(vector(layer.type, 1)))
        Shares.

    Attributes
    ----------
    length : int
        Elements of a vector.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If :py:`layer` is no softmax.
    """

    def __init__(self, *, layer: Softmax):
        if not isinstance(layer, Softmax):
            raise ParameterError(f"SoftmaxUnit: layer must be a Softmax, not {layer!r}")
        self.layer, self.length = layer, layer.in_shape[-1]
        self.latency = softmax_latency(self.length)
        self.interval = 2 * self.length - 1 + self.latency
        super().__init__(
            {
                "i": In(stream.Signature(vector(layer.input, 1))),
                "o": Out(stream.Signature(vector(layer.type, 1))),
            }
        )

    def compute(self, elements: ArrayLike) -> NDArray[np.int64]:
        """Shares in beats, ``(vectors * length, 1)``, for the elements of whole vectors."""
        frames = np.asarray(elements).reshape(-1, *self.layer.in_shape)
        return self.layer.run(frames).reshape(-1, 1)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        element = Loop(m, "element", self.length)
        enable, walking = Signal(name="enable"), Signal(name="walking")
        largest, total = Signal.like(self.i.payload[0], name="largest"), Signal(31, name="total")
        scale, up = Signal(31, name="scale"), Signal(range(NORMALISE + 1), name="up")
        adding = Signal(name="adding")

        exponential, there = self._exponentials(m, element, walking, enable, largest)
        given, step = self._given(m), Signal(range(settled()), name="step")
        with m.FSM(name="phase"):
            with m.State("LOAD"):
                m.d.comb += [self.i.ready.eq(1), element.advance.eq(self.i.valid)]
                value = self.i.payload[0]
                with m.If(self.i.valid & ((element.index == 0) | (value > largest))):
                    m.d.sync += largest.eq(value)
                with m.If(self.i.valid & element.last):
                    m.d.sync += total.eq(0)
                    m.next = "ADD"
            with m.State("ADD"):
                m.d.comb += [adding.eq(1), walking.eq(1), element.advance.eq(1)]
                with m.If(element.last):
                    m.d.sync += step.eq(0)
                    m.next = "SETTLE"
            with m.State("SETTLE"):  # the last exponentials come, then the reciprocal
                m.d.comb += adding.eq(1)
                m.d.sync += step.eq(step + 1)
                with m.If(step == settled() - 1):
                    m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += [walking.eq(1), element.advance.eq(enable)]
                with m.If(enable & element.last):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                with m.If(given):
                    m.next = "LOAD"
        with m.If(adding & there):
            m.d.sync += total.eq(total + round_shift(exponential, SUM_SHIFT))
        self._reciprocal(m, step, total, scale, up)
        self._shares(m, adding, enable, exponential, there, scale, up)
        return m

    def _given(self, m: Module) -> Value:
        """Whether the last share of a vector is taken in this cycle."""
        left = Loop(m, "left", self.length)
        m.d.comb += left.advance.eq(self.o.valid & self.o.ready)
        return left.advance & left.last

    def _exponentials(
        self, m: Module, element: Loop, walking: Value, enable: Value, largest: Value
    ) -> tuple[Value, Value]:
        """Exponentials of the stored elements in turn, two cycles after each is asked for."""
        shape = shape_of(self.layer.input)
        m.submodules.elements = store = memory.Memory(shape=shape, depth=self.length, init=[])
        write, read = store.write_port(), store.read_port()
        m.d.comb += [
            write.addr.eq(element.index),
            write.data.eq(self.i.payload[0]),
            write.en.eq(self.i.valid & self.i.ready),
            read.addr.eq(element.index),
            read.en.eq(enable),
        ]
        table = self.layer.exponential.tolist()
        m.submodules.table = rom = memory.Memory(shape=unsigned(31), depth=len(table), init=table)
        port = rom.read_port()
        m.d.comb += [port.addr.eq(largest - read.data), port.en.eq(enable)]
        asked, there = Signal(name="asked"), Signal(name="there")
        with m.If(enable):
            m.d.sync += [asked.eq(walking), there.eq(asked)]
        return port.data, there

    def _reciprocal(self, m: Module, step: Signal, total: Value, scale: Value, up: Value) -> None:
        """Shift the sum up to 31 bits, place by place, then three rounds of Newton's method."""
        half, x = Signal(31, name="half"), Signal(signed(32), name="newton")
        left, right = (
            Signal(signed(33), name="left_factor"),
            Signal(signed(33), name="right_factor"),
        )
        product = Signal(signed(32), name="product")
        m.d.sync += product.eq(doubling_high_multiply(left, right)[:32].as_signed())
        begin = 3  # cycles until the sum is there
        newton = begin + NORMALISE
        with m.If(step == begin - 1):
            m.d.sync += [half.eq(total), up.eq(0)]
        with m.Elif((step >= begin) & (step < newton) & ~half[-1]):
            m.d.sync += [half.eq(half << 1), up.eq(up + 1)]
        # Factors are set in one cycle, multiplied in the next, and used in the third.
        with m.Switch(step):
            with m.Case(newton):
                m.d.sync += [left.eq(half), right.eq(-THIRTY_TWO_SEVENTEENTHS)]
            with m.Case(newton + 2):
                m.d.sync += x.eq(product + FORTY_EIGHT_SEVENTEENTHS)
            for number in range(ROUNDS):
                start = newton + 3 + NEWTON * number
                with m.Case(start):
                    m.d.sync += [left.eq(half), right.eq(x)]
                with m.Case(start + 2):
                    m.d.sync += [left.eq(x), right.eq(ONE - product)]
                with m.Case(start + 4):
                    m.d.sync += x.eq(x + saturate(product << 2, 32))
            with m.Case(newton + 3 + NEWTON * ROUNDS):
                m.d.sync += scale.eq(saturate(x << 1, 32))

    def _shares(
        self,
        m: Module,
        adding: Value,
        enable: Value,
        exponential: Value,
        there: Value,
        scale: Value,
        up: Value,
    ) -> None:
        """Multiply exponentials with the reciprocal, shift and give them."""
        factor, share = Signal(31, name="factor"), Signal(unsigned(32), name="share")
        ready, stands = Signal(name="factor_there"), Signal(name="share_there")
        m.d.comb += enable.eq(adding | ~self.o.valid | self.o.ready)
        kind = self.layer.type
        # A share has 31 places; the sum was shifted up from 31 bits by `up`.
        least = 31 + SUM_SHIFT - 1 - NORMALISE - kind.bits
        down = Signal(range(least + NORMALISE + 1), name="down")
        m.d.comb += down.eq(least + NORMALISE - up)
        rounded = ((Cat(Const(0, 1), share) >> down) + 1) >> 1
        with m.If(enable):
            m.d.sync += [
                factor.eq(exponential),
                ready.eq(there & ~adding),
                share.eq(doubling_high_multiply(scale, factor)),
                stands.eq(ready),
                self.o.valid.eq(stands),
                self.o.payload[0].eq(clip(rounded + kind.low, kind.low, kind.high)),
            ]
