# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.width_adapter."""

import re

import numpy as np
import pytest

from spintron_hw.cells.width_adapter import StreamWidthAdapter
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

GOOD = {"type": IntType(5, signed=True), "length": 12, "i_lanes": 2, "o_lanes": 4}


def make(**changed):
    return StreamWidthAdapter(**GOOD | changed)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    ("length", "small", "large"),
    [(2, 1, 2), (12, 2, 4), (10, 2, 4), (9, 2, 4), (11, 3, 6), (3, 1, 3), (7, 2, 7), (17, 4, 16)],
)
def test_keeps_the_elements(length, small, large, swap):
    i_lanes, o_lanes = (large, small) if swap else (small, large)
    adapter = make(length=length, i_lanes=i_lanes, o_lanes=o_lanes)
    i_beats = -(-length // i_lanes)
    rng = np.random.default_rng(0)
    beats = rng.integers(-16, 15, size=(8 * i_beats, i_lanes), endpoint=True)

    check_cell(adapter, beats, adapter.compute(beats))
    whole = min(length, o_lanes) if swap else min(length, o_lanes) + i_lanes - 1
    assert first_latency(adapter, beats[: max(whole // i_lanes, 1)]) == adapter.latency
    assert measured_interval(adapter, beats[:i_beats]) == adapter.interval


def test_worked_example():
    # Vectors of 5, from 2 lanes to 4: the last beat of each carries one element, in lane 0.
    adapter = make(length=5)
    beats = [[1, 2], [3, 4], [5, 0], [6, 7], [8, 9], [10, 0]]
    got = run_stream(adapter, beats, outputs=4)
    assert got[0] == [1, 2, 3, 4]
    assert got[1][0] == 5
    assert got[2] == [6, 7, 8, 9]
    assert got[3][0] == 10


def test_loads_while_the_consumer_is_ready():
    beats = [[n % 16] * 2 for n in range(12)]
    assert measured_interval(make(length=4), beats[:2]) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"type": 5}, "StreamWidthAdapter: type must be an IntType of at most 64 bits, not 5"),
        ({"length": 0}, "StreamWidthAdapter: length must be an integer in 1..1048576, not 0"),
        ({"i_lanes": 13}, "StreamWidthAdapter: i_lanes must be an integer in 1..12, not 13"),
        (
            {"i_lanes": 4},
            "StreamWidthAdapter: i_lanes and o_lanes must differ, not both be 4; join the streams "
            "without an adapter",
        ),
        (
            {"i_lanes": 3},
            "StreamWidthAdapter: one of i_lanes and o_lanes must divide the other or be the length "
            "12, not 3 and 4; chain two adapters",
        ),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make(**changed)
