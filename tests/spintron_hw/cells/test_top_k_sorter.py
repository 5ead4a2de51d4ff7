# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.top_k_sorter."""

import numpy as np
import pytest

from spintron_hw.cells.top_k_sorter import TopKSorter
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

GOOD = {"input": IntType(3, signed=True), "length": 6, "k": 3}


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize(
    "changed",
    [{}, {"k": 1}, {"k": 6}, {"length": 1, "k": 1}, {"input": IntType(1)}, {"input": IntType(64)}],
    ids=str,
)
def test_agrees_with_contract(changed, values):
    cell = TopKSorter(**GOOD | {"values": values} | changed)
    rng = np.random.default_rng(0)
    high = min(cell.input.high, (1 << 62) - 1)
    vectors = rng.integers(cell.input.low, high + 1, (30, cell.length))
    vectors[0], vectors[1] = cell.input.low, high
    beats = vectors.reshape(-1, 1)
    check_cell(cell, beats, cell.compute(beats))
    assert measured_interval(cell, beats[: cell.length]) == cell.interval
    assert first_latency(cell, beats[: cell.length]) == cell.latency


@pytest.mark.parametrize(
    ("values", "expected"), [(False, [[1], [3], [0]]), (True, [[3], [3], [2]])]
)
def test_worked_example(values, expected):
    cell = TopKSorter(**GOOD | {"length": 4, "values": values})
    assert run_stream(cell, [[2], [3], [-4], [3]], outputs=3) == expected


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input": 3}, r"TopKSorter: input must be an IntType of at most 64 bits, not 3"),
        ({"k": 7}, r"TopK: k must be an integer in 1\.\.6, not 7"),
        ({"length": 0}, r"TopK: in_shape\[0\] must be an integer in 1\.\.16777216, not 0"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        TopKSorter(**GOOD | changed)
