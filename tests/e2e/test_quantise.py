"""A layer that requantises single values: plan, simulated gateware and Verilog, one integer."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import (
    IntType,
    MulShift,
    Network,
    Node,
    Output,
    Port,
    Quantise,
    Table,
    TFLite,
    Thresholds,
)

S5 = IntType(5, signed=True)


def requantiser(rng, kind, channels, bits, count):
    if kind == "thresholds":
        return Thresholds(
            thresholds=np.sort(rng.integers(-(1 << bits), 1 << bits, (channels, count))),
            sign=rng.choice([-1, 1], channels),
            low=-2,
            type=S5,
        )
    if kind == "tflite":
        return TFLite(
            multiplier=rng.integers(-(1 << 31), 1 << 31, channels),
            shift=rng.integers(-6, 6, channels),
            zero_point=3,
            low=-9,
            high=12,
            type=S5,
        )
    scaled = MulShift(
        multiplier=rng.integers(-(1 << 14), 1 << 14, channels),
        shift=rng.integers(9, 14, channels),
        zero_point=-4,
        type=S5,
    )
    if kind == "mulshift":
        return scaled
    return Table(code=scaled, table=rng.permutation(32) - 9, type=IntType(6, signed=True))


def network(rng, shape, kind, channels, bits, count):
    layer = Quantise(
        in_shape=shape,
        input=IntType(bits, signed=bool(rng.random() < 0.5)),
        requantise=requantiser(rng, kind, channels, bits, count),
    )
    return Network(
        name="quantise",
        inputs=(Port(name="x", shape=shape, type=layer.input),),
        nodes=(Node(name="codes", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="codes"),),
    )


def check(net, rng, interval, lanes=None):
    kind, shape = net.inputs[0].type, net.inputs[0].shape
    x = rng.integers(kind.low, kind.high + 1, (9, *shape))
    x[0], x[1] = kind.low, kind.high
    plan = map_network(net, GENERIC, interval=interval)
    assert lanes is None or plan.layers["codes"].i_lanes == lanes
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    design = design_of(plan, "q")
    for stall in (0.0, 0.4):
        report = verify(design, net, x, get_engine("amaranth"), stall=stall)
        assert report.mismatches == 0, report.first
        if not stall:
            assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.parametrize("interval", [None, 3])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("shape", "bits", "count"), [((7,), 4, 1), ((2, 5), 8, 5), ((3,), 1, 2)])
def test_gateware_is_the_network(shape, bits, count, shared, interval):
    rng = np.random.default_rng(bits)
    channels = 1 if shared else int(np.prod(shape))
    check(network(rng, shape, "thresholds", channels, bits, count), rng, interval)


@pytest.mark.parametrize(
    ("kind", "shape", "channels", "interval", "lanes"),
    [
        ("mulshift", (2, 2, 3), 1, 4, 4),
        ("table", (2, 2, 3), 3, None, 1),
        ("tflite", (2, 2, 3), 3, 6, 2),  # three beats until the channels come round
        ("thresholds", (2, 2, 3), 3, 6, 2),
        ("mulshift", (3, 3, 2), 2, 5, 4),  # a last beat of two values
        ("table", (3, 5), 5, 4, 4),  # beats that never come round: a channel for each value
        ("tflite", (5, 3), 15, 8, 2),
    ],
    ids=str,
)
def test_every_requantiser(kind, shape, channels, interval, lanes):
    rng = np.random.default_rng(channels)
    check(network(rng, shape, kind, channels, 8, 5), rng, interval, lanes)


@pytest.mark.toolchain
@pytest.mark.parametrize("kind", ["mulshift", "thresholds"])
def test_emitted_verilog_is_the_network(require_tool, kind):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    rng = np.random.default_rng(5)
    net = network(rng, (2, 5), kind, 5, 8, 5)
    x = rng.integers(net.inputs[0].type.low, net.inputs[0].type.high + 1, (20, 2, 5))
    report = verify(design_of(map_network(net, GENERIC), "q"), net, x, engine)
    assert report.mismatches == 0, report.first
