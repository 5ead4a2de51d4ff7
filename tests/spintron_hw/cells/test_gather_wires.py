# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.gather_wires."""

import re

import numpy as np
import pytest

from spintron_hw.cells.gather_wires import GatherWires
from spintron_hw.testing import check_cell, measured_interval, run_stream
from spintron_ir import IntType
from spintron_ir.errors import ParameterError

GOOD = {"type": IntType(4, signed=True), "length": 3, "index": [2, 0, -1, 2], "pad_value": -3}


@pytest.mark.parametrize("changed", [{}, {"index": [1]}, {"length": 1, "index": [-1, 0]}], ids=str)
def test_agrees_with_contract(changed):
    cell = GatherWires(**GOOD | changed)
    vectors = np.random.default_rng(0).integers(-8, 8, (20, cell.length))
    check_cell(cell, vectors, cell.compute(vectors))
    assert measured_interval(cell, vectors[:1]) == cell.interval == 1


def test_worked_example():
    assert run_stream(GatherWires(**GOOD), [[1, 2, 3]]) == [[3, 1, -3, 3]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": 3}, "type must be an IntType of at most 64 bits, not 3"),
        ({"length": 0}, "length must be an integer in 1..65536, not 0"),
        ({"pad_value": 8}, "pad_value must be an integer in -8..7, not 8"),
        ({"index": [3]}, "index must lie in -1..2, not in 3..3"),
    ],
)
def test_refuses(fields, message):
    with pytest.raises(ParameterError, match=f"^GatherWires: {re.escape(message)}$"):
        GatherWires(**GOOD | fields)
