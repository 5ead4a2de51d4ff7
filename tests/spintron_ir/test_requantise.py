"""Tests of spintron_ir.requantise."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from spintron_ir import Interval, IntType, MulShift, ParameterError, Table, TFLite, Thresholds
from spintron_ir.requantise import product_bound

I4 = IntType(4, signed=True)
LIMIT = 1 << 63


def mulshift(**changed):
    fields = {"multiplier": [3, -5], "shift": [2, 3], "zero_point": 1, "type": I4}
    return MulShift(**fields | changed)


def thresholds(**changed):
    fields = {"thresholds": [[0, 2], [-1, 4]], "sign": [1, -1], "low": -1, "type": I4}
    return Thresholds(**fields | changed)


def table(**changed):
    code = mulshift(type=IntType(2, signed=True))
    return Table(**{"code": code, "table": [5, 6, 7, -8], "type": I4} | changed)


def tflite(**changed):
    fields = {"multiplier": [3 << 29, -(1 << 30)], "shift": [-1, 1], "zero_point": 1}
    return TFLite(**fields | {"low": -6, "high": 7, "type": I4} | changed)


def high_mul(a, b):
    """As gemmlowp writes it: a nudge with the sign of the product, then towards zero."""
    product = a * b
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    quotient = abs(nudged) >> 31
    return min(quotient if nudged >= 0 else -quotient, (1 << 31) - 1)


def divide_by_power(x, exponent):
    """As gemmlowp writes it: the remainder against a threshold that is one more below zero."""
    remainder = x & ((1 << exponent) - 1)
    return (x >> exponent) + (remainder > (((1 << exponent) - 1) >> 1) + (x < 0))


def test_mulshift_by_hand():
    # 3 * 6 / 4 = 4.5 -> 5, and 1 more; -5 * 6 / 8 = -3.75 -> -4, and 1 more.
    assert mulshift().run([[6, 6], [100, -100]]).tolist() == [[6, -3], [7, 7]]


def test_thresholds_by_hand():
    # 2 reaches both of 0 and 2; -2 reaches none of -1 and 4, as 2 is counted negated.
    assert thresholds().run([[2, 2], [1, -4], [-1, 1]]).tolist() == [[1, -1], [0, 1], [-1, 0]]


def test_table_by_hand():
    # Codes 3 * 0 / 4 + 1 = 1 and 3 * -4 / 4 + 1 = -2 stand last and first.
    assert table().run([[0, 0], [-4, 0]]).tolist() == [[-8, -8], [5, -8]]


def test_tflite_by_hand():
    # 6 * 3/4 = 4.5 -> 5, 5 / 2 = 2.5 -> 3, and 1; 7 * 2 * -1/2 = -7, and 1. -6 * 3/4 = -4.5 -> -4
    # (ties upwards), -2, and 1. -10 * 3/4 = -7.5 -> -7, -7 / 2 = -3.5 -> -4 (away), and 1.
    assert tflite().run([[6, 7], [-6, 0], [-10, 1]]).tolist() == [[4, -6], [-1, 1], [-3, 0]]
    # The limits hold after the zero point.
    assert tflite().run([[99, 99], [-99, -99]]).tolist() == [[7, -6], [-6, 7]]


@pytest.mark.parametrize("shift", [-31, -30, -9, -1, 0, 1, 4])
def test_tflite_is_that_of_gemmlowp(shift):
    rng = np.random.default_rng(shift + 31)
    left, right = max(shift, 0), max(-shift, 0)
    ends = [-(1 << 31), 1 - (1 << 31), -(1 << 30), -1, 0, 1, 1 << 30, (1 << 31) - 1]
    multiplier = np.array([*ends, *rng.integers(1 << 30, 1 << 31, 300)])
    rq = TFLite(
        multiplier=multiplier, shift=np.full(len(multiplier), shift), zero_point=0,
        low=-(1 << 31), high=(1 << 31) - 1, type=IntType(32, signed=True),
    )  # fmt: skip
    few = [(rng.integers(-1, 2, len(multiplier)) << n) + rng.integers(-2, 3) for n in range(31)]
    acc = np.array([np.full(len(multiplier), end) for end in ends] + few) >> left
    wanted = [
        [divide_by_power(high_mul(a << left, b), right) for a, b in zip(row, multiplier.tolist())]
        for row in acc.tolist()
    ]
    assert rq.run(acc).tolist() == wanted


def test_tflite_is_not_its_single_rounding():
    # 1 * 3/4 / 2 = 0.375 is 0 in one rounding; rounded twice, 0.75 and 0.5, it is 1.
    assert tflite(zero_point=0).run([[1, 0]]).tolist() == [[1, 0]]


def test_thresholds_follow_any_monotone_function():
    def function(acc):
        return math.floor(6 / (1 + math.exp(-acc / 9)) + 0.5)

    values = range(-60, 61)
    steps = [next(acc for acc in values if function(acc) >= n) for n in range(1, 7)]
    layer = Thresholds(thresholds=[steps, steps], sign=[1, -1], low=0, type=IntType(3))
    acc = np.array(values)[:, None].repeat(2, axis=1)
    assert layer.run(acc).tolist() == [[function(a), function(-a)] for a in values]


def test_thresholds_at_the_ends_of_64_bits():
    ends = Thresholds(thresholds=[[-LIMIT, LIMIT - 1]], sign=[1], low=0, type=IntType(2))
    assert ends.run([[LIMIT - 1], [LIMIT - 2], [-LIMIT]]).ravel().tolist() == [2, 1, 1]
    with pytest.raises(ParameterError, match="^Thresholds: thresholds must rise in each row$"):
        Thresholds(thresholds=[[LIMIT - 1, -LIMIT]], sign=[1], low=0, type=IntType(2))


def test_product_bound_covers_the_rounding():
    acc = Interval(-7, 5)
    assert product_bound(None, acc) == product_bound(thresholds(), acc) == 7
    assert product_bound(mulshift(), acc) == 7 * 5 + 4 == product_bound(table(), acc)
    # The accumulator of the second channel is doubled, which bounds the first as well.
    assert product_bound(tflite(), acc) == 14 * (3 << 29) + (1 << 30)
    extreme = mulshift(shift=[62, 0])
    assert product_bound(extreme, acc) == 35 + (1 << 61)
    exact = [math.floor(Fraction(3 * 7, 1 << 62) + Fraction(1, 2)) + 1, -5 * 7 + 1]
    assert extreme.run([[7, 7]]).tolist() == [[exact[0], max(exact[1], -8)]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: mulshift(multiplier=[1.5, 2.0]),
            "MulShift: multiplier must hold integers, not float64",
        ),
        (
            lambda: mulshift(multiplier=[0, 1 << 31]),
            "MulShift: multiplier must lie in -2147483648..2147483647, not in 0..2147483648",
        ),
        (
            lambda: mulshift(shift=[63, 0]),
            "MulShift: the largest shift must be an integer in 0..62, not 63",
        ),
        (
            lambda: mulshift(shift=[1]),
            "MulShift: shift must have a value for each of the 2 multipliers, not 1",
        ),
        (
            lambda: mulshift(zero_point=1 << 31),
            "MulShift: zero_point must be an integer in -2147483648..2147483647, not 2147483648",
        ),
        (
            lambda: mulshift(type=IntType(33)),
            "MulShift: type.bits must be an integer in 1..32, not 33",
        ),
        (lambda: mulshift(type=4), "MulShift: type must be IntType, not int"),
        (
            lambda: thresholds(thresholds=np.zeros((2, 256), int)),
            "Thresholds: number of thresholds must be an integer in 1..255, not 256",
        ),
        (
            lambda: tflite(zero_point=1 << 31),
            "TFLite: zero_point must be an integer in -2147483648..2147483647, not 2147483648",
        ),
        (
            lambda: tflite(type=IntType(33)),
            "TFLite: type.bits must be an integer in 1..32, not 33",
        ),
        (lambda: tflite(low=-9), "TFLite: low must be an integer in -8..7, not -9"),
        (lambda: tflite(low=3, high=2), "TFLite: high must be an integer in 3..7, not 2"),
        (
            lambda: tflite(shift=[-32, 0]),
            "TFLite: the least shift must be an integer in -31..30, not -32",
        ),
        (
            lambda: tflite(shift=[31, 0]),
            "TFLite: the largest shift must be an integer in -31..30, not 31",
        ),
        (
            lambda: tflite(shift=[1]),
            "TFLite: shift must have a value for each of the 2 multipliers, not 1",
        ),
        (
            lambda: product_bound(tflite(shift=[0, 20]), Interval(-2048, 0)),
            "TFLite: accumulators shifted left must stay below 2**31, where TFLite's own are "
            "defined, not reach 2147483648: split the layer, or use a smaller left shift",
        ),
        (lambda: thresholds(low=-9), "Thresholds: low must be an integer in -8..7, not -9"),
        (
            lambda: thresholds(low=6),
            "Thresholds: low + number of thresholds must be at most 7 for int4, not 8",
        ),
        (
            lambda: thresholds(sign=[1, 0]),
            "Thresholds: sign must be 1 or -1 for each of the 2 channels",
        ),
        (
            lambda: thresholds(sign=[1]),
            "Thresholds: sign must be 1 or -1 for each of the 2 channels",
        ),
        (
            lambda: thresholds(thresholds=[[0, 2], [4, -1]]),
            "Thresholds: thresholds must rise in each row",
        ),
        (
            lambda: table(code=mulshift(type=IntType(17))),
            "Table: code.type.bits must be an integer in 1..16, not 17",
        ),
        (lambda: table(code=thresholds()), "Table: code must be MulShift, not Thresholds"),
        (
            lambda: table(table=[1, 2, 3]),
            "Table: table must have 4 entries for a code of 2 bits, not 3",
        ),
        (
            lambda: table(table=[0, 0, 0, 8]),
            "Table: table must lie in -8..7 for int4, not in 0..8",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make()
