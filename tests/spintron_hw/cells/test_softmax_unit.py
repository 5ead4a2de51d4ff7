# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.softmax_unit."""

import numpy as np
import pytest

from spintron_hw.cells.softmax_unit import SoftmaxUnit
from spintron_hw.testing import check_cell, first_latency, measured_interval
from spintron_ir import IntType, Softmax
from spintron_ir.errors import ParameterError

INT8, UINT8 = IntType(8, signed=True), IntType(8)


def softmax(length, kind=INT8, to=UINT8, scale=0.1):
    values = np.exp(-scale * np.arange(1 << kind.bits))
    table = np.minimum(np.round(values * 2**31), (1 << 31) - 1).astype(np.int64)
    return Softmax(in_shape=(length,), input=kind, exponential=table, type=to)


@pytest.mark.parametrize(
    "layer",
    [
        softmax(1),
        softmax(2, IntType(1)),
        softmax(7, to=IntType(8, signed=True)),
        softmax(10, IntType(4), IntType(2), scale=1.0),
        softmax(13, IntType(5), IntType(16, signed=True), scale=0.5),
        softmax(100, scale=0.001),
    ],
    ids=lambda layer: f"{layer.in_shape[0]}-{layer.input}-{layer.type}",
)
def test_agrees_with_contract(layer):
    cell = SoftmaxUnit(layer=layer)
    rng = np.random.default_rng(0)
    low, high = layer.input.low, layer.input.high
    vectors = rng.integers(low, high + 1, (8, cell.length))
    vectors[0], vectors[1] = low, high
    vectors[2, 0] = low
    beats = vectors.reshape(-1, 1)
    check_cell(cell, beats, cell.compute(beats))
    few = beats[: cell.length]
    assert measured_interval(cell, few) == cell.interval
    assert first_latency(cell, few) == cell.latency


def test_refuses_what_is_no_softmax():
    message = "SoftmaxUnit: layer must be a Softmax, not 3"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        SoftmaxUnit(layer=3)
