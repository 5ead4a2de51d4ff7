# amaranth: UnusedElaboratable=no
"""Proof: an accumulator gives each sum once, in order and right, for all codes and all stalls."""

import numpy as np
import pytest
from amaranth import Array, Module, Mux, Signal
from amaranth.hdl import Assert
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.cells.accumulator import ShiftAddAccumulator
from spintron_hw.formal import prove
from spintron_hw.stream import connect_streams
from spintron_ir.errors import MismatchError
from spintron_ir.types import IntType

pytestmark = pytest.mark.toolchain
INT2, INT8 = IntType(2, signed=True), IntType(8, signed=True)


class Shadowed(wiring.Component):
    """An accumulator beside a plain sum of what it takes, kept in order until it is given."""

    def __init__(self, dut, weights):
        self.dut, self.weights = dut, weights  # (beats, terms)
        super().__init__({"i": In(dut.i.signature.flip()), "o": Out(dut.o.signature)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = self.dut
        connect_streams(m, self.i, self.dut.i)
        connect_streams(m, self.dut.o, self.o)
        queue = Array(Signal(8, name=f"sum_{n}") for n in range(8))
        taken, given = Signal(3), Signal(3)  # vectors
        so_far, beat, age = Signal(8), Signal(range(len(self.weights))), Signal(4)

        rows = Array(
            sum(self.i.payload[t][0] * w for t, w in enumerate(row)) for row in self.weights
        )
        total = so_far + rows[beat]
        last = beat == len(self.weights) - 1
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [beat.eq(Mux(last, 0, beat + 1)), so_far.eq(Mux(last, 0, total))]
            with m.If(last):
                m.d.sync += [queue[taken].eq(total), taken.eq(taken + 1)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += given.eq(given + 1)

        with m.If(self.i.valid & self.i.ready & last):
            m.d.sync += age.eq(0)
        with m.Elif((~self.o.valid | self.o.ready) & (age < 15)):
            m.d.sync += age.eq(age + 1)
        inside = (taken - given)[:3]
        with m.If(self.o.valid):
            m.d.comb += Assert(inside != 0)  # nothing is given twice
            m.d.comb += Assert(self.o.payload[0].as_unsigned() == queue[given])
        with m.Elif(inside != 0):
            m.d.comb += Assert(age < self.dut.latency - 1)  # nothing is lost
        return m


@pytest.mark.parametrize(
    ("shifts", "signs", "depth"),
    [
        ([[0]], [[-1]], 10),
        ([[0], [1], [3]], [[1], [1], [-1]], 14),
        ([[0, 2], [1, 3]], [[1, -1], [1, -1]], 12),
    ],
    ids=str,
)
def test_sums_pass_once_and_in_order(shifts, signs, depth):
    dut = ShiftAddAccumulator(code=INT2, lanes=1, shifts=shifts, signs=signs, acc=INT8)
    weights = (np.array(signs) << np.array(shifts)).tolist()
    prove(Shadowed(dut, weights), mode="bmc", depth=depth)


class Impatient(wiring.Component):
    """Overwrites a sum that waits."""

    latency = 1

    def __init__(self, like):
        super().__init__(dict(like.signature.members))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(1)
        with m.If(self.i.valid):
            m.d.sync += [self.o.valid.eq(1), self.o.payload[0].eq(self.i.payload[0][0])]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m


def test_an_overwritten_sum_is_found():
    like = ShiftAddAccumulator(code=INT2, lanes=1, shifts=[[0]], signs=[[1]], acc=INT8)
    with pytest.raises(
        MismatchError, match=r"^Shadowed: the assertion at .* fails in cycle \d+;.*$"
    ):
        prove(Shadowed(Impatient(like), [[1]]), mode="bmc", depth=6)
