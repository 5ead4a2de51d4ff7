"""Tests of spintron_ir.layers.quantise."""

import numpy as np
import pytest

from spintron_ir import IntType, ParameterError, Quantise, Thresholds

U3 = IntType(3)


def thresholds(rows, sign=None, low=0):
    sign = [1] * len(rows) if sign is None else sign
    return Thresholds(thresholds=rows, sign=sign, low=low, type=IntType(3, signed=True))


def test_a_channel_for_all_values():
    layer = Quantise(in_shape=(2, 2), input=U3, requantise=thresholds([[2, 5]], low=-1))
    assert layer.run([[[0, 2], [4, 7]]]).tolist() == [[[-1, 0], [0, 1]]]
    assert layer.shape == (2, 2)
    assert layer.type == IntType(3, signed=True)
    assert layer.in_ports == (((2, 2), U3),)


def test_a_channel_for_each_value():
    """A falling channel counts the thresholds that the negated value reaches: -4 >= -5, -4."""
    layer = Quantise(in_shape=(2,), input=U3, requantise=thresholds([[2, 5], [-5, -4]], [1, -1]))
    assert layer.run(np.array([[4, 4], [1, 6], [5, 5]])).tolist() == [[1, 2], [0, 0], [2, 1]]


def test_no_frames():
    for rows in ([[2, 5]], [[2, 5]] * 4):
        layer = Quantise(in_shape=(2, 2), input=U3, requantise=thresholds(rows))
        assert layer.run(np.zeros((0, 2, 2), dtype=int)).shape == (0, 2, 2)


def test_refuses_other_channels():
    message = (
        "Quantise: requantise must have one channel, one for each of the 3 channels of the last "
        "axis or one for each of the 3 values, not 2"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        Quantise(in_shape=(3,), input=U3, requantise=thresholds([[1], [2]]))


def test_refuses_other_requantisers():
    message = "Quantise: requantise must be MulShift, Thresholds, Table or TFLite, not NoneType"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        Quantise(in_shape=(3,), input=U3, requantise=None)


def test_refuses_wide_inputs():
    with pytest.raises(
        ParameterError, match=r"^Quantise: input must have at most 48 bits, not 49$"
    ):
        Quantise(in_shape=(3,), input=IntType(49), requantise=thresholds([[1]]))
