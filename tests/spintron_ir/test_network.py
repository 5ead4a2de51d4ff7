"""Tests of spintron_ir.network."""

import re

import numpy as np
import pytest

from spintron_ir import (
    Argmax,
    Dense,
    Flatten,
    IntType,
    MulShift,
    Network,
    NetworkError,
    Node,
    Noise,
    Output,
    ParameterError,
    Port,
    network,
)

U4, I4 = IntType(4), IntType(4, signed=True)


def dense(rows=4, cols=3, seed=0, **changed):
    rng = np.random.default_rng(seed)
    fields = {
        "codes": rng.integers(0, 4, (1, 2, rows, cols)),
        "cell_bits": 2,
        "scheme": "pair",
        "input": U4,
        "dac_bits": 2,
        "slice_shift": (0,),
        "tile_rows": 3,
        "bias": rng.integers(-9, 9, cols),
        "requantise": MulShift(multiplier=[1] * cols, shift=[2] * cols, zero_point=0, type=U4),
    }
    return Dense(**fields | changed)


def port(name="x", shape=(4,), **changed):
    return Port(**{"name": name, "shape": shape, "type": U4} | changed)


def node(name, layer, *inputs):
    return Node(name=name, layer=layer, inputs=inputs)


CHAIN = {
    "name": "net",
    "inputs": (port(shape=(2, 2)),),
    "nodes": (
        node("flat", Flatten(in_shape=(2, 2), type=U4), "x"),
        node("fc1", dense(), "flat"),
        node("class", Argmax(input=U4, length=3), "fc1"),
    ),
    "outputs": (Output(name="y", node="class"),),
}


def chain(**changed):
    return Network(**CHAIN | changed)


def branched():
    """Two consumers of one node, two outputs, two inputs."""
    noise = Noise(seed=3, amplitude=np.full((1, 1, 1, 1), 900))
    return Network(
        name="branched",
        inputs=(port("a"), port("b", (3,))),
        nodes=(
            node("stem", dense(noise=noise), "a"),
            node("left", dense(3, 2, seed=1), "stem"),
            node("right", Argmax(input=U4, length=3), "stem"),
            node("other", dense(3, 5, seed=2, requantise=None), "b"),
        ),
        outputs=(
            Output(name="l", node="left", scale=0.5),
            Output(name="r", node="right"),
            Output(name="o", node="other"),
        ),
    )


def test_runs_layer_after_layer():
    net, x = chain(), np.random.default_rng(0).integers(0, 16, (7, 2, 2))
    flat = x.reshape(7, 4)
    hidden = CHAIN["nodes"][1].layer.run(flat)
    np.testing.assert_array_equal(net.run(x), hidden.argmax(axis=1)[:, None])
    np.testing.assert_array_equal(net.run({"x": x}), net.run(x))
    trace = net.trace(x)
    assert list(trace) == ["flat", "fc1", "class"]
    np.testing.assert_array_equal(trace["fc1"], hidden)


def test_branches_and_several_outputs():
    net = branched()
    rng = np.random.default_rng(0)
    x = {"b": rng.integers(0, 16, (9, 3)), "a": rng.integers(0, 16, (9, 4))}
    found = net.run(x, first_frame=5)
    stem = net.node("stem").layer.run(x["a"], first_frame=5)
    assert list(found) == ["l", "r", "o"]
    np.testing.assert_array_equal(found["l"], net.node("left").layer.run(stem))
    np.testing.assert_array_equal(found["r"], stem.argmax(axis=1)[:, None])
    np.testing.assert_array_equal(found["o"], net.node("other").layer.run(x["b"]))
    assert [consumer.name for consumer in net.consumers("stem")] == ["left", "right"]
    assert net.consumers("left") == ()


def test_frames_are_numbered():
    net = branched()
    x = {"a": np.full((6, 4), 7), "b": np.zeros((6, 3), int)}
    whole = net.trace(x, first_frame=2**32 - 3)["stem"]
    parts = [
        net.trace({name: values[n : n + 1] for name, values in x.items()}, 2**32 - 3 + n)["stem"]
        for n in range(6)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert len(np.unique(whole, axis=0)) > 1
    np.testing.assert_array_equal(whole[3:], net.trace(x)["stem"][:3])


@pytest.mark.parametrize("frames", [0, 1, 5, 9])
def test_a_few_frames_at_a_time_change_nothing(monkeypatch, frames):
    net, rng = branched(), np.random.default_rng(0)
    x = {"b": rng.integers(0, 16, (frames, 3)), "a": rng.integers(0, 16, (frames, 4))}
    whole = net.run(x, first_frame=(1 << 62) - 1)
    monkeypatch.setattr(network, "RUN_VALUES", 6)
    parts = net.run(x, first_frame=(1 << 62) - 1)
    for name, values in whole.items():
        assert (parts[name].dtype, len(values)) == (np.int64, frames)
        np.testing.assert_array_equal(parts[name], values)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64])
def test_any_integers_will_do(dtype):
    x = np.random.default_rng(0).integers(0, 16, (5, 2, 2))
    np.testing.assert_array_equal(chain().run(x.astype(dtype)), chain().run(x.tolist()))
    assert chain().run(np.zeros((0, 2, 2), dtype)).shape == (0, 1)


BOTH = "Network: inputs must be a, b, not "


