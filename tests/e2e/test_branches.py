"""Networks that branch: the same integers, exact cycles, and no deadlock whatever waits.

``SPINTRON_GRAPHS=200`` runs as many random graphs.
"""

import dataclasses
import math
import os

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping import order, schedule
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Concat, IntType, Join, MulShift, Network, Node, Output, Port
from spintron_ir.errors import MappingError, MismatchError
from tests.e2e.branches import frames_of, random_graph
from tests.e2e.test_positions import matrix

U3 = IntType(3)
MORE = int(os.environ.get("SPINTRON_GRAPHS", "0"))
SEEDS = range(MORE) if MORE else (54, 60, 65, 93, 107, 127)


def planned(network, seed):
    """A plan of any rate and body, where there is one."""
    rng = np.random.default_rng(seed)
    least = map_network(network, GENERIC)
    wished = max(1, int(least.interval * rng.choice([0.5, 1, 1, 2, 4])))
    body = str(rng.choice(["auto", "folded", "unrolled"]))
    try:
        return map_network(network, GENERIC, interval=wished, body=body)
    except MappingError:
        return least


def assert_same(found, expected):
    """All outputs equal, whether one array or several by name."""
    if not isinstance(expected, dict):
        found, expected = {"y": found}, {"y": expected}
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def settled(plan):
    """Frames after which a design has its interval."""
    return 6 + plan.latency // plan.interval


@pytest.mark.parametrize("seed", range(40))
def test_plan_is_network(seed):
    network = random_graph(seed)
    x = frames_of(network, 3, seed)
    assert_same(planned(network, seed).run(x, 5), network.run(x, 5))


def test_the_random_graphs_have_everything():
    networks = [random_graph(seed) for seed in SEEDS]
    kinds = {node.layer.kind for network in networks for node in network.nodes}
    assert kinds >= {"join", "concat", "dense", "window", "pool", "quantise", "gather"}
    assert kinds >= {"argmax", "softmax", "topk"}
    joins = [n.layer for network in networks for n in network.nodes if n.layer.kind == "join"]
    assert {join.mode for join in joins} == {"sum", "product"}
    assert {join.tables is None for join in joins} == {True, False}
    assert any(len(join.inputs) > 2 for join in joins)
    assert any(len(network.inputs) > 1 for network in networks)
    assert any(len(network.outputs) > 2 for network in networks)


def scheduled(plan, frames):
    """Cycles in which every beat leaves every node, of so many frames."""
    interval, schedule_ = plan.schedule
    times = {}
    for node in plan.network.nodes:
        beats = -(-math.prod(node.layer.shape) // plan.lanes[node.name])
        known = schedule_.left[node.name].reshape(-1, beats)
        later = known[-1] + interval * np.arange(1, frames + 1)[:, None]
        times[f"tap_{node.name}"] = np.concatenate([known, later])[:frames]
    return times


@pytest.mark.parametrize("seed", SEEDS)
def test_gateware_is_network(seed):
    """Without stalls it is the schedule, cycle for cycle; with stalls, the same integers."""
    network = random_graph(seed)
    plan = planned(network, seed)
    design, engine = design_of(plan, "graph"), get_engine("amaranth")
    x = frames_of(network, settled(plan), seed)
    trace = engine.run(design, {f"i_{name}": x[name].reshape(len(x[name]), -1) for name in x})
    golden = network.trace(x)
    for stream in design.of_role("tap", "output"):
        expected = golden[stream.node].reshape(-1, stream.length)
        np.testing.assert_array_equal(trace.values[stream.name], expected)
    ends = np.max([trace.cycles[out.name][:, -1] for out in design.of_role("output")], axis=0)
    start = min(trace.cycles[port.name][0, 0] for port in design.of_role("input"))
    assert ends[0] - start + 1 == plan.latency
    assert (np.diff(ends)[-3:] == plan.interval).all()
    if plan.branches:
        for name, cycles in scheduled(plan, trace.frames).items():
            np.testing.assert_array_equal(trace.cycles[name] - start, cycles, err_msg=name)
    few = {name: values[:3] for name, values in x.items()}
    for stall in (0.4, 0.8):
        report = verify(design, network, few, engine, stall=stall, seed=seed)
        assert report.mismatches == 0, report.first


@pytest.mark.toolchain
@pytest.mark.parametrize(("engine", "seed"), [("cxxrtl", 7), ("icarus", 10)])
def test_emitted_verilog_is_network(engine, seed, require_tool):
    simulator = get_engine(engine)
    require_tool(engine, simulator.unavailable())
    network = random_graph(seed)
    plan = planned(network, seed)
    design = design_of(plan, "graph")
    x = frames_of(network, settled(plan) + 10, seed)
    report = verify(design, network, x, simulator)
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)
    assert verify(design, network, x, simulator, stall=0.5, seed=seed).ok


