"""Tests of spintron_nn.converter.quantise."""

import numpy as np
import pytest

from spintron_ir import IntType
from spintron_nn.converter.quantise import (
    Affine,
    best_scale,
    codes_of,
    nearest_states,
    percentile_scale,
    percentile_step,
    quantise_weights,
)

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
@pytest.mark.parametrize("per_channel", [True, False])
def test_weights_on_the_levels_are_kept(bits, per_channel):
    top = (1 << bits) - 1
    odd = np.stack([RANDOM.permutation(np.arange(-top, top + 1, 2)) for _ in range(6)])
    step = 2.0 ** np.arange(-5, 1) if per_channel else np.full(6, 0.25)
    values = np.arange(-top, top + 1, 2.0)
    found, steps = quantise_weights(odd * step[:, None], values, per_channel=per_channel)
    np.testing.assert_array_equal(values[found], odd)
    np.testing.assert_array_equal(steps, step)


@pytest.mark.parametrize(("bits", "mse"), [(1, 0.3634), (2, 0.1188), (3, 0.03744), (4, 0.01154)])
def test_a_normal_source_meets_the_published_error(bits, mse):
    # Max 1960, table II: least squared error of uniform quantisers of 2, 4, 8 and 16 levels.
    weight = RANDOM.standard_normal((1, 400_000))
    values = np.arange(1 - (1 << bits), 1 << bits, 2.0)
    states, step = quantise_weights(weight, values, per_channel=True)
    found = float(np.mean((weight - values[states] * step[:, None]) ** 2))
    assert abs(found / mse - 1) < 0.01


def test_no_weight_is_zero():
    values = np.array([-3.0, -1.0, 1.0, 3.0])
    states, step = quantise_weights(np.zeros((2, 3)), values, per_channel=True)
    assert states.tolist() == [[2, 2, 2], [2, 2, 2]]
    assert step.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_uneven_values_take_the_nearest(order):
    # Edges at -2, 0 and 2 steps of 0.5; the order in which states come is free.
    values = np.array([-3.5, -0.5, 0.5, 3.5])[order]
    weight = 0.5 * np.array([[-3.5, -0.5, 0.5, 3.5, -0.5, 0.5]])
    states, step = quantise_weights(weight, values, per_channel=True)
    assert values[states].tolist() == [[-3.5, -0.5, 0.5, 3.5, -0.5, 0.5]]
    assert step.tolist() == [0.5]


def test_codes_by_hand():
    # 0.5 / 1 + 0.5 = 1; -0.5 / 1 + 0.5 = 0; 99 saturates.
    assert codes_of([-1, -0.5, 0.49, 0.5, 99], 1.0, IntType(4)).tolist() == [0, 0, 0, 1, 15]
    assert codes_of([-99, -1.5, -0.5, 99], 1.0, IntType(4, signed=True)).tolist() == [-8, -1, 0, 7]


def test_scale_keeps_values_that_are_on_codes():
    assert best_scale(np.arange(16) / 8, IntType(4)) == 0.125
    assert best_scale(np.arange(-7, 8) / 8, IntType(4, signed=True)) == 0.125


def test_scale_is_fitted_between_the_tried_ones():
    # Seventeen pixel values on sixteen codes: the least error is at a sixteenth, nearly.
    values = np.repeat(np.arange(17) / 16, [40] * 16 + [5])
    scale = best_scale(values, IntType(4))
    assert abs(scale * 16 - 1) < 0.005


def test_scale_sees_every_column_of_a_large_batch():
    values = np.zeros((4096, 128))
    values[:, 1] = 3.0
    assert best_scale(values, IntType(4)) * 15 == 3.0


def test_scale_of_nothing():
    assert best_scale(np.array([-1.0, 0.0]), IntType(4)) == 1.0
    assert best_scale(np.zeros(3), IntType(4, signed=True)) == 1.0
    assert best_scale(np.array([-3.0, -1.0]), IntType(1, signed=True)) == 3.0


def test_scale_of_a_percentile_by_hand():
    values = np.arange(-20.0, 101.0)[:, None]  # the 90th percentile is 88, the 10th is -8
    assert percentile_scale(values, IntType(3), 90) == 88 / 7
    assert percentile_scale(values, IntType(3), 100) == 100 / 7
    assert percentile_scale(values, IntType(3, signed=True), 90) == 88 / 3
    assert percentile_scale(-values, IntType(3, signed=True), 90) == 88 / 4
    few = np.zeros((100, 1))
    few[7] = 30.0  # so few that the percentile is 0: the largest instead
    assert percentile_scale(few, IntType(4), 90) == 2.0
    assert percentile_scale(-few, IntType(4), 90) == 1.0


