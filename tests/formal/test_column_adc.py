"""Proof: an ADC is monotone and never leaves its range, for all levels and all stalls."""

import pytest
from amaranth import Module, signed
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.arith import adc_code, round_shift
from spintron_hw.cells.column_adc import ColumnADC
from spintron_hw.formal import prove
from spintron_hw.stream import connect_streams
from spintron_ir.errors import MismatchError
from spintron_ir.types import IntType

pytestmark = pytest.mark.toolchain
INT12, UINT10 = IntType(12, signed=True), IntType(10)


class RisingLevels(wiring.Component):
    """A converter of two columns, of which the second is never below the first."""

    def __init__(self, adc):
        self.adc = adc
        self.always = adc.latency > 1  # a stalled register could hold what it never gets
        super().__init__({"i": In(adc.i.signature.flip()), "o": Out(adc.o.signature)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.adc = adc = self.adc
        connect_streams(m, self.i, adc.i)
        connect_streams(m, adc.o, self.o)
        m.d.comb += Assume(self.i.payload[0] <= self.i.payload[1])
        if self.always:
            m.d.comb += Assume(self.o.ready)
        with m.If(self.o.valid):
            m.d.comb += Assert(self.o.payload[0] <= self.o.payload[1])
        return m


class RisingCodes(wiring.Component):
    """Any conversion of two levels, of which the second is never below the first."""

    def __init__(self, convert, low, high):
        self.convert, self.low, self.high = convert, low, high
        super().__init__({"a": In(signed(9)), "b": In(signed(9)), "offset": In(signed(9))})

    def elaborate(self, platform):
        m = Module()
        first, second = (self.convert(level, self.offset) for level in (self.a, self.b))
        m.d.comb += Assume(self.a <= self.b)
        m.d.comb += Assert(first <= second)
        m.d.comb += Assert((first >= self.low) & (second <= self.high))
        return m


@pytest.mark.parametrize(
    "kind",
    [
        {"level": INT12, "bits": 6, "signed": True, "shift": 3, "gain": 1, "offset": -77},
        {"level": INT12, "bits": 4, "signed": False, "shift": 0, "gain": 1, "offset": 5},
        {"level": UINT10, "bits": 1, "signed": True, "shift": 9, "gain": 1, "offset": -700},
        {"level": INT12, "bits": 8, "signed": True, "shift": 7, "gain": 45, "offset": 1000},
    ],
    ids=str,
)
def test_cell_is_monotone(kind):
    both = {name: [[kind[name]] * 2] for name in ("gain", "offset")}
    prove(RisingLevels(ColumnADC(**kind | both)), depth=4)


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize(("gain", "shift", "bits"), [(1, 0, 4), (1, 3, 5), (7, 5, 3), (3, 9, 1)])
def test_conversion_is_monotone_and_in_range(is_signed, gain, shift, bits):
    def convert(level, offset):
        wide = {"gain": gain, "offset": offset, "shift": shift}
        return adc_code(level, bits=bits, signed=is_signed, **wide)

    code = IntType(bits, is_signed)
    prove(RisingCodes(convert, code.low, code.high), depth=1)


def test_a_code_that_wraps_is_found():
    def convert(level, offset):
        return round_shift(level + offset, 2)[:4].as_signed()

    with pytest.raises(
        MismatchError, match=r"^RisingCodes: the assertion at .* fails in cycle 0;.*$"
    ):
        prove(RisingCodes(convert, -8, 7), depth=1)
