# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.gather_buffer."""

import re

import numpy as np
import pytest

from spintron_hw.cells.gather_buffer import GatherBuffer
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir import IntType
from spintron_ir.errors import ParameterError

GOOD = {
    "type": IntType(4, signed=True),
    "lanes": 1,
    "words": 5,
    "index": [3, 0, 1],
    "pad_value": -3,
}


def any_index(seed):
    rng = np.random.default_rng(seed)
    words = int(rng.integers(1, 20))
    index = rng.integers(-1, words, rng.integers(1, 20))
    return {"words": words, "index": index.tolist(), "lanes": int(rng.integers(1, 3))}


def moved(*shape, axes):
    index = np.arange(np.prod(shape)).reshape(shape).transpose(axes)
    return {"words": index.size, "index": index.ravel().tolist()}


CASES = [
    {},
    {"lanes": 3},
    {"words": 1, "index": [0]},
    {"words": 1, "index": [-1, 0]},
    {"words": 5, "index": [-1]},
    {"type": IntType(6), "pad_value": 63, "index": [2, -1, 0]},
    moved(3, 4, 7, axes=(1, 2, 0)),  # from here on, counters
    moved(2, 5, 3, 4, axes=(3, 1, 0, 2)),
    {"words": 64, "index": list(range(63, -1, -1))},
    {"words": 64, "index": list(range(64)) * 2},
    {"words": 60, "index": np.arange(60).reshape(3, 20).repeat(2, axis=0).ravel().tolist()},
    {"words": 60, "index": list(range(0, 60, 7)) * 8},
]


@pytest.mark.parametrize("changed", [*CASES, *map(any_index, range(16))], ids=range(28))
def test_agrees_with_contract(changed):
    cell = GatherBuffer(**GOOD | changed)
    rng = np.random.default_rng(0)
    beats = rng.integers(cell.type.low, cell.type.high + 1, (4 * cell.words, cell.lanes))
    check_cell(cell, beats, cell.compute(beats))
    assert measured_interval(cell, beats[: cell.words], vectors=8) == cell.interval
    if cell.index[0] >= 0:
        assert first_latency(cell, beats[: cell.words]) == cell.latency == 2


def test_worked_example():
    cell = GatherBuffer(**GOOD | {"index": [4, -1, 0, 4]})
    got = run_stream(cell, [[n] for n in (1, 2, 3, 4, 5, 6, 7, 7, 7, -7)], outputs=8)
    assert sum(got, []) == [5, -3, 1, 5, -7, -3, 6, -7]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": 3}, "type must be an IntType of at most 64 bits, not 3"),
        ({"lanes": 0}, "lanes must be an integer in 1..65536, not 0"),
        ({"words": 0}, "words must be an integer in 1..16777216, not 0"),
        ({"pad_value": 8}, "pad_value must be an integer in -8..7, not 8"),
        ({"index": [5]}, "index must lie in -1..4, not in 5..5"),
    ],
)
def test_refuses(fields, message):
    with pytest.raises(ParameterError, match=f"^GatherBuffer: {re.escape(message)}$"):
        GatherBuffer(**GOOD | fields)
