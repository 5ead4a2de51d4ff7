# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.column_adc."""

import numpy as np
import pytest

from spintron_hw.cells.column_adc import ColumnADC
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

GOOD = {
    "level": IntType(8, signed=True),
    "bits": 4,
    "signed": True,
    "shift": 2,
    "gain": [[1, 1, 1]],
    "offset": [[0, -3, 7]],
}
RISING = {"gain": [[1, 3], [5, 65535], [2, 2]], "offset": [[0, 1], [2**31 - 1, -(2**31)], [7, 7]]}


def make(**changed):
    return ColumnADC(**GOOD | changed)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"signed": False},
        {"shift": 0},
        {"shift": 31},
        {"bits": 1},
        {"bits": 1, "signed": False},
        {"bits": 16},
        {"level": IntType(1, signed=True)},
        {"level": IntType(12), "signed": False},
        {"gain": [[1]], "offset": [[5]]},
        {"gain": [[2, 1, 7]]},
        {"gain": [[1, 1]] * 3, "offset": [[0, 1], [0, 3], [0, -5]], "repeat": 2},
        RISING,
        RISING | {"repeat": 3, "bits": 9, "level": IntType(20, signed=True)},
    ],
    ids=str,
)
def test_agrees_with_contract(changed):
    adc = make(**changed)
    rng = np.random.default_rng(0)
    levels = rng.integers(adc.level.low, adc.level.high, (40, adc.lanes), endpoint=True)
    levels[0], levels[1] = adc.level.low, adc.level.high
    check_cell(adc, levels, adc.compute(levels))
    assert first_latency(adc, levels[:1]) == adc.latency == (2 if np.any(adc.gain > 1) else 1)
    assert measured_interval(adc, levels[:1]) == ColumnADC.interval


def test_worked_example():
    # By hand: 6 / 4 = 1.5 rounds up to 2; -6 / 4 = -1.5 rounds up to -1; 100 / 4 saturates.
    # With gain 3 and offset 1: (6 * 3 + 1) / 4 = 4.75 rounds to 5.
    adc = make(gain=[[1, 1, 1], [3, 3, 3]], offset=[[0, 0, 0], [1, 1, 1]])
    assert run_stream(adc, [[6, -6, 100], [6, 0, -6]]) == [[2, -1, 7], [5, 0, -4]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"level": 8}, r"level must be an IntType of at most 40 bits, not 8"),
        ({"bits": 17}, r"bits must be an integer in 1\.\.16, not 17"),
        ({"bits": True}, r"bits must be an integer in 1\.\.16, not True"),
        ({"signed": 1}, r"signed must be True or False, not 1"),
        ({"shift": -1}, r"shift must be an integer in 0\.\.31, not -1"),
        ({"gain": [1, 1]}, r"gain must be an array of shape \(any, any\), not of shape \(2,\)"),
        ({"gain": [[0, 1, 1]]}, r"gain must lie in 1\.\.65535, not in 0\.\.1"),
        ({"offset": [[0, 0.5, 0]]}, r"offset must hold integers, not float64"),
        ({"offset": [[0]]}, r"offset must be an array of shape \(1, 3\), not of shape \(1, 1\)"),
        ({"repeat": 0}, r"repeat must be an integer in 1\.\.65536, not 0"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^ColumnADC: {message}$"):
        make(**changed)
