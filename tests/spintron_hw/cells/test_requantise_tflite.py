# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.requantise_tflite."""

import numpy as np
import pytest

from spintron_hw.cells.requantise_tflite import RequantiseTFLite
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.requantise import TFLite
from spintron_ir.types import IntType

INT8, INT14, INT20 = (IntType(bits, signed=True) for bits in (8, 14, 20))
HALF, MOST = 1 << 30, (1 << 31) - 1


def make(*, multiplier, shift, zero_point=0, limits=None, type=INT8, acc=INT14, bias=None, lanes=2):
    low, high = limits or (type.low, type.high)
    requantise = TFLite(
        multiplier=multiplier, shift=shift, zero_point=zero_point, low=low, high=high, type=type
    )
    bias = [0] * len(multiplier) if bias is None else bias
    return RequantiseTFLite(acc=acc, requantise=requantise, bias=bias, lanes=lanes)


@pytest.mark.parametrize(
    ("kind", "latency"),
    [
        ({"multiplier": [3 << 29], "shift": [0], "lanes": 1}, 5),
        ({"multiplier": [3 << 29, 3 << 29], "shift": [-3, -3], "zero_point": -100}, 5),
        ({"multiplier": [HALF, MOST, 1 << 29], "shift": [-7, -5, 0], "bias": [9, -8000, 3]}, 6),
        ({"multiplier": [MOST, -(1 << 31)], "shift": [-12, -13], "acc": INT20}, 6),
        ({"multiplier": [MOST, HALF, 0], "shift": [2, 0, -4], "lanes": 3}, 6),
        ({"multiplier": [HALF, MOST], "shift": [-31, -1], "acc": IntType(20), "lanes": 1}, 6),
        ({"multiplier": [7, -9], "shift": [4, 4], "limits": (-3, 5)}, 4),
        ({"multiplier": [MOST, HALF + 1], "shift": [-6, -8], "limits": (0, 6),
          "type": IntType(4), "zero_point": 1}, 6),
        ({"multiplier": [MOST, HALF], "shift": [0, 0], "type": IntType(32, signed=True),
          "acc": IntType(32, signed=True)}, 5),
        ({"multiplier": [3 << 29] * 70, "shift": list(range(-31, 4)) * 2, "lanes": 1}, 6),
    ],
    ids=lambda value: str(value)[:80],
)  # fmt: skip
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
    # By hand: (3 + 3) * 3/4 = 4.5 rounds to 5, 5 / 2 to 3; (-13 + 3) * 3/4 = -7.5 rounds up to -7,
    # -7 / 2 away from zero to -4; and the zero point is 1. 40 is beyond the limit of 6.
    cell = make(multiplier=[3 << 29], shift=[-1], zero_point=1, bias=[3], lanes=1, limits=(-128, 6))
    assert run_stream(cell, [[3], [-13], [40]]) == [[4], [-3], [6]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"acc": IntType(49)}, r"acc must be an IntType of at most 48 bits, not IntType\(.*\)"),
        ({"requantise": None}, r"requantise must be a TFLite, not None"),
        ({"bias": [1, 2]}, r"bias must be an array of shape \(1\), not of shape \(2\,\)"),
        ({"lanes": 0}, r"lanes must be an integer in 1\.\.65536, not 0"),
    ],
)
def test_refuses(changed, message):
    requantise = TFLite(multiplier=[1], shift=[0], zero_point=0, low=0, high=1, type=INT8)
    good = {"acc": INT14, "requantise": requantise, "bias": [0], "lanes": 1}
    with pytest.raises(ParameterError, match=f"^RequantiseTFLite: {message}$"):
        RequantiseTFLite(**good | changed)
