"""Tests of spintron_ir.requantise."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from spintron_ir import Interval, IntType, MulShift, ParameterError, Table, Thresholds
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


def test_mulshift_by_hand():
    # 3 * 6 / 4 = 4.5 -> 5, and 1 more; -5 * 6 / 8 = -3.75 -> -4, and 1 more.
    assert mulshift().run([[6, 6], [100, -100]]).tolist() == [[6, -3], [7, 7]]


def test_thresholds_by_hand():
    # 2 reaches both of 0 and 2; -2 reaches none of -1 and 4, as 2 is counted negated.
    assert thresholds().run([[2, 2], [1, -4], [-1, 1]]).tolist() == [[1, -1], [0, 1], [-1, 0]]


def test_table_by_hand():
    # Codes 3 * 0 / 4 + 1 = 1 and 3 * -4 / 4 + 1 = -2 stand last and first.
    assert table().run([[0, 0], [-4, 0]]).tolist() == [[-8, -8], [5, -8]]


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
