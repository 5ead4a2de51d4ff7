"""Tests of spintron_nn.converter.lower.values: statistics, orders, tables."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import ConversionError, Dense, Gather, IntType, Quantise, Table
from spintron_nn import MTJConfig
from spintron_nn.converter import graph as g
from spintron_nn.converter.lower import lower
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from tests.spintron_nn.converter.lower.random_models import Build, conv, linear

RANDOM = np.random.default_rng(0)
SETTINGS = Settings(chip=Chip(MTJConfig(), ideal=True), adc_bits=None)


def made(model, **changed):
    data = {name: RANDOM.standard_normal((50, *shape)) for name, shape in model.inputs.items()}
    return lower(model, data, replace(SETTINGS, **changed)), data


def layers(converted):
    return {node.name: node.layer for node in converted.network.nodes}


def plain_norm(channels):
    """A batch normalisation whose statistics, as the model has them, are wrong."""
    return g.Norm(np.ones(channels), np.zeros(channels), np.full(channels, 9.0),
                  np.full(channels, 0.01), 1e-12)  # fmt: skip


def before_norm(build):
    return build.add(linear(RANDOM, 6, 4), "x", name="before")


NORMED = {
    "convolution": ((3, 6, 5), lambda b: b.add(conv(RANDOM, 3, 4, (3, 3)), "x", name="before")),
    "vectors": ((5, 6), before_norm),
    "sum": ((4, 3, 3), lambda b: b.add(g.Add((1.0, 1.0)), "x", "x", name="before")),
    "function": ((4, 3, 3), lambda b: b.add(g.Function("tanh"), "x", name="before")),
    "input": ((4, 3, 3), lambda b: "x"),
}


@pytest.mark.parametrize("name", NORMED)
def test_statistics_are_those_of_the_calibration_data(name):
    shape, make = NORMED[name]
    build = Build(x=shape)
    before = make(build)
    build.add(plain_norm(build.shapes[before][0]), before, name="norm")
    build.add(g.Function("relu"), "norm", name="relu")
    build.add(g.Function("abs"), "relu", name="after")  # so that the ReLU has activation codes
    converted, data = made(build.model("after", "relu"), activation_bits=6)
    stage = next(one for one in converted.report.stages if one.steps[-1] == "relu")
    trace = converted.network.trace(converted.quantise_input(data["x"]))
    found = trace[stage.node].reshape(50, -1)[:, stage.index] * stage.scale
    # Half of a normalised value of mean 0 and variance 1 is cut: 1/2 of the power is left if the
    # values are symmetric; codes of six bits and what saturates leave a few parts in a hundred.
    power = (found**2).mean()
    assert 0.35 < power < 0.65


def test_an_order_is_made_once():
    build = Build(x=(3, 4, 4))
    build.add(conv(RANDOM, 3, 2, (3, 3)), "x", name="one")
    build.add(conv(RANDOM, 3, 2, (2, 2)), "x", name="two")
    converted, _ = made(build.model())
    assert sum(isinstance(layer, Gather) for name, layer in layers(converted).items()
               if converted.network.node(name).inputs == ("x",)) == 1  # fmt: skip


def test_a_shuffle_of_channels_is_one_gather():
    build = Build(x=(6, 3, 3))
    build.add(conv(RANDOM, 6, 6, (1, 1)), "x", name="first")
    build.add(g.Function("relu"), "first", name="relu")
    build.add(g.Reshape(), "relu", name="apart", shape=(2, 3, 3, 3))
    build.add(g.Permute((1, 0, 2, 3)), "apart", name="turned")
    build.add(g.Reshape(), "turned", name="again", shape=(6, 3, 3))
    build.add(conv(RANDOM, 6, 2, (3, 3)), "again", name="last")
    converted, _ = made(build.model("last"))
    moved = [name for name, layer in layers(converted).items() if isinstance(layer, Gather)]
    assert moved == ["first_order", "last_order"]


def test_vectors_in_another_order_move_the_weights():
    build = Build(x=(3, 4))
    build.add(g.Permute((1, 0)), "x", name="turned")
    build.add(g.Reshape(), "turned", name="flat", shape=(12,))
    build.add(linear(RANDOM, 12, 2), "flat", name="fc")
    converted, data = made(build.model("fc"), classify=False)
    assert [type(layer).__name__ for layer in layers(converted).values()] == ["Flatten", "Dense"]
    straight = Build(x=(12,))
    straight.add(g.Permute((0,)), "x", name="same")
    straight.add(build.steps[-1].operation, "same", name="fc")
    turned = data["x"].transpose(0, 2, 1).reshape(50, 12)
    other = lower(straight.model("fc"), {"x": turned}, replace(SETTINGS, classify=False))
    np.testing.assert_array_equal(
        converted.network.run(converted.quantise_input(data["x"])),
        other.network.run(other.quantise_input(turned)),
    )


def test_a_function_that_turns_is_a_table_of_more_codes():
    build = Build(x=(5,))
    build.add(linear(RANDOM, 5, 4), "x", name="fc")
    build.add(g.Function("silu"), "fc", name="silu")
    build.add(linear(RANDOM, 4, 3), "silu", name="last")
    converted, _ = made(build.model("last"), activation_bits=4)
    found = layers(converted)
    assert isinstance(found["fc"], Dense) and found["fc"].type == IntType(6, signed=True)
    assert isinstance(found["silu"], Quantise) and isinstance(found["silu"].requantise, Table)
    assert found["silu"].type == IntType(4, signed=True)


def test_codes_that_only_meet_others_have_more_bits():
    build = Build(x=(5,))
    build.add(linear(RANDOM, 5, 5), "x", name="past")
    build.add(linear(RANDOM, 5, 5), "x", name="also")
    build.add(g.Add((1.0, 1.0)), "past", "also", name="sum")
    build.add(linear(RANDOM, 5, 3), "sum", name="last")
    for bits, more in ((4, 6), (8, 8)):
        found = layers(made(build.model("last"), activation_bits=bits)[0])
        assert found["past"].type == found["also"].type == IntType(more, signed=True)
        assert found["sum"].type.bits == bits


def test_values_too_large_for_codes():
    build = Build(x=(2,))
    build.add(g.Affine(np.array(1e9), np.array(0.0)), "x", name="scaled")
    build.add(g.Function("exp"), "scaled", name="exp")
    build.add(g.Function("relu"), "exp", name="relu")
    with pytest.raises(
        ConversionError,
        match=r"^the model cannot be converted \(1 finding\): scaled: gives values beyond 2\*\*200 "
        r"for the calibration data; scale its input$",
    ):
        made(build.model("relu"))


def test_scales_too_far_apart_for_a_sum():
    build = Build(x=(2,), z=(2,))
    build.add(g.Affine(np.array(1e30), np.array(0.0)), "x", name="scaled")
    build.add(g.Add((1.0, 1.0)), "scaled", "z", name="sum")
    with pytest.raises(
        ConversionError,
        match=r"^the model cannot be converted \(1 finding\): sum: its inputs have scales too far "
        r"apart for an exact sum; scale one of them$",
    ):
        made(build.model("sum"))
