"""Tests of spintron_ir.search against comparing with every limit."""

import numpy as np
import pytest

from spintron_ir.search import count_reached

FORMATS = (np.int32, np.int64, np.float32, np.float64)


@pytest.mark.parametrize("dtype", FORMATS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 15, 254, 255])
def test_counts_what_comparing_counts(count, dtype):
    rng = np.random.default_rng(count)
    limits = np.sort(rng.integers(-50, 50, (4, count)), axis=1)
    limits[0, 0], limits[1, -1] = -(1 << 62), 1 << 62
    values = rng.integers(-60, 60, (5, 3, 4))
    expected = (values[..., None] >= limits).sum(axis=-1)
    np.testing.assert_array_equal(count_reached(values.astype(dtype), limits), expected)


def test_columns_are_broadcast_and_nothing_has_nothing():
    assert count_reached(np.array([[[1, 5]], [[7, 0]]]), np.array([[[3, 7]]])).tolist() == [
        [[0, 1]], [[2, 0]],
    ]  # fmt: skip
    assert count_reached(np.zeros((0, 2), int), np.array([[1], [2]])).shape == (0, 2)


def test_beyond_the_integers_a_float_holds():
    far = (1 << 62) - 1
    found = count_reached(np.array([[far - 1], [far]]), np.array([[far - 1, far]]))
    assert found.tolist() == [[1], [2]]
