"""Tests of spintron_ir.layers.softmax."""

from fractions import Fraction

import numpy as np
import pytest

from spintron_ir import IntType, ParameterError, Softmax
from spintron_ir.layers.softmax import reciprocal

ONE = (1 << 31) - 1
U4, U8 = IntType(4), IntType(8)


def table(bits, scale):
    """Exponentials of ``-scale * d`` in units of ``2**-31``."""
    values = np.exp(-scale * np.arange(1 << bits))
    return np.minimum(np.round(values * 2**31), ONE).astype(np.int64)


def softmax(shape=(4,), kind=U4, to=U8, scale=0.5):
    return Softmax(in_shape=shape, input=kind, exponential=table(kind.bits, scale), type=to)


def test_equal_values_share_alike():
    assert softmax((2,)).run([[3, 3]]).tolist() == [[128, 128]]
    assert softmax((4,)).run([[7, 7, 7, 7]]).tolist() == [[64] * 4]
    assert softmax((1,)).run([[9]]).tolist() == [[255]]  # one whole is one unit too many


def test_signed_results_begin_at_their_lowest():
    wanted = softmax((3, 5)).run(np.arange(15).reshape(1, 3, 5)) - 128
    found = softmax((3, 5), to=IntType(8, signed=True)).run(np.arange(15).reshape(1, 3, 5))
    assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize("bits", [4, 8, 12])
@pytest.mark.parametrize("seed", range(10))
def test_shares_are_within_one_unit_of_the_real_ones(bits, seed):
    rng = np.random.default_rng(seed)
    length, scale = int(rng.integers(1, 300)), float(rng.uniform(0.01, 1))
    layer = softmax((length,), IntType(bits, signed=True), scale=scale)
    x = rng.integers(layer.input.low, layer.input.high + 1, (20, length))
    real = np.exp(scale * (x - x.max(axis=1, keepdims=True)))
    real *= 256 / real.sum(axis=1, keepdims=True)
    # Exponentials of less than half a unit of the sum are dropped from it: up to length / 2**20.
    assert np.abs(layer.run(x) - np.minimum(real, 255)).max() <= 0.5 + 0.1
    assert layer.run(x).max() <= 255


def test_the_reciprocal_is_right_to_a_few_units():
    rng = np.random.default_rng(1)
    totals = np.concatenate([[1, 2, 3, (1 << 31) - 1], rng.integers(1, 1 << 31, 3000)])
    scale, bits = reciprocal(totals)
    for total, found, count in zip(totals.tolist(), scale.tolist(), bits.tolist()):
        assert 1 << (count - 1) <= total < 1 << count
        exact = Fraction(1 << (31 + count - 1), total)
        assert abs(min(exact, ONE) - found) < 8


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"exponential": [ONE, 5]},
            "Softmax: exponential must have 16 entries for uint4, not 2",
        ),
        (
            {"exponential": [ONE, *range(15)]},
            r"Softmax: exponential must fall from 2\*\*31 - 1 and stay at 0 or above",
        ),
        (
            {"exponential": [5] * 16},
            r"Softmax: exponential must fall from 2\*\*31 - 1 and stay at 0 or above",
        ),
        (
            {"exponential": [ONE] + [-1] * 15},
            r"Softmax: exponential must fall from 2\*\*31 - 1 and stay at 0 or above",
        ),
        (
            {"in_shape": (2, 4096)},
            r"Softmax: the last size of in_shape must be an integer in 1\.\.4095, not 4096",
        ),
        ({"input": IntType(13)}, r"Softmax: input\.bits must be an integer in 1\.\.12, not 13"),
        ({"type": IntType(17)}, r"Softmax: type\.bits must be an integer in 2\.\.16, not 17"),
    ],
)
def test_what_it_refuses(change, message):
    fields = {"in_shape": (4,), "input": IntType(4), "exponential": table(4, 1), "type": IntType(8)}
    with pytest.raises(ParameterError, match=f"^{message}$"):
        Softmax(**fields | change)
