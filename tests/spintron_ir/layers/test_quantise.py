"""Tests of spintron_ir.layers.quantise."""

import numpy as np
import pytest

from spintron_ir import (
    IntType,
    MulShift,
    Network,
    Node,
    Output,
    ParameterError,
    Port,
    Quantise,
    Table,
    TFLite,
    Thresholds,
)

U3, S4 = IntType(3), IntType(4, signed=True)


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


def test_a_channel_for_each_of_the_last_axis():
    layer = Quantise(in_shape=(2, 2), input=U3, requantise=thresholds([[2, 5], [-5, -4]], [1, -1]))
    assert layer.run([[[4, 4], [1, 6]]]).tolist() == [[[1, 2], [0, 0]]]


def test_a_mulshift():
    """3 / 4 of each value, ties upwards, minus 1; the second channel half of it, at most 3."""
    half = MulShift(multiplier=[3, 1], shift=[2, 1], zero_point=-1, type=IntType(3, signed=True))
    layer = Quantise(in_shape=(2, 2), input=U3, requantise=half)
    assert layer.run([[[2, 5], [7, 6]]]).tolist() == [[[1, 2], [3, 2]]]
    assert layer.type == IntType(3, signed=True)


def test_a_table():
    """Squares of -2..1, which no thresholds give."""
    code = MulShift(multiplier=[1], shift=[0], zero_point=0, type=IntType(2, signed=True))
    square = Table(code=code, table=[4, 1, 0, 1], type=U3)
    layer = Quantise(in_shape=(4,), input=IntType(4, signed=True), requantise=square)
    assert layer.run([[-8, -1, 0, 7]]).tolist() == [[4, 1, 0, 1]]


def test_tflite():
    lite = TFLite(multiplier=[3 << 29], shift=[-1], zero_point=0, low=-8, high=7, type=S4)
    layer = Quantise(in_shape=(3,), input=S4, requantise=lite)
    assert layer.run([[3, 1, -3]]).tolist() == [[1, 1, -1]]  # as arith.tflite has it


@pytest.mark.parametrize("seed", range(10))
def test_channels_are_requantised_each_by_itself(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 4, 3).tolist())
    cols = int(rng.choice([1, shape[-1], np.prod(shape)]))
    rq = MulShift(
        multiplier=rng.integers(-9, 9, cols), shift=rng.integers(0, 4, cols), zero_point=3, type=S4
    )
    layer = Quantise(in_shape=shape, input=S4, requantise=rq)
    x = rng.integers(-8, 8, (4, *shape))
    every = np.resize(np.arange(cols), np.prod(shape)).reshape(shape)
    scaled = x * rq.multiplier.astype(int)[every] / 2.0 ** rq.shift[every]
    np.testing.assert_array_equal(layer.run(x), np.clip(np.floor(scaled + 0.5) + 3, -8, 7))


def test_refuses_products_that_overflow():
    rq = MulShift(multiplier=[-(1 << 31)], shift=[3], zero_point=0, type=U3)
    message = (
        r"Quantise: every product must stay below 2\*\*62, not reach 604462909807314587353092: "
        "use fewer bits or smaller multipliers"
    ).replace("604462909807314587353092", str(((1 << 48) - 1) * (1 << 31) + 4))
    with pytest.raises(ParameterError, match=f"^{message}$"):
        Quantise(in_shape=(3,), input=IntType(48), requantise=rq)


def test_file_comes_back(tmp_path):
    code = MulShift(multiplier=[1, 2], shift=[0, 1], zero_point=0, type=IntType(1))
    layer = Quantise(in_shape=(3, 2), input=U3, requantise=Table(code=code, table=[5, 2], type=U3))
    net = Network(
        name="net",
        inputs=(Port(name="x", shape=(3, 2), type=U3),),
        nodes=(Node(name="codes", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="codes"),),
    )
    net.save(tmp_path / "net")
    loaded = Network.load(tmp_path / "net")
    assert loaded.to_bytes() == net.to_bytes()
    assert loaded.run([[[0, 1], [2, 0], [7, 7]]]).tolist() == [[[5, 2], [2, 5], [2, 2]]]
