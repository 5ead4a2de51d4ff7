"""Tests of spintron_hw.mapping.estimate: what converters take."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from spintron_hw.mapping.capacity import check_capacity
from spintron_hw.mapping.dense import DensePlan
from spintron_hw.mapping.estimate import (
    Resources,
    _converters,
    _noise,
    _requantiser,
    _roms,
    estimate_layer,
)
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.simple import ArgmaxPlan, PoolPlan, WirePlan
from spintron_hw.mapping.target import GENERIC
from spintron_hw.mapping.vectors import SoftmaxPlan, TopKPlan
from spintron_hw.mapping.window import WindowPlan
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
    Pool,
    Port,
    Softmax,
    TFLite,
    Thresholds,
    TopK,
    Window,
)
from spintron_ir.errors import MappingError

LEVEL = IntType(12, signed=True)


def planned(adc, *, groups=1, cols=4, col_parallel=4, body="folded"):
    """A layer whose levels have 12 bits: 128 rows a tile, 4-bit codes, one-bit chunks."""
    layer = Dense(
        codes=np.zeros((1, 2, 128 * groups, cols), int),
        cell_bits=4,
        scheme="pair",
        input=IntType(1),
        dac_bits=1,
        slice_shift=(0,),
        tile_rows=128,
        bias=np.zeros(cols, int),
        adc=adc,
    )
    return DensePlan(
        node="fc", layer=layer, body=body, i_lanes=1, o_lanes=1, row_parallel=1,
        col_parallel=col_parallel, group_size=1, bank_bits=36,
    )  # fmt: skip


def sampled(bits, *shape):
    """Transitions that use all 12 bits."""
    rng = np.random.default_rng(0)
    levels = np.sort(rng.integers(-2048, 2048, (*shape, (1 << bits) - 1)), axis=-1)
    levels[..., 0], levels[..., -1] = -2048, 2047
    return Adc(bits=bits, transitions=levels)


def needs(plan, target=GENERIC):
    level = plan.ranges.level.type.bits
    return _converters(plan, plan.col_parallel, level, target)


# What Yosys 0.70 made of the cell alone for ECP5, counted per lane: look-up tables (two for each
# carry cell), flip-flops and block RAMs.
MEASURED = [
    (sampled(5, 1, 1, 1, 4), {}, (145, 156, 0)),
    (sampled(8, 1, 1, 1, 2), {"cols": 2, "col_parallel": 2}, (381, 310, 0)),
    (sampled(3, 4, 1, 1, 8), {"groups": 4, "cols": 8}, (132, 98, 0)),
    (sampled(5, 4, 1, 1, 8), {"groups": 4, "cols": 8}, (328, 187, 0)),
    (sampled(5, 4, 1, 1, 32), {"groups": 4, "cols": 32}, (307, 171, 2)),
    (sampled(8, 4, 1, 1, 8), {"groups": 4, "cols": 8, "col_parallel": 2}, (360, 316, 5)),
]


@pytest.mark.parametrize("adc, kind, measured", MEASURED)
def test_against_synthesis(adc, kind, measured):
    plan = planned(adc, **kind)
    assert plan.ranges.level.type == LEVEL
    found, lanes = needs(plan), plan.col_parallel
    assert (found.brams, found.dsps) == (measured[2] * lanes, 0)
    for count, synthesised in ((found.luts, measured[0]), (found.ffs, measured[1])):
        assert abs(count - synthesised * lanes) <= 0.2 * synthesised * lanes


@pytest.mark.parametrize(
    ("acc", "lanes", "cols", "measured"),
    [
        (18, 1, 16, (381, 257, 4)),
        (18, 4, 4, (1047, 760, 16)),
        (18, 4, 16, (1332, 832, 16)),
        (24, 4, 64, (1624, 1118, 16)),
    ],
)
def test_requantiser_of_tflite_against_synthesis(acc, lanes, cols, measured):
    rq = TFLite(
        multiplier=[1 << 30] * cols, shift=[-7] * cols, zero_point=-128, low=-128, high=127,
        type=IntType(8, signed=True),
    )  # fmt: skip
    plan = SimpleNamespace(o_lanes=lanes, layer=SimpleNamespace(requantise=rq, cols=cols))
    found = _requantiser(plan, acc, GENERIC)
    assert (found.brams, found.dsps) == (0, measured[2])
    for count, synthesised in ((found.luts, measured[0]), (found.ffs, measured[1])):
        assert abs(count - synthesised) <= 0.25 * synthesised


def test_worked_memory():
    # 4 row groups, 8 columns, two at a time: 16 steps; 16, 32 .. 2,048 words of 12 bits. 256, 512
    # and 1,024 words have a block of 1,024 x 18 each, and 2,048 words have two.
    plan = planned(sampled(8, 4, 1, 1, 8), groups=4, cols=8, col_parallel=2)
    widths = (10, 12, 12, 12, 12, 12, 12, 12)  # the middle ones lie nearer to 0
    assert _roms(plan, 12) == [(16 << bit, width) for bit, width in enumerate(widths)]
    assert needs(plan).brams == 2 * (1 + 1 + 1 + 2)
    # Blocks of 16 bits at most, of which there are 256 words, as on the iCE40; 3 of 4 bits hold
    # 1,024 words, and 6 of 2 bits hold 2,048: 1 + 2 + 3 + 6.
    small = dataclasses.replace(GENERIC, bram_bits=4096, bram_width=16)
    assert needs(plan, small).brams == 2 * (1 + 2 + 3 + 6)


@pytest.mark.parametrize(
    "shape, kind, steps",
    [
        ((1, 1, 1, 1), {"cols": 8}, 1),
        ((1, 1, 1, 4), {}, 1),
        ((1, 1, 1, 8), {"cols": 8}, 2),
        ((4, 1, 1, 1), {"groups": 4}, 4),
        ((4, 1, 1, 1), {"groups": 4, "cols": 8}, 8),
        ((4, 1, 1, 8), {"groups": 4, "cols": 8, "body": "unrolled", "col_parallel": 8}, 1),
    ],
)
def test_steps_that_agree_share_their_memory(shape, kind, steps):
    plan = planned(sampled(3, *shape), **kind)
    assert [words for words, _ in _roms(plan, 12)] == [steps, 2 * steps, 4 * steps]


def test_narrow_transitions_are_narrow_words():
    plan = planned(Adc(bits=2, transitions=[[[[[-4, 0, 3]]]]]))
    assert _roms(plan, 12) == [(1, 1), (2, 3)]


def test_other_converters():
    one = np.ones((1, 1, 1, 1), int)
    assert needs(planned(None)) == Resources()
    assert needs(planned(Adc(bits=1, shift=2, gain=3 * one))) == Resources(luts=4 * 12)
    assert needs(planned(Adc(bits=1, transitions=[[[[[7]]]]]))) == Resources(luts=4 * 12)
    assert needs(planned(Adc(bits=6, shift=2))) == Resources(luts=4 * 36)
    assert needs(planned(Adc(bits=6, gain=3 * one))) == Resources(luts=4 * 36, dsps=4)


def test_memory_of_transitions_is_refused_where_it_does_not_fit():
    plan = planned(sampled(8, 4, 1, 1, 8), groups=4, cols=8, col_parallel=2)
    linear = dataclasses.replace(plan, layer=dataclasses.replace(plan.layer, adc=Adc(bits=8)))
    room = dataclasses.replace(GENERIC, brams=estimate_layer(linear, GENERIC).brams + 9)
    check_capacity(estimate_layer(linear, room), room)
    with pytest.raises(MappingError, match=r"^the network needs about 1\d block RAMs; generic has"):
        check_capacity(estimate_layer(plan, room), room)


# A line buffer made by Yosys 0.70 for ECP5, counted as above.
@pytest.mark.parametrize(
    ("in_shape", "kernel", "pad", "bits", "lanes", "measured"),
    [
        ((32, 32, 16), (3, 3), (1, 1), 4, 1, (378, 121, 1)),
        ((32, 32, 16), (3, 3), (1, 1), 4, 8, (388, 160, 1)),
        ((28, 28, 1), (5, 5), (2, 2), 8, 1, (354, 110, 1)),
        ((28, 28, 1), (5, 5), (0, 0), 1, 1, (440, 81, 0)),
        ((8, 8, 64), (3, 3), (1, 1), 4, 4, (293, 119, 1)),
        ((1, 128, 8), (1, 5), (0, 2), 4, 1, (229, 95, 1)),
        ((64, 64, 32), (3, 3), (1, 1), 8, 2, (436, 158, 4)),
    ],
    ids=str,
)
def test_line_buffers_take_what_is_estimated(in_shape, kernel, pad, bits, lanes, measured):
    layer = Window(in_shape=in_shape, type=IntType(bits), kernel=kernel, padding=pad * 2)
    plan = WindowPlan(node="window", layer=layer, i_lanes=lanes, o_lanes=lanes)
    found = estimate_layer(plan, GENERIC)
    assert abs(found.luts - measured[0]) <= 0.4 * measured[0]
    assert abs(found.ffs - measured[1]) <= 0.25 * measured[1]
    assert found.brams == measured[2]


# A pool made by Yosys 0.70 for four-input tables, without carry cells.
@pytest.mark.parametrize(
    ("places", "channels", "lanes", "bits", "mode", "measured"),
    [
        (4, 16, 1, 4, "max", (33, 75)),
        (4, 16, 16, 4, "max", (198, 131)),
        (9, 64, 2, 8, "sum", (78, 802)),
        (25, 8, 8, 4, "sum", (185, 150)),
    ],
)
def test_pools_take_what_is_estimated(places, channels, lanes, bits, mode, measured):
    in_shape = (1, places * channels)
    layer = Pool(input=IntType(bits), in_shape=in_shape, channels=channels, mode=mode)
    plan = PoolPlan(node="pool", layer=layer, i_lanes=lanes, o_lanes=lanes)
    found = estimate_layer(plan, GENERIC)
    assert abs(found.luts - measured[0]) <= 0.4 * measured[0]
    assert abs(found.ffs - measured[1]) <= 0.1 * measured[1]


# Windows of 3 x 3 over an image of 8 x 8 x 8 in so many groups, and the matrix behind them: what
# Yosys 0.70 made of both for ECP5, as above.
GROUPED = [(8, Adc(bits=8, offset=np.arange(8).reshape(1, 1, 1, 8)), (823, 399)),
           (2, None, (1151, 710))]  # fmt: skip


@pytest.mark.parametrize(("groups", "adc", "measured"), GROUPED)
def test_grouped_convolution_against_synthesis(groups, adc, measured):
    window = Window(
        in_shape=(8, 8, 8), type=IntType(4), kernel=(3, 3), padding=(1,) * 4, groups=groups
    )
    layer = Dense(
        codes=np.random.default_rng(0).integers(0, 16, (1, 2, 72 // groups, 8)), cell_bits=4,
        scheme="pair", input=IntType(4), dac_bits=1, slice_shift=(0,), tile_rows=128,
        bias=np.arange(8), adc=adc, positions=64, blocks=groups,
        requantise=MulShift(
            multiplier=np.full(8, 181), shift=np.full(8, 12), zero_point=0, type=IntType(4)
        ),
    )  # fmt: skip
    nodes = (Node(name="window", layer=window, inputs=("x",)),
             Node(name="conv", layer=layer, inputs=("window",)))  # fmt: skip
    net = Network(
        name="net", inputs=(Port(name="x", shape=(8, 8, 8), type=IntType(4)),), nodes=nodes,
        outputs=(Output(name="y", node="conv"),),
    )  # fmt: skip
    plan = map_network(net, GENERIC, body="folded")
    found = sum((estimate_layer(each, GENERIC) for each in plan.layers.values()), Resources())
    assert (plan.interval, found.brams) == (4608, 0)
    for count, synthesised in zip((found.luts, found.ffs), measured):
        assert abs(count - synthesised) <= 0.2 * synthesised


def close(found, measured, luts=0.25, ffs=0.05):
    """Whether look-up tables and flip-flops lie within these parts of those measured."""
    assert abs(found.luts - measured[0]) <= luts * measured[0]
    assert abs(found.ffs - measured[1]) <= ffs * measured[1]
    assert (found.brams, found.dsps) == tuple(measured[2:])


# The rest made by Yosys 0.70 for ECP5: look-up tables, flip-flops, block RAMs and multipliers.
@pytest.mark.parametrize(
    ("bits", "length", "lanes", "measured"),
    [
        (20, 10, 1, (90, 37, 0, 0)),
        (12, 100, 4, (259, 53, 0, 0)),
        (8, 16, 16, (523, 52, 0, 0)),
    ],
)
def test_argmax_takes_what_is_estimated(bits, length, lanes, measured):
    layer = Argmax(input=IntType(bits, signed=True), length=length)
    plan = ArgmaxPlan(node="argmax", layer=layer, i_lanes=lanes, o_lanes=1)
    close(estimate_layer(plan, GENERIC), measured)


@pytest.mark.parametrize(
    ("bits", "length", "k", "values", "measured"),
    [
        (8, 100, 5, False, (358, 125, 0, 0)),
        (20, 1000, 10, True, (2201, 424, 0, 0)),
        (16, 10, 3, False, (212, 81, 0, 0)),
    ],
)
def test_the_largest_take_what_is_estimated(bits, length, k, values, measured):
    layer = TopK(in_shape=(length,), input=IntType(bits), k=k, values=values)
    found = estimate_layer(TopKPlan(node="top", layer=layer), GENERIC)
    close(found, measured)
    assert found.ffs == measured[1]


@pytest.mark.parametrize(
    ("bits", "length", "to", "measured"),
    [
        (8, 10, 8, (1161, 334, 1, 8)),
        (8, 100, 8, (1327, 340, 1, 8)),
        (8, 1000, 16, (1203, 355, 2, 8)),
    ],
)
def test_softmax_takes_what_is_estimated(bits, length, to, measured):
    layer = Softmax(
        in_shape=(length,), input=IntType(bits), type=IntType(to),
        exponential=np.linspace(2**31 - 1, 1, 1 << bits).astype(int),
    )  # fmt: skip
    close(estimate_layer(SoftmaxPlan(node="softmax", layer=layer), GENERIC), measured)


@pytest.mark.parametrize(
    ("lanes", "measured"),
    [
        (1, (1257, 1001)),
        (2, (1316, 1051)),
        (3, (3441, 2739)),
        (4, (1403, 1132)),
        (5, (5628, 4476)),
        (8, (2657, 2130)),
    ],
)
def test_lanes_that_change_their_generators_need_more(lanes, measured):
    starts = [slice(start, start + lanes) for start in range(0, 120, lanes)]
    layer = SimpleNamespace(noise=1)
    found = _noise(SimpleNamespace(layer=layer, body="folded", pass_cols=starts), lanes)
    close(found, (*measured, 0, lanes), ffs=0.13)


def test_wires_take_nothing():
    layer = Flatten(in_shape=(2, 3), type=IntType(4))
    plan = WirePlan(node="flat", layer=layer, i_lanes=1, o_lanes=1)
    assert estimate_layer(plan, GENERIC) == Resources()


# Whole layers of a LeNet with noise and sampled converters of 6 bits, 5-bit codes in tiles of 128
# rows: both foldings of a 400 x 120 matrix take about the same cycles.
@pytest.mark.parametrize(
    ("rows", "cols", "measured"), [(15, 1, (3600, 2225, 86)), (5, 3, (7299, 4502, 85))]
)
def test_a_dense_layer_takes_what_is_estimated(rows, cols, measured):
    rng = np.random.default_rng(0)
    levels = np.sort(rng.integers(-3000, 3000, (4, 2, 1, 120, 63)), axis=-1)
    layer = Dense(
        codes=rng.integers(0, 16, (2, 2, 400, 120)), cell_bits=4, scheme="pair", input=IntType(4),
        dac_bits=1, slice_shift=(0, 4), tile_rows=128, bias=np.zeros(120, int),
        adc=Adc(bits=6, transitions=levels), noise=Noise(amplitude=[[[[300]]]], seed=1),
        requantise=Thresholds(
            thresholds=np.tile(np.arange(15) * 99, (120, 1)), sign=[1] * 120, low=0, type=IntType(4)
        ),
    )  # fmt: skip
    plan = DensePlan(
        node="fc", layer=layer, body="folded", i_lanes=1, o_lanes=1, row_parallel=rows,
        col_parallel=cols, group_size=1, bank_bits=36,
    )  # fmt: skip
    found = estimate_layer(plan, GENERIC)
    for name, synthesised in zip(("luts", "ffs", "brams"), measured, strict=True):
        assert abs(getattr(found, name) - synthesised) <= 0.3 * synthesised, name
