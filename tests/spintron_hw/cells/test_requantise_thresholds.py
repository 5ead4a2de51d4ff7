# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.requantise_thresholds."""

import numpy as np
import pytest

from spintron_hw.cells.requantise_thresholds import RequantiseThresholds
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.requantise import Thresholds
from spintron_ir.types import IntType

INT9, UINT8 = IntType(9, signed=True), IntType(8)


def make(*, cols, count, lanes, acc=INT9, low=0, type=UINT8, spread=600, same=False):
    rng = np.random.default_rng(cols * count)
    thresholds = np.sort(rng.integers(-spread // 2, spread // 2, (1 if same else cols, count)))
    sign = np.where(rng.integers(0, 2, cols), 1, -1)
    requantise = Thresholds(
        thresholds=np.repeat(thresholds, cols if same else 1, axis=0), sign=sign, low=low, type=type
    )
    bias = rng.integers(-50, 50, cols)
    return RequantiseThresholds(acc=acc, requantise=requantise, bias=bias, lanes=lanes)


@pytest.mark.parametrize(
    "kind",
    [
        {"cols": 1, "count": 1, "lanes": 1},
        {"cols": 5, "count": 1, "lanes": 2, "low": -1, "type": IntType(1, signed=True)},
        {"cols": 4, "count": 2, "lanes": 4, "acc": IntType(9)},
        {"cols": 5, "count": 3, "lanes": 2, "low": -2, "type": IntType(2, signed=True)},
        {"cols": 3, "count": 6, "lanes": 5, "acc": IntType(9)},
        {"cols": 6, "count": 15, "lanes": 1, "same": True},
        {"cols": 3, "count": 15, "lanes": 2, "spread": 8},
        {"cols": 3, "count": 7, "lanes": 2, "spread": 2**40},
        {"cols": 3, "count": 255, "lanes": 2},
    ],
    ids=str,
)
def test_agrees_with_contract(kind):
    cell = make(**kind)
    acc = np.arange(cell.acc.low, cell.acc.high + 1, 3 if cell.lanes > 1 else 5)
    vectors = np.stack([np.roll(acc, 7 * n) for n in range(cell.interval * cell.lanes)], axis=1)
    vectors[0], vectors[1] = cell.acc.low, cell.acc.high
    beats = vectors.reshape(-1, cell.lanes)
    wanted = cell.compute(beats)
    np.testing.assert_array_equal(
        cell.requantise.run(vectors[:, : cell.cols] + cell.bias),
        wanted.reshape(len(vectors), -1)[:, : cell.cols],
    )
    check_cell(cell, beats, wanted)
    assert first_latency(cell, beats[:1]) == cell.latency == 2 * kind["count"].bit_length() - 1
    assert measured_interval(cell, beats[: cell.interval]) == cell.interval


@pytest.mark.parametrize("far", [-(2**63), 2**63 - 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_thresholds_out_of_reach(far, sign):
    requantise = Thresholds(thresholds=[[far, far]], sign=[sign], low=0, type=UINT8)
    cell = RequantiseThresholds(acc=INT9, requantise=requantise, bias=[3], lanes=1)
    beats = [[INT9.low], [0], [INT9.high]]
    assert run_stream(cell, beats) == [[2 if far < 0 else 0]] * 3


def test_widest_accumulators():
    wide = IntType(62, signed=True)
    at = [[wide.low + 5, 0, wide.high], [-(1 << 63), 1 - wide.high, -wide.low]]
    requantise = Thresholds(thresholds=at, sign=[1, -1], low=0, type=UINT8)
    cell = RequantiseThresholds(acc=wide, requantise=requantise, bias=[0, 0], lanes=2)
    beats = [[wide.low, wide.low], [wide.low + 5, wide.high - 1], [wide.high, wide.high]]
    assert run_stream(cell, beats) == cell.compute(beats).tolist() == [[0, 3], [1, 2], [3, 1]]


def test_worked_example():
    # By hand, bias 1: rising, 2 + 1 = 3 reaches 1 and 3; falling, -(2 + 1) = -3 reaches -4 only.
    requantise = Thresholds(thresholds=[[1, 3, 4], [-4, -2, 0]], sign=[1, -1], low=10, type=UINT8)
    cell = RequantiseThresholds(acc=INT9, requantise=requantise, bias=[1, 1], lanes=2)
    assert run_stream(cell, [[2, 2]]) == [[12, 11]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"acc": None}, r"acc must be an IntType of at most 62 bits, not None"),
        ({"requantise": 3}, r"requantise must be a Thresholds, not 3"),
        ({"bias": [1.5]}, r"bias must hold integers, not float64"),
        ({"lanes": 0}, r"lanes must be an integer in 1\.\.65536, not 0"),
    ],
)
def test_refuses(changed, message):
    requantise = Thresholds(thresholds=[[1]], sign=[1], low=0, type=UINT8)
    good = {"acc": INT9, "requantise": requantise, "bias": [0], "lanes": 1}
    with pytest.raises(ParameterError, match=f"^RequantiseThresholds: {message}$"):
        RequantiseThresholds(**good | changed)
