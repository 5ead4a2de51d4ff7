"""Requantisers as thresholds, and moved along a straight line."""

import numpy as np
import pytest

from spintron_ir import IntType, MulShift, Table, TFLite, Thresholds
from spintron_nn.converter.moving import Line, moved, thresholds_of, whole

S10, S8 = IntType(10, signed=True), IntType(8, signed=True)


def mulshift(rng, cols, kind):
    return MulShift(
        multiplier=rng.integers(-400, 400, cols),
        shift=rng.integers(0, 12, cols),
        zero_point=int(rng.integers(-20, 20)),
        type=kind,
    )


def tflite(rng, cols, kind):
    low = int(rng.integers(kind.low, kind.high))
    return TFLite(
        multiplier=rng.integers(1 << 20, 1 << 31, cols) * rng.choice([1, -1], cols),
        shift=rng.integers(-6, 1, cols),
        zero_point=int(rng.integers(-20, 20)),
        low=low,
        high=int(rng.integers(low, kind.high + 1)),
        type=kind,
    )


@pytest.mark.parametrize("make", [mulshift, tflite])
@pytest.mark.parametrize("seed", range(20))
def test_thresholds_are_the_requantiser(make, seed):
    """Over every integer of the type; rising, falling and constant channels."""
    rng = np.random.default_rng(seed)
    kind = IntType(int(rng.integers(1, 9)), bool(rng.random() < 0.5))
    given = make(rng, 5, kind)
    found = thresholds_of(given, S10)
    assert isinstance(found, Thresholds)
    every = np.repeat(np.arange(S10.low, S10.high + 1)[:, None], 5, axis=1)
    np.testing.assert_array_equal(found.run(every), given.run(every))
    assert found.type == kind


def test_thresholds_stay_as_they_are():
    given = Thresholds(thresholds=[[3]], sign=[1], low=0, type=IntType(1))
    assert thresholds_of(given, S10) is given


def test_no_thresholds_of_tables_and_of_many_codes():
    code = MulShift(multiplier=[1], shift=[0], zero_point=0, type=IntType(9, signed=True))
    table = Table(code=code, table=np.zeros(512, dtype=int), type=S8)
    assert thresholds_of(table, S10) is None
    assert thresholds_of(code, S10) is None


@pytest.mark.parametrize("unit", [7, None])
def test_a_moved_requantiser_is_the_requantiser(unit):
    """Sums of seven for each integer, exactly or with a remainder below a half."""
    rng = np.random.default_rng(1)
    given, bias = tflite(rng, 4, S8), rng.integers(-50, 50, 4)
    integers = rng.integers(-400, 400, (200, 4))
    line = Line(np.full(4, 1 / 7), np.full(4, 0.0 if unit else 3.0), unit)
    sums = (integers - (0 if unit else 3)) * 7 + rng.integers(-3, 4, integers.shape)
    found, summand = moved(given, IntType(12, signed=True), line, bias)
    assert isinstance(found, Thresholds)
    np.testing.assert_array_equal(found.run(sums + summand), given.run(integers + bias))


@pytest.mark.parametrize("make", ["mulshift", "table", "tflite"])
def test_many_codes_keep_a_multiplier(make):
    """Within one code of the exact one, where two roundings meet."""
    rng = np.random.default_rng(2)
    kind, bias = IntType(10, signed=True), rng.integers(-50, 50, 3)
    code = MulShift(multiplier=[700, -900, 1100], shift=[10, 10, 10], zero_point=3, type=kind)
    given = code
    if make == "tflite":
        given = TFLite(multiplier=np.array([5, 9, 13]) * 123456789, shift=[0, 0, 0], zero_point=3,
                       low=kind.low, high=kind.high, type=kind)  # fmt: skip
    elif make == "table":
        given = Table(code=code, table=np.arange(-512, 512) // 2, type=kind)
    integers = rng.integers(-400, 400, (300, 3))
    line = Line(np.full(3, 1 / 7), np.zeros(3))
    found, summand = moved(given, IntType(11, signed=True), line, bias)
    assert type(found) is (Table if make == "table" else MulShift)
    error = found.run(integers * 7 + summand) - given.run(integers + bias)
    assert int(np.abs(error).max()) <= 1
    assert float(np.mean(error != 0)) < 0.02


def test_sums_become_integers_again():
    rng = np.random.default_rng(3)
    bias = rng.integers(-50, 50, 3)
    integers = rng.integers(-400, 400, (300, 3))
    line = Line(np.full(3, 1 / 7), np.array([0.0, 2.0, -1.0]))
    sums = (integers - line.offset.astype(int)) * 7 + rng.integers(-3, 4, integers.shape)
    found, summand = whole(S10, line, bias)
    np.testing.assert_array_equal(found.run(sums + summand), integers + bias)
