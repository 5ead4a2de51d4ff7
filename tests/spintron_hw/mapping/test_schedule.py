"""Tests of spintron_hw.mapping.schedule: when beats pass, and which FIFOs that takes."""

import dataclasses

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.estimate import Resources, estimate_fifo, estimate_layer
from spintron_hw.mapping.join import JoinPlan
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.schedule import adapted, queue_depth
from spintron_hw.mapping.target import GENERIC
from spintron_ir import (
    Argmax,
    Concat,
    Flatten,
    IntType,
    Join,
    Network,
    Node,
    Output,
    Port,
    Quantise,
    Thresholds,
)
from tests.e2e.test_positions import matrix, network

U3 = IntType(3)


def test_gathering_takes_every_beat_at_once():
    taken, given = adapted(np.array([0, 1, 2, 9, 10, 11]), 2, 3, 1, 2)
    assert taken.tolist() == [0, 1, 2, 9, 10, 11]
    assert given.tolist() == [2, 3, 11, 12]  # two elements, and the third by itself


def test_cutting_takes_a_beat_when_the_last_part_leaves():
    taken, given = adapted(np.array([0, 1, 9, 20]), 2, 4, 2, 1)
    assert given.tolist() == [1, 2, 3, 4, 10, 11, 21, 22]
    assert taken.tolist() == [0, 2, 9, 20]


@pytest.mark.parametrize(("late", "depth"), [(2, 3), (3, 4), (7, 8), (40, 10)])
def test_depth_of_a_delay(late, depth):
    """Of ten beats, one a cycle: as many as come meanwhile, and room for one."""
    written = np.arange(10)
    assert queue_depth(written, written + late) == depth


def test_chains_have_no_queues():
    plan = map_network(network(), GENERIC)
    feeds = plan.schedule[1].feeds
    assert not any(feed.depth or feed.depth_behind for feed in feeds)
    assert len(feeds) == len(plan.layers) + 1


def graph(nodes, inputs, outputs):
    """A network of nodes given as layer and sources."""
    return Network(
        name="graph",
        inputs=tuple(Port(name=name, shape=shape, type=U3) for name, shape in inputs.items()),
        nodes=tuple(
            Node(name=name, layer=layer, inputs=at) for name, (layer, *at) in nodes.items()
        ),
        outputs=tuple(Output(name=f"y_{name}", node=name) for name in outputs),
    )


def frames(net, count=6):
    rng = np.random.default_rng(0)
    return {port.name: rng.integers(0, 8, (count, *port.shape)) for port in net.inputs}


def test_an_input_waits_by_itself():
    join = Join(inputs=(U3, U3), in_shape=(8,), mode="sum")
    layer = matrix(np.random.default_rng(0), 8, 8, None)
    nodes = {"fc": (layer, "a"), "both": (join, "b", "fc")}
    net = graph(nodes, {"a": (8,), "b": (8,)}, ["both"])
    plan = map_network(net, GENERIC)
    assert not any(feed.depth for feed in plan.schedule[1].feeds)
    report = verify(design_of(plan, "waits"), net, frames(net), get_engine("amaranth"))
    assert report.ok and (report.latency, report.interval) == (plan.latency, plan.interval)


def test_a_wire_behind_a_branch_may_need_other_lanes():
    rng = np.random.default_rng(0)
    nodes = {
        "flat": (Flatten(in_shape=(8, 6), type=U3), "x"),
        "fc": (matrix(rng, 48, 3, None), "flat"),
        "pixels": (matrix(rng, 6, 2, 8), "x"),
    }
    net = graph(nodes, {"x": (8, 6)}, ["fc", "pixels"])
    plan = map_network(net, GENERIC, interval=24, body="unrolled")
    plan = dataclasses.replace(
        plan, layers=plan.layers | {
            name: dataclasses.replace(plan.layers[name], i_lanes=4, **changed)
            for name, changed in {"flat": {"o_lanes": 4}, "fc": {}}.items()
        }
    )  # fmt: skip
    assert plan.lanes["x"] == 2
    report = verify(design_of(plan, "lanes"), net, frames(net), get_engine("amaranth"))
    assert report.ok and (report.latency, report.interval) == (plan.latency, plan.interval)


def test_inputs_of_a_join_one_behind_the_other_in_time():
    """A concatenation whose second input comes late holds frames of the first."""
    rng = np.random.default_rng(0)
    nodes = {
        "slow": (matrix(rng, 6, 6, None), "x"),
        "slower": (matrix(rng, 6, 6, None), "slow"),
        "row": (Concat(inputs=(U3, U3), in_shapes=((6,), (6,)), axis=0), "x", "slower"),
    }
    net = graph(nodes, {"x": (6,)}, ["row"])
    plan = map_network(net, GENERIC, interval=12)
    depths = {feed.sink: feed.depth for feed in plan.edges["x"].feeds}
    assert depths["slow"] == 0 and depths["row"] > 6
    report = verify(design_of(plan, "row"), net, frames(net, 14), get_engine("amaranth"))
    assert report.ok and (report.latency, report.interval) == (plan.latency, plan.interval) == (
        plan.latency, 12,
    )  # fmt: skip