def test_step_of_a_percentile_by_hand():
    weight = np.array([[0.0, 1.0, -2.0, 3.0, -4.0], [0.0, 0.0, 0.0, 0.0, 8.0]])
    values = np.array([-3.0, -1.0, 1.0, 3.0])
    each = percentile_step(weight, values, 75, per_channel=True)
    assert each.tolist() == [1.0, 1.0]  # none of the second's is above 0: any step will do
    assert percentile_step(weight, values, 100, per_channel=False).tolist() == [8 / 3, 8 / 3]


@pytest.mark.parametrize("kind", [IntType(1), IntType(2, signed=True), IntType(4), IntType(8)])
@pytest.mark.parametrize("source", ["normal", "half", "whole", "far", "tiny"])
def test_scale_is_that_of_every_scale_tried(kind, source):
    values = RANDOM.standard_normal(9_000)
    values = {
        "normal": values,
        "half": np.maximum(values, 0.0),
        "whole": np.round(2 * values),  # scales are as good as each other there
        "far": np.append(values, 1e6),
        "tiny": values * 1e-160,  # squares are no numbers any more
    }[source]
    target = values if kind.signed else np.maximum(values, 0.0)
    whole = target.max() / max(kind.high, 1)
    if kind.signed:
        whole = max(whole, target.min() / kind.low)

    def error(scale):
        return np.square(codes_of(values, scale, kind) * scale - target).sum()

    best = min((whole * np.geomspace(1, 0.05, 96)).tolist(), key=error)
    codes = codes_of(values, best, kind)
    fitted = (codes * target).sum() / np.square(codes).sum()
    assert best_scale(values, kind) == (fitted if error(fitted) < error(best) else best)


@pytest.mark.parametrize("bits", [1, 2, 4, 5, 8])
def test_states_are_the_nearest_on_both_sides_of_every_edge(bits):
    values = np.arange(1 - (1 << bits), 1 << bits, 2.0)
    edges = (values[1:] + values[:-1]) / 2
    weight = np.stack([edges, np.nextafter(edges, -np.inf)])
    states = nearest_states(weight, values, np.ones((2, 1)))
    count = np.arange(len(edges))
    np.testing.assert_array_equal(states, [count + 1, count])


def test_scale_clips_where_that_pays():
    values = np.abs(RANDOM.standard_normal(20_000))
    kind = IntType(2)
    scale = best_scale(values, kind)

    def error(s):
        return np.mean((codes_of(values, s, kind) * s - values) ** 2)

    assert scale * kind.high < 0.8 * values.max()
    assert error(scale) <= min(error(s) for s in np.linspace(0.3, values.max() / 3, 50)) * 1.01


@pytest.mark.parametrize("kind", [IntType(4), IntType(3, signed=True), IntType(1), IntType(8)])
def test_thresholds_equal_the_function_on_every_accumulator(kind):
    slope = np.array([0.125, -0.125, 0.0, 1e-9, -1e9, 0.037, -0.0021, 1 / 3, 7.0])
    offset = np.array([0.0, 1.0, 3.3, -2.0, 0.25, -0.5, 4.0, 1 / 3, -3.5])
    # Slope 1/8, scale 1/2: every second half lies exactly between two codes.
    affine = Affine(slope, offset, 0.5, kind)
    low, high = -300, 411
    requantise = affine.thresholds(low, high)
    acc = np.arange(low, high + 1)[:, None] * np.ones(9, dtype=np.int64)
    np.testing.assert_array_equal(requantise.run(acc), affine.codes(acc))
    assert requantise.type == kind and requantise.low == kind.low


def test_thresholds_by_hand():
    # Codes floor(acc / 2 + 0.5): 1 from 1 on, 2 from 3, 3 from 5.
    affine = Affine(np.array([1.0, -1.0]), np.array([0.0, 0.0]), 2.0, IntType(2))
    made = affine.thresholds(-9, 9)
    assert made.thresholds.tolist() == [[1, 3, 5], [1, 3, 5]]
    assert made.sign.tolist() == [1, -1]
