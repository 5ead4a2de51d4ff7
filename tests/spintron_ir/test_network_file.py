"""Tests of the network file: every kind of record and field comes back as it was."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spintron_ir import Argmax, IntType, Network, Node, Output, Port
from spintron_ir.record import Record
from tests.spintron_ir.networks import U3, everything


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


@pytest.fixture
def written(path):
    everything().save(path)
    return path


def same(a, b):
    """Equality of two records in every field, arrays with their type."""
    assert type(a) is type(b)
    if isinstance(a, Record):
        for field in dataclasses.fields(a):
            same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b):
            same(one, other)
    else:
        assert a == b


def test_everything_comes_back(written):
    loaded = Network.load(written)
    same(loaded, everything())
    assert loaded.to_bytes() == written.read_bytes() == everything().to_bytes()
    assert loaded.digest() == everything().digest()
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, (9, 4))
    stem = everything().node("stem").layer
    np.testing.assert_array_equal(loaded.node("stem").layer.run(x, 4), stem.run(x, 4))


def test_digest_tells_networks_apart():
    net = everything()
    fields = {name: getattr(net, name) for name in ("inputs", "nodes", "outputs", "metadata")}
    assert len(net.digest()) == 64
    assert Network(name="everything", **fields).digest() == net.digest()
    assert Network(name="other", **fields).digest() != net.digest()
    turned = dict(reversed(net.metadata.items()))
    assert Network(name="everything", **fields | {"metadata": turned}).digest() == net.digest()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_dense_layer_comes_back(data, dense_layers, tmp_path_factory):
    layer = data.draw(dense_layers())
    net = Network(
        name="net",
        inputs=(Port(name="x", shape=layer.in_shape, type=layer.input),),
        nodes=(Node(name="fc", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="fc"),),
    )
    path = tmp_path_factory.mktemp("any") / "net"
    net.save(path)
    same(Network.load(path), net)
    assert Network.load(path).to_bytes() == net.to_bytes()


def test_many_parts_are_read_in_time(path):
    """The checks of a graph take time in proportion to its size."""
    count = 4000
    layers = [Argmax(input=U3, length=2)] + [Argmax(input=IntType(1), length=1)] * (count - 1)
    nodes = [
        Node(name=f"n{n}", layer=layer, inputs=(f"n{n - 1}" if n else "x",))
        for n, layer in enumerate(layers)
    ]
    net = Network(
        name="long",
        inputs=(Port(name="x", shape=(2,), type=U3),),
        nodes=nodes,
        outputs=[Output(name=f"o{n}", node=f"n{n}") for n in range(count)],
    )
    net.save(path)
    assert len(Network.load(path).outputs) == count
