"""Tests of spintron_ir.layers.gather."""

import re

import numpy as np
import pytest

from spintron_ir import Gather, IntType, Network, NetworkError, Node, Output, ParameterError, Port

S4 = IntType(4, signed=True)
GOOD = {"in_shape": (2, 3), "type": S4, "out_shape": (4,), "index": [0, 5, -1, 2]}


def of(in_shape, move):
    """The gather that does to an image what :py:`move` does to an array."""
    places = move(np.arange(np.prod(in_shape)).reshape(in_shape))
    return Gather(in_shape=in_shape, type=S4, out_shape=places.shape, index=places.ravel())


def test_by_hand():
    layer = Gather(**GOOD, pad_value=-8)
    assert layer.run([[[1, 2, 3], [4, 5, 6]], [[-1, 0, 7], [0, 0, -2]]]).tolist() == [
        [1, 6, -8, 3],
        [-1, -2, -8, 7],
    ]
    assert (layer.shape, layer.in_ports) == ((4,), (((2, 3), S4),))
    assert layer.run(np.zeros((0, 2, 3), int)).shape == (0, 4)


@pytest.mark.parametrize(
    ("in_shape", "move"),
    [
        ((2, 3, 4), lambda x: x.transpose(1, 2, 0)),
        ((5, 4), lambda x: x[1:5:2, ::-1]),
        ((2, 3, 2), lambda x: x.repeat(2, axis=0).repeat(3, axis=1)),
        ((1, 4), lambda x: np.broadcast_to(x, (3, 4))),
        ((2, 2, 6), lambda x: x.reshape(2, 2, 2, 3).swapaxes(2, 3).reshape(2, 2, 6)),
    ],
    ids=["permute", "slice", "upsample", "broadcast", "shuffle"],
)
def test_moves_as_numpy_does(in_shape, move):
    x = np.random.default_rng(0).integers(-8, 8, (5, *in_shape))
    expected = np.stack([move(frame) for frame in x])
    np.testing.assert_array_equal(of(in_shape, move).run(x), expected)


def test_pads_as_numpy_does():
    x = np.random.default_rng(0).integers(-8, 8, (5, 3, 2))
    places = np.pad(np.arange(6).reshape(3, 2), ((1, 0), (0, 2)), constant_values=-1)
    layer = Gather(
        in_shape=(3, 2), type=S4, out_shape=places.shape, index=places.ravel(), pad_value=5
    )
    expected = np.pad(x, ((0, 0), (1, 0), (0, 2)), constant_values=5)
    np.testing.assert_array_equal(layer.run(x), expected)


@pytest.mark.parametrize("seed", range(20))
def test_any_index(seed):
    rng = np.random.default_rng(seed)
    shapes = [tuple(rng.integers(1, 5, rng.integers(1, 4)).tolist()) for _ in range(2)]
    count, places = (int(np.prod(shape)) for shape in shapes)
    index, pad_value = rng.integers(-1, count, places), int(rng.integers(-8, 8))
    layer = Gather(
        in_shape=shapes[0], type=S4, out_shape=shapes[1], index=index, pad_value=pad_value
    )
    x = rng.integers(-8, 8, (3, *shapes[0]))
    flat = x.reshape(3, -1).tolist()
    expected = [[frame[i] if i >= 0 else pad_value for i in index.tolist()] for frame in flat]
    assert layer.run(x).reshape(3, -1).tolist() == expected


def test_file_comes_back(tmp_path):
    layer = Gather(**GOOD, pad_value=-3)
    net = Network(
        name="net",
        inputs=(Port(name="x", shape=(2, 3), type=S4),),
        nodes=(Node(name="moved", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="moved"),),
    )
    net.save(tmp_path / "net")
    loaded = Network.load(tmp_path / "net")
    assert loaded.to_bytes() == net.to_bytes()
    back = loaded.node("moved").layer
    assert back.index.tolist() == GOOD["index"] and back.index.dtype == np.int32
    assert (back.in_shape, back.out_shape, back.pad_value) == ((2, 3), (4,), -3)
    hostile = net.to_bytes().replace(rb"\"out_shape\":[4]", rb"\"out_shape\":[9]")
    (tmp_path / "hostile").write_bytes(hostile)
    message = "Gather: index must have a place for each of the 9 values of out_shape, not 4"
    with pytest.raises(NetworkError, match=f"{message}$"):
        Network.load(tmp_path / "hostile")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"in_shape": (2, 0)}, "in_shape[1] must be an integer in 1..16777216, not 0"),
        ({"in_shape": (4096, 4097)}, "in_shape must hold at most 2**24 values, not 16781312"),
        ({"out_shape": ()}, "out_shape must be a tuple of 1 to 8 sizes, not ()"),
        ({"out_shape": (1 << 24, 2)}, "out_shape must hold at most 2**24 values, not 33554432"),
        ({"pad_value": 8}, "pad_value must be an integer in -8..7, not 8"),
        ({"pad_value": 0.5}, "pad_value must be an integer in -8..7, not 0.5"),
        (
            {"index": [0, 1]},
            "index must have a place for each of the 4 values of out_shape, not 2",
        ),
        (
            {"index": [0, 1, 2, 6]},
            "index must lie in -1..5, the places of the input and -1 for the padding, not in 0..6",
        ),
        (
            {"index": [0, -2, 2, 3]},
            "index must lie in -1..5, the places of the input and -1 for the padding, not in -2..3",
        ),
        (
            {"index": [[0, 1], [2, 3]]},
            "index must be an array of 1 axes with at least one entry, not of shape (2, 2)",
        ),
        ({"index": [0.0] * 4}, "index must hold integers, not float64"),
        (
            {"index": [0, 1, 2, 1 << 40]},
            "index must lie in -2147483648..2147483647, not in 0..1099511627776",
        ),
        ({"type": None}, "type must be IntType, not NoneType"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Gather: {re.escape(message)}$"):
        Gather(**GOOD | changed)
