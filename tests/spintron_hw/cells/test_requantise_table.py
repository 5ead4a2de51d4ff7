# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.requantise_table."""

import numpy as np
import pytest

from spintron_hw.cells.requantise_table import RequantiseTable
from spintron_hw.testing import check_cell, first_latency, measured_interval
from spintron_ir.errors import ParameterError
from spintron_ir.requantise import MulShift, Table
from spintron_ir.types import IntType

INT12, INT4, INT8 = (IntType(bits, signed=True) for bits in (12, 4, 8))


def make(*, cols, lanes, code=INT4, type=INT8):
    multiplier, shift = np.arange(cols) * 7 + 3, np.arange(cols) % 3 + 5
    table = Table(
        code=MulShift(multiplier=multiplier, shift=shift, zero_point=1, type=code),
        table=[(37 * n) % 100 + min(type.low, 0) // 2 for n in range(1 << code.bits)],
        type=type,
    )
    bias = np.arange(cols) * 11 - 20
    return RequantiseTable(acc=INT12, requantise=table, bias=bias, lanes=lanes)


@pytest.mark.parametrize(
    ("cols", "lanes", "code", "type"),
    [
        (1, 1, INT4, INT8),
        (3, 2, INT4, INT8),
        (4, 2, IntType(4), INT8),
        (3, 3, INT8, IntType(7)),
        (2, 5, IntType(1, signed=True), INT8),
        (5, 1, IntType(1), INT8),
    ],
    ids=str,
)
def test_agrees_with_contract(cols, lanes, code, type):
    cell = make(cols=cols, lanes=lanes, code=code, type=type)
    rng = np.random.default_rng(0)
    beats = rng.integers(INT12.low, INT12.high, (12 * cell.interval, lanes), endpoint=True)
    beats[: cell.interval], beats[cell.interval : 2 * cell.interval] = INT12.low, INT12.high
    wanted = cell.compute(beats)
    np.testing.assert_array_equal(
        cell.requantise.run(beats.reshape(12, -1)[:, :cols] + cell.bias),
        wanted.reshape(12, -1)[:, :cols],
    )
    check_cell(cell, beats, wanted)
    assert first_latency(cell, beats[:1]) == cell.latency == 4
    assert measured_interval(cell, beats[: cell.interval]) == cell.interval == -(-cols // lanes)


def test_refuses():
    message = "RequantiseTable: requantise must be a Table, not None"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        RequantiseTable(acc=INT12, requantise=None, bias=[0], lanes=1)
    message = r"RequantiseMulShift: lanes must be an integer in 1\.\.65536, not 0"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        make(cols=1, lanes=0)
