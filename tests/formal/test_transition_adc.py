"""Proof: an ADC with transition levels gives the code of the contract, for all levels."""

import pytest
from amaranth import Module, Signal
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.arith import transition_code
from spintron_hw.cells.transition_adc import TransitionADC
from spintron_hw.formal import prove
from spintron_hw.stream import connect_streams
from spintron_ir.errors import MismatchError
from spintron_ir.types import IntType

pytestmark = pytest.mark.toolchain
INT12, UINT7 = IntType(12, signed=True), IntType(7)


class Compared(wiring.Component):
    """A converter whose code is compared with all transitions of the level it took before."""

    def __init__(self, adc, transitions):
        self.adc, self.transitions = adc, transitions
        super().__init__({"i": In(adc.i.signature.flip()), "o": Out(adc.o.signature)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.adc = adc = self.adc
        connect_streams(m, self.i, adc.i)
        connect_streams(m, adc.o, self.o)
        m.d.comb += Assume(self.o.ready)
        for lane, transitions in enumerate(self.transitions):
            level = self.i.payload[lane]
            for _ in range(adc.latency):
                level, before = Signal.like(level), level
                m.d.sync += level.eq(before)
            wanted = transition_code(level, transitions=transitions, low=adc.code.low)
            with m.If(self.o.valid):
                m.d.comb += Assert(self.o.payload[lane] == wanted)
        return m


KINDS = [
    {"level": INT12, "bits": 3, "signed": True, "lanes": [[-900, -31, -30, 0, 0, 7, 2047]]},
    {"level": UINT7, "bits": 2, "signed": False, "lanes": [[-5, 64, 200], [3, 3, 3]]},
    {"level": INT12, "bits": 1, "signed": True, "lanes": [[-2048], [-2047]]},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_code_is_that_of_the_contract(kind):
    kind = dict(kind)
    lanes = kind.pop("lanes")
    adc = TransitionADC(**kind, transitions=[lanes])
    # Nothing stays in the pipeline: what holds for the first beats holds for all. Induction would
    # start from any content of the ROMs.
    prove(Compared(adc, lanes), mode="bmc", depth=adc.latency + 3)


def test_another_transition_is_found():
    adc = TransitionADC(level=UINT7, bits=2, signed=False, transitions=[[[3, 9, 70]]])
    with pytest.raises(MismatchError, match=r"^Compared: the assertion at .* fails in cycle 3;.*$"):
        prove(Compared(adc, [[3, 9, 71]]), mode="bmc", depth=6)
