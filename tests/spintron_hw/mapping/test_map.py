"""Tests of spintron_hw.mapping: plans, folding, refusals."""

import dataclasses
import re

import numpy as np
import pytest

from spintron_hw.mapping.map import lanes_for, map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Adc, Dense, IntType, Network, Node, Output, Port, Window
from spintron_ir.errors import MappingError, ParameterError


def dense(rows, cols, **changed):
    rng = np.random.default_rng(0)
    fields = {
        "codes": rng.integers(0, 16, (1, 2, rows, cols)),
        "cell_bits": 4,
        "scheme": "pair",
        "input": IntType(4),
        "dac_bits": 1,
        "slice_shift": (0,),
        "tile_rows": 128,
        "bias": np.zeros(cols, int),
    }
    return Dense(**fields | changed)


def network(layer):
    return Network(
        name="one",
        inputs=(Port(name="x", shape=layer.in_shape, type=layer.in_type),),
        nodes=(Node(name="fc", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="fc"),),
    )


@pytest.mark.parametrize("interval", [100, 784, 1000, 10_000])
def test_wished_interval_is_reached(interval):
    plan = map_network(network(dense(784, 128)), GENERIC, interval=interval, body="folded")
    assert plan.interval <= interval


def test_worked_folding():
    # 784 rows in groups of 128: with 32 rows a cycle 6 * 4 + 1 = 25 steps a chunk; 4 chunks and
    # 128 / 16 = 8 column blocks make 800 cycles.
    plan = map_network(network(dense(784, 128)), GENERIC, interval=1000, body="folded")
    layer = dataclasses.replace(plan.layers["fc"], row_parallel=32, col_parallel=16)
    assert (layer.steps, layer.passes, layer.reads) == (25, 8, 800)


def test_without_a_wish_the_stream_sets_the_rate():
    plan = map_network(network(dense(60, 20)), GENERIC)
    assert plan.layers["fc"].i_lanes == 1
    assert plan.interval <= 60


def test_slows_down_until_it_fits():
    small = dataclasses.replace(GENERIC, name="small", luts=3000, brams=30)
    plan = map_network(network(dense(128, 64)), small)
    assert plan.resources.within(small)
    assert plan.interval > map_network(network(dense(128, 64)), GENERIC).interval


@pytest.mark.parametrize(("brams", "interval", "part"), [(50, 1568, 0.9), (28, 6084, 1.3)])
def test_memory_of_codes_does_not_shrink_with_more_cycles(brams, interval, part):
    # 784 x 128 codes of 5 bits fill 34 blocks at least: more than two thirds of 50, whatever the
    # interval, and more than 28.
    target = dataclasses.replace(GENERIC, name="small", luts=40_000, ffs=40_000, brams=brams)
    plan = map_network(network(dense(784, 128)), target, body="folded")
    assert plan.interval == interval
    assert plan.resources.within(target, part)


def test_few_converters_where_they_are_dear():
    rng = np.random.default_rng(0)
    levels = np.sort(rng.integers(-2000, 2000, (4, 1, 1, 120, 63)), axis=-1)
    layer = dense(400, 120, adc=Adc(bits=6, transitions=levels), scheme="pair")
    board = dataclasses.replace(GENERIC, luts=80_000, ffs=80_000, brams=200, dsps=100)
    plan = map_network(network(layer), board, interval=16_000, body="folded").layers["fc"]
    assert (plan.row_parallel, plan.col_parallel) == (13, 1)
    linear = dataclasses.replace(layer, adc=None)
    plan = map_network(network(linear), board, interval=16_000, body="folded").layers["fc"]
    assert plan.col_parallel > 1


@pytest.mark.parametrize("body", ["unrolled", "folded"])
def test_body_can_be_chosen(body):
    plan = map_network(network(dense(16, 8)), GENERIC, interval=64, body=body)
    assert plan.layers["fc"].body == body


def test_scheduled_constants_follow_the_reads():
    layer = dense(5, 3, tile_rows=3)
    plan = map_network(network(layer), GENERIC, interval=40, body="folded").layers["fc"]
    plan = dataclasses.replace(plan, col_parallel=2, row_parallel=2)
    values = np.arange(6).reshape(2, 1, 1, 3)  # group 0: 0 1 2, group 1: 3 4 5
    assert plan.scheduled(values, fill=9).tolist() == [[0, 1], [3, 4], [2, 9], [5, 9]]
    pairs = plan.scheduled(np.stack([values, -values], axis=-1), fill=[8, 9])
    assert pairs.tolist() == [
        [[0, 0], [1, -1]], [[3, -3], [4, -4]], [[2, -2], [8, 9]], [[5, -5], [8, 9]],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changed, message",
    [
        (
            {"interval": 3, "body": "folded"},
            "fc: 784 x 128 with 4 chunks cannot be read in 3 cycles as folded: "
            "allow at least 28 cycles, or more dac_bits",
        ),
        (
            {"interval": 3, "body": "unrolled"},
            "fc: 784 x 128 with 4 chunks cannot be read in 3 cycles as unrolled: "
            "allow at least 4 cycles, or more dac_bits",
        ),
    ],
    ids=str,
)
def test_refuses_what_no_folding_reaches(changed, message):
    with pytest.raises(MappingError, match=f"^{re.escape(message)}$"):
        map_network(network(dense(784, 128)), GENERIC, **changed)


@pytest.mark.parametrize(
    "changed, message",
    [
        (
            {"body": "flat"},
            "map_network: body must be one of 'auto', 'unrolled', 'folded', not 'flat'",
        ),
        (
            {"interval": 0},
            "map_network: interval must be an integer in 1..16777216, not 0",
        ),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        map_network(network(dense(4, 2)), GENERIC, **changed)


@pytest.mark.parametrize(
    "length, interval, lanes", [(784, 784, 1), (784, 783, 2), (10, 1, 10), (7, 2, 4), (1, 1, 1)]
)
def test_lanes(length, interval, lanes):
    assert lanes_for(length, interval) == lanes


def test_windows_take_the_lanes_that_reach_the_interval():
    layer = Window(in_shape=(6, 6, 12), type=IntType(4), kernel=(3, 3), padding=(1, 1, 1, 1))
    lanes = [
        map_network(network(layer), GENERIC, interval=interval).layers["fc"].i_lanes
        for interval in (10_000, 3000, 1500)
    ]
    assert lanes == [1, 2, 4]
    message = (
        "fc: windows of 36 x 108 values cannot leave in 900 cycles: allow at least 972 cycles, "
        "or more channels, with a higher power of two in their number"
    )
    with pytest.raises(MappingError, match=f"^{re.escape(message)}$"):
        map_network(network(layer), GENERIC, interval=900)


def test_positions_begin_with_a_beat():
    layer = dense(6, 8, positions=3)
    plan = map_network(network(layer), GENERIC, interval=100, body="folded").layers["fc"]
    assert (plan.i_lanes, plan.interval) == (1, 3 * plan.pace)
    message = "DensePlan: i_lanes must divide 6, so that every position begins with a beat, not 4"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        dataclasses.replace(plan, i_lanes=4, row_parallel=4)


def test_every_position_takes_its_reads():
    message = (
        "fc: 16 x 8 with 4 chunks cannot be read in 11 cycles as unrolled: "
        "allow at least 12 cycles, or more dac_bits"
    )
    with pytest.raises(MappingError, match=f"^{re.escape(message)}$"):
        map_network(network(dense(16, 8, positions=3)), GENERIC, interval=11, body="unrolled")
