"""A layer that quantises single values: plan, simulated gateware and Verilog give its integers."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import IntType, Network, Node, Output, Port, Quantise, Thresholds


def network(rng, shape, channels, bits, count):
    thresholds = Thresholds(
        thresholds=np.sort(rng.integers(-(1 << bits), 1 << bits, (channels, count))),
        sign=rng.choice([-1, 1], channels),
        low=-2,
        type=IntType(5, signed=True),
    )
    kind = IntType(bits, signed=bool(rng.random() < 0.5))
    layer = Quantise(in_shape=shape, input=kind, requantise=thresholds)
    return Network(
        name="quantise",
        inputs=(Port(name="x", shape=shape, type=kind),),
        nodes=(Node(name="codes", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="codes"),),
    )


@pytest.mark.parametrize("interval", [None, 3])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("shape", "bits", "count"), [((7,), 4, 1), ((2, 5), 8, 5), ((3,), 1, 2)])
def test_gateware_is_the_network(shape, bits, count, shared, interval):
    rng = np.random.default_rng(bits)
    net = network(rng, shape, 1 if shared else int(np.prod(shape)), bits, count)
    kind = net.inputs[0].type
    x = rng.integers(kind.low, kind.high + 1, (9, *shape))
    x[0], x[1] = kind.low, kind.high
    plan = map_network(net, GENERIC, interval=interval)
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    for stall in (0.0, 0.4):
        report = verify(design_of(plan, "q"), net, x, get_engine("amaranth"), stall=stall)
        assert report.mismatches == 0, report.first
        if not stall:
            assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.toolchain
def test_emitted_verilog_is_the_network(require_tool):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    rng = np.random.default_rng(5)
    net = network(rng, (2, 5), 10, 8, 5)
    x = rng.integers(net.inputs[0].type.low, net.inputs[0].type.high + 1, (20, 2, 5))
    report = verify(design_of(map_network(net, GENERIC), "q"), net, x, engine)
    assert report.mismatches == 0, report.first
