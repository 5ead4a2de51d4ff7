# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.accumulator."""

import numpy as np
import pytest

from spintron_hw.cells.accumulator import ShiftAddAccumulator
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

INT5, UINT5, INT24 = IntType(5, signed=True), IntType(5), IntType(24, signed=True)


def make(*, shifts, signs=None, code=INT5, lanes=2, acc=INT24):
    signs = np.ones_like(shifts) if signs is None else signs
    return ShiftAddAccumulator(code=code, lanes=lanes, shifts=shifts, signs=signs, acc=acc)


@pytest.mark.parametrize(
    ("kind", "latency"),
    [
        ({"shifts": [[0]]}, 1),
        ({"shifts": [[3]], "signs": [[-1]], "lanes": 1}, 1),
        ({"shifts": [[0]] * 3, "signs": [[1], [-1], [1]]}, 1),
        ({"shifts": [[0], [1], [2], [3]]}, 2),
        ({"shifts": [[0], [2], [4]], "code": UINT5, "acc": IntType(12)}, 2),
        ({"shifts": [[0, 4]]}, 2),
        ({"shifts": [[0, 4, 0, 4]] * 2, "signs": [[1, 1, -1, -1]] * 2}, 2),
        ({"shifts": [[p, p + 3, p] for p in range(4)], "signs": [[1, -1, 1]] * 4}, 3),
        ({"shifts": [[0] * 5, [1] * 5], "code": UINT5, "acc": IntType(9)}, 4),
        ({"shifts": [[0, 5], [7, 2]], "signs": [[1, 0], [-1, 1]]}, 3),
        ({"shifts": [[0, 5], [7, 2]], "signs": [[0, 0], [-1, 1]]}, 3),
        (
            {
                "shifts": [[n % 5] for n in range(70)],
                "signs": [[1 - 2 * (n % 2)] for n in range(70)],
            },
            2,
        ),
    ],
    ids=lambda value: str(value)[:80],
)
def test_agrees_with_sum(kind, latency):
    cell = make(**kind)
    low, high = cell.code.low, cell.code.high
    rng = np.random.default_rng(0)
    codes = rng.integers(low, high, (8 * cell.beats, cell.terms, cell.lanes), endpoint=True)
    codes[: cell.beats], codes[cell.beats : 2 * cell.beats] = low, high
    check_cell(cell, codes, cell.compute(codes))
    assert first_latency(cell, codes[: cell.beats]) == cell.latency == latency
    assert measured_interval(cell, codes[: cell.beats]) == cell.interval == cell.beats


def test_worked_example():
    # By hand: (3 - 2 * 4) + ((-1) * 2 - 5 * 8) = -47.
    cell = make(shifts=[[0, 2], [1, 3]], signs=[[1, -1], [1, -1]], lanes=1)
    assert run_stream(cell, [[[3], [2]], [[-1], [5]]], outputs=1) == [[-47]]


def test_takes_the_next_vector_while_the_sum_waits():
    cell = make(shifts=[[0]] * 4, lanes=1)
    beats = [[[n]] for n in range(7)]  # one vector, and all but the last beat of the next
    assert first_latency(cell, beats) == cell.latency - 3
    with pytest.raises(TimeoutError, match="^.*; i had 7 transfers, o had 0 transfers$"):
        first_latency(cell, [*beats, [[7]]], max_cycles=40)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"code": 5}, r"code must be an IntType of at most 40 bits, not 5"),
        ({"lanes": 0}, r"lanes must be an integer in 1\.\.65536, not 0"),
        ({"shifts": [[63]]}, r"shifts must lie in 0\.\.62, not in 63\.\.63"),
        ({"signs": [[2]]}, r"signs must lie in -1\.\.1, not in 2\.\.2"),
        ({"signs": [[1], [1]]}, r"signs must be an array of shape \(1, 1\), not of shape \(2, 1\)"),
        ({"acc": None}, r"acc must be an IntType of at most 64 bits, not None"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^ShiftAddAccumulator: {message}$"):
        make(**{"shifts": [[0]]} | changed)
