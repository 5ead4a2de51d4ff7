"""Tests of spintron_hw.mapping.words."""

import re

import numpy as np
import pytest

from spintron_hw.mapping.words import Banks, bank_words, folded_words
from spintron_ir.errors import ParameterError


@pytest.mark.parametrize(
    ("repeats", "groups", "cols", "row_parallel", "col_parallel"),
    [(1, (1,), 1, 1, 1), (2, (5, 5, 3), 7, 2, 3), (3, (4, 4), 4, 4, 4), (1, (2, 9), 3, 4, 8)],
)
def test_lays_out_every_code_once(repeats, groups, cols, row_parallel, col_parallel):
    rows = sum(groups)
    weights = np.arange(1, repeats * rows * cols + 1).reshape(repeats, rows, cols)
    words = folded_words(weights, groups, row_parallel, col_parallel)

    address, found = 0, np.zeros_like(weights)
    for first_col in range(0, cols, col_parallel):
        start = 0
        for size in groups:
            for repeat in range(repeats):
                for first_row in range(0, size, row_parallel):
                    for r in range(row_parallel):
                        for c in range(col_parallel):
                            code = words[address, r, c]
                            if first_row + r < size and first_col + c < cols:
                                found[repeat, start + first_row + r, first_col + c] = code
                            else:
                                assert code == 0
                    address += 1
            start += size
    assert address == len(words)
    np.testing.assert_array_equal(found, weights)


@pytest.mark.parametrize(
    ("code_width", "bank_bits"), [(5, 36), (4, 36), (8, 8), (8, 7), (3, 9), (32, 36)]
)
def test_banks_hold_every_code_where_they_say(code_width, bank_bits):
    limit = 1 << (code_width - 1)
    words = np.random.default_rng(0).integers(-limit, limit, size=(6, 3, 5))
    banks = Banks(code_width=code_width, bank_bits=bank_bits, row_parallel=3, col_parallel=5)
    contents = bank_words(words, code_width, bank_bits)

    assert len(contents) == banks.count
    assert banks.width <= max(bank_bits, code_width)
    for (address, row, col), code in np.ndenumerate(words):
        bank, offset = banks.place(row, col)
        assert contents[bank][address] >> offset & ((1 << code_width) - 1) == code % (2 * limit)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: folded_words(np.zeros((1, 3, 2), int), (2, 2), 1, 1),
            "folded_words: weights must have the shape (repeats, rows, cols) with as many rows as "
            "the row groups together, 4, not (1, 3, 2)",
        ),
        (
            lambda: folded_words(np.zeros((1, 3, 2), int), (3,), 0, 1),
            "folded_words: row_parallel must be an integer in 1..65536, not 0",
        ),
        (
            lambda: folded_words(np.zeros((1, 3, 2), int), (3, 0), 1, 1),
            "folded_words: a row group must be an integer in 1..1048576, not 0",
        ),
        (
            lambda: bank_words([[1, 2]], 4, 8),
            "bank_words: words must have the shape (words, row_parallel, col_parallel), not (1, 2)",
        ),
        (
            lambda: bank_words([[[8]]], 4, 8),
            "Banks: codes must lie in -8..7 to fit 4 bits, not in 8..8",
        ),
        (
            lambda: Banks(code_width=4, bank_bits=8, row_parallel=1, col_parallel=2).contents(
                [[[1]]]
            ),
            "Banks: words must have the shape (words, 1, 2), not (1, 1, 1)",
        ),
        (
            lambda: bank_words([[[0]]], 33, 8),
            "Banks: code_width must be an integer in 1..32, not 33",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
