# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.argmax."""

import numpy as np
import pytest

from spintron_hw.cells.argmax import ArgMax
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

INT3, UINT3, INT40 = IntType(3, signed=True), IntType(3), IntType(40, signed=True)


@pytest.mark.parametrize(
    ("input", "length", "lanes", "latency"),
    [
        (INT3, 1, 1, 1),
        (UINT3, 2, 1, 1),
        (INT3, 7, 1, 1),
        (INT3, 4, 4, 2),
        (UINT3, 10, 4, 2),
        (INT40, 9, 3, 2),
        (INT3, 3, 8, 2),
        (INT3, 1, 3, 1),
        (INT3, 37, 17, 4),
    ],
    ids=str,
)
def test_agrees_with_contract(input, length, lanes, latency):
    cell = ArgMax(input=input, length=length, lanes=lanes)
    rng = np.random.default_rng(0)
    beats = rng.integers(input.low, input.high, (30, cell.interval, lanes), endpoint=True)
    beats[0], beats[1] = input.low, input.high
    beats[1:3].reshape(2, -1)[:, length:] = input.high  # unused lanes carry anything
    beats = beats.reshape(-1, lanes)
    check_cell(cell, beats, cell.compute(beats))
    assert first_latency(cell, beats[: cell.interval]) == cell.latency == latency
    assert measured_interval(cell, beats[: cell.interval]) == cell.interval


def test_worked_example():
    cell = ArgMax(input=INT3, length=5, lanes=2)
    beats = [[-3, 1], [1, 0], [-4, 3], [-4, -4], [-4, -4], [-4, 0]]
    assert run_stream(cell, beats, outputs=2) == [[1], [0]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input": 3}, r"input must be an IntType of at most 64 bits, not 3"),
        ({"length": 0}, r"length must be an integer in 1\.\.65536, not 0"),
        ({"lanes": 1 << 17}, r"lanes must be an integer in 1\.\.65536, not 131072"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^ArgMax: {message}$"):
        ArgMax(**{"input": INT3, "length": 4, "lanes": 2} | changed)
