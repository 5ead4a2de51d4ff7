# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.requantise_mulshift."""

import numpy as np
import pytest

from spintron_hw.cells.requantise_mulshift import RequantiseMulShift
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.requantise import MulShift
from spintron_ir.types import IntType

INT8, INT14, INT20 = (IntType(bits, signed=True) for bits in (8, 14, 20))


def make(*, multiplier, shift, zero_point=0, type=INT8, acc=INT14, bias=None, lanes=2):
    requantise = MulShift(multiplier=multiplier, shift=shift, zero_point=zero_point, type=type)
    bias = [0] * len(multiplier) if bias is None else bias
    return RequantiseMulShift(acc=acc, requantise=requantise, bias=bias, lanes=lanes)


@pytest.mark.parametrize(
    ("kind", "latency"),
    [
        ({"multiplier": [3], "shift": [2], "lanes": 1}, 3),
        ({"multiplier": [1, 1], "shift": [0, 0], "type": IntType(4)}, 3),
        ({"multiplier": [7, -9, 0], "shift": [5, 2, 62], "bias": [100, -8000, 3]}, 3),
        ({"multiplier": [7, 9, 5], "shift": [5, 5, 5], "zero_point": -100}, 3),
        ({"multiplier": [96, 9, 40], "shift": [5, 0, 9], "lanes": 3, "type": IntType(16)}, 3),
        ({"multiplier": [7, 1 << 20, 5], "shift": [5, 31, 5], "lanes": 4}, 3),
        ({"multiplier": [2**31 - 1, 77], "shift": [35, 9]}, 4),
        ({"multiplier": [2**31 - 1, -(2**31)], "shift": [40, 41], "acc": INT20}, 4),
        ({"multiplier": [12345, 54321], "shift": [20, 13], "acc": IntType(20), "lanes": 1}, 4),
        ({"multiplier": [7, 9], "shift": [40, 0], "acc": INT20, "type": IntType(32)}, 5),
        ({"multiplier": [1] * 70, "shift": list(range(0, 35)) * 2, "lanes": 1}, 4),
    ],
    ids=lambda value: str(value)[:80],
)
def test_agrees_with_contract(kind, latency):
    cell = make(**kind)
    rng = np.random.default_rng(0)
    vectors = 4 if cell.interval > 9 else 12
    beats = rng.integers(
        cell.acc.low, cell.acc.high, (vectors * cell.interval, cell.lanes), endpoint=True
    )
    beats[: cell.interval], beats[cell.interval : 2 * cell.interval] = cell.acc.low, cell.acc.high
    wanted = cell.compute(beats)
    used = np.reshape(beats, (vectors, -1))[:, : cell.cols]
    np.testing.assert_array_equal(
        cell.requantise.run(used + cell.bias), wanted.reshape(vectors, -1)[:, : cell.cols]
    )
    check_cell(cell, beats, wanted)
    assert first_latency(cell, beats[:1]) == cell.latency == latency
    assert measured_interval(cell, beats[: cell.interval]) == cell.interval


def test_worked_example():
    # By hand: (10 + 3) * 5 / 8 = 8.125 rounds to 8; (-10 + 3) * 5 / 8 = -4.375 to -4; 4 * 5 / 8
    # = 2.5 rounds up to 3; and the zero point is 1.
    cell = make(multiplier=[5], shift=[3], zero_point=1, bias=[3], lanes=1)
    assert run_stream(cell, [[10], [-10], [1]]) == [[9], [-3], [4]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"acc": IntType(49)}, r"acc must be an IntType of at most 48 bits, not IntType\(.*\)"),
        ({"requantise": None}, r"requantise must be a MulShift, not None"),
        ({"bias": [1, 2]}, r"bias must be an array of shape \(1\), not of shape \(2\,\)"),
        ({"lanes": 0}, r"lanes must be an integer in 1\.\.65536, not 0"),
    ],
)
def test_refuses(changed, message):
    requantise = MulShift(multiplier=[1], shift=[0], zero_point=0, type=INT8)
    good = {"acc": INT14, "requantise": requantise, "bias": [0], "lanes": 1}
    with pytest.raises(ParameterError, match=f"^RequantiseMulShift: {message}$"):
        RequantiseMulShift(**good | changed)
