# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.row_feeder."""

import re

import numpy as np
import pytest

from spintron_hw.cells.row_feeder import RowFeeder
from spintron_hw.stream import chunk_values
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError

GOOD = {
    "groups": (4, 3),
    "bits": 3,
    "signed": True,
    "dac_bits": 2,
    "row_parallel": 2,
    "lanes": 1,
    "passes": 2,
    "repeats": 3,
}


def make(**changed):
    return RowFeeder(**GOOD | changed)


def vectors(feeder, count):
    rng = np.random.default_rng(0)
    shape = (count * feeder.load_beats, feeder.lanes)
    beats = rng.integers(feeder.type.low, feeder.type.high, size=shape, endpoint=True)
    beats[0], beats[1] = feeder.type.low, feeder.type.high
    return beats


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"signed": False},
        {"dac_bits": 1},
        {"dac_bits": 3},
        {"bits": 8, "dac_bits": 3},
        {"groups": (1,), "row_parallel": 1},
        {"groups": (7,), "row_parallel": 4, "lanes": 2},
        {"groups": (6, 6, 5), "row_parallel": 4, "lanes": 2},
        {"groups": (8, 8), "row_parallel": 4, "lanes": 4, "signed": False},
        {"groups": (2, 6, 5), "row_parallel": 6, "lanes": 2, "repeats": 1},
        {"groups": (3,), "row_parallel": 8, "lanes": 1, "passes": 1, "repeats": 1},
        {"blocks": 3},
        {"blocks": 2, "groups": (4,), "lanes": 2, "passes": 1, "repeats": 1},
        {"blocks": 5, "groups": (1,), "row_parallel": 1, "dac_bits": 3, "passes": 1, "repeats": 1},
        {"blocks": 2, "groups": (6, 2), "row_parallel": 4, "lanes": 2, "signed": False},
        {"groups": (40,), "lanes": 1, "row_parallel": 8, "passes": 1, "repeats": 1},
        {"groups": (16,), "lanes": 1, "row_parallel": 8, "dac_bits": 3, "passes": 1, "repeats": 1},
    ],
    ids=str,
)
def test_replays(changed):
    feeder = make(**changed)
    beats = vectors(feeder, 6)
    words = feeder.compute(beats)
    assert len(words) == 6 * feeder.words
    check_cell(feeder, beats, words)
    first = beats[: feeder.load_beats]
    assert first_latency(feeder, first) == feeder.latency
    assert measured_interval(feeder, first, vectors=6) == feeder.interval


def test_worked_example():
    # Three rows, two at a time, chunks of 2 bits of 3: 3 is 011 and -3 is 101. The unused row is 0.
    feeder = make(groups=(3,), passes=1, repeats=1)
    words = run_stream(feeder, [[3], [-3], [-1]], outputs=4)
    assert words == [
        {"bits": [0b11, 0b01], "negative": 0},
        {"bits": [0b11, 0b00], "negative": 0},
        {"bits": [0b00, 0b11], "negative": 1},
        {"bits": [0b11, 0b00], "negative": 1},
    ]
    assert chunk_values(words, 2).tolist() == [[3, 1], [3, 0], [0, -1], [-1, 0]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"groups": ()}, "RowFeeder: groups must name at least one row group, not ()"),
        ({"groups": (4, 0)}, "RowFeeder: groups must be an integer in 1..65536, not 0"),
        ({"bits": 0}, "RowFeeder: bits must be an integer in 1..32, not 0"),
        ({"signed": 0}, "RowFeeder: signed must be True or False, not 0"),
        ({"dac_bits": 4}, "RowFeeder: dac_bits must be an integer in 1..3, not 4"),
        ({"row_parallel": 0}, "RowFeeder: row_parallel must be an integer in 1..65536, not 0"),
        ({"lanes": 3}, "RowFeeder: lanes must be an integer in 1..2, not 3"),
        ({"passes": 0}, "RowFeeder: passes must be an integer in 1..65536, not 0"),
        ({"repeats": 0}, "RowFeeder: repeats must be an integer in 1..65536, not 0"),
        (
            {"groups": (5, 3), "lanes": 2},
            "RowFeeder: lanes must divide row_parallel 2 and every group but the last of (5, 3), "
            "which 2 does not; use fewer lanes",
        ),
        ({"blocks": 0}, "RowFeeder: blocks must be an integer in 1..65536, not 0"),
        (
            {"groups": (4, 3), "lanes": 2, "blocks": 2},
            "RowFeeder: lanes must divide row_parallel 2 and every group of (4, 3), "
            "which 2 does not; use fewer lanes",
        ),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make(**changed)