@pytest.mark.parametrize(
    ("net", "x", "message"),
    [
        (
            chain(inputs=(port(shape=(2, 2), scale=0.25),)),
            np.zeros((1, 2, 2)),
            "Network: input x must hold integers, not float64: "
            "divide by its scale (0.25) and round",
        ),
        (
            chain(),
            np.zeros((2, 2), int),
            "Network: input x must have the shape (batch, 2, 2), not (2, 2)",
        ),
        (
            chain(),
            [[[1, 2], [3]]],
            "Network: input x must be an array whose rows are of equal length",
        ),
        (chain(), [[[0, 16], [1, 2]]], "Network: input x must lie in 0..15, not in 0..16"),
        (chain(), [[[0, -1], [1, 2]]], "Network: input x must lie in 0..15, not in -1..2"),
        (branched(), {"a": []}, BOTH + "a"),
        (branched(), {}, BOTH + "none"),
        (branched(), {"a": [], "b": [], 3: []}, BOTH + "a, b, 3"),
        (branched(), np.zeros((1, 4)), "Network: inputs must be a dict with arrays for a, b"),
        (
            branched(),
            {"a": np.zeros((2, 4), int), "b": np.zeros((3, 3), int)},
            "Network: every input must have the same number of frames",
        ),
    ],
)
def test_run_refuses(net, x, message):
    with pytest.raises(NetworkError, match=f"^{re.escape(message)}$"):
        net.run(x)


@pytest.mark.parametrize("first_frame", [-1, 1.0, 1 << 62])
def test_run_refuses_frame_numbers(first_frame):
    message = f"Network: first_frame must be an integer in 0..{(1 << 62) - 1}, not {first_frame!r}"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        chain().run(np.zeros((1, 2, 2), int), first_frame=first_frame)


def test_node_refuses_unknown_names():
    with pytest.raises(NetworkError, match="^Network: there is no node 'fc9'$"):
        chain().node("fc9")


NODES = CHAIN["nodes"]
NAMES = (
    "a name must be at most 63 small letters, digits and underscores and start with a letter, not "
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: chain(name="Net"), f"Network: {NAMES}'Net'"),
        (lambda: node("1x", NODES[1].layer, "x"), f"Node: {NAMES}'1x'"),
        (lambda: port("x" * 64), f"Port: {NAMES}{'x' * 64!r}"),
        (lambda: Output(name="a b", node="class"), f"Output: {NAMES}'a b'"),
        (lambda: Output(name=None, node="class"), f"Output: {NAMES}None"),
        (lambda: chain(inputs=()), "Network: inputs must be one Port or more"),
        (lambda: chain(inputs=NODES), "Network: inputs[0] must be Port, not Node"),
        (lambda: chain(nodes=[]), "Network: nodes must be one Node or more"),
        (lambda: chain(outputs=()), "Network: outputs must be one Output or more"),
        (
            lambda: chain(metadata={"a": 1}),
            "Network: metadata must map text to text, not {'a': 1}",
        ),
        (lambda: chain(metadata="a"), "Network: metadata must map text to text, not 'a'"),
        (
            lambda: chain(nodes=(*NODES, node("x", NODES[1].layer, "flat"))),
            "Network: the name x stands twice; names must differ",
        ),
        (
            lambda: chain(nodes=(NODES[1], NODES[0], NODES[2])),
            "Network: fc1 takes 'flat', which is no input or earlier node",
        ),
        (
            lambda: chain(nodes=(NODES[0], node("fc1", NODES[1].layer, "fc1"), NODES[2])),
            "Network: fc1 takes 'fc1', which is no input or earlier node",
        ),
        (
            lambda: chain(nodes=(node("flat", NODES[0].layer, "x", "x"), *NODES[1:])),
            "Network: flat takes 1 inputs, not 2",
        ),
        (
            lambda: chain(inputs=(port(shape=(2, 3)),)),
            "Network: x gives uint4 (2, 3), but flat takes uint4 (2, 2)",
        ),
        (
            lambda: chain(inputs=(port(shape=(2, 2), type=I4),)),
            "Network: x gives int4 (2, 2), but flat takes uint4 (2, 2)",
        ),
        (
            lambda: chain(outputs=(Output(name="y", node="fc9"),)),
            "Network: output y names no node: 'fc9'",
        ),
        (
            lambda: chain(outputs=(Output(name="y", node="x"),)),
            "Network: output y names no node: 'x'",
        ),
        (
            lambda: chain(outputs=(Output(name="y", node="fc1"), Output(name="y", node="flat"))),
            "Network: output names must differ, not y, y",
        ),
        (
            lambda: node("fc1", NODES[1].layer.requantise, "x"),
            "Node fc1: layer must be a layer, not a MulShift",
        ),
        (lambda: node("fc1", None, "x"), "Node fc1: layer must be a layer, not a NoneType"),
        (
            lambda: port(type=IntType(64)),
            "Port x: type must have at most 63 bits where unsigned",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises((NetworkError, ParameterError), match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize("scale", [0, -1.0, float("nan"), float("inf"), True, "1", 10**400])
def test_refuses_scales(scale):
    for owner, make in (("Port x", port), ("Output y", Output)):
        names = {"scale": scale} | ({"name": "y", "node": "z"} if make is Output else {})
        with pytest.raises(NetworkError) as caught:
            make(**names)
        assert str(caught.value) == f"{owner}: scale must be a positive number, not {scale!r}"
