"""Tests of spintron_ir.types."""

import numpy as np
import pytest

from spintron_ir.errors import ParameterError
from spintron_ir.types import Interval, IntType


@pytest.mark.parametrize(
    ("type_", "low", "high", "dtype", "text"),
    [
        (IntType(1), 0, 1, np.uint8, "uint1"),
        (IntType(1, signed=True), -1, 0, np.int8, "int1"),
        (IntType(8), 0, 255, np.uint8, "uint8"),
        (IntType(9, signed=True), -256, 255, np.int16, "int9"),
        (IntType(17), 0, 131071, np.uint32, "uint17"),
        (IntType(64), 0, (1 << 64) - 1, np.uint64, "uint64"),
        (IntType(64, signed=True), -(1 << 63), (1 << 63) - 1, np.int64, "int64"),
    ],
)
def test_facts(type_, low, high, dtype, text):
    assert (type_.low, type_.high, type_.dtype, str(type_)) == (low, high, dtype, text)
    assert Interval(low, high).type == type_


def test_of_range_is_the_narrowest():
    for low in range(-20, 20):
        for high in range(low, 40):
            found = IntType.of_range(low, high)
            assert found.low <= low and high <= found.high
            assert found.signed == (low < 0)
            if found.bits > 1:
                narrower = IntType(found.bits - 1, found.signed)
                assert low < narrower.low or high > narrower.high


def test_bound_of_an_interval():
    assert Interval(-5, 3).bound == 5 and Interval(-5, 6).bound == 6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: IntType(0), r"IntType: bits must be an integer in 1\.\.64, not 0"),
        (lambda: IntType(65), r"IntType: bits must be an integer in 1\.\.64, not 65"),
        (lambda: IntType(4, 1), r"IntType: signed must be True or False, not 1"),
        (lambda: IntType.of_range(2, 1), r"IntType: low must be at most high, not 2 and 1"),
        (
            lambda: IntType.of_range(0, 1 << 64),
            r"IntType: bits must be an integer in 1\.\.64, not 65",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        make()
