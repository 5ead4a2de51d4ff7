"""Tests of spintron_ir.arith against numbers worked out elsewhere."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spintron_ir import arith

INT40 = st.integers(-(1 << 40), 1 << 40)


@given(INT40, st.integers(0, 60))
def test_round_shift_is_the_nearest_integer_with_ties_upwards(x, shift):
    quotient = Fraction(x, 1 << shift)
    assert arith.round_shift(x, shift) == math.floor(quotient + Fraction(1, 2))


def test_round_shift_by_hand():
    # 5 / 2 = 2.5 and -5 / 2 = -2.5 are ties, and go up; 7 / 4 = 1.75; a shift for each value.
    assert arith.round_shift([5, -5], 1).tolist() == [3, -2]
    assert arith.round_shift([7, 7, 7, 7], [0, 1, 2, 3]).tolist() == [7, 4, 2, 1]
    assert arith.round_shift(np.array([[6], [-6]]), 2).tolist() == [[2], [-1]]


@pytest.mark.parametrize("bits", range(1, 6))
@pytest.mark.parametrize("signed", [False, True])
def test_saturate_clips(bits, signed):
    values = range(-1 << (bits - 1), 1 << (bits - 1)) if signed else range(1 << bits)
    low, high = values[0], values[-1]
    for x in range(-40, 40):
        assert arith.saturate(x, bits, signed) == sorted((low, x, high))[1]


@pytest.mark.parametrize("signed", [False, True])
def test_chunks_on_all_small_values(signed):
    for bits in range(1, 8):
        low = -(1 << (bits - 1)) if signed else 0
        values = list(range(low, low + (1 << bits)))
        for dac_bits in range(1, bits + 1):
            found = arith.chunks(values, bits=bits, signed=signed, dac_bits=dac_bits)
            assert len(found) == math.ceil(bits / dac_bits)
            left = bits - dac_bits * (len(found) - 1)
            for value, parts in zip(values, found.T.tolist()):
                # Independent of shifts: the digits of the bit pattern, written as text.
                pattern = format(value % (1 << bits), f"0{bits}b")
                cuts = [
                    pattern[max(0, bits - (p + 1) * dac_bits) : bits - p * dac_bits]
                    for p in range(len(found))
                ]
                expected = [int(cut, 2) for cut in cuts]
                if signed and expected[-1] >= 1 << (left - 1):
                    expected[-1] -= 1 << left
                assert parts == expected
                assert sum(part << (dac_bits * p) for p, part in enumerate(parts)) == value


def test_adc_by_hand():
    # (37 * 3 - 5) / 16 = 6.625 -> 7; (-40 * 3 - 5) / 16 = -7.8125 -> -8, which is the least code.
    code = arith.adc_code([37, -40, 1000], gain=3, offset=-5, shift=4, bits=4)
    assert code.tolist() == [7, -8, 7]
    code = arith.adc_code([37, -40, 1000], gain=3, offset=-5, shift=4, bits=4, signed=False)
    assert code.tolist() == [7, 0, 15]
    assert arith.adc_code([37, -40], gain=3, offset=-5, shift=4, bits=None).tolist() == [37, -40]


@pytest.mark.parametrize("signed", [False, True])
def test_sense_is_a_one_bit_adc(signed):
    levels = np.arange(-70, 71)
    for gain, offset, shift in itertools.product((1, 2, 3, 5, 7), range(-33, 34), range(5)):
        threshold = arith.sense_threshold(gain=gain, offset=offset, shift=shift, signed=signed)
        expected = arith.adc_code(
            levels, gain=gain, offset=offset, shift=shift, bits=1, signed=signed
        )
        np.testing.assert_array_equal(arith.sense(levels, threshold, signed), expected)


def test_transition_code_by_hand():
    # IEEE 1241: the code is k where T[k] <= level < T[k + 1]. Levels -5 and 3 stand on T[1], T[3].
    transitions = [-5, 0, 3, 3, 8, 9, 40]
    levels = [-6, -5, -1, 0, 2, 3, 7, 8, 9, 39, 40, 99]
    codes = [0, 1, 1, 2, 2, 4, 4, 5, 6, 6, 7, 7]
    assert arith.transition_code(levels, transitions=transitions, low=0).tolist() == codes
    signed = arith.transition_code(levels, transitions=transitions, low=-4)
    assert signed.tolist() == [code - 4 for code in codes]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("gain", [1, 3, 7])
@pytest.mark.parametrize(("bits", "shift", "offset"), [(1, 2, -3), (3, 0, 5), (4, 3, -1)])
def test_even_transitions_make_a_linear_converter(signed, gain, bits, shift, offset):
    # gain * level + offset rounds up to a code k or more from 2**shift * (k - 1/2) on.
    low = -(1 << (bits - 1)) if signed else 0
    transitions = [
        math.ceil(((low + n) * Fraction(1 << shift) - Fraction(1 << shift, 2) - offset) / gain)
        for n in range(1, 1 << bits)
    ]
    levels = np.arange(-200, 200)
    kind = {"gain": gain, "offset": offset, "shift": shift, "signed": signed}
    found = arith.transition_code(levels, transitions=transitions, low=low)
    np.testing.assert_array_equal(found, arith.adc_code(levels, bits=bits, **kind))
    if bits == 1:
        assert arith.sense_threshold(**kind) == transitions[0]
        np.testing.assert_array_equal(found, arith.sense(levels, transitions[0], signed))


@given(
    INT40,
    st.integers(-(1 << 20), 1 << 20),
    st.integers(0, 40),
    st.integers(-300, 300),
    st.integers(1, 10),
    st.booleans(),
)
def test_mulshift_is_exact(acc, multiplier, shift, zero_point, bits, signed):
    exact = math.floor(Fraction(acc * multiplier, 1 << shift) + Fraction(1, 2)) + zero_point
    low = -(1 << (bits - 1)) if signed else 0
    expected = min(max(exact, low), low + (1 << bits) - 1)
    found = arith.mulshift(
        acc, multiplier=multiplier, shift=shift, zero_point=zero_point, bits=bits, signed=signed
    )
    assert found == expected


def test_count_thresholds_counts():
    thresholds = np.array([[-3, 0, 0, 5], [-2, -1, 4, 9]])
    acc = np.arange(-8, 12)[:, None].repeat(2, axis=1)
    found = arith.count_thresholds(acc, thresholds=thresholds, sign=[1, -1], low=-7)
    for row, value in zip(found.tolist(), acc[:, 0].tolist()):
        assert row == [
            -7 + sum(value >= t for t in (-3, 0, 0, 5)),
            -7 + sum(-value >= t for t in (-2, -1, 4, 9)),
        ]


def test_lookup_starts_at_low():
    assert arith.lookup([[-2], [1]], table=[9, 8, 7, 6], low=-2).tolist() == [[9], [6]]


def test_noise_z_has_its_stated_distribution():
    found = Counter(arith.noise_z(np.arange(1 << 16)).tolist())

    # A binomial count of 13 fair bits in steps of 16, spread evenly by three more bits.
    expected = Counter()
    for count in range(14):
        for fine in range(8):
            expected[2 * (8 * count + fine) - 111] += math.comb(13, count)
    assert found == expected
    assert set(found) == set(range(-111, 112, 2))

    total = sum(found.values())
    moments = [sum(n * z**k for z, n in found.items()) for k in range(5)]
    assert moments[1] == moments[3] == 0
    assert Fraction(moments[2], total) == 853
    assert round(Fraction(moments[4], total) / 853**2 - 3, 3) == Fraction(-147, 1000)


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_noise_value_scales_and_rounds(word, amplitude):
    ones = bin(word >> 3).count("1")
    z = 2 * (8 * ones + word % 8) - 111
    exact = math.floor(Fraction(amplitude * z, 4096) + Fraction(1, 2))
    assert arith.noise_value(word, amplitude) == exact


def test_argmax_takes_the_lowest_of_equals():
    assert arith.argmax([[1, 4, 4], [5, 5, 5], [-3, -1, -2]]).tolist() == [1, 0, 1]
    assert arith.argmax([[1, 9], [9, 1]], axis=0).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0], "the contract is defined on integers, not on float64"),
        ([True], "the contract is defined on integers, not on bool"),
        ([1 << 70], "the contract is defined on integers, not on object"),
        (
            np.array([1 << 63], np.uint64),
            "the contract is defined on integers of at most 64 bits signed",
        ),
    ],
)
def test_refuses_what_is_no_integer(value, message):
    with pytest.raises(TypeError, match=f"^{message}$"):
        arith.as_int(value)


def test_all_integer_types_are_taken():
    for dtype in "bBhHiIlLqQ":
        found = arith.as_int(np.array([1, 2], dtype=dtype))
        assert found.dtype == np.int64 and found.tolist() == [1, 2]
