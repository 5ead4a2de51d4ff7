"""Tests of spintron_ir.layers.converters: in a layer, and what they refuse."""

import re

import numpy as np
import pytest

from spintron_ir import Adc, Dense, IntType, Noise, ParameterError


def make(**changed):
    """Weights (3, -2; 0, 2; -3, -2), two rows a tile, inputs in chunks of two bits."""
    layer = {
        "codes": np.array([[[[3, 0], [1, 2], [0, 1]], [[0, 2], [1, 0], [3, 3]]]]),
        "cell_bits": 2,
        "scheme": "pair",
        "input": IntType(4),
        "dac_bits": 2,
        "slice_shift": (0,),
        "tile_rows": 2,
        "bias": [10, -10],
    }
    return Dense(**layer | changed)


def test_worked_example_with_transitions():
    # Inputs 9, 6, 13 are the chunks (1, 2), (2, 1), (1, 3). Column 0 has 3 and 6 in group 0, -3 and
    # -9 in group 1; column 1 has 2, -2, -2, -6. The code is 0 below -4, 1 up to 2, 2 from 3 to 5, 3
    # from 6: codes 2, 3, 1, 0 make 2 + 3*4 + 1 + 0*4 = 15; 1, 1, 1, 0 make 1 + 4 + 1 + 0 = 6.
    adc = Adc(bits=2, signed=False, transitions=[[[[[-4, 3, 6]]]]])
    assert make(adc=adc).run([[9, 6, 13]]).tolist() == [[25, -4]]
    # A level for each converter: in group 0 as before, in group 1 all codes miss but the ends.
    adc = Adc(bits=2, signed=False, transitions=[[[[[-4, 3, 6]]]], [[[[-3, -3, -3]]]]])
    assert make(adc=adc).run([[9, 6, 13]]).tolist() == [[2 + 12 + 3 + 10, 1 + 4 + 3 - 10]]


def test_a_sense_amplifier_is_one_transition():
    linear = make(adc=Adc(bits=1, shift=2, signed=False))  # 1 where level / 4 rounds to 1 or more
    transition = make(adc=Adc(bits=1, signed=False, transitions=[[[[[2]]]]]))
    x = np.random.default_rng(0).integers(0, 16, (50, 3))
    np.testing.assert_array_equal(transition.run(x), linear.run(x))
    assert linear.adc.thresholds(linear).tolist() == transition.adc.thresholds(linear).tolist()
    assert len(np.unique(linear.run(x))) > 4


@pytest.mark.parametrize("move", [-1, 0, 1])
def test_transitions_at_the_edge_of_single_precision(move, reference):
    # Levels reach 16 * 255 * 4095 = 16 707 600, just below 2**24 = 16 777 216: single precision.
    codes = np.full((1, 2, 16, 1), 4095)
    codes[:, 1] = 0
    top = 16 * 255 * 4095
    levels = np.array([[[[[top - 4095 + move, top + move, 2**31 - 1]]]]])
    layer = make(
        codes=codes, cell_bits=12, input=IntType(8), dac_bits=8, tile_rows=16, bias=[0],
        adc=Adc(bits=2, signed=False, transitions=levels),
    )  # fmt: skip
    assert layer.ranges.bound < 1 << 24
    x = np.full((3, 16), 255)
    x[1, 0], x[2, 0] = 254, 253
    assert layer.run(x).tolist() == reference(layer, x) == [[2 - (move > 0)], [move <= 0], [0]]


@pytest.mark.parametrize(
    ("make_part", "message"),
    [
        (lambda: Adc(bits=17, shift=0), "Adc: bits must be an integer in 1..16, not 17"),
        (lambda: Adc(bits=4, shift=32), "Adc: shift must be an integer in 0..31, not 32"),
        (lambda: Adc(bits=4, shift=0, signed=1), "Adc: signed must be True or False, not 1"),
        (
            lambda: Adc(bits=4, shift=0, gain=[[[[0]]]]),
            "Adc: the least gain must be an integer in 1..65535, not 0",
        ),
        (
            lambda: Adc(bits=9, transitions=[[[[[1]]]]]),
            "Adc: bits with transitions must be an integer in 1..8, not 9",
        ),
        (
            lambda: Adc(bits=2, transitions=[[[[[1, 2]]]]]),
            "Adc: transitions must have 3 levels on the last axis for 2 bits, not 2",
        ),
        (
            lambda: Adc(bits=2, transitions=[[[[[1, 3, 2]]]]]),
            "Adc: transitions must not fall along the last axis; sort them",
        ),
        (
            lambda: Adc(bits=1, transitions=[[[[1]]]]),
            "Adc: transitions must be an array of 5 axes with at least one entry, "
            "not of shape (1, 1, 1, 1)",
        ),
        (
            lambda: Adc(bits=1, shift=2, offset=[[[[-7]]]], transitions=[[[[[1]]]]]),
            "Adc: gain, offset and shift must be left at 1, 0 and 0 with transitions, "
            "not be up to 1, 7 and 2; move the transitions instead",
        ),
        (
            lambda: Adc(bits=1, gain=[[[[3]]]], transitions=[[[[[1]]]]]),
            "Adc: gain, offset and shift must be left at 1, 0 and 0 with transitions, "
            "not be up to 3, 0 and 0; move the transitions instead",
        ),
        (
            lambda: Noise(seed=1 << 64, amplitude=[[[[1]]]]),
            "Noise: seed must be an integer in 0..18446744073709551615, not 18446744073709551616",
        ),
        (
            lambda: Noise(seed=1, amplitude=[[[[65536]]]]),
            "Noise: amplitude must lie in 0..65535, not in 65536..65536",
        ),
    ],
)
def test_converters_refuse(make_part, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make_part()
