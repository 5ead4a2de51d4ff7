# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.add_bias."""

import numpy as np
import pytest

from spintron_hw.cells.add_bias import AddBias
from spintron_hw.testing import check_cell, first_latency, measured_interval
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

INT8, UINT8, INT12 = IntType(8, signed=True), IntType(8), IntType(12, signed=True)


@pytest.mark.parametrize(
    ("acc", "type", "bias", "lanes"),
    [
        (INT8, INT12, [5], 1),
        (INT8, INT12, [5, -7, 900], 1),
        (INT8, INT12, [5, -7, 900, 0, 1], 2),
        (INT8, INT12, [5, -7, 900], 3),
        (UINT8, IntType(9), [0, 256, 17], 2),
        (UINT8, INT12, [-256, 3], 4),
    ],
    ids=str,
)
def test_agrees_with_sum(acc, type, bias, lanes):
    cell = AddBias(acc=acc, bias=bias, type=type, lanes=lanes)
    rng = np.random.default_rng(0)
    beats = rng.integers(acc.low, acc.high, (8 * cell.interval, lanes), endpoint=True)
    beats[: cell.interval], beats[cell.interval : 2 * cell.interval] = acc.low, acc.high
    wanted = cell.compute(beats)
    vectors = wanted.reshape(8, -1)[:, : cell.cols] - beats.reshape(8, -1)[:, : cell.cols]
    np.testing.assert_array_equal(vectors, [bias] * 8)
    check_cell(cell, beats, wanted)
    assert first_latency(cell, beats[:1]) == AddBias.latency
    assert (
        measured_interval(cell, beats[: cell.interval]) == cell.interval == -(-len(bias) // lanes)
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"acc": IntType(64)}, r"acc must be an IntType of at most 63 bits, not IntType\(.*\)"),
        ({"bias": [[1]]}, r"bias must be an array of shape \(any\), not of shape \(1, 1\)"),
        ({"bias": [1 << 47]}, r"bias must lie in -\d+\.\.\d+, not in (\d+)\.\.\1"),
        ({"type": 9}, r"type must be an IntType of at most 64 bits, not 9"),
        ({"lanes": 0}, r"lanes must be an integer in 1\.\.65536, not 0"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^AddBias: {message}$"):
        AddBias(**{"acc": INT8, "bias": [1], "type": INT12, "lanes": 1} | changed)
