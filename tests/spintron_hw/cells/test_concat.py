# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.concat."""

import numpy as np
import pytest

from spintron_hw.cells.concat import StreamConcat
from spintron_hw.testing import check_cell, run_stream
from spintron_ir import IntType
from spintron_ir.errors import ParameterError

U3, S4 = IntType(3), IntType(4, signed=True)


@pytest.mark.parametrize(
    ("types", "counts", "lanes"),
    [
        ((U3,), (2,), 1),
        ((U3, S4), (1, 1), 2),
        ((U3, S4, IntType(2)), (3, 1, 2), 1),
        ((S4, S4, U3, U3, U3), (2, 2, 1, 2, 4), 3),
    ],
    ids=str,
)
def test_takes_turns(types, counts, lanes):
    cell = StreamConcat(types=types, counts=counts, lanes=lanes)
    rng = np.random.default_rng(0)
    beats = [
        rng.integers(type_.low, type_.high + 1, (4 * count, lanes))
        for type_, count in zip(types, counts, strict=True)
    ]
    turns = [
        row.tolist()
        for turn in range(4)
        for part, count in zip(beats, counts, strict=True)
        for row in part[turn * count : (turn + 1) * count]
    ]
    assert cell.compute(beats).tolist() == turns
    check_cell(cell, {f"i_{n}": part for n, part in enumerate(beats)}, turns)


def test_worked_example():
    cell = StreamConcat(types=(U3, S4), counts=(2, 1), lanes=1)
    assert cell.type == IntType(4, signed=True) and cell.interval == 3
    inputs = {"i_0": [[1], [2], [3], [4]], "i_1": [[-8], [-7]]}
    found = run_stream(cell, inputs, outputs={"o": 6})
    assert found == {"o": [[1], [2], [-8], [3], [4], [-7]]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"types": ()}, r"number of types must be an integer in 1\.\.64, not 0"),
        ({"types": (3, U3)}, "types must be an IntType of at most 64 bits, not 3"),
        ({"counts": (1,)}, "counts must have a number for each of the 2 inputs, not 1"),
        ({"counts": (1, 0)}, r"counts must be an integer in 1\.\.16777216, not 0"),
        ({"lanes": 0}, r"lanes must be an integer in 1\.\.65536, not 0"),
    ],
    ids=str,
)
def test_refuses(changed, message):
    good = {"types": (U3, U3), "counts": (1, 1), "lanes": 1}
    with pytest.raises(ParameterError, match=f"^StreamConcat: {message}$"):
        StreamConcat(**good | changed)