def skip(cells=16):
    """A vector, and what a matrix that needs all of it makes of it, added."""
    layer = matrix(np.random.default_rng(0), cells, cells, None)
    join = Join(inputs=(U3, U3), in_shape=(cells,), mode="sum")
    return Network(
        name="skip",
        inputs=(Port(name="x", shape=(cells,), type=U3),),
        nodes=(
            Node(name="fc", layer=layer, inputs=("x",)),
            Node(name="both", layer=join, inputs=("x", "fc")),
        ),
        outputs=(Output(name="y", node="both"),),
    )


def test_too_short_a_queue_is_a_deadlock(monkeypatch):
    """The bench would see one: the vector must wait until the matrix has all of it."""
    network = skip()
    x = frames_of(network, 4)
    plan = map_network(network, GENERIC, interval=16)
    (depth,) = (feed.depth for feed in plan.edges["x"].feeds if feed.sink == "both")
    assert depth > 16
    monkeypatch.setattr(schedule, "queue_depth", lambda written, taken: 1)
    slow = design_of(dataclasses.replace(plan), "skip")
    assert verify(slow, network, x, get_engine("amaranth")).ok  # the order of beats asks for 16
    monkeypatch.setattr(order, "stored_beats", lambda written, taken: 0)
    short = dataclasses.replace(plan)
    stuck = (
        r"skip: 4 frames must pass within max_cycles = 2000 cycles, but did not: "
        r"i_x 1 of 64 beats \(offered, not taken\); o_y 0 of 64 beats \(nothing offered\)"
    )
    design = design_of(short, "skip", taps=False)
    with pytest.raises(MismatchError, match=f"^{stuck}$"):
        verify(design, network, x, get_engine("amaranth"), max_cycles=2000)


def test_full_speed_takes_all_of_the_depth(monkeypatch):
    """One beat less than the schedule asks for, and frames wait for each other."""
    network = skip()
    plan = map_network(network, GENERIC, interval=16)
    depth = max(feed.depth for feed in plan.edges["x"].feeds)
    assert (plan.interval, depth) == (16, 28)  # 26 in memory, one at its end, room for another
    for less, interval in [(0, 16), (1, 17)]:
        monkeypatch.setattr(schedule, "queue_depth", lambda *_, less=less: depth - less)
        design = design_of(dataclasses.replace(plan), "skip")
        report = verify(design, network, frames_of(network, 9), get_engine("amaranth"))
        assert (report.mismatches, report.interval) == (0, interval)


def test_refuses_what_cannot_be_put_together_in_time():
    odd = Concat(inputs=(U3, U3), in_shapes=((4, 3), (4, 2)), axis=1)
    network = Network(
        name="odd",
        inputs=(Port(name="a", shape=(4, 3), type=U3), Port(name="b", shape=(4, 2), type=U3)),
        nodes=(Node(name="ab", layer=odd, inputs=("a", "b")),),
        outputs=(Output(name="y", node="ab"),),
    )
    message = (
        "ab: 20 values cannot be put together in 10 cycles: allow at least 20 cycles, or more "
        "values that follow each other in every input, with a higher power of two in their number"
    )
    with pytest.raises(MappingError, match=f"^{message}$"):
        map_network(network, GENERIC, interval=10)
    assert map_network(network, GENERIC, interval=20).interval == 20


def test_refuses_sums_too_wide_to_be_scaled():
    tables = [[[0, 1 << 50]], [[0, 1 << 50]]]
    requantise = MulShift(multiplier=[1], shift=[0], zero_point=0, type=U3)
    join = Join(
        inputs=(IntType(1), IntType(1)), in_shape=(2,), mode="sum", tables=tables,
        requantise=requantise,
    )  # fmt: skip
    network = Network(
        name="wide",
        inputs=(Port(name="x", shape=(2,), type=IntType(1)),),
        nodes=(Node(name="sum", layer=join, inputs=("x", "x")),),
        outputs=(Output(name="y", node="sum"),),
    )
    message = (
        "sum: a sum that is requantised by mulshift must have at most 48 bits, not 52: use "
        "thresholds, or tables of a larger unit"
    )
    with pytest.raises(MappingError, match=f"^{message}$"):
        map_network(network, GENERIC)


def test_outputs_can_be_read_in_any_order():
    """Each output holds a frame, so that a host may read one after the other."""
    network = random_graph(4)
    plan = map_network(network, GENERIC)
    assert len(network.outputs) > 1
    for output in network.outputs:
        (feed,) = (f for f in plan.edges[output.node].feeds if f.sink == f"output:{output.name}")
        beats = -(-int(np.prod(network.node(output.node).layer.shape)) // feed.lanes)
        assert feed.depth >= beats or beats == 1
