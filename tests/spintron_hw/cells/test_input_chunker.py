# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.input_chunker."""

import numpy as np
import pytest

from spintron_hw.cells.input_chunker import InputChunker
from spintron_hw.stream import chunk_values
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

GOOD = {"rows": 3, "bits": 4, "signed": True, "dac_bits": 2}


def make(**changed):
    return InputChunker(**GOOD | changed)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("rows", "bits", "dac_bits"),
    [(1, 1, 1), (3, 4, 1), (3, 4, 2), (2, 4, 3), (2, 5, 4), (2, 8, 8), (17, 7, 3)],
)
def test_agrees_with_contract(rows, bits, signed, dac_bits):
    chunker = make(rows=rows, bits=bits, signed=signed, dac_bits=dac_bits)
    type_ = IntType(bits, signed)
    rng = np.random.default_rng(0)
    x = rng.integers(type_.low, type_.high, size=(20, rows), endpoint=True)
    x[0], x[1] = type_.low, type_.high
    expected = chunker.compute(x)

    check_cell(chunker, x, expected)
    weights = 1 << dac_bits * np.arange(chunker.chunks)
    sums = chunk_values(expected, dac_bits).reshape(20, chunker.chunks, rows)
    np.testing.assert_array_equal(np.einsum("npr,p->nr", sums, weights), x)
    assert first_latency(chunker, x[:1]) == chunker.latency
    assert measured_interval(chunker, x[:1]) == chunker.interval


def test_worked_example():
    # By hand: -3 is 101 in 3 bits; its chunks of 2 bits are 01, then 1, sign-extended to 11.
    chunker = make(rows=1, bits=3, dac_bits=2)
    assert run_stream(chunker, [[-3]], outputs=2) == [
        {"bits": [0b01], "negative": 0},
        {"bits": [0b11], "negative": 1},
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows": 0}, r"InputChunker: rows must be an integer in 1\.\.65536, not 0"),
        ({"bits": 33}, r"InputChunker: bits must be an integer in 1\.\.32, not 33"),
        ({"signed": 1}, r"InputChunker: signed must be True or False, not 1"),
        ({"dac_bits": 5}, r"InputChunker: dac_bits must be an integer in 1\.\.4, not 5"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        make(**changed)