def test_outputs_hold_a_frame_where_there_are_several():
    rng = np.random.default_rng(0)
    layer = matrix(rng, 6, 5, None)
    nodes = {"fc": (layer, "x"), "best": (Argmax(input=U3, length=5), "fc")}
    plan = map_network(graph(nodes, {"x": (6,)}, ["best", "fc"]), GENERIC)
    depths = {feed.sink: feed.depth for feed in plan.schedule[1].feeds}
    assert depths == {"fc": 0, "best": 0, "output:y_best": 0, "output:y_fc": 5}
    plan = map_network(graph(nodes, {"x": (6,)}, ["best"]), GENERIC)
    assert not any(feed.depth for feed in plan.schedule[1].feeds)


def test_queues_are_estimated():
    # Yosys 0.70 for ECP5, two look-up tables a carry cell, 16 for the memory of the first: 87 and
    # 116, 24 and 51 flip-flops.
    assert estimate_fifo(0, 8, GENERIC) == Resources()
    assert estimate_fifo(20, 8, GENERIC) == Resources(luts=87, ffs=28)
    assert estimate_fifo(600, 4, GENERIC) == Resources(luts=116, ffs=48, brams=1)
    assert estimate_fifo(4096, 9, GENERIC).brams == 2
    join = Join(inputs=(U3, U3), in_shape=(512,), mode="sum")
    codes = np.zeros((1, 2, 512, 512), int)
    layer = matrix(np.random.default_rng(0), 512, 512, None, codes=codes)
    plan = map_network(
        graph({"fc": (layer, "x"), "both": (join, "x", "fc")}, {"x": (512,)}, ["both"]),
        dataclasses.replace(GENERIC, lut_ram=False),
        interval=20_000,
    )
    depth = max(feed.depth for feed in plan.schedule[1].feeds)
    assert depth >= 512
    without = sum((estimate_layer(each, plan.target).brams for each in plan.layers.values()), 3)
    assert plan.resources.brams == without + estimate_fifo(depth, 3, plan.target).brams


def test_what_must_be_stored_does_not_count_on_what_layers_hold():
    """Values go around a pipeline in step with it; but a frame of another must come before."""
    step = Thresholds(thresholds=[range(1, 8)], sign=[1], low=0, type=U3)
    nodes = {
        "n0": (Quantise(in_shape=(12,), input=U3, requantise=step), "x"),
        "n2": (Join(inputs=(U3, U3), in_shape=(12,), mode="sum", requantise=step), "n0", "x"),
        "row": (Concat(inputs=(U3, U3), in_shapes=((12,), (12,)), axis=0), "x", "n2"),
    }
    net = graph(nodes, {"x": (12,)}, ["row"])
    plan = map_network(net, GENERIC)
    depths = {(feed.source, feed.sink): feed.depth for feed in plan.schedule[1].feeds}
    assert depths["n2", "row"] >= 11
    for stall, seed in [(0.0, 0), (0.5, 0), (0.5, 1), (0.8, 2)]:
        design = design_of(plan, "around")
        assert verify(design, net, frames(net), get_engine("amaranth"), stall=stall, seed=seed).ok


@pytest.mark.parametrize(
    ("tables", "counted"),
    [
        (None, Resources(luts=26, ffs=52)),
        (1 << 20, Resources(luts=50, ffs=46, brams=4)),
        (99, Resources(luts=686, ffs=52)),
    ],
)
def test_joins_are_estimated(tables, counted):
    """Against Yosys 0.70 for ECP5: two lanes of two inputs of 8 bits."""
    rng = np.random.default_rng(0)
    drawn = None if tables is None else rng.integers(-tables, tables, (2, 1, 256))
    byte = IntType(8)
    join = Join(inputs=(byte, byte), in_shape=(16,), mode="sum", tables=drawn)
    found = estimate_layer(JoinPlan(node="j", layer=join, i_lanes=2, o_lanes=2), GENERIC)
    assert found.brams == counted.brams and found.dsps == 0
    assert abs(found.luts - counted.luts) <= 15 and abs(found.ffs - counted.ffs) <= 15


@pytest.mark.parametrize("interval", [64, 100])
def test_dense_connections(interval):
    """Each layer takes what all layers before it gave."""
    rng = np.random.default_rng(1)
    pixels, nodes, sources, channels = 16, {}, ["x"], [2]
    for number in range(3):
        shapes = tuple((pixels, each) for each in channels)
        both = Concat(inputs=(U3,) * len(shapes), in_shapes=shapes, axis=1)
        nodes[f"c{number}"] = both, *sources
        nodes[f"d{number}"] = matrix(rng, sum(channels), 2, pixels), f"c{number}"
        sources.append(f"d{number}")
        channels.append(2)
    net = graph(nodes, {"x": (pixels, 2)}, ["d2"])
    plan = map_network(net, GENERIC, interval=interval)
    report = verify(design_of(plan, "densely"), net, frames(net, 8), get_engine("amaranth"))
    assert report.ok and (report.latency, report.interval) == (plan.latency, plan.interval)
