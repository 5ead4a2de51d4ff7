"""Convolutions, windows before a matrix at every position: the same integers at every stage."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import (
    Argmax,
    Dense,
    Flatten,
    IntType,
    MulShift,
    Network,
    Node,
    Noise,
    Output,
    Port,
    Window,
)
from spintron_ir.errors import MappingError

U3 = IntType(3)


def matrix(rng, rows, cols, positions, **changed):
    """A layer with codes of 2 bits, whose result is cut to 3 bits."""
    fields = {
        "codes": rng.integers(0, 4, (1, 2, rows, cols)),
        "cell_bits": 2,
        "scheme": "pair",
        "input": U3,
        "dac_bits": 1,
        "slice_shift": (0,),
        "tile_rows": 64,
        "bias": rng.integers(0, 30, cols),
        "requantise": MulShift(
            multiplier=np.full(cols, 1), shift=np.full(cols, 3), zero_point=2, type=U3
        ),
        "positions": positions,
    }
    return Dense(**fields | changed)


def network(changed=None, cols=4, layer=None, tail=True):
    """A convolution of a small image; with a tail, then a matrix for all of it, and argmax."""
    rng = np.random.default_rng(0)
    fields = {"in_shape": (5, 4, 2), "type": U3, "kernel": (3, 2), "padding": (1, 0, 1, 1)}
    window = Window(**fields | (changed or {}))
    positions, rows = window.shape
    conv = matrix(rng, rows, cols, positions, **(layer or {}))
    nodes = [
        Node(name="window", layer=window, inputs=("x",)),
        Node(name="conv", layer=conv, inputs=("window",)),
    ]
    if tail:
        nodes += [
            Node(name="flat", layer=Flatten(in_shape=conv.shape, type=U3), inputs=("conv",)),
            Node(name="fc", layer=matrix(rng, positions * cols, 3, None), inputs=("flat",)),
            Node(name="best", layer=Argmax(input=U3, length=3), inputs=("fc",)),
        ]
    return Network(
        name="conv",
        inputs=(Port(name="x", shape=window.in_shape, type=U3),),
        nodes=tuple(nodes),
        outputs=(Output(name="y", node=nodes[-1].name),),
    )


def images(net, frames=7):
    return np.random.default_rng(1).integers(0, 8, (frames, *net.inputs[0].shape))


NOISE = {"noise": Noise(seed=7, amplitude=np.full((1, 1, 1, 1), 150))}
CASES = [
    ({}, 700),
    ({}, 300),
    ({"layer": NOISE}, None),
    ({"layer": {"tile_rows": 5}}, None),
    ({"changed": {"stride": (2, 2)}, "cols": 3}, None),
    ({"changed": {"in_shape": (1, 12, 4), "kernel": (1, 3), "padding": (0, 1, 0, 1)}}, 150),
    ({"changed": {"in_shape": (4, 4, 3), "kernel": (1, 1), "padding": (0, 0, 0, 0)}}, None),
    ({"changed": {"kernel": (5, 4), "padding": (0, 0, 0, 0)}}, None),
    ({"changed": {"in_shape": (6, 6, 1), "dilation": (2, 2), "stride": (2, 1)}}, None),
]


@pytest.mark.parametrize(("body", "tail"), [("folded", True), ("unrolled", False)])
@pytest.mark.parametrize(("fields", "interval"), CASES, ids=str)
def test_gateware_is_the_network(fields, interval, body, tail):
    net = network(**fields, tail=tail)
    x = images(net)
    plan = map_network(net, GENERIC, interval=interval, body=body)
    np.testing.assert_array_equal(plan.run(x, 5), net.run(x, 5))
    design = design_of(plan, "conv")
    report = verify(design, net, x, get_engine("amaranth"))
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.parametrize("body", ["folded", "unrolled"])
def test_stalls_change_no_number(body):
    net = network(layer=NOISE)
    design = design_of(map_network(net, GENERIC, body=body), "conv")
    report = verify(design, net, images(net, 4), get_engine("amaranth"), stall=0.4, seed=2)
    assert report.mismatches == 0, report.first


@pytest.mark.parametrize("interval", [None, 200])
def test_positions_without_windows(interval):
    """Two matrices at every position, straight from the input: kernels of one pixel."""
    rng = np.random.default_rng(3)
    layers = [matrix(rng, 6, 4, 8, tile_rows=4), matrix(rng, 4, 5, 8, requantise=None)]
    net = Network(
        name="pixels",
        inputs=(Port(name="x", shape=(8, 6), type=U3),),
        nodes=(
            Node(name="a", layer=layers[0], inputs=("x",)),
            Node(name="b", layer=layers[1], inputs=("a",)),
        ),
        outputs=(Output(name="y", node="b"),),
    )
    x = images(net)
    plan = map_network(net, GENERIC, interval=interval)
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    report = verify(design_of(plan, "pixels"), net, x, get_engine("amaranth"))
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.toolchain
@pytest.mark.parametrize("body", ["folded", "unrolled"])
def test_emitted_verilog_is_the_network(body, require_tool):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    net = network({"in_shape": (6, 6, 1)}, tail=body == "folded")
    plan = map_network(net, GENERIC, body=body)
    report = verify(design_of(plan, "conv"), net, images(net, 12), engine)
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


def test_refuses_what_layers_that_wait_for_each_other_do_not_reach():
    net = network({"in_shape": (5, 3, 1), "kernel": (5, 1), "padding": (0, 0, 0, 0)}, tail=False)
    message = (
        "map_network: the layers wait for each other and cannot reach 22 cycles: "
        "allow at least 23 cycles"
    )
    with pytest.raises(MappingError, match=f"^{message}$"):
        map_network(net, GENERIC, interval=22)
    assert map_network(net, GENERIC, interval=23).interval == 23
