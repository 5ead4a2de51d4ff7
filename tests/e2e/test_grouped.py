"""Grouped and depthwise convolution: the same integers and cycles at every stage."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.accelerator import Accelerator
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.dense import DensePlan
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.plan import Plan
from spintron_hw.mapping.target import GENERIC
from spintron_hw.testing import run_stream
from spintron_ir import (
    Adc,
    Argmax,
    Dense,
    Flatten,
    IntType,
    MulShift,
    Network,
    Node,
    Noise,
    Output,
    ParameterError,
    Port,
    Window,
)
from spintron_ir.errors import MappingError

I3 = IntType(3, signed=True)


def matrix(rng, rows, cols, blocks, **changed):
    """A block-diagonal layer of ``rows`` a block and ``cols`` in all, cut to 3 bits."""
    fields = {
        "codes": rng.integers(0, 4, (1, 2, rows, cols)),
        "cell_bits": 2,
        "scheme": "pair",
        "input": I3,
        "dac_bits": 2,
        "slice_shift": (0,),
        "tile_rows": 64,
        "bias": rng.integers(-30, 30, cols),
        "requantise": MulShift(
            multiplier=rng.integers(1, 4, cols), shift=np.full(cols, 4), zero_point=0, type=I3
        ),
        "blocks": blocks,
    }
    return Dense(**fields | changed)


def network(groups, block_cols, seed=0, tail=False, layer=None, **changed):
    """A grouped convolution; with a tail, then one of single pixels, a block matrix and argmax."""
    rng = np.random.default_rng(seed)
    fields = {"in_shape": (3, 3, 6), "type": I3, "kernel": (2, 3), "padding": (1, 1, 0, 1)}
    window = Window(**fields | {"groups": groups} | changed)
    positions, values = window.shape
    cols = groups * block_cols
    conv = matrix(rng, values // groups, cols, groups, positions=positions, **layer or {})
    nodes = [
        Node(name="window", layer=window, inputs=("x",)),
        Node(name="conv", layer=conv, inputs=("window",)),
    ]
    if tail:
        pixels = matrix(rng, cols, 4, None, positions=positions)
        flat = Flatten(in_shape=pixels.shape, type=I3)
        last = matrix(rng, 2 * positions, 6, 2)
        nodes += [
            Node(name="pixels", layer=pixels, inputs=("conv",)),
            Node(name="flat", layer=flat, inputs=("pixels",)),
            Node(name="fc", layer=last, inputs=("flat",)),
            Node(name="best", layer=Argmax(input=I3, length=6), inputs=("fc",)),
        ]
    return Network(
        name="grouped",
        inputs=(Port(name="x", shape=window.in_shape, type=I3),),
        nodes=tuple(nodes),
        outputs=(Output(name="y", node=nodes[-1].name),),
    )


def images(net, frames=3):
    return np.random.default_rng(1).integers(-4, 4, (frames, *net.inputs[0].shape))


def check(net, interval=None, body="folded", frames=3):
    """Plan and gateware give the integers of the network, in the cycles of the plan."""
    x = images(net, frames)
    plan = map_network(net, GENERIC, interval=interval, body=body)
    np.testing.assert_array_equal(plan.run(x, 5), net.run(x, 5))
    report = verify(design_of(plan, "grouped"), net, x, get_engine("amaranth"))
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)
    return plan


NOISE = Noise(seed=7, amplitude=np.full((1, 1, 1, 1), 150))
EACH = Adc(bits=4, shift=1, gain=np.array([[[range(1, 7)]]]), offset=np.array([[[range(6)]]]))
CURVES = Adc(
    bits=2,
    transitions=np.sort(np.random.default_rng(2).integers(-20, 20, (1, 1, 2, 6, 3)), axis=-1),
)
FULL = {"noise": NOISE, "adc": EACH}
CASES = {
    "groups": ({"groups": 2, "block_cols": 2, "tail": True}, None),
    "depthwise": ({"groups": 6, "block_cols": 1}, None),
    "slow": ({"groups": 3, "block_cols": 3}, 1500),
    "row groups": ({"groups": 2, "block_cols": 3, "layer": {"tile_rows": 5}}, None),
    "depthwise, noise": ({"groups": 6, "block_cols": 1, "tail": True, "layer": FULL}, None),
    "passes, noise": ({"groups": 2, "block_cols": 3, "layer": FULL}, 600),
    "curves": ({"groups": 3, "block_cols": 2, "layer": {"scheme": "columns", "adc": CURVES}}, None),
    "lanes": ({"groups": 2, "block_cols": 2, "in_shape": (4, 3, 8), "stride": (2, 1)}, 300),
    "a line": ({"groups": 8, "block_cols": 1, "in_shape": (1, 9, 8), "kernel": (1, 3)}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_gateware_is_the_network(case):
    fields, interval = CASES[case]
    check(network(**fields), interval)


@pytest.mark.parametrize("case", ["row groups", "passes, noise", "a line"])
def test_unrolled_gateware_is_the_network(case):
    fields, interval = CASES[case]
    check(network(**fields), interval, "unrolled")


def random_layer(seed):
    """A block-diagonal layer of any shape and scheme, with or without converters and noise."""
    rng = np.random.default_rng(seed)
    blocks, rows, block_cols = (int(rng.integers(1, high)) for high in (5, 7, 6))
    cols, tile_rows = blocks * block_cols, int(rng.integers(1, rows + 1))
    scheme = str(rng.choice(["pair", "columns", "reference"]))
    full = (-(-rows // tile_rows), 1, 1 + (scheme == "columns"), cols)
    changed = {"scheme": scheme, "tile_rows": tile_rows}
    if scheme == "reference":
        changed["codes"] = rng.integers(0, 4, (1, 1, rows, cols))
        changed["reference"] = rng.integers(0, 4, (1, rows, blocks))
        changed["tile_cols"] = block_cols
    if rng.random() < 0.6:
        changed["adc"] = Adc(
            bits=int(rng.choice([1, 4])), shift=1, gain=rng.integers(1, 4, full),
            offset=rng.integers(-9, 9, full),
        )  # fmt: skip
    if rng.random() < 0.5:
        changed["noise"] = Noise(seed=seed, amplitude=rng.integers(1, 300, full))
    if rng.random() < 0.3:
        changed["requantise"] = None
    return matrix(rng, rows, cols, blocks, positions=rng.choice([None, 3]), **changed)


def alone(layer):
    return Network(
        name="blocks",
        inputs=(Port(name="x", shape=layer.in_shape, type=I3),),
        nodes=(Node(name="fc", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="fc"),),
    )


@pytest.mark.parametrize("seed", range(12))
def test_any_folding_is_the_layer(seed):
    layer, rng = random_layer(seed), np.random.default_rng(seed)
    lanes = math.gcd(*(b - a for a, b in layer.row_groups), layer.rows)
    divisors = [n for n in range(1, layer.block_cols + 1) if layer.block_cols % n == 0]
    o_lanes = int(rng.choice(divisors))
    whole = [n for n in range(o_lanes, layer.block_cols + 1) if n % o_lanes == 0]
    dense = DensePlan(
        node="fc", layer=layer, body="folded", i_lanes=lanes, o_lanes=o_lanes,
        row_parallel=lanes * int(rng.integers(1, 4)), col_parallel=int(rng.choice(whole)),
        group_size=1, bank_bits=int(rng.choice([3, 8, 36])),
    )  # fmt: skip
    net = alone(layer)
    plan, x = Plan(network=net, target=GENERIC, layers={"fc": dense}), images(net, 6)
    np.testing.assert_array_equal(plan.run(x, 5), net.run(x, 5))
    report = verify(design_of(plan, "blocks"), net, x, get_engine("amaranth"))
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


def test_stalls_change_no_number():
    net = network(groups=3, block_cols=2, layer=FULL)
    design = design_of(map_network(net, GENERIC, body="folded"), "grouped")
    report = verify(design, net, images(net, 3), get_engine("amaranth"), stall=0.4, seed=2)
    assert report.mismatches == 0, report.first


@pytest.mark.toolchain
def test_emitted_verilog_is_the_network(require_tool):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    net = network(groups=6, block_cols=1, layer={"noise": NOISE})
    plan = map_network(net, GENERIC, body="folded")
    report = verify(design_of(plan, "grouped"), net, images(net, 12), engine)
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


def test_refuses_lanes_that_split_blocks():
    layer = matrix(np.random.default_rng(0), 3, 6, 2)
    fields = {
        "node": "fc", "layer": layer, "body": "folded", "i_lanes": 1, "o_lanes": 1,
        "row_parallel": 1, "col_parallel": 1, "group_size": 1, "bank_bits": 36,
    }  # fmt: skip
    assert DensePlan(**fields).passes == 6
    message = "DensePlan: o_lanes must divide the 3 columns of a block, not be 2"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        DensePlan(**fields | {"o_lanes": 2})
    message = "DensePlan: col_parallel must be an integer in 1..3, not 4"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        DensePlan(**fields | {"col_parallel": 4})


def test_says_how_fast_blocks_can_be():
    net = alone(matrix(np.random.default_rng(0), 6, 6, 6, positions=12))
    message = (
        "fc: 6 blocks of 6 x 1 with 2 chunks cannot be read in 150 cycles as folded: "
        "allow at least 216 cycles, or more dac_bits"
    )
    with pytest.raises(MappingError, match=f"^{re.escape(message)}$"):
        map_network(net, GENERIC, interval=150, body="folded")


def test_codes_of_blocks_can_be_written():
    layers = [matrix(np.random.default_rng(seed), 4, 6, 2) for seed in (0, 1)]
    layers[1] = replace(layers[1], bias=layers[0].bias, requantise=layers[0].requantise)
    nets = [alone(layer) for layer in layers]
    plans = [map_network(net, GENERIC, interval=120, body="folded") for net in nets]
    accelerator = Accelerator(plans[0])
    banks = accelerator.layers["fc"].tile.banks
    writes = [
        {"bank": bank, "address": address, "data": data}
        for bank, contents in enumerate(banks.contents(plans[1].layers["fc"].words))
        for address, data in enumerate(contents)
    ]
    x = images(nets[0], 12)
    lanes = plans[0].layers["fc"].i_lanes
    streams = {"w_fc": writes, "i_x": x.reshape(-1, lanes).tolist()}
    count = plans[0].layers["fc"].o_beats * len(x)
    found = run_stream(accelerator, streams, outputs={"o_y": count}, stall=0)["o_y"]
    before, after = (net.run(x)[6:] for net in nets)  # by then all is written
    np.testing.assert_array_equal(np.array(found).reshape(len(x), -1)[6:], after)
    assert np.any(before != after)
