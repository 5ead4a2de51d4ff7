"""Windows of an image: plan, simulated gateware and Verilog give the integers of the network."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Dense, Flatten, IntType, Network, Node, Output, Port, Window

U3 = IntType(3)


def network(dense=True, **changed):
    """Windows of a small image, alone or with a matrix behind them."""
    fields = {"in_shape": (5, 4, 2), "type": U3, "kernel": (3, 2), "padding": (1, 0, 1, 1)}
    layer = Window(**fields | changed)
    nodes = [Node(name="window", layer=layer, inputs=("x",))]
    if dense:
        rows = layer.shape[0] * layer.shape[1]
        codes = np.random.default_rng(0).integers(0, 4, (1, 2, rows, 3))
        matrix = Dense(
            codes=codes, cell_bits=2, scheme="pair", input=U3, dac_bits=1, slice_shift=(0,),
            tile_rows=64, bias=np.zeros(3, int),
        )  # fmt: skip
        nodes += [
            Node(name="flat", layer=Flatten(in_shape=layer.shape, type=U3), inputs=("window",)),
            Node(name="fc", layer=matrix, inputs=("flat",)),
        ]
    return Network(
        name="windows",
        inputs=(Port(name="x", shape=layer.in_shape, type=U3),),
        nodes=tuple(nodes),
        outputs=(Output(name="y", node=nodes[-1].name),),
    )


def images(net, frames=6):
    rng = np.random.default_rng(1)
    return rng.integers(0, 8, (frames, *net.inputs[0].shape))


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize(
    ("changed", "interval", "lanes"),
    [
        ({}, None, 1),
        ({}, 150, 2),
        ({"in_shape": (5, 4, 3)}, None, 1),
        ({"in_shape": (1, 9, 4), "kernel": (1, 3), "padding": (0, 2, 0, 0)}, 40, 4),
        ({"stride": (2, 2), "dilation": (2, 1), "pad_value": 5}, None, 1),
    ],
    ids=str,
)
def test_gateware_is_the_network(changed, interval, lanes, dense):
    net = network(dense, **changed)
    x = images(net)
    plan = map_network(net, GENERIC, interval=interval, body="folded" if dense else "auto")
    assert plan.layers["window"].i_lanes == lanes
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    for stall in (0.0, 0.4):
        report = verify(design_of(plan, "windows"), net, x, get_engine("amaranth"), stall=stall)
        assert report.mismatches == 0, report.first
        if not stall:
            assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.toolchain
def test_emitted_verilog_is_the_network(require_tool):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    net = network(in_shape=(6, 6, 2), kernel=(3, 3), padding=(1, 1, 1, 1))
    plan = map_network(net, GENERIC, body="folded")
    report = verify(design_of(plan, "windows"), net, images(net, 12), engine)
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)
