"""Tests of spintron_hw.mapping.gather: blocks, bodies and cycles, and what they take."""

import numpy as np
import pytest

from spintron_hw.mapping.estimate import Resources, estimate_layer
from spintron_hw.mapping.gather import (
    GatherPlan,
    gather_lanes,
    is_wire,
    nest_of,
    plan_gather,
    steps_of,
    whole_block,
)
from spintron_hw.mapping.simple import QuantisePlan
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Gather, IntType, Quantise, Thresholds

U8 = IntType(8)


def gather(shape, move):
    places = move(np.arange(np.prod(shape)).reshape(shape))
    return Gather(in_shape=shape, type=U8, out_shape=places.shape, index=places.ravel())


def plan(shape, move, lanes=1):
    return GatherPlan(node="n", layer=gather(shape, move), i_lanes=lanes, o_lanes=lanes)


def twice(x):
    return x.repeat(2, 0).repeat(2, 1)


def padded(x):
    return np.pad(x, ((1, 1), (1, 1), (0, 0)), constant_values=-1)


@pytest.mark.parametrize(
    ("shape", "move", "lanes", "words", "blocks"),
    [
        ((16, 16, 8), twice, 8, 16, 16),  # a row at a time, of a word a pixel
        ((4, 6, 8), lambda x: x[:, ::-1], 1, 48, 4),
        ((4, 6, 8), lambda x: x[:, :, ::-1], 1, 16, 12),  # of at least 16 words
        ((3, 4, 5), lambda x: x.transpose(1, 2, 0), 1, 60, 1),
        ((5, 4), lambda x: x[:, 1:3], 1, 4, 5),
        ((5, 3), lambda x: x.repeat(2, 1), 1, 1, 15),
        ((5, 3), lambda x: x[1:], 1, 15, 1),
    ],
)
def test_blocks(shape, move, lanes, words, blocks):
    found = plan(shape, move, lanes)
    assert (found.block[0], found.blocks) == (words, blocks)
    x = np.random.default_rng(0).integers(0, 256, (3, *shape))
    np.testing.assert_array_equal(
        found.run(x.reshape(3, -1)), np.stack([move(frame) for frame in x]).reshape(3, -1)
    )


@pytest.mark.parametrize(
    ("shape", "move", "lanes"),
    [
        ((2, 3, 8), padded, (1, 2, 4, 8)),
        ((2, 3, 12), twice, (1, 2, 4)),
        ((4, 8), lambda x: x[:, 2:6], (1, 2)),
        ((4, 8), lambda x: x[:, 1:5], (1,)),
        ((8, 4), lambda x: x.T, (1,)),
        ((6,), lambda x: x[:5], (1,)),
    ],
)
def test_lanes(shape, move, lanes):
    assert gather_lanes(gather(shape, move)) == lanes


def test_wires():
    assert is_wire(gather((1, 7), lambda x: x.T))
    assert not is_wire(gather((2, 7), lambda x: x.T))
    assert not is_wire(gather((7,), lambda x: x[:6]))
    shuffled = gather((5, 8), lambda x: x.reshape(5, 2, 4).swapaxes(1, 2))
    assert whole_block(shuffled) == (8, 8)
    assert whole_block(gather((5, 6), lambda x: x[:, ::-1])) == (30, 30)  # 6 are no lanes
    assert plan_gather("n", shuffled, 7).body == "wires"


@pytest.mark.parametrize("seed", range(20))
def test_a_nest_runs_through_its_index(seed):
    rng = np.random.default_rng(seed)
    loops = [(int(rng.integers(2, 5)), int(rng.integers(-3, 4))) for _ in range(seed % 4)]
    index = np.array([7])
    for count, step in loops:
        index = (index[None, :] + step * np.arange(count)[:, None]).reshape(-1)
    found, back = nest_of(index), index[:1]
    for count, step in found:
        back = (back[None, :] + step * np.arange(count)[:, None]).reshape(-1)
    np.testing.assert_array_equal(back, index)
    assert len(found) <= len(loops)


def test_no_nest():
    assert nest_of(np.array([0, 1, 3, 4, 6, 8])) is None


@pytest.mark.parametrize("seed", range(20))
def test_steps_give_the_index(seed):
    """Played by hand: what is given after each step, and that all words are taken."""
    rng = np.random.default_rng(seed)
    words = int(rng.integers(1, 9))
    index = np.sort(rng.integers(0, words, rng.integers(1, 12)))
    index[rng.random(len(index)) < 0.3] = -1
    taken, given = -1, []
    for take, give, pad, again, times in steps_of(index, words).tolist():
        for _ in range(times):
            taken += take
            assert not (take and again)
            given += [-1 if pad else taken] * give
    assert (taken, given) == (words - 1, index.tolist())


def test_a_buffer_loads_while_it_is_read():
    """Two blocks of 16 in cycles 0..31, each read in reverse once it is complete."""
    found = plan((2, 16), lambda x: x[:, ::-1])
    assert (found.body, found.blocks, found.interval) == ("buffer", 2, 32)
    taken, left = found.passage((np.arange(64),), 2)
    assert taken[0].tolist() == list(range(64))
    assert left.tolist() == list(range(17, 81))


# What Yosys 0.70 made of the layer alone for ECP5: look-up tables (two for each carry cell),
# flip-flops and block RAMs.
MEASURED = [
    (plan((32, 32, 16), padded, 16), (170, 277, 0)),
    (plan((32, 32, 16), lambda x: x[4:28, 4:28]), (55, 30, 0)),
    (plan((3, 32, 32), lambda x: x.transpose(1, 2, 0)), (144, 76, 3)),
    (plan((16, 16, 32), twice, 4), (143, 104, 1)),
    (plan((512,), lambda x: np.random.default_rng(0).permutation(x)), (74, 53, 2)),
]


@pytest.mark.parametrize(("found", "measured"), MEASURED, ids=range(5))
def test_against_synthesis(found, measured):
    needs = estimate_layer(found, GENERIC)
    assert (needs.brams, needs.dsps) == (measured[2], 0)
    assert abs(needs.luts - measured[0]) <= 0.3 * measured[0]
    assert abs(needs.ffs - measured[1]) <= 0.3 * measured[1]


def test_wires_take_nothing():
    found = plan_gather("n", gather((5, 8), lambda x: x[:, ::-1]), 5)
    assert (found.body, estimate_layer(found, GENERIC)) == ("wires", Resources())


def test_a_requantiser_takes_more_with_more_lanes():
    step = Thresholds(thresholds=[[2, 5, 9]], sign=[1], low=0, type=IntType(2))
    layer = Quantise(in_shape=(8,), input=U8, requantise=step)
    one, four = (
        estimate_layer(QuantisePlan(node="q", layer=layer, i_lanes=n, o_lanes=n), GENERIC)
        for n in (1, 4)
    )
    assert (four.luts, four.ffs) == (4 * one.luts, 4 * one.ffs)
