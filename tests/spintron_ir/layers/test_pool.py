"""Tests of spintron_ir.layers.pool."""

import re

import numpy as np
import pytest

from spintron_ir import IntType, ParameterError, Pool, Window
from spintron_ir.record import decode, encode

GOOD = {"input": IntType(3, signed=True), "in_shape": (2, 6), "channels": 2, "mode": "max"}


@pytest.mark.parametrize(("mode", "expected"), [("max", [3, 2]), ("sum", [-3, -1])])
def test_worked_example(mode, expected):
    # Channel 0 has -4, 3, -2 and channel 1 has 1, -4, 2.
    layer = Pool(**GOOD | {"mode": mode, "in_shape": (1, 6)})
    assert layer.run([[[-4, 1, 3, -4, -2, 2]]]).tolist() == [[expected]]


def test_types():
    assert Pool(**GOOD).type == IntType(3, signed=True)
    assert Pool(**GOOD | {"mode": "sum"}).type == IntType(5, signed=True)  # -12..9
    assert Pool(**GOOD | {"mode": "sum", "input": IntType(4)}).type == IntType(6)  # 0..45
    assert (Pool(**GOOD).shape, Pool(**GOOD).in_ports[0][0]) == ((2, 2), (2, 6))


@pytest.mark.parametrize(("kernel", "stride", "pad"), [(2, 2, 0), (3, 2, 1), (3, 1, 1)])
def test_behind_windows_it_is_torch_pooling(kernel, stride, pad):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).integers(-8, 8, (3, 7, 6, 4))
    window = Window(
        in_shape=(7, 6, 4), type=IntType(4, signed=True), kernel=(kernel,) * 2,
        stride=(stride,) * 2, padding=(pad,) * 4, pad_value=-8,
    )  # fmt: skip
    pool = Pool(input=window.type, in_shape=window.shape, channels=4, mode="max")
    images = torch.tensor(x.transpose(0, 3, 1, 2), dtype=torch.float64)
    expected = torch.nn.functional.max_pool2d(images, kernel, stride, pad)
    found = pool.run(window.run(x)).reshape(3, *window.grid, 4)
    np.testing.assert_array_equal(found.transpose(0, 3, 1, 2), expected.numpy().astype(int))


def test_file_comes_back():
    layer = Pool(**GOOD)
    again = decode(encode(layer, "layer", {}), {})
    assert encode(again, "layer", {}) == encode(layer, "layer", {})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"input": IntType(33)}, "input.bits must be an integer in 1..32, not 33"),
        ({"mode": "mean"}, "mode must be one of 'max', 'sum', not 'mean'"),
        ({"in_shape": (6,)}, "in_shape must be (positions, places * channels), not (6,)"),
        ({"channels": 7}, "channels must be an integer in 1..6, not 7"),
        ({"channels": 4}, "channels must divide the 6 values of a window, not be 4"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Pool: {re.escape(message)}$"):
        Pool(**GOOD | changed)
