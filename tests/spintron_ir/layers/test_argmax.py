"""Tests of spintron_ir.layers.argmax."""

import itertools

import numpy as np
import pytest

from spintron_ir import Argmax, IntType, ParameterError


def test_all_small_inputs():
    layer = Argmax(input=IntType(2, signed=True), length=4)
    x = list(itertools.product(range(-2, 2), repeat=4))
    assert layer.run(x).tolist() == [[row.index(max(row))] for row in x]


@pytest.mark.parametrize(("length", "bits"), [(1, 1), (2, 1), (3, 2), (10, 4), (65536, 16)])
def test_facts(length, bits):
    layer = Argmax(input=IntType(4), length=np.int64(length))
    assert (layer.type, layer.shape) == (IntType(bits), (1,))
    assert layer.in_ports == (((length,), IntType(4)),)


@pytest.mark.parametrize("length", [0, 65537, "3"])
def test_refuses(length):
    message = rf"Argmax: length must be an integer in 1\.\.65536, not {length!r}"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        Argmax(input=IntType(4), length=length)
