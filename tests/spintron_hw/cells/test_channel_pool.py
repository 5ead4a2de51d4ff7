# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.channel_pool."""

import numpy as np
import pytest

from spintron_hw.cells.channel_pool import ChannelPool
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

GOOD = {"input": IntType(3, signed=True), "places": 4, "channels": 6, "lanes": 1, "mode": "max"}


@pytest.mark.parametrize("mode", ["max", "sum"])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"lanes": 3},
        {"lanes": 6},
        {"input": IntType(3)},
        {"places": 1},
        {"places": 1, "channels": 1},
        {"places": 9, "channels": 1},
        {"input": IntType(32, signed=True), "places": 3, "channels": 2},
    ],
    ids=str,
)
def test_agrees_with_contract(changed, mode):
    cell = ChannelPool(**GOOD | {"mode": mode} | changed)
    rng = np.random.default_rng(0)
    low, high = cell.input.low, cell.input.high
    beats = rng.integers(low, high + 1, (20, cell.interval, cell.lanes))
    beats[0], beats[1] = low, high
    beats = beats.reshape(-1, cell.lanes)
    check_cell(cell, beats, cell.compute(beats))
    assert measured_interval(cell, beats[: cell.interval]) == cell.interval
    words = cell.channels // cell.lanes
    assert first_latency(cell, beats[: cell.interval - words + 1]) == cell.latency == 1


@pytest.mark.parametrize(("mode", "expected"), [("max", [[2], [1]]), ("sum", [[-1], [1]])])
def test_worked_example(mode, expected):
    # Channels -3, 2 and 0, 1 of two channels, in turn.
    cell = ChannelPool(**GOOD | {"places": 2, "channels": 2, "mode": mode})
    assert run_stream(cell, [[-3], [0], [2], [1]], outputs=2) == expected


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input": 3}, r"ChannelPool: input must be an IntType of at most 32 bits, not 3"),
        ({"places": 0}, r"ChannelPool: places must be an integer in 1\.\.65536, not 0"),
        ({"channels": 0}, r"ChannelPool: channels must be an integer in 1\.\.65536, not 0"),
        ({"lanes": 7}, r"ChannelPool: lanes must be an integer in 1\.\.6, not 7"),
        ({"lanes": 4}, r"ChannelPool: lanes must divide the 6 channels, not be 4"),
        ({"mode": "min"}, r"Pool: mode must be one of 'max', 'sum', not 'min'"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        ChannelPool(**GOOD | changed)
