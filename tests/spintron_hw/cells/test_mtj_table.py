# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.mtj_table."""

import re

import numpy as np
import pytest

from spintron_hw.cells.mtj_table import MTJTable
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (2, 3), (4, 7), (6, 2)])
@pytest.mark.parametrize("bounds", [(-7, 7), (0, 15), (-3, 0)])
def test_adds_every_choice_of_rows(rows, cols, bounds):
    table = MTJTable(codes=np.random.default_rng(0).integers(*bounds, size=(rows, cols)))
    choices = np.arange(1 << rows)
    check_cell(table, choices, table.compute(choices))
    assert first_latency(table, [0]) == table.latency
    assert measured_interval(table, [0]) == table.interval


def test_worked_example():
    # Rows 0 and 2 driven: 1 + 4 = 5 and -8 - 2 = -10, which takes 5 bits.
    table = MTJTable(codes=[[1, -8], [2, 3], [4, -2]])
    assert run_stream(table, [0b101]) == [[5, -10]]
    assert table.type.bits == 5


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (
            np.ones((9, 1), int),
            "MTJTable: codes must have 1..8 rows, not 9; use an UnrolledTile",
        ),
        ([[1 << 15]], "MTJTable: codes must lie in -32768..32767, not in 32768..32768"),
        ([[0.5]], "MTJTable: codes must hold integers, not float64"),
        ([1], "MTJTable: codes must be an array of shape (any, any), not of shape (1,)"),
    ],
)
def test_refuses(codes, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        MTJTable(codes=codes)
