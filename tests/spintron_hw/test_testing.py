# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.testing: the bench must catch what a wrong cell does."""

import re

import numpy as np
import pytest
from amaranth import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError


class Register(wiring.Component):
    """One register that adds 1; :py:`fault` names what it does wrong."""

    def __init__(self, shape=8, fault=None):
        self.fault = fault
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        with m.If(~self.o.valid | self.o.ready):
            m.d.comb += self.i.ready.eq(1)
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        if self.fault == "drops":
            with m.If(self.o.valid & ~self.o.ready):
                m.d.sync += self.o.valid.eq(0)
        elif self.fault == "changes":
            with m.If(self.o.valid & ~self.o.ready):
                m.d.sync += self.o.payload.eq(~self.o.payload)
        elif self.fault == "waits":
            m.d.comb += self.i.ready.eq(self.o.ready)
            waited = Signal()
            m.d.sync += waited.eq(self.o.ready)
            with m.If(~waited):
                m.d.sync += self.o.valid.eq(0)
        elif self.fault == "repeats":
            last = Signal()
            m.d.sync += last.eq(self.i.valid & self.i.ready)
            with m.If(last):
                m.d.sync += self.o.valid.eq(1)
        return m


class Adder(wiring.Component):
    """Two inputs, two outputs, no registers."""

    a: In(stream.Signature(4))
    b: In(stream.Signature(4))
    sum: Out(stream.Signature(5))
    both: Out(stream.Signature(data.StructLayout({"a": 4, "b": data.ArrayLayout(4, 1)})))

    def elaborate(self, platform):
        m = Module()
        go = self.a.valid & self.b.valid
        done = Signal(2)
        m.d.comb += [
            self.sum.payload.eq(self.a.payload + self.b.payload),
            self.both.payload.a.eq(self.a.payload),
            self.both.payload.b[0].eq(self.b.payload),
            self.sum.valid.eq(go & ~done[0]),
            self.both.valid.eq(go & ~done[1]),
        ]
        taken = [done[0] | self.sum.ready, done[1] | self.both.ready]
        with m.If(go):
            m.d.sync += [done[0].eq(taken[0]), done[1].eq(taken[1])]
            with m.If(taken[0] & taken[1]):
                m.d.comb += [self.a.ready.eq(1), self.b.ready.eq(1)]
                m.d.sync += done.eq(0)
        return m


def test_returns_plain_payloads_in_order():
    shape = data.StructLayout({"x": data.ArrayLayout(data.ArrayLayout(4, 2), 2), "last": 1})
    beats = [{"x": [[n, 1], [2, 15 - n]], "last": n & 1} for n in range(12)]
    assert run_stream(Register(shape), beats, seed=3) == beats


def test_takes_numpy_arrays():
    beats = np.arange(12, dtype=np.uint8).reshape(6, 2)
    assert run_stream(Register(data.ArrayLayout(4, 2)), beats) == beats.tolist()


def test_runs_streams_by_name():
    inputs = {"a": [1, 2, 15], "b": [3, 4, 15]}
    expected = {
        "sum": [4, 6, 30],
        "both": [{"a": 1, "b": [3]}, {"a": 2, "b": [4]}, {"a": 15, "b": [15]}],
    }
    assert run_stream(Adder(), inputs, outputs={"sum": 3, "both": 3}) == expected
    assert run_stream(Adder(), inputs, outputs={"both": 1}) == {"both": expected["both"][:1]}
    check_cell(Adder(), inputs, expected)


def test_measures_a_register():
    assert first_latency(Register(), [5]) == 1
    assert measured_interval(Register(), [5, 6]) == 2


def test_writes_waveforms(tmp_path):
    run_stream(Register(), [1, 2], vcd=str(tmp_path / "waves.vcd"))
    assert "$enddefinitions" in (tmp_path / "waves.vcd").read_text()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("drops", "stream o: valid fell before the transfer"),
        ("changes", "stream o: payload changed before the transfer, from 1 to 254"),
    ],
)
def test_watches_the_stream_rules(fault, message):
    with pytest.raises(AssertionError, match=f"^{message}$"):
        run_stream(Register(fault=fault), [1] * 20)


def test_gives_up():
    message = "Register: still waiting after 50 cycles; i had 2 transfers, o had 2 transfers"
    with pytest.raises(TimeoutError, match=f"^{message}$"):
        run_stream(Register(), [1, 2], outputs=3, max_cycles=50)


def test_refuses_to_wait_for_a_producer_that_waits_for_ready():
    with pytest.raises(TimeoutError, match="^Register: still waiting after 50 cycles; .*$"):
        first_latency(Register(fault="waits"), [1], max_cycles=50)


def test_check_cell_names_the_first_difference():
    message = "Register (stall 0.0, seed 0): o[1] is 2, expected 3"
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}$"):
        check_cell(Register(), [1, 2], [1, 3])


def test_check_cell_takes_none_for_anything():
    shape = data.StructLayout({"x": data.ArrayLayout(4, 2), "last": 1})
    check_cell(Register(shape), [{"x": [3, 4], "last": 1}], [{"x": [None, 4], "last": None}])
    with pytest.raises(AssertionError, match="^.* expected {'x': .None, 5., 'last': 1}$"):
        check_cell(Register(shape), [{"x": [3, 4], "last": 1}], [{"x": [None, 5], "last": 1}])


def test_check_cell_finds_a_payload_too_many():
    message = (
        "Register (stall 0.0, seed 0): o carried 3 payloads, expected 2; the first too many is 2"
    )
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}$"):
        check_cell(Register(fault="repeats"), [1, 2], [1, 2])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": [1]}, "Register: has no input stream 'x', only i; name one of its streams"),
        ([256], "payload: i[0] must be an integer in 0..255, not 256"),
        ([1, 0.5], "payload: i[1] must be an integer in 0..255, not 0.5"),
    ],
)
def test_refuses_inputs(inputs, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        run_stream(Register(), inputs)


def test_refuses_missing_fields():
    message = "payload: i[0]['x'] must have the fields [0, 1], not [0]"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        run_stream(Register(data.StructLayout({"x": data.ArrayLayout(1, 2)})), [{"x": [1]}])
