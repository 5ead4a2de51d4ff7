"""Tests that all engines do the same, and what they say when a design does not work."""

import re
from dataclasses import replace

import numpy as np
import pytest

from sim.engines import ENGINES, get_engine
from spintron_hw.build.sample import Sample, sample_design
from spintron_ir.errors import MismatchError, ParameterError, ToolError

FRAMES = 40
FAST = ["amaranth", pytest.param("cxxrtl", marks=pytest.mark.toolchain)]
ALL = [
    *FAST,
    pytest.param("icarus", marks=pytest.mark.toolchain),
    pytest.param("verilator", marks=pytest.mark.toolchain),
]


@pytest.fixture(scope="module")
def design():
    return sample_design()


@pytest.fixture
def engine(request, require_tool):
    found = get_engine(request.param)
    require_tool(request.param, found.unavailable())
    return found


def frames(count=FRAMES):
    return np.random.default_rng(0).integers(-32, 32, (count, 8))


def assert_same(got, expected):
    assert got.total_cycles == expected.total_cycles
    for name in expected.values:
        np.testing.assert_array_equal(got.values[name], expected.values[name])
        np.testing.assert_array_equal(got.cycles[name], expected.cycles[name])


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_every_engine_gives_the_golden_numbers_in_the_same_cycles(design, engine, stall):
    x, done = frames(), []
    trace = engine.run(design, {"i_x": x}, stall=stall, seed=7, progress=done.append)
    golden = Sample.trace(x)
    np.testing.assert_array_equal(trace.values["i_x"], x)
    np.testing.assert_array_equal(trace.values["tap_gain"], golden["gain"])
    np.testing.assert_array_equal(trace.values["o_y"], golden["sum"])
    assert done[-1] == FRAMES
    assert_same(trace, get_engine("amaranth").run(design, {"i_x": x}, stall=stall, seed=7))


def test_without_stalls_every_transfer_is_as_early_as_can_be(design):
    # By hand: beats are taken in cycles 0, 1 and 2; each shows on the tap a cycle later; the sum
    # is offered two cycles after the last, and holds up the next frame until it is taken.
    trace = get_engine("amaranth").run(design, {"i_x": frames(2)})
    assert trace.cycles["i_x"].tolist() == [[0, 1, 2], [3, 6, 7]]
    assert trace.cycles["tap_gain"].tolist() == [[1, 2, 3], [6, 7, 8]]
    assert trace.cycles["o_y"].tolist() == [[5], [10]]
    assert trace.total_cycles == 11


@pytest.mark.parametrize("engine", FAST, indirect=True)
def test_seeds_and_warm_up(design, engine):
    runs = [engine.run(design, {"i_x": frames()}, stall=0.5, seed=seed) for seed in (0, 0, 1)]
    assert_same(runs[1], runs[0])
    assert (runs[2].cycles["o_y"] != runs[0].cycles["o_y"]).any()

    late = engine.run(replace(design, warm_up=9), {"i_x": frames(1)})
    assert late.cycles["i_x"].tolist() == [[9, 10, 11]]


@pytest.mark.parametrize("engine", ALL, indirect=True)
def test_a_run_that_takes_too_long_says_where_it_waits(design, engine):
    message = (
        "sample: 40 frames must pass within max_cycles = 100 cycles, but did not: "
        "i_x 61 of 120 beats (offered, not taken); tap_gain 60 of 120 beats (offered, not taken); "
        "o_y 19 of 40 beats (nothing offered)"
    )
    with pytest.raises(MismatchError, match=f"^{re.escape(message)}$"):
        engine.run(design, {"i_x": frames()}, max_cycles=100)


@pytest.mark.parametrize("engine", FAST, indirect=True)
def test_a_surplus_beat_is_found(design, engine):
    # The design makes a frame of every three beats; these streams claim six.
    streams = tuple(
        stream if stream.role == "output" else replace(stream, length=18)
        for stream in design.streams
    )
    message = "sample: stream o_y must carry 1 beats for 1 frames, but another one came"
    with pytest.raises(MismatchError, match=f"^{message}$"):
        engine.run(replace(design, streams=streams), {"i_x": frames(3)[:, :6].reshape(1, 18)})


@pytest.mark.toolchain
def test_a_design_that_hangs_is_found(design, require_tool):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    text, count = re.subn(
        r"assign tap_gain_ready = [^;]*;", "assign tap_gain_ready = 0;", design.verilog
    )
    assert count == 1
    message = (
        "sample: 40 frames must pass without a pause of 10010 cycles, but did not up to cycle "
        "10012: i_x 1 of 120 beats (offered, not taken); "
        "tap_gain 0 of 120 beats (offered, not taken); o_y 0 of 40 beats (nothing offered)"
    )
    with pytest.raises(MismatchError, match=f"^{re.escape(message)}$"):
        engine.run(replace(design, verilog=text, latency=5), {"i_x": frames()})


@pytest.mark.toolchain
def test_many_blocks_are_one_run(design, require_tool, monkeypatch):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    whole = engine.run(design, {"i_x": frames(1000)}, stall=0.3)
    monkeypatch.setattr("sim.engines.cxxrtl._BLOCK_BYTES", 1000)
    traces = list(engine.blocks(design, {"i_x": frames(1000)}, stall=0.3))
    assert len(traces) > 10
    assert [trace.first_frame for trace in traces] == np.cumsum(
        [0, *(trace.frames for trace in traces[:-1])]
    ).tolist()
    assert_same(engine.run(design, {"i_x": frames(1000)}, stall=0.3), whole)


@pytest.mark.parametrize(
    "inputs, options, message",
    [
        ({}, {}, "sample: inputs must be given for i_x, not for none"),
        ({"x": np.zeros((1, 8), int)}, {}, "sample: inputs must be given for i_x, not for x"),
        (
            {"i_x": np.zeros((0, 8), int)},
            {},
            "sample: every input must have the same number of frames, at least 1, not 0",
        ),
        ({"i_x": [[32] * 8]}, {}, "i_x: values must be in -32..31 (int6), not 32..32"),
        (
            {"i_x": frames()},
            {"max_cycles": 0},
            "Engine.run: max_cycles must be an integer in 1..4611686018427387904, not 0",
        ),
        (
            {"i_x": frames()},
            {"seed": -1},
            "Engine.run: seed must be an integer in 0..18446744073709551615, not -1",
        ),
    ],
)
def test_refuses(design, inputs, options, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        get_engine("amaranth").run(design, inputs, **options)


def test_amaranth_needs_the_component(design):
    message = (
        "sample: engine amaranth runs the component, which Verilog text does not hold: take "
        "another engine, or make the design by design_of()"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        get_engine("amaranth").run(replace(design, component=None), {"i_x": frames()})


def test_there_are_no_other_engines():
    message = (
        "get_engine: name must be one of 'amaranth', 'cxxrtl', 'icarus', 'verilator', not 'vcs'"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        get_engine("vcs")


@pytest.mark.parametrize(
    "name, reason",
    [
        ("cxxrtl", "it needs a C++ compiler: install g++ or clang++, or pip install ziglang"),
        ("icarus", "it needs Icarus Verilog: apt install iverilog"),
        ("verilator", "it needs perl: apt install perl"),
    ],
)
def test_what_is_missing_is_said(design, monkeypatch, name, reason):
    monkeypatch.setattr("shutil.which", lambda program: None)
    find = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "ziglang" else find(name)
    )
    assert ENGINES[name]().unavailable() == reason
    with pytest.raises(
        ToolError, match=f"^simulation engine {name} cannot run here: {re.escape(reason)}$"
    ):
        get_engine(name).run(design, {"i_x": frames()})
