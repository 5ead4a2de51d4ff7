"""Tests of spintron_ir.layers.flatten."""

import re

import numpy as np
import pytest

from spintron_ir import Flatten, IntType, ParameterError
from spintron_ir.record import decode, encode


def test_order_is_row_major():
    layer = Flatten(in_shape=(2, 3), type=IntType(4))
    assert layer.run([[[1, 2, 3], [4, 5, 6]]]).tolist() == [[1, 2, 3, 4, 5, 6]]
    assert layer.run(np.zeros((0, 2, 3), int)).shape == (0, 6)
    assert (layer.shape, layer.in_ports) == ((6,), (((2, 3), IntType(4)),))


def test_other_shapes():
    layer = Flatten(in_shape=(6, 2), type=IntType(4), out_shape=(2, 3, 2))
    assert (layer.shape, layer.in_ports) == ((2, 3, 2), (((6, 2), IntType(4)),))
    x = np.arange(12).reshape(1, 6, 2)
    assert layer.run(x).tolist() == [
        [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]],
    ]
    encoded = encode(layer, "layer", {})
    assert decode(encoded, {}).shape == (2, 3, 2)
    assert "out_shape" not in encode(Flatten(in_shape=(6,), type=IntType(4)), "layer", {})


@pytest.mark.parametrize(
    ("out_shape", "message"),
    [
        ((4,), "Flatten: out_shape must hold the 6 values of in_shape, not 4"),
        ((), "Flatten: out_shape must be a tuple of 1 to 8 sizes, not ()"),
    ],
)
def test_refuses_another_size(out_shape, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        Flatten(in_shape=(2, 3), type=IntType(4), out_shape=out_shape)


@pytest.mark.parametrize(
    ("in_shape", "message"),
    [
        ((), "Flatten: in_shape must be a tuple of 1 to 8 sizes, not ()"),
        ((2, 0), "Flatten: in_shape[1] must be an integer in 1..16777216, not 0"),
        ((1 << 24, 2), "Flatten: in_shape must hold at most 2**24 values, not 33554432"),
        (6, "Flatten: in_shape must be a tuple, not 6"),
    ],
)
def test_refuses(in_shape, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        Flatten(in_shape=in_shape, type=IntType(4))
