"""Proof: a pipeline neither loses nor repeats nor reorders a beat, for all stalls, for ever.

Beats are numbered as they are taken. The numbers in each register are asserted against the count
of beats taken, which makes the proof an induction over single cycles.
"""

import pytest
from amaranth import Module, Signal, unsigned
from amaranth.hdl import Assert
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.formal import prove
from spintron_hw.pipeline import Pipeline
from spintron_ir.errors import MismatchError

pytestmark = pytest.mark.toolchain
NUMBER = unsigned(6)


class NumberedBeats(wiring.Component):
    """A pipeline that gathers one or two beats, and passes the number of the last of them."""

    def __init__(self, stages, beats, pipeline=Pipeline):
        self.stages, self.beats, self.pipeline = stages, beats, pipeline
        super().__init__({"i": In(stream.Signature(0)), "o": Out(stream.Signature(NUMBER))})

    def elaborate(self, platform):
        m = Module()
        pipe = self.pipeline(m, self.i, self.o, self.stages, self.beats)
        taken, given = Signal(NUMBER), Signal(NUMBER)
        m.d.sync += taken.eq(taken + (self.i.valid & self.i.ready))
        m.d.sync += given.eq(given + (self.o.valid & self.o.ready))

        number, newer = taken, 0
        for valid in pipe.valid[1:]:
            number = pipe.register(number)
            with m.If(valid):
                m.d.comb += Assert(number == (taken - 1 - newer)[: NUMBER.width])
            newer = newer + valid
        pipe.finish(self.o.payload, number)

        gathered = pipe.last if self.beats == 2 else 0
        waiting = self.o.valid * self.beats
        m.d.comb += Assert(taken == (given * self.beats + waiting + gathered + newer)[:6])
        with m.If(self.o.valid):
            m.d.comb += Assert(self.o.payload == ((given + 1) * self.beats - 1)[:6])
            m.d.comb += Assert(self.o.ready | (pipe.enable == ~(self._arrives(pipe) & pipe.last)))
        with m.Else():
            m.d.comb += Assert(pipe.enable)  # what is inside moves on
        return m

    def _arrives(self, pipe):
        return pipe.valid[-1] if self.stages > 1 else 1


class LossyPipeline(Pipeline):
    """Forgets that a result waits: moves on where it must stall."""

    def __init__(self, m, i, o, stages, beats):
        class Always:
            valid, ready = o.valid, 1

        super().__init__(m, i, Always, stages, beats)


@pytest.mark.parametrize("stages", [1, 2, 4])
@pytest.mark.parametrize("beats", [1, 2])
def test_every_beat_passes_once_and_in_order(stages, beats):
    prove(NumberedBeats(stages, beats), depth=2)


def test_a_lost_beat_is_found():
    with pytest.raises(
        MismatchError, match=r"^NumberedBeats: the assertion at .* fails in cycle.*$"
    ):
        prove(NumberedBeats(2, 1, LossyPipeline), mode="bmc", depth=8)
