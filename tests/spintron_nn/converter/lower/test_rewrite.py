"""Tests of spintron_nn.converter.lower.rewrite: other graphs, the same values."""

import numpy as np
import pytest

from spintron_nn.converter import graph as g
from spintron_nn.converter.lower.rewrite import simplified
from tests.spintron_nn.converter.lower.random_models import Build, conv, random_model
from tests.spintron_nn.converter.real_graph import run_model

RANDOM = np.random.default_rng(0)
POOL = g.PoolOf("max", (2, 2), (2, 2), ((0, 1), (1, 0)), (1, 1))


def kinds(model):
    return [type(step.operation).__name__ for step in model.steps]


def same(model):
    """The simplified model, whose outputs are those of the model."""
    x = {name: RANDOM.standard_normal((3, *shape)) for name, shape in model.inputs.items()}
    found = simplified(model)
    expected = run_model(model, x)
    for name, values in run_model(found, x).items():
        np.testing.assert_array_equal(values, expected[name])
    return found


@pytest.mark.parametrize("seed", range(60))
def test_random_models_keep_their_values(seed):
    random = np.random.default_rng(seed)
    same(random_model(random, int(random.integers(2, 12))))


def test_dropouts_go():
    build = Build(x=(3,))
    build.add(g.Dropout(0.5), "x", name="a")
    build.add(g.Function("relu"), "a", name="b")
    build.add(g.Dropout(0.5), "b", name="c")
    found = same(build.model())
    assert kinds(found) == ["Function"]
    assert found.outputs == {"y_c": "b"}


def test_zeros_go_into_the_convolution():
    build = Build(x=(2, 4, 5))
    build.add(g.Pad(((0, 0), (1, 2), (0, 1))), "x")
    build.add(conv(RANDOM, 2, 3, (2, 2), padding=((1, 0), (1, 1))), "s0_pad")
    found = same(build.model())
    assert kinds(found) == ["Conv"]
    assert found.steps[0].operation.padding == ((2, 2), (1, 2))


@pytest.mark.parametrize(
    "amounts", [((0, 0), (1, -1), (0, 0)), ((1, 0), (1, 1), (0, 0))], ids=["cut", "channels"]
)
def test_other_padding_stays(amounts):
    build = Build(x=(2, 4, 5))
    build.add(g.Pad(amounts), "x")
    build.add(conv(RANDOM, build.shapes["s0_pad"][0], 3, (2, 2)), "s0_pad")
    assert kinds(same(build.model())) == ["Pad", "Conv"]


def test_rising_functions_go_before_maxima():
    build = Build(x=(2, 6, 6))
    build.add(conv(RANDOM, 2, 3, (3, 3)), "x", name="conv")
    build.add(POOL, "conv", name="first")
    build.add(POOL, "first", name="second")
    build.add(g.Function("relu"), "second", name="relu")
    build.add(g.Function("tanh"), "relu", name="tanh")
    found = same(build.model())
    assert kinds(found) == ["Conv", "Function", "Function", "PoolOf", "PoolOf"]
    assert [step.operation.name for step in found.steps[1:3]] == ["relu", "tanh"]
    assert [step.shape for step in found.steps] == [
        (3, 4, 4), (3, 4, 4), (3, 4, 4), (3, 2, 2), (3, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("function", ["abs", "silu", "neg"])
def test_other_functions_stay_behind(function):
    build = Build(x=(2, 4, 4))
    build.add(POOL, "x")
    build.add(g.Function(function), "s0_poolof")
    assert kinds(same(build.model())) == ["PoolOf", "Function"]


def test_a_maximum_that_something_else_takes_stays():
    build = Build(x=(2, 4, 4))
    build.add(POOL, "x", name="pool")
    build.add(g.Function("relu"), "pool", name="relu")
    build.add(g.Function("abs"), "pool", name="abs")
    assert kinds(same(build.model())) == ["PoolOf", "Function", "Function"]


def test_the_order_of_shares_is_that_of_the_values():
    build = Build(x=(5,))
    build.add(g.SoftmaxOf(0), "x", name="shares")
    build.add(g.ArgmaxOf(0), "shares", name="best")
    build.add(g.TopKOf(2, 0), "shares", name="two")
    assert kinds(same(build.model())) == ["ArgmaxOf", "TopKOf"]
    assert kinds(same(build.model("best", "shares", "two"))) == ["SoftmaxOf", "ArgmaxOf", "TopKOf"]
    build.add(g.TopKOf(2, 0, values=True), "shares", name="largest")
    assert kinds(same(build.model())) == ["SoftmaxOf", "ArgmaxOf", "TopKOf", "TopKOf"]
