# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.transition_adc."""

import math
from fractions import Fraction

import numpy as np
import pytest

from spintron_hw.cells.column_adc import ColumnADC
from spintron_hw.cells.sense_amplifier import SenseAmplifier
from spintron_hw.cells.transition_adc import TransitionADC
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

INT8 = IntType(8, signed=True)
GOOD = {"level": INT8, "bits": 2, "signed": False, "transitions": [[[-5, 0, 7]]]}
FAR = [[[-(2**31), 0, 2**31 - 1], [2**31 - 1] * 3, [-(2**31)] * 3]]


def make(*, spread=200, steps=1, lanes=2, **changed):
    """A cell whose transitions are drawn at random, so that some of them are equal."""
    kind = GOOD | changed
    if "transitions" not in changed:
        rng = np.random.default_rng(kind["bits"])
        shape = (steps, lanes, 2 ** kind["bits"] - 1)
        kind["transitions"] = np.sort(rng.integers(-spread, spread, shape), axis=-1)
    return TransitionADC(**kind)


@pytest.mark.parametrize(
    "changed",
    [
        {"bits": 1},
        {"bits": 1, "signed": True, "steps": 3, "repeat": 2},
        {"bits": 2, "signed": True},
        {"bits": 3, "spread": 3},
        {"bits": 4, "lanes": 5, "steps": 2},
        {"bits": 3, "lanes": 1, "steps": 5, "repeat": 3},
        {"bits": 8, "signed": True},
        {"bits": 6, "steps": 3, "level": IntType(12), "spread": 4096},
        {"transitions": FAR},
        {"transitions": FAR, "level": IntType(1)},
        {"transitions": np.repeat([[[-9, 0, 3]]], 4, axis=0), "repeat": 2},
        {"transitions": [[[-9, 0, 3]], [[-9, 5, 7]], [[-9, 5, 5]]]},
    ],
    ids=str,
)
def test_agrees_with_contract(changed):
    adc = make(**changed)
    rng = np.random.default_rng(0)
    levels = rng.integers(adc.level.low, adc.level.high, (40, adc.lanes), endpoint=True)
    levels[0], levels[1] = adc.level.low, adc.level.high
    near = np.clip(adc.transitions[0], adc.level.low, adc.level.high)
    levels[2 : 2 + near.shape[1]] = near.T[:38]  # on a transition, of the first step
    check_cell(adc, levels, adc.compute(levels))
    assert first_latency(adc, levels[:1]) == adc.latency == 2 * adc.bits - 1
    assert measured_interval(adc, levels[:1]) == TransitionADC.interval


def test_every_level():
    adc = make(bits=5, spread=120, lanes=1, signed=True)
    levels = np.arange(INT8.low, INT8.high + 1)[:, None]
    codes = [[sum(level >= t for t in adc.transitions[0, 0]) - 16] for level in levels.ravel()]
    assert run_stream(adc, levels, stall=0) == codes


def test_worked_example():
    # By hand: -6 is below -5, code 0; -5 stands on it, 1; 6 lies from 0 to 7, 2; 7 gives 3. In the
    # second step codes 1 and 2 are missing. Two beats a step.
    adc = make(transitions=[[[-5, 0, 7]], [[3, 3, 3]]], repeat=2)
    levels = [[-6], [-5], [2], [3], [6], [7]]
    assert run_stream(adc, levels) == [[0], [1], [0], [3], [2], [3]]


@pytest.mark.parametrize("signed", [True, False])
def test_is_a_linear_adc_where_transitions_are_even(signed):
    code = IntType(4, signed)
    # (level * 3 + 5) / 8 rounds to k or more from (8 * k - 4 - 5) / 3 on.
    even = [math.ceil(Fraction(8 * k - 9, 3)) for k in range(code.low + 1, code.high + 1)]
    adc = make(bits=4, signed=signed, transitions=[[even]])
    linear = ColumnADC(level=INT8, bits=4, signed=signed, shift=3, gain=[[3]], offset=[[5]])
    levels = np.arange(INT8.low, INT8.high + 1)[:, None]
    assert run_stream(adc, levels) == run_stream(linear, levels)


@pytest.mark.parametrize("signed", [True, False])
def test_is_a_sense_amplifier_where_it_has_one_bit(signed):
    adc = make(bits=1, signed=signed, transitions=[[[11]]])
    amplifier = SenseAmplifier(level=INT8, signed=signed, threshold=[[11]])
    levels = np.arange(INT8.low, INT8.high + 1)[:, None]
    assert run_stream(adc, levels) == run_stream(amplifier, levels)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"level": 8}, r"level must be an IntType of at most 40 bits, not 8"),
        ({"bits": 9}, r"bits must be an integer in 1\.\.8, not 9"),
        ({"signed": 1}, r"signed must be True or False, not 1"),
        (
            {"bits": 3},
            r"transitions must be an array of shape \(any, any, 7\), not of shape \(1, 1, 3\)",
        ),
        ({"transitions": [[[0.5, 1, 2]]]}, r"transitions must hold integers, not float64"),
        (
            {"transitions": [[[0, 1, 1 << 31]]]},
            r"transitions must lie in -2147483648\.\.2147483647, not in 0\.\.2147483648",
        ),
        (
            {"transitions": [[[0, 2, 1]]]},
            r"transitions must not fall along the last axis; sort them",
        ),
        ({"repeat": 0}, r"repeat must be an integer in 1\.\.65536, not 0"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^TransitionADC: {message}$"):
        TransitionADC(**GOOD | changed)
