"""Tests of spintron_ir.layers.concat."""

import re

import numpy as np
import pytest

from spintron_ir import Concat, IntType, Network, NetworkError, Node, Output, ParameterError, Port

U2, S3 = IntType(2), IntType(3, signed=True)
GOOD = {"inputs": (U2, S3), "in_shapes": ((2, 1), (2, 2)), "axis": 1}


def test_by_hand():
    layer = Concat(**GOOD)
    assert layer.run([[[3], [0]]], [[[-4, 1], [2, -1]]]).tolist() == [[[3, -4, 1], [0, 2, -1]]]
    assert (layer.shape, layer.type) == ((2, 3), S3)
    assert layer.in_ports == (((2, 1), U2), ((2, 2), S3))
    assert layer.run(np.zeros((0, 2, 1), int), np.zeros((0, 2, 2), int)).shape == (0, 2, 3)


@pytest.mark.parametrize(
    ("inputs", "type_"),
    [
        ((U2, IntType(4)), IntType(4)),
        ((IntType(3), IntType(3, signed=True)), IntType(4, signed=True)),
        ((IntType(8, signed=True), U2), IntType(8, signed=True)),
        ((IntType(62),), IntType(62)),
    ],
)
def test_type_holds_all(inputs, type_):
    assert Concat(inputs=inputs, in_shapes=((1,),) * len(inputs), axis=0).type == type_


@pytest.mark.parametrize("seed", range(12))
def test_is_numpy_concatenate(seed):
    rng = np.random.default_rng(seed)
    common = rng.integers(1, 4, rng.integers(1, 5)).tolist()
    axis, count = int(rng.integers(len(common))), int(rng.integers(1, 6))
    shapes = []
    for _ in range(count):
        common[axis] = int(rng.integers(1, 4))
        shapes.append(tuple(common))
    layer = Concat(inputs=(S3,) * count, in_shapes=shapes, axis=axis)
    inputs = [rng.integers(-4, 4, (3, *shape)) for shape in shapes]
    expected = np.concatenate(inputs, axis + 1)
    np.testing.assert_array_equal(layer.run(*inputs), expected)
    assert layer.shape == expected.shape[1:]


def test_file_comes_back(tmp_path):
    layer = Concat(**GOOD)
    net = Network(
        name="net",
        inputs=(Port(name="a", shape=(2, 1), type=U2), Port(name="b", shape=(2, 2), type=S3)),
        nodes=(Node(name="both", layer=layer, inputs=("a", "b")),),
        outputs=(Output(name="y", node="both"),),
    )
    net.save(tmp_path / "net")
    loaded = Network.load(tmp_path / "net")
    assert loaded.to_bytes() == net.to_bytes()
    back = loaded.node("both").layer
    assert (back.inputs, back.in_shapes, back.axis) == (layer.inputs, layer.in_shapes, 1)
    x = {"a": [[[3], [0]]], "b": [[[-4, 1], [2, -1]]]}
    assert loaded.run(x).tolist() == [[[3, -4, 1], [0, 2, -1]]]
    hostile = net.to_bytes().replace(rb"\"axis\":1", rb"\"axis\":7")
    (tmp_path / "hostile").write_bytes(hostile)
    with pytest.raises(NetworkError, match=r"Concat: axis must be an integer in 0\.\.1, not 7$"):
        Network.load(tmp_path / "hostile")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": ()}, "number of inputs must be an integer in 1..64, not 0"),
        ({"inputs": (U2,) * 65}, "number of inputs must be an integer in 1..64, not 65"),
        ({"inputs": (U2, IntType(63))}, "inputs[1].bits must be an integer in 1..62, not 63"),
        ({"inputs": (U2, None)}, "inputs[1] must be IntType, not NoneType"),
        ({"inputs": 3}, "inputs must be a tuple, not 3"),
        (
            {"in_shapes": ((2, 1),)},
            "in_shapes must have a shape for each of the 2 inputs, not 1",
        ),
        ({"in_shapes": ((2, 1), 3)}, "in_shapes[1] must be a tuple, not 3"),
        (
            {"in_shapes": ((2, 1), (2, -1))},
            "in_shapes[1][1] must be an integer in 1..16777216, not -1",
        ),
        ({"axis": 2}, "axis must be an integer in 0..1, not 2"),
        ({"axis": -1}, "axis must be an integer in 0..1, not -1"),
        (
            {"in_shapes": ((2, 1), (3, 1))},
            "in_shapes must be equal but for axis 1, but the first is (2, 1) and in_shapes[1] is "
            "(3, 1)",
        ),
        (
            {"in_shapes": ((2, 1), (2,))},
            "in_shapes must be equal but for axis 1, but the first is (2, 1) and in_shapes[1] is "
            "(2,)",
        ),
        (
            {"in_shapes": ((1, 1 << 23), (1, (1 << 23) + 1))},
            "its output[1] must be an integer in 1..16777216, not 16777217",
        ),
        (
            {"in_shapes": ((2, 1 << 22), (2, (1 << 22) + 1))},
            "its output must hold at most 2**24 values, not 16777218",
        ),
    ],
    ids=range(14),
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Concat: {re.escape(message)}$"):
        Concat(**GOOD | changed)
