"""Values in another order: plan, simulated gateware and Verilog give the same integers."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.gather import GatherPlan
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.simple import WirePlan
from spintron_hw.mapping.target import GENERIC
from spintron_ir import (
    Argmax,
    Flatten,
    Gather,
    MulShift,
    Network,
    Node,
    Output,
    Pool,
    Port,
    Quantise,
    Window,
)
from spintron_ir.errors import MappingError
from tests.e2e.test_positions import U3, images, matrix


def gather(in_shape, move, pad_value=0):
    """The gather that does to an array what :py:`move` does; places of -1 are padding."""
    places = move(np.arange(np.prod(in_shape)).reshape(in_shape))
    return Gather(
        in_shape=in_shape, type=U3, out_shape=places.shape, index=places.ravel(),
        pad_value=pad_value,
    )  # fmt: skip


def chain(*layers):
    """A network of layers one after the other."""
    nodes, source = [], "x"
    for number, layer in enumerate(layers):
        nodes.append(Node(name=f"n{number}", layer=layer, inputs=(source,)))
        source = f"n{number}"
    return Network(
        name="moved",
        inputs=(Port(name="x", shape=layers[0].in_ports[0][0], type=U3),),
        nodes=tuple(nodes),
        outputs=(Output(name="y", node=source),),
    )


def check(net, interval=None, frames=4, stalls=(0.0, 0.4), **options):
    x = images(net, frames)
    plan = map_network(net, GENERIC, interval=interval, **options)
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    design = design_of(plan, "moved")
    for stall in stalls:
        report = verify(design, net, x, get_engine("amaranth"), stall=stall)
        assert report.mismatches == 0, report.first
        if not stall:
            assert (report.latency, report.interval) == (plan.latency, plan.interval)
    return plan


def pad(*widths):
    return lambda x: np.pad(x, widths, constant_values=-1)


MOVES = {  # shape, what is done, interval asked for; then body, lanes, and interval reached
    "channels_last": ((3, 4, 5), lambda x: x.transpose(1, 2, 0), None, "buffer", 1, 60),
    "channels_last_4": ((4, 2, 2), lambda x: x.transpose(1, 2, 0), None, "buffer", 1, 16),
    "crop": ((4, 5, 2), lambda x: x[1:3, 1:4], None, "stream", 1, 40),
    "crop_2": ((4, 5, 2), lambda x: x[1:3, 1:4], 20, "stream", 2, 20),
    "pad": ((2, 3, 4), pad((1, 1), (1, 0), (0, 0)), None, "stream", 1, 64),
    "pad_4": ((2, 3, 4), pad((1, 1), (1, 0), (0, 0)), 16, "stream", 4, 16),
    "upsample": ((2, 3, 2), lambda x: x.repeat(2, 0).repeat(2, 1), None, "buffer", 1, 48),
    "upsample_rows": ((3, 8, 4), lambda x: x.repeat(2, 0), 48, "buffer", 4, 48),
    "upsample_length": ((1, 5, 2), lambda x: x.repeat(3, 1), 15, "stream", 2, 15),
    "broadcast": ((1, 4), lambda x: np.broadcast_to(x, (3, 4)), None, "buffer", 1, 12),
    "broadcast_last": ((4, 1), lambda x: np.broadcast_to(x, (4, 3)), None, "stream", 1, 12),
    "shuffle": ((3, 3, 8), lambda x: x.reshape(3, 3, 2, 4).swapaxes(2, 3), None, "buffer", 1, 72),
    "shuffle_8": ((3, 3, 8), lambda x: x.reshape(3, 3, 2, 4).swapaxes(2, 3), 9, "wires", 8, 9),
    "turn_at_once": ((4, 5), lambda x: x[::-1, ::-1], 2, "wires", 20, 1),
    "copies": ((1,), lambda x: np.broadcast_to(x, (9,)), None, "stream", 1, 9),
    "nothing": ((3,), lambda x: np.full(4, -1), None, "stream", 1, 6),
}


@pytest.mark.parametrize("name", MOVES)
def test_gateware_is_the_network(name):
    shape, move, wished, body, lanes, interval = MOVES[name]
    net = chain(gather(shape, move, pad_value=5))
    stalls = (0.0, 0.4) if "_" in name else (0.0,)
    found = check(net, wished, stalls=stalls).layers["n0"]
    assert (found.body, found.i_lanes, found.interval) == (body, lanes, interval)


@pytest.mark.parametrize("seed", range(6))
def test_any_index(seed):
    rng = np.random.default_rng(seed)
    count, places = (int(n) for n in rng.integers(1, 20, 2))
    index = rng.integers(-1, count, places)
    if seed % 2:
        index = np.where(rng.random(places) < 0.3, -1, np.sort(np.maximum(index, 0)))
    layer = Gather(in_shape=(count,), type=U3, out_shape=(places,), index=index)
    check(chain(layer), stalls=(0.0,))


def test_what_moves_nothing_is_a_wire():
    turned = gather((1, 6), lambda x: x.T)
    plan = check(chain(turned, Flatten(in_shape=(6, 1), type=U3), Argmax(input=U3, length=6)))
    assert isinstance(plan.layers["n0"], WirePlan)


def convolution(rng):
    """An image with channels first, a convolution of it, a pool, upsampling and channels first."""
    window = Window(in_shape=(4, 4, 2), type=U3, kernel=(3, 3), padding=(1, 1, 1, 1))
    pool = Window(in_shape=(4, 4, 3), type=U3, kernel=(2, 2), stride=(2, 2))
    return chain(
        gather((2, 4, 4), lambda x: x.transpose(1, 2, 0)),
        window,
        matrix(rng, 18, 3, 16),
        Flatten(in_shape=(16, 3), type=U3, out_shape=(4, 4, 3)),
        pool,
        Pool(input=U3, in_shape=pool.shape, channels=3, mode="max"),
        Flatten(in_shape=(4, 3), type=U3, out_shape=(2, 2, 3)),
        gather((2, 2, 3), lambda x: x.repeat(2, 0).repeat(2, 1)),
        gather((4, 4, 3), pad((0, 1), (0, 1), (0, 0)), pad_value=7),
        gather((5, 5, 3), lambda x: x.transpose(2, 0, 1)),
    )


@pytest.mark.parametrize("body", ["folded", "unrolled"])
def test_between_other_layers(body):
    check(convolution(np.random.default_rng(0)), body=body)


def test_padding_holds_up_no_matrix():
    """A matrix at every position gives its vectors evenly; padding takes no beats for a while."""
    rng = np.random.default_rng(0)
    window = Window(in_shape=(4, 2, 2), type=U3, kernel=(2, 2), padding=(0, 0, 1, 1))
    net = chain(
        window,
        matrix(rng, 8, 3, 8),
        Flatten(in_shape=(8, 3), type=U3, out_shape=(4, 2, 3)),
        gather((4, 2, 3), pad((1, 0), (0, 1), (0, 0))),
        gather((5, 3, 3), lambda x: x[4:, 1:]),
    )
    plan = check(net, 72, stalls=(0.0,), body="folded")
    assert [feed.depth > 0 for feed in plan.feeds.values()] == [*[False] * 3, True, False, False]


def test_lanes_on_both_sides():
    rq = MulShift(multiplier=[3, 2, 5, 1], shift=[1, 1, 2, 0], zero_point=0, type=U3)
    net = chain(
        Quantise(in_shape=(2, 2, 4), input=U3, requantise=rq),
        gather((2, 2, 4), lambda x: x[:, ::-1]),
        Quantise(in_shape=(2, 2, 4), input=U3, requantise=rq),
    )
    plan = check(net, 4)
    assert [plan.layers[name].i_lanes for name in ("n0", "n1", "n2")] == [4, 4, 4]


def test_refuses_an_interval_that_is_too_short():
    net = chain(gather((128, 64), lambda x: x.T))
    message = (
        "n0: 8192 values cannot be moved in 8000 cycles: allow at least 8192 cycles, or move more "
        "values together, a power of two of them"
    )
    with pytest.raises(MappingError, match=f"^{message}$"):
        map_network(net, GENERIC, interval=8000)


@pytest.mark.parametrize("lanes", [(2, 2), (1, 4), (20, 20)])
def test_plan_refuses_lanes(lanes):
    layer = gather((4, 4), lambda x: x.T)
    message = (
        r"GatherPlan: i_lanes and o_lanes must be the same and one of \(1,\), or be those of a "
        rf"whole block, \(16, 16\), not {lanes[0]} and {lanes[1]}"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        GatherPlan(node="n", layer=layer, i_lanes=lanes[0], o_lanes=lanes[1])


@pytest.mark.toolchain
def test_emitted_verilog_is_the_network(require_tool):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    net = convolution(np.random.default_rng(1))
    plan = map_network(net, GENERIC, body="folded")
    report = verify(design_of(plan, "moved"), net, images(net, 12), engine)
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)
