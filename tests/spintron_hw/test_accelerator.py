# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.accelerator and spintron_hw.layers: cycles, branches, adapters, writes."""

import dataclasses

import numpy as np
import pytest
from amaranth.sim import Simulator

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.accelerator import Accelerator
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.plan import Plan
from spintron_hw.mapping.target import GENERIC
from spintron_hw.testing import run_stream
from spintron_ir import Argmax, Dense, Flatten, IntType, Network, Node, Output, Port


def dense(rows, cols, input_type, seed=0, **changed):
    rng = np.random.default_rng(seed)
    fields = {
        "codes": rng.integers(0, 8, (1, 2, rows, cols)),
        "cell_bits": 3,
        "scheme": "pair",
        "input": input_type,
        "dac_bits": 1,
        "slice_shift": (0,),
        "tile_rows": 64,
        "bias": rng.integers(-9, 10, cols),
    }
    return Dense(**fields | changed)


def diamond():
    """One input to two layers, one of which feeds a third and an output."""
    left, right = dense(6, 4, IntType(3), 1), dense(6, 5, IntType(3), 2)
    return Network(
        name="diamond",
        inputs=(Port(name="x", shape=(2, 3), type=IntType(3)),),
        nodes=(
            Node(name="flat", layer=Flatten(in_shape=(2, 3), type=IntType(3)), inputs=("x",)),
            Node(name="left", layer=left, inputs=("flat",)),
            Node(name="right", layer=right, inputs=("flat",)),
            Node(name="best", layer=Argmax(input=left.type, length=4), inputs=("left",)),
        ),
        outputs=(
            Output(name="best", node="best"),
            Output(name="scores", node="left"),
            Output(name="other", node="right"),
        ),
    )


def chain(*layers):
    """A network of layers one after the other."""
    names = [f"fc{index}" for index in range(len(layers))]
    sources = ["x", *names]
    return Network(
        name="chain",
        inputs=(Port(name="x", shape=layers[0].in_shape, type=layers[0].input),),
        nodes=tuple(
            Node(name=name, layer=layer, inputs=(source,))
            for name, layer, source in zip(names, layers, sources, strict=False)
        ),
        outputs=(Output(name="y", node=names[-1]),),
    )


def inputs(network, frames=5, seed=0):
    port = network.inputs[0]
    return np.random.default_rng(seed).integers(
        port.type.low, port.type.high + 1, (frames, *port.shape)
    )


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_branches(stall):
    network = diamond()
    design = design_of(map_network(network, GENERIC), "diamond")
    report = verify(design, network, inputs(network), get_engine("amaranth"), stall=stall)
    assert report.mismatches == 0, report.first


def relaned(plan: Plan, **lanes):
    """The plan with other lanes at a node's input, so that an adapter is needed."""
    layers = {
        name: dataclasses.replace(layer, i_lanes=lanes.get(name, layer.i_lanes))
        for name, layer in plan.layers.items()
    }
    return Plan(network=plan.network, target=plan.target, layers=layers)


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_adapter_between_layers(lanes):
    first = dense(5, 8, IntType(3))
    network = chain(first, dense(8, 3, IntType(first.type.bits, True), 1))
    plan = map_network(network, GENERIC, interval=8, body="unrolled")
    assert plan.edges["fc0"].lanes == 1
    plan = relaned(plan, fc1=lanes)
    report = verify(design_of(plan, "chain"), network, inputs(network), get_engine("amaranth"))
    assert report.mismatches == 0, report.first
    assert report.latency == plan.latency


def test_cycles_are_those_of_the_plan():
    first = dense(16, 12, IntType(4), tile_rows=8)
    network = chain(first, dense(12, 7, IntType(first.type.bits, True), 1, tile_rows=4))
    for interval in (16, 50, 400):
        plan = map_network(network, GENERIC, interval=interval)
        report = verify(
            design_of(plan, "cycles"), network, inputs(network, 8), get_engine("amaranth")
        )
        assert (report.latency, report.interval) == (plan.latency, plan.interval)


def test_codes_written_at_run_time_are_those_of_another_chip():
    before, after = dense(6, 4, IntType(2), 1), dense(6, 4, IntType(2), 2)
    after = dataclasses.replace(after, bias=before.bias)
    plan = map_network(chain(before), GENERIC, interval=60, body="folded")
    other = dataclasses.replace(plan.layers["fc0"], layer=after)
    accelerator = Accelerator(plan)
    assert accelerator.writes == {"w_fc0": plan.layers["fc0"]}
    tile = accelerator.layers["fc0"].tile
    writes = [
        {"bank": bank, "address": address, "data": data}
        for bank, contents in enumerate(tile.banks.contents(other.words))
        for address, data in enumerate(contents)
    ]
    x = inputs(chain(before), 20)
    beats = [[int(value)] for frame in x for value in frame]
    found = run_stream(
        accelerator, {"w_fc0": writes, "i_x": beats}, outputs={"o_y": 4 * len(x)}, stall=0
    )
    found = np.array(found["o_y"]).reshape(-1, 4)
    np.testing.assert_array_equal(found[10:], after.run(x)[10:])  # by then all is written
    assert np.any(before.run(x)[10:] != after.run(x)[10:])


@pytest.mark.parametrize("order", [("o_best", "o_scores"), ("o_scores", "o_best")])
def test_outputs_can_be_read_in_any_order(order):
    layer = dense(4, 6, IntType(2))
    argmax = Argmax(input=layer.type, length=6)
    network = Network(
        name="two",
        inputs=(Port(name="x", shape=(4,), type=IntType(2)),),
        nodes=(
            Node(name="fc", layer=layer, inputs=("x",)),
            Node(name="best", layer=argmax, inputs=("fc",)),
        ),
        outputs=(Output(name="scores", node="fc"), Output(name="best", node="best")),
    )
    accelerator = Accelerator(map_network(network, GENERIC, interval=16))
    x, found = inputs(network, 1), {}
    sim = Simulator(accelerator)
    sim.add_clock(1e-6)

    @sim.add_testbench
    async def host(ctx):
        for value in x[0]:
            ctx.set(accelerator.i_x.payload, [int(value)])
            ctx.set(accelerator.i_x.valid, 1)
            ready = False
            while not ready:
                _, _, ready = await ctx.tick().sample(accelerator.i_x.ready)
        ctx.set(accelerator.i_x.valid, 0)
        for name in order:  # one output whole, then the other
            port, found[name] = getattr(accelerator, name), []
            ctx.set(port.ready, 1)
            for _ in range(200):
                _, _, valid, beat = await ctx.tick().sample(port.valid, port.payload)
                found[name] += list(beat) if valid else []
            ctx.set(port.ready, 0)

    sim.run()
    expected = network.run(x)
    assert found == {f"o_{name}": values[0].tolist() for name, values in expected.items()}
