"""Tests of spintron_ir.layers.window."""

import re

import numpy as np
import pytest

from spintron_ir import Dense, IntType, Network, Node, Output, ParameterError, Port, Window
from spintron_ir.record import encode

GOOD = {"in_shape": (4, 5, 2), "type": IntType(4, signed=True), "kernel": (3, 2)}


def test_worked_example():
    # 1 2 3   positions of a 2 x 2 kernel at a distance of 2, one column of -1 to the left:
    # 4 5 6   the columns -1, 1 | 2, 3
    layer = Window(
        in_shape=(2, 3, 1), type=GOOD["type"], kernel=(2, 2), stride=(1, 2), padding=(0, 1, 0, 0),
        pad_value=-1,
    )  # fmt: skip
    x = [[[[1], [2], [3]], [[4], [5], [6]]]]
    assert layer.grid == (1, 2)
    assert layer.run(x).tolist() == [[[-1, 1, -1, 4], [2, 3, 5, 6]]]


def test_channels_are_the_last_axis():
    layer = Window(in_shape=(1, 3, 2), type=IntType(4), kernel=(1, 2))
    assert layer.run([[[[1, 2], [3, 4], [5, 6]]]]).tolist() == [[[1, 2, 3, 4], [3, 4, 5, 6]]]


def test_groups_come_one_after_the_other():
    # Two pixels of the channels 1, 2, 3, 4 and 5, 6, 7, 8: the group of 1 and 2, then of 3 and 4.
    layer = Window(in_shape=(1, 2, 4), type=IntType(4), kernel=(1, 2), groups=2)
    assert layer.run([[[[1, 2, 3, 4], [5, 6, 7, 8]]]]).tolist() == [[[1, 2, 5, 6, 3, 4, 7, 8]]]
    tensors = {}
    assert encode(layer, "layer", tensors)["groups"] == 2
    assert "groups" not in encode(Window(**GOOD), "layer", tensors)


@pytest.mark.parametrize("seed", range(40))
def test_with_a_matrix_it_is_torch_convolution(seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = (tuple(rng.integers(1, 4, 2).tolist()) for _ in range(3))
    pad = tuple(rng.integers(0, 4, 2).tolist())
    groups, own, block_cols = (int(rng.integers(1, 4)) for _ in range(3))
    channels, cols = groups * own, groups * block_cols
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, pad)]
    height, width = (int(low + rng.integers(0, 5)) for low in least)
    layer = Window(
        in_shape=(height, width, channels), type=IntType(5, signed=True), kernel=kernel,
        stride=stride, dilation=dilation, padding=(*pad, *pad), groups=groups,
    )  # fmt: skip
    x = rng.integers(-16, 16, (3, height, width, channels))
    kernels = rng.integers(-7, 8, (*kernel, own, cols))
    expected = torch.nn.functional.conv2d(
        torch.tensor(x.transpose(0, 3, 1, 2)), torch.tensor(kernels.transpose(3, 2, 0, 1)),
        stride=stride, padding=pad, dilation=dilation, groups=groups,
    ).numpy()  # fmt: skip
    weights = kernels.reshape(-1, cols)
    matrix = Dense(
        codes=np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)])[None], cell_bits=3,
        scheme="pair", input=layer.type, dac_bits=2, slice_shift=(0,), tile_rows=5,
        bias=np.zeros(cols, int), positions=layer.shape[0], blocks=groups,
    )  # fmt: skip
    found = matrix.run(layer.run(x))
    assert layer.grid == expected.shape[2:]
    np.testing.assert_array_equal(
        found.reshape(3, *layer.grid, cols), expected.transpose(0, 2, 3, 1)
    )


def test_file_comes_back(tmp_path):
    layer = Window(**GOOD, stride=(2, 1), dilation=(1, 3), padding=(1, 0, 2, 3), pad_value=-8)
    net = Network(
        name="net",
        inputs=(Port(name="x", shape=layer.in_shape, type=layer.type),),
        nodes=(Node(name="window", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="window"),),
    )
    net.save(tmp_path / "net")
    loaded = Network.load(tmp_path / "net")
    assert loaded.to_bytes() == net.to_bytes()
    x = np.random.default_rng(0).integers(-8, 8, (2, 4, 5, 2))
    np.testing.assert_array_equal(loaded.run(x), layer.run(x))
    assert layer.in_ports == (((4, 5, 2), IntType(4, signed=True)),)


def test_no_images_are_no_windows():
    layer = Window(**GOOD, groups=2)
    assert layer.run(np.empty((0, 4, 5, 2), dtype=np.int64)).shape == (0, *layer.shape)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"in_shape": (4, 5)}, "in_shape must be (height, width, channels), not (4, 5)"),
        ({"in_shape": (4, 5, 0)}, "in_shape[2] must be an integer in 1..65536, not 0"),
        ({"in_shape": (4096, 4097, 1)}, "in_shape must hold at most 2**24 values, not 16781312"),
        ({"kernel": 3}, "kernel must be a tuple, not 3"),
        ({"kernel": (3,)}, "kernel must be (height, width), not (3,)"),
        ({"stride": (0, 1)}, "stride[0] must be an integer in 1..65536, not 0"),
        ({"dilation": (1, 1, 1)}, "dilation must be (vertical, horizontal), not (1, 1, 1)"),
        ({"padding": (1, 1)}, "padding must be (top, left, bottom, right), not (1, 1)"),
        ({"padding": (0, -1, 0, 0)}, "padding[1] must be an integer in 0..65536, not -1"),
        ({"groups": 0}, "groups must be an integer in 1..2, not 0"),
        ({"in_shape": (4, 5, 6), "groups": 4}, "groups must divide the 6 channels, not be 4"),
        ({"pad_value": 8}, "pad_value must be an integer in -8..7, not 8"),
        (
            {"dilation": (1, 6)},
            "the kernel must fit the padded image, which is 5 wide, but reaches over 7: "
            "use a smaller kernel or dilation, or pad",
        ),
        (
            {"in_shape": (2048, 2048, 2)},
            "its output must hold at most 2**24 values, not 50257944",
        ),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Window: {re.escape(message)}$"):
        Window(**GOOD | changed)
