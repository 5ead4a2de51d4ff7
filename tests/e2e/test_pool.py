"""Pools behind windows, alone and in a small network of two convolutions."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import (
    Argmax,
    Flatten,
    Network,
    Node,
    Output,
    Pool,
    Port,
    Quantise,
    Thresholds,
    Window,
)
from tests.e2e.test_positions import U3, images, matrix
from tests.spintron_hw.cells.test_line_buffer import random_window


def chain(name, shape, layers):
    """A network of layers one after the other."""
    nodes, source = [], "x"
    for number, layer in enumerate(layers):
        nodes.append(Node(name=f"n{number}", layer=layer, inputs=(source,)))
        source = f"n{number}"
    return Network(
        name=name,
        inputs=(Port(name="x", shape=shape, type=U3),),
        nodes=tuple(nodes),
        outputs=(Output(name="y", node=source),),
    )


def pooled(mode, average=False, **changed):
    fields = {"in_shape": (5, 4, 4), "type": U3, "kernel": (2, 2), "stride": (2, 2)}
    window = Window(**fields | changed)
    pool = Pool(input=U3, in_shape=window.shape, channels=window.in_shape[2], mode=mode)
    layers = [window, pool]
    if average:  # to the nearest, ties upwards: sums of four from 2, 6, 10 ... on
        thresholds = Thresholds(
            thresholds=np.arange(2, 30, 4)[None, :], sign=np.ones(1, int), low=0, type=U3
        )
        layers.append(Quantise(in_shape=pool.shape, input=pool.type, requantise=thresholds))
    return chain("pool", window.in_shape, layers)


def test_average_rounds_to_the_nearest():
    net = pooled("sum", average=True)
    x = images(net)
    corners = [x[:, row : row + 4 : 2, col::2] for row in (0, 1) for col in (0, 1)]
    expected = (2 * sum(corners) + 4) // 8
    np.testing.assert_array_equal(net.run(x), expected.reshape(len(x), 4, 4))


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("mode", ["max", "sum"])
@pytest.mark.parametrize(
    ("changed", "interval"),
    [({}, None), ({}, 45), ({"in_shape": (3, 3, 1), "kernel": (3, 3), "stride": (1, 1)}, None)],
    ids=str,
)
def test_gateware_is_the_network(changed, interval, mode, average):
    net = pooled(mode, average and mode == "sum", **changed)
    x = images(net)
    plan = map_network(net, GENERIC, interval=interval)
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    for stall in (0.0, 0.4):
        report = verify(design_of(plan, "pool"), net, x, get_engine("amaranth"), stall=stall)
        assert report.mismatches == 0, report.first
        if not stall:
            assert (report.latency, report.interval) == (plan.latency, plan.interval)


def lenet():
    """Convolution, pool, convolution, pool, matrix, argmax, of a 10 x 10 image."""
    rng = np.random.default_rng(0)
    layers = [Window(in_shape=(10, 10, 1), type=U3, kernel=(3, 3))]
    layers.append(matrix(rng, 9, 4, 64))
    layers.append(Flatten(in_shape=(64, 4), type=U3, out_shape=(8, 8, 4)))
    layers.append(Window(in_shape=(8, 8, 4), type=U3, kernel=(2, 2), stride=(2, 2)))
    layers.append(Pool(input=U3, in_shape=(16, 16), channels=4, mode="max"))
    layers.append(Flatten(in_shape=(16, 4), type=U3, out_shape=(4, 4, 4)))
    layers.append(Window(in_shape=(4, 4, 4), type=U3, kernel=(3, 3), padding=(1, 1, 1, 1)))
    layers.append(matrix(rng, 36, 6, 16))
    layers.append(Flatten(in_shape=(16, 6), type=U3))
    layers.append(matrix(rng, 96, 5, None))
    layers.append(Argmax(input=U3, length=5))
    return chain("lenet", (10, 10, 1), layers)


@pytest.mark.parametrize(("body", "stall"), [("folded", 0.0), ("folded", 0.4), ("unrolled", 0.0)])
def test_two_convolutions(body, stall):
    net = lenet()
    x = images(net, 4)
    plan = map_network(net, GENERIC, body=body)
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    report = verify(design_of(plan, "lenet"), net, x, get_engine("amaranth"), stall=stall)
    assert report.mismatches == 0, report.first
    if not stall:
        assert (report.latency, report.interval) == (plan.latency, plan.interval)


def random_convolutions(seed):
    """A convolution, then another one or a pool, with any kernel, stride, dilation and padding."""
    rng = np.random.default_rng(seed)
    first = Window(type=U3, **random_window(seed) | {"pad_value": int(rng.integers(8))})
    cols = int(rng.integers(1, 5))
    image = (*first.grid, cols)
    second = Window(
        in_shape=image,
        type=U3,
        kernel=tuple(min(int(rng.integers(1, 4)), size) for size in first.grid),
        stride=tuple(rng.integers(1, 3, 2).tolist()),
        padding=tuple(rng.integers(0, 2, 4).tolist()),
    )
    last = Pool(input=U3, in_shape=second.shape, channels=cols, mode="max")
    if rng.random() < 0.6:
        last = matrix(rng, second.shape[1], 2, second.shape[0])
    conv = matrix(rng, first.shape[1], cols, first.shape[0])
    flat = Flatten(in_shape=conv.shape, type=U3, out_shape=image)
    return chain("random", first.in_shape, [first, conv, flat, second, last])


@pytest.mark.parametrize("body", ["folded", "unrolled"])
@pytest.mark.parametrize("seed", [0, 3, 4, 9])
def test_random_convolutions(seed, body):
    net = random_convolutions(seed)
    x = images(net, 5)
    plan = map_network(net, GENERIC, body=body)
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    report = verify(design_of(plan, "random"), net, x, get_engine("amaranth"))
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.toolchain
def test_emitted_verilog_is_the_network(require_tool):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    net = lenet()
    plan = map_network(net, GENERIC, body="folded")
    report = verify(design_of(plan, "lenet"), net, images(net, 20), engine)
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)
