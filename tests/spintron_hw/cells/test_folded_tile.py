# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.folded_tile."""

import re

import numpy as np
import pytest

from spintron_hw.cells.folded_tile import FoldedTile
from spintron_hw.cells.row_feeder import RowFeeder
from spintron_hw.mapping.words import folded_words
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir import arith
from spintron_ir.errors import ParameterError

GOOD = {
    "words": np.arange(24).reshape(12, 2, 1) - 12,
    "code_width": 5,
    "groups": (3, 1),
    "repeats": 2,
    "passes": 2,
    "chunks": 2,
    "dac_bits": 2,
    "bank_bits": 8,
}


def make(**changed):
    return FoldedTile(**GOOD | changed)


def random_tile(groups, row_parallel, col_parallel, cols, repeats, seed=0, **changed):
    limit = 1 << changed.get("code_width", GOOD["code_width"]) - 1
    shape = (repeats, sum(groups), cols)
    weights = np.random.default_rng(seed).integers(-limit, limit, size=shape)
    words = folded_words(weights, groups, row_parallel, col_parallel)
    passes = -(-cols // col_parallel)
    return make(words=words, groups=groups, repeats=repeats, passes=passes, **changed), weights


def beats(tile, count, seed=0):
    """Random words, and first the corners."""
    rng = np.random.default_rng(seed)
    most = (1 << tile.dac_bits) - 1
    bits = rng.integers(0, most, size=(count, tile.row_parallel), endpoint=True)
    negative = rng.integers(0, 2, size=count)
    bits[0 : count // 4], negative[: count // 8] = 1 << tile.dac_bits - 1, 1
    return [{"bits": b.tolist(), "negative": int(n)} for b, n in zip(bits, negative, strict=True)]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("groups", "row_parallel", "col_parallel", "cols", "repeats", "changed"),
    [
        ((1,), 1, 1, 1, 1, {"chunks": 1}),
        ((1,), 1, 1, 1, 1, {"chunks": 3, "dac_bits": 1}),
        ((5,), 2, 3, 3, 1, {"dac_bits": 1}),
        ((6, 6, 3), 2, 2, 5, 2, {"dac_bits": 3, "bank_bits": 36}),
        ((6, 6, 3), 3, 4, 4, 1, {"dac_bits": 4, "bank_bits": 1, "chunks": 1}),
        ((4, 4), 4, 2, 4, 3, {"dac_bits": 1, "code_width": 9, "chunks": 4}),
        ((17, 9), 17, 1, 2, 1, {"dac_bits": 2, "code_width": 1}),
        ((2, 7, 1), 2, 1, 1, 2, {"dac_bits": 1, "chunks": 1}),
    ],
)
def test_multiplies(groups, row_parallel, col_parallel, cols, repeats, changed, signed):
    tile, _ = random_tile(
        groups, row_parallel, col_parallel, cols, repeats, signed=signed, **changed
    )
    words = beats(tile, 2 * tile.interval)
    check_cell(tile, words, tile.compute(words), seeds=(0, 1, 2))
    assert first_latency(tile, words[: tile.steps[0]]) == tile.latency
    assert measured_interval(tile, words[: tile.interval], vectors=2) == tile.interval


@pytest.mark.parametrize("signed", [False, True])
def test_agrees_with_the_contract_behind_a_feeder(signed):
    groups, bits, dac_bits, repeats = (6, 6, 3), 5, 2, 2
    tile, weights = random_tile(groups, 2, 2, 5, repeats, dac_bits=dac_bits, chunks=3)
    feeder = RowFeeder(
        groups=groups,
        bits=bits,
        signed=signed,
        dac_bits=dac_bits,
        row_parallel=2,
        lanes=1,
        passes=tile.passes,
        repeats=repeats,
    )
    low = -(signed << bits - 1)
    x = np.random.default_rng(1).integers(low, low + (1 << bits), size=(3, sum(groups)))
    currents = tile.compute(feeder.compute(x.reshape(-1, 1)))
    chunk = arith.chunks(x, bits=bits, signed=signed, dac_bits=dac_bits)
    got = currents.reshape(3, tile.passes, len(groups), repeats, 3, 2)
    for k, stop in enumerate(np.cumsum(groups)):
        rows = slice(stop - groups[k], stop)
        expected = np.einsum("pnr,src->nspc", chunk[:, :, rows], weights[:, rows])
        for c in range(5):
            np.testing.assert_array_equal(got[:, c // 2, k, :, :, c % 2], expected[..., c])


def test_worked_example():
    # Two rows at a time of three: 1*1 + 2*2 + 3*3 = 14, and where the chunk is negative
    # 1*1 - 2*2 - 1*3 = -6.
    tile = make(words=[[[1], [2]], [[3], [0]]], groups=(3,), repeats=1, passes=1)
    words = [{"bits": [1, 2], "negative": n} for n in (0, 1)]
    more = [{"bits": [3, 3], "negative": n} for n in (0, 1)]
    order = [words[0], more[0], words[1], more[1]]
    assert run_stream(tile, order, outputs=2) == [[14], [-6]]


def test_takes_codes_at_run_time():
    before, _ = random_tile((5, 2), 2, 3, 4, 2, seed=0)
    after, _ = random_tile((5, 2), 2, 3, 4, 2, seed=1)
    writes = [
        {"bank": bank, "address": address, "data": bits}
        for bank, contents in enumerate(after.banks.contents(after.words))
        for address, bits in enumerate(contents)
    ]
    frames = 1 + -(-len(writes) // before.interval)
    words = beats(before, (frames + 1) * before.interval)
    expected = after.compute(words)
    got = run_stream(before, {"w": writes, "i": words}, outputs={"o": len(expected)}, stall=0)
    last = len(expected) // (frames + 1)
    np.testing.assert_array_equal(got["o"][-last:], expected[-last:])
    assert got["o"][:last] != expected[:last].tolist()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"words": [[1]]},
            "FoldedTile: words must be an array of shape (any, any, any), not of shape (1, 1)",
        ),
        ({"code_width": 4}, "FoldedTile: words must lie in -8..7, not in -12..11"),
        ({"code_width": 17}, "FoldedTile: code_width must be an integer in 1..16, not 17"),
        ({"groups": (3, 0)}, "FoldedTile: groups must be an integer in 1..65536, not 0"),
        ({"repeats": 0}, "FoldedTile: repeats must be an integer in 1..65536, not 0"),
        ({"passes": 0}, "FoldedTile: passes must be an integer in 1..65536, not 0"),
        ({"chunks": 33}, "FoldedTile: chunks must be an integer in 1..32, not 33"),
        ({"dac_bits": 0}, "FoldedTile: dac_bits must be an integer in 1..16, not 0"),
        ({"bank_bits": 0}, "Banks: bank_bits must be an integer in 1..65536, not 0"),
        ({"signed": 1}, "FoldedTile: signed must be True or False, not 1"),
        (
            {"passes": 3},
            "FoldedTile: words must be passes * repeats * steps = 3 * 2 * 3 in number, not 12; lay "
            "them out with folded_words",
        ),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make(**changed)
