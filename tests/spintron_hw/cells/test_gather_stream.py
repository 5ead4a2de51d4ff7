# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.gather_stream."""

import re

import numpy as np
import pytest

from spintron_hw.cells.gather_stream import GatherStream
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir import IntType
from spintron_ir.errors import ParameterError

GOOD = {
    "type": IntType(4, signed=True),
    "lanes": 1,
    "words": 5,
    "index": [0, 1, 3],
    "pad_value": -3,
}


def rising(seed):
    """Any index that never falls, with padding anywhere."""
    rng = np.random.default_rng(seed)
    words = int(rng.integers(1, 9))
    index = np.sort(rng.integers(0, words, rng.integers(1, 12)))
    index[rng.random(len(index)) < rng.choice([0, 0.4, 1])] = -1
    return {"words": words, "index": index.tolist(), "lanes": int(rng.integers(1, 3))}


CASES = [
    {},
    {"lanes": 3},
    {"index": [0, 1, 2, 3, 4]},
    {"index": [4]},
    {"index": [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]},
    {"index": [-1, -1, 0, 1, -1, 2, 3, 4, -1]},
    {"words": 1, "index": [0]},
    {"words": 1, "index": [-1, 0, 0, 0, -1]},
    {"words": 2, "index": [-1, -1]},
    {"index": [1, 1, -1, 1, 3, -1, -1]},
    {"words": 300, "index": range(20, 290)},
    {"type": IntType(6), "pad_value": 63, "index": [2, -1]},
]


@pytest.mark.parametrize("changed", [*CASES, *map(rising, range(20))], ids=range(32))
def test_agrees_with_contract(changed):
    cell = GatherStream(**GOOD | changed)
    rng = np.random.default_rng(0)
    beats = rng.integers(cell.type.low, cell.type.high + 1, (4 * cell.words, cell.lanes))
    check_cell(cell, beats, cell.compute(beats))
    assert measured_interval(cell, beats[: cell.words], vectors=8) == cell.interval


def test_worked_example():
    # 1 2 3 4 5: the first two twice, the fourth dropped, padding around.
    cell = GatherStream(**GOOD | {"index": [-1, 0, 0, 1, 1, -1, 2, 4, -1]})
    got = run_stream(cell, [[n] for n in range(1, 6)], outputs=9)
    assert sum(got, []) == [-3, 1, 1, 2, 2, -3, 3, 5, -3]
    # Five are taken, the first while padding is given; without taking five of the nine are given.
    assert cell.interval == 5 + 5


def test_latency():
    cell = GatherStream(**GOOD)
    assert first_latency(cell, [[1]]) == cell.latency == 1
    dropped = GatherStream(**GOOD | {"index": [2]})
    assert first_latency(dropped, [[1], [2], [3]]) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": 3}, "type must be an IntType of at most 64 bits, not 3"),
        ({"lanes": 0}, "lanes must be an integer in 1..65536, not 0"),
        ({"words": 0}, "words must be an integer in 1..16777216, not 0"),
        ({"pad_value": 8}, "pad_value must be an integer in -8..7, not 8"),
        ({"index": [1, 0]}, "index must never fall but for -1; take a GatherBuffer"),
        ({"index": [5]}, "index must lie in -1..4, not in 5..5"),
    ],
)
def test_refuses(fields, message):
    with pytest.raises(ParameterError, match=f"^GatherStream: {re.escape(message)}$"):
        GatherStream(**GOOD | fields)
