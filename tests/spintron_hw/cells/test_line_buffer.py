# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.line_buffer."""

import re

import numpy as np
import pytest

from spintron_hw.cells.line_buffer import LineBuffer
from spintron_hw.testing import _Bench, check_cell, first_latency, measured_interval, run_stream
from spintron_ir import IntType, Window
from spintron_ir.errors import ParameterError

INT4 = IntType(4, signed=True)
GOOD = {"in_shape": (4, 5, 2), "type": INT4, "kernel": (3, 2)}


def make(lanes=1, **changed):
    return LineBuffer(window=Window(**GOOD | changed), lanes=lanes)


def images(cell, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(
        cell.window.type.low, cell.window.type.high + 1, (count, cell.plan.i_beats, cell.lanes)
    )
    return x.reshape(-1, cell.lanes)


def random_window(seed):
    """Any kernel, stride, dilation and padding on a small image."""
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = (rng.integers(1, 4, 2).tolist() for _ in range(3))
    padding = (rng.integers(0, 4, 4) * (rng.random() < 0.7)).tolist()
    size = [
        max(1, d * (k - 1) + 1 - padding[axis] - padding[axis + 2]) + int(rng.integers(0, 5))
        for axis, (k, d) in enumerate(zip(kernel, dilation))
    ]
    groups = int(rng.choice([1, 1, 2, 3]))
    return {
        "in_shape": (*size, groups * int(rng.integers(1, 5 if groups == 1 else 3))),
        "groups": groups,
        "kernel": tuple(kernel),
        "stride": tuple(stride),
        "dilation": tuple(dilation),
        "padding": tuple(padding),
        "pad_value": int(rng.integers(-8, 8)),
    }


def cycles(cell, beats):
    """Cycles in which beats were taken and left at full speed, from the first one taken."""
    bench = _Bench(cell, beats, 0.0, 0)
    source, sink = bench.find("i", source=True), bench.find("o", source=False)
    count = len(beats) // cell.plan.i_beats * cell.plan.o_beats
    bench.run(lambda: bench.all_taken() and len(sink.taken) == count, 20_000)
    start = source.taken[0][0]
    return [cycle - start for cycle, _ in source.taken], [cycle - start for cycle, _ in sink.taken]


CASES = [
    {},
    {"lanes": 2},
    {"in_shape": (1, 9, 1), "kernel": (1, 3)},
    {"in_shape": (9, 1, 1), "kernel": (3, 1), "stride": (2, 1)},
    {"in_shape": (1, 1, 1), "kernel": (1, 1)},
    {"in_shape": (1, 1, 3), "kernel": (3, 3), "padding": (1, 1, 1, 1), "lanes": 3},
    {"in_shape": (3, 3, 4), "kernel": (1, 1), "stride": (2, 2), "lanes": 4},
    {"in_shape": (6, 6, 2), "kernel": (3, 3), "padding": (1, 1, 1, 1), "pad_value": -8},
    {"in_shape": (5, 5, 1), "kernel": (2, 2), "stride": (3, 3)},
    {"in_shape": (7, 6, 1), "kernel": (2, 2), "dilation": (3, 2), "padding": (0, 3, 2, 0)},
    {"in_shape": (4, 4, 4), "kernel": (3, 3), "groups": 2, "lanes": 2},
    {"in_shape": (3, 5, 3), "kernel": (3, 3), "padding": (1, 1, 1, 1), "groups": 3},
    {"in_shape": (2, 2, 1), "kernel": (2, 1), "dilation": (2, 1), "padding": (4, 5, 3, 4)},
]


@pytest.mark.parametrize("changed", [*CASES, *map(random_window, range(20))], ids=str)
def test_agrees_with_contract(changed):
    cell = make(**changed)
    beats = images(cell, 4)
    check_cell(cell, beats, cell.compute(beats), max_cycles=20_000)
    one = beats[: cell.plan.i_beats]
    assert measured_interval(cell, one, vectors=8) == cell.interval


@pytest.mark.parametrize("changed", [*CASES, *map(random_window, range(20))], ids=str)
def test_plan_knows_the_cycles(changed):
    cell = make(**changed)
    taken, left = cycles(cell, images(cell, 3))
    expected = cell.plan.times(np.zeros(3 * cell.plan.i_beats, int), 3)
    assert taken == expected[0].tolist()
    assert left == expected[1].tolist()


def test_first_element_takes_two_cycles():
    cell = make(in_shape=(1, 1, 1), kernel=(1, 1))
    assert first_latency(cell, [[3]]) == cell.latency == 2


def test_worked_example():
    # 1 2 3   and a row of -1 below: 1 2 4 5 | 2 3 5 6 | 4 5 -1 -1 | 5 6 -1 -1
    # 4 5 6
    cell = make(in_shape=(2, 3, 1), kernel=(2, 2), padding=(0, 0, 1, 0), pad_value=-1)
    got = run_stream(cell, [[n] for n in range(1, 7)], outputs=16)
    assert sum(got, []) == [1, 2, 4, 5, 2, 3, 5, 6, 4, 5, -1, -1, 5, 6, -1, -1]


def test_worked_cycles():
    # Three values in cycles 0, 1, 2; each is read a cycle later and leaves a cycle after that.
    # The window 2, 3 waits for nothing: its 2 is held, and 3 was taken in cycle 2.
    cell = make(in_shape=(1, 3, 1), kernel=(1, 2))
    assert cycles(cell, [[1], [2], [3]]) == ([0, 1, 2], [2, 3, 4, 5])


@pytest.mark.parametrize(
    ("in_shape", "kernel", "lanes", "depth"),
    [
        ((32, 32, 16), (3, 3), 1, 2048),  # 3 * 32 * 16 = 1536
        ((32, 32, 16), (3, 3), 16, 128),  # 3 * 32 = 96
        ((28, 28, 1), (5, 5), 1, 256),  # 5 * 28 = 140
        ((1, 100, 1), (1, 7), 1, 128),
        ((1, 1, 1), (1, 1), 1, 2),
    ],
)
def test_holds_only_the_rows_under_the_kernel(in_shape, kernel, lanes, depth):
    assert make(lanes, in_shape=in_shape, kernel=kernel).plan.depth == depth


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window": 3}, "LineBuffer: window must be a Window, not 3"),
        ({"lanes": 0}, "WindowPlan: i_lanes must be an integer in 1..4, not 0"),
        (
            {"lanes": 3},
            "WindowPlan: i_lanes and o_lanes must be the same and divide the 4 channels, not 3 "
            "and 3",
        ),
        (
            {"window": Window(**GOOD, groups=2), "lanes": 2},
            "WindowPlan: i_lanes must be an integer in 1..1, not 2",
        ),
        (
            {"window": Window(**GOOD | {"in_shape": (4, 5, 6)}, groups=2), "lanes": 2},
            "WindowPlan: i_lanes and o_lanes must be the same and divide the 3 channels of a "
            "group, not 2 and 2",
        ),
    ],
)
def test_refuses(fields, message):
    window = Window(in_shape=(3, 3, 4), type=INT4, kernel=(2, 2))
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        LineBuffer(**{"window": window, "lanes": 1} | fields)
