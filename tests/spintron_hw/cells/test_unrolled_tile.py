# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.unrolled_tile."""

import re

import numpy as np
import pytest

from spintron_hw.cells.unrolled_tile import UnrolledTile
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError

GOOD = {"codes": [[1, -2], [3, 4], [-5, 6]], "dac_bits": 2, "group_size": 2}


def make(**changed):
    return UnrolledTile(**GOOD | changed)


def chunks(tile, count, seed=0):
    """Random chunks, and first the corners: all bits clear or set, as unsigned and as signed."""
    rng = np.random.default_rng(seed)
    most = (1 << tile.dac_bits) - 1
    bits = rng.integers(0, most, size=(count, tile.rows), endpoint=True)
    bits[0], bits[1], bits[2], bits[3] = 0, most, most, 1 << tile.dac_bits - 1
    bits[4] = np.where(tile.codes[:, 0] > 0, most >> 1, most ^ most >> 1)
    negative = rng.integers(0, 2, size=count)
    negative[:5] = [0, 0, 1, 1, 1]
    return [{"bits": b.tolist(), "negative": int(n)} for b, n in zip(bits, negative, strict=True)]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("rows", "cols", "group_size", "bounds", "dac_bits"),
    [
        (1, 1, 4, (-1, 2), 1),
        (4, 2, 4, (-7, 8), 1),
        (9, 3, 2, (0, 4), 1),
        (5, 2, 1, (-8, 1), 2),
        (3, 2, 4, (-7, 8), 3),
        (9, 1, 2, (-7, 8), 4),
        (2, 1, 1, (0, 2), 5),
    ],
)
def test_multiplies(rows, cols, group_size, bounds, dac_bits, signed):
    codes = np.random.default_rng(1).integers(*bounds, size=(rows, cols))
    tile = make(codes=codes, group_size=group_size, dac_bits=dac_bits, signed=signed)
    beats = chunks(tile, 24)
    check_cell(tile, beats, tile.compute(beats))
    assert first_latency(tile, beats[:1]) == tile.latency
    assert measured_interval(tile, beats[:1]) == tile.interval


@pytest.mark.parametrize(("rows", "group_size"), [(64, 4), (70, 4), (17, 1)])
def test_multiplies_in_deep_trees(rows, group_size):
    codes = np.random.default_rng(2).integers(-15, 15, size=(rows, 4), endpoint=True)
    codes[:, 0], codes[:, 1] = 15, -15
    tile = make(codes=codes, group_size=group_size)
    beats = chunks(tile, 12)
    check_cell(tile, beats, tile.compute(beats))
    assert first_latency(tile, beats[:1]) == tile.latency


def test_worked_example():
    # By hand: 3*1 + 1*3 + 2*-5 = -4 and 3*-2 + 1*4 + 2*6 = 10; where the chunk is negative its
    # values are -1, 1 and -2: -1 + 3 + 10 = 12 and 2 + 4 - 12 = -6.
    beats = [{"bits": [3, 1, 2], "negative": 0}, {"bits": [3, 1, 2], "negative": 1}]
    assert run_stream(make(), beats) == [[-4, 10], [12, -6]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"codes": [[]]},
            "UnrolledTile: codes must be an array of shape (any, any), not of shape (1, 0)",
        ),
        (
            {"codes": [[1 << 15]]},
            "UnrolledTile: codes must lie in -32768..32767, not in 32768..32768",
        ),
        ({"dac_bits": 17}, "UnrolledTile: dac_bits must be an integer in 1..16, not 17"),
        ({"group_size": 0}, "UnrolledTile: group_size must be an integer in 1..8, not 0"),
        ({"signed": None}, "UnrolledTile: signed must be True or False, not None"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make(**changed)
