"""Tests of sim.verify."""

import re
import sys
from dataclasses import replace

import numpy as np
import pytest

import sim
from spintron_hw.build.sample import Sample, sample_design
from spintron_ir.errors import MismatchError, ParameterError

FAULTS = [
    # The gain of element 4, in the second beat: seen where it is made, not only in the sums.
    (r"rom\[1\] = 12'h6e1", "rom[1] = 12'h6f1", "gain", "tap_gain"),
    # The read enable of the RAM behind the tap.
    (r"ram\[(.*?)\] <= (.*?);", r"ram[\1] <= ~\2;", "sum", "o_y"),
]


@pytest.fixture(scope="module")
def design():
    return sample_design()


def frames(count=40):
    return np.random.default_rng(0).integers(-32, 32, (count, 8))


@pytest.mark.parametrize("x", [frames(), {"x": frames()}, frames().reshape(40, 2, 4)])
def test_what_is_right_is_said_to_be(design, x):
    done = []
    report = sim.verify(design, Sample, x, "amaranth", progress=done.append)
    report.check()
    assert report.ok
    assert replace(report, seconds=0) == sim.VerifyReport(
        engine="amaranth",
        vectors=40,
        streams=("tap_gain", "o_y"),
        values=40 * 10,
        mismatches=0,
        first=None,
        latency=6,  # first beat in cycle 0, sums in cycle 5: both counted
        interval=5,
        total_cycles=5 * 40 + 1,
        seconds=0,
    )
    assert done == [40]


def test_interval_needs_some_frames_and_no_stalls(design):
    assert sim.verify(design, Sample, frames(2), "amaranth").interval is None
    assert sim.verify(design, Sample, frames(3), "amaranth").interval == 5
    assert sim.verify(design, Sample, frames(), "amaranth", stall=0.5, seed=3).interval > 6


@pytest.mark.toolchain
@pytest.mark.parametrize("engine", ["cxxrtl", "icarus"])
@pytest.mark.parametrize("pattern, fault, layer, stream", FAULTS, ids=["rom", "ram"])
def test_a_fault_in_the_verilog_is_found_and_named(
    design, require_tool, engine, pattern, fault, layer, stream
):
    require_tool(engine, sim.get_engine(engine).unavailable())
    text, count = re.subn(pattern, fault, design.verilog)
    assert count == 1
    x = frames()
    report = sim.verify(replace(design, verilog=text), Sample, x, engine)

    assert report.mismatches > 0
    assert (report.first.layer, report.first.stream) == (layer, stream)
    frame, element = report.first.index
    assert report.first.expected == Sample.trace(x)[layer][frame, element]
    assert report.first.got != report.first.expected
    with pytest.raises(MismatchError) as caught:
        report.check()
    assert str(caught.value) == (
        f"{engine}: hardware and golden model must be equal, but {report.mismatches} of 400 values "
        f"differ, first at layer {layer} (stream {stream}), frame {frame}, element {element}, "
        f"cycle {report.first.cycle}: expected {report.first.expected}, got {report.first.got}"
    )


class Wrong:
    """A golden model that is wrong where it is told."""

    def __init__(self, *places):
        self.places = places

    def trace(self, x, first_frame=0):
        golden = Sample.trace(x)
        for layer, frame, element in self.places:
            if 0 <= frame - first_frame < len(golden[layer]):
                golden[layer][frame - first_frame, element] += 1
        return golden


@pytest.mark.parametrize(
    "places, layer, index, cycle",
    [
        ([("gain", 3, 4), ("sum", 2, 0)], "sum", (2, 0), 15),  # the earlier cycle
        ([("gain", 3, 4), ("sum", 3, 0)], "gain", (3, 4), 17),
        ([("gain", 3, 7), ("gain", 3, 5), ("gain", 9, 0)], "gain", (3, 5), 17),
        ([("sum", 39, 1)], "sum", (39, 1), 200),
    ],
)
@pytest.mark.parametrize("pieces", [1024, 7])
def test_the_first_of_several_differences(design, monkeypatch, places, layer, index, cycle, pieces):
    monkeypatch.setattr(sys.modules["sim.verify"], "_FRAMES", pieces)  # not the function
    report = sim.verify(design, Wrong(*places), frames(), "amaranth")
    assert report.mismatches == len(places)
    assert (report.first.layer, report.first.index, report.first.cycle) == (layer, index, cycle)
    assert report.first.expected == report.first.got + 1


@pytest.mark.parametrize(
    "x, message",
    [
        ({}, "sample: inputs must be given for x, not for none"),
        ({"i_x": frames()}, "sample: inputs must be given for x, not for i_x"),
        (
            np.zeros(8, int),
            "sample: input x must have frames along its first axis, at least one, not shape (8,)",
        ),
        (np.zeros((3, 9), int), "i_x: values must have shape (frames, 8), not (3, 9)"),
    ],
)
def test_refuses(design, x, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        sim.verify(design, Sample, x, "amaranth")
