"""Tests of spintron_nn.converter.lower.ending: what networks give."""

import math

import numpy as np
import pytest

from spintron_ir import Argmax, Dense, Gather, IntType, MulShift
from spintron_ir.layers import Softmax, TopK
from spintron_nn import MTJConfig
from spintron_nn.converter import graph as g
from spintron_nn.converter.lower import lower
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from tests.spintron_nn.converter.lower.random_models import Build, conv, linear, norm
from tests.spintron_nn.converter.real_graph import run_model

RANDOM = np.random.default_rng(0)


def made(model, **changed):
    """The network on an ideal chip with 8 bits, and its calibration data."""
    data = {name: RANDOM.standard_normal((64, *shape)) for name, shape in model.inputs.items()}
    settings = {"quantization_bits": 8, "activation_bits": 8, "adc_bits": None} | changed
    converted = lower(model, data, Settings(chip=Chip(MTJConfig(), ideal=True), **settings))
    return converted, data


def layers(converted):
    return {node.name: node.layer for node in converted.network.nodes}


def integers(converted, data):
    codes = converted.quantise_input(next(iter(data.values())))
    found = converted.network.run(codes)
    names = [output.name for output in converted.network.outputs]
    return found if len(names) > 1 else {names[0]: found}


def test_scores_at_positions_in_the_order_of_the_model():
    build = Build(x=(3, 5, 4))
    build.add(conv(RANDOM, 3, 6, (3, 3), padding=((1, 1), (1, 1))), "x", name="conv")
    model = build.model("conv")
    converted, data = made(model)
    assert [output.name for output in converted.network.outputs] == ["scores"]
    assert isinstance(layers(converted)["conv_order"], Gather)
    found, expected = converted.run(data["x"]), run_model(model, data)["y_conv"]
    assert found.shape == expected.shape == (64, 6, 5, 4)
    # Weights and inputs of 8 bits.
    assert np.abs(found - expected).max() < 0.1 * expected.std()


def test_scores_with_lines_of_their_own():
    build = Build(x=(7,))
    build.add(linear(RANDOM, 7, 5), "x", name="fc")
    build.add(norm(RANDOM, 5), "fc", name="norm")
    converted, _ = made(build.model("norm"), classify=False)
    layer = layers(converted)["fc"]
    assert isinstance(layer.requantise, MulShift) and layer.type == IntType(16, signed=True)
    assert [stage.steps for stage in converted.report.stages] == [("fc", "norm")]


def test_a_class_next_to_a_vector_of_scores():
    build = Build(x=(7,))
    build.add(linear(RANDOM, 7, 5), "x", name="fc")
    converted, data = made(build.model("fc"))
    assert [output.name for output in converted.network.outputs] == ["scores", "class"]
    found = integers(converted, data)
    np.testing.assert_array_equal(found["class"][:, 0], np.argmax(found["scores"], axis=1))


@pytest.mark.parametrize("smallest", [False, True])
def test_a_model_that_ends_in_a_class(smallest):
    build = Build(x=(7,))
    build.add(linear(RANDOM, 7, 5), "x", name="fc")
    build.add(g.ArgmaxOf(0, smallest), "fc", name="best", shape=(1,))
    converted, data = made(build.model("best"))
    assert [output.name for output in converted.network.outputs] == ["class"]
    best = np.argmin if smallest else np.argmax
    trace = converted.network.trace(converted.quantise_input(data["x"]))
    np.testing.assert_array_equal(converted.predict(data["x"]), best(trace["fc"], axis=1))
    assert sum(isinstance(layer, Argmax) for layer in layers(converted).values()) == 1


def test_equal_values_have_the_lowest_index():
    build = Build(x=(4,))
    build.add(g.ArgmaxOf(0), "x", name="most", shape=(1,))
    build.add(g.ArgmaxOf(0, smallest=True), "x", name="least", shape=(1,))
    build.add(g.TopKOf(2, 0), "x", name="two")
    converted, _ = made(build.model())
    x = np.array([[0.5, 2.0, 2.0, 0.5]])
    found = converted.run(x)
    assert found["y_most"].tolist() == [[1]] and found["y_least"].tolist() == [[0]]
    assert found["y_two"].tolist() == [[1, 2]]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_largest_along_an_axis(axis):
    build = Build(x=(3, 4, 5))
    build.add(g.ArgmaxOf(axis), "x", name="best")
    build.add(g.TopKOf(2, axis), "x", name="two")
    build.add(g.TopKOf(2, axis, values=True), "x", name="values")
    model = build.model()
    converted, data = made(model)
    codes = converted.quantise_input(data["x"])
    expected = run_model(model, {"x": codes})
    for name, found in converted.network.run(codes).items():
        np.testing.assert_array_equal(found, expected[name])
    assert sum(isinstance(layer, TopK) for layer in layers(converted).values()) == 3


def test_values_of_the_largest_go_further():
    build = Build(x=(6,))
    build.add(g.TopKOf(3, 0, values=True), "x", name="top")
    build.add(linear(RANDOM, 3, 2), "top", name="fc")
    converted, data = made(build.model("fc"))
    codes = converted.quantise_input(data["x"])
    largest = -np.sort(-codes, axis=1)[:, :3]
    np.testing.assert_array_equal(converted.network.trace(codes)["top"], largest)


@pytest.mark.parametrize("axis", [0, 1])
def test_shares(axis):
    build = Build(x=(4, 6))
    build.add(g.SoftmaxOf(axis), "x", name="shares")
    model = build.model("shares")
    converted, data = made(model)
    port = converted.network.inputs[0]
    codes = converted.quantise_input(data["x"])
    expected = run_model(model, {"x": codes * port.scale})["y_shares"] * (1 << 16)
    found = converted.network.run(codes)
    # The exponentials have 31 bits, their sum 19: a share of 16 bits is right to a unit or two.
    assert np.abs(found - expected).max() < 3
    assert converted.network.outputs[0].scale == 2.0**-16
    assert any(isinstance(layer, Softmax) for layer in layers(converted).values())


def test_the_class_behind_shares_is_that_of_the_scores():
    build = Build(x=(7,))
    build.add(linear(RANDOM, 7, 5), "x", name="fc")
    build.add(g.SoftmaxOf(0), "fc", name="shares")
    converted, data = made(build.model("shares"))
    assert [output.name for output in converted.network.outputs] == ["scores", "class"]
    trace = converted.network.trace(converted.quantise_input(data["x"]))
    np.testing.assert_array_equal(converted.predict(data["x"]), np.argmax(trace["fc"], axis=1))
    assert layers(converted)["fc"].requantise is None


def test_exact_sums_are_given_as_they_are():
    build = Build(x=(3, 4, 4))
    build.add(g.PoolOf("average", (4, 4), (1, 1), ((0, 0),) * 2, (1, 1)), "x", name="mean")
    build.add(g.Add((1.0, 0.5)), "x", "x", name="sum")
    converted, data = made(build.model())
    port, codes = converted.network.inputs[0], converted.quantise_input(data["x"])
    found = converted.run(data["x"])
    np.testing.assert_array_equal(found["y_sum"], codes * 1.5 * port.scale)
    np.testing.assert_array_equal(found["y_mean"][..., 0, 0], codes.mean((2, 3)) * port.scale)


def test_functions_at_the_end_have_eight_bits():
    build = Build(x=(7,))
    build.add(linear(RANDOM, 7, 5), "x", name="fc")
    build.add(g.Function("sigmoid"), "fc", name="sigmoid")
    converted, data = made(build.model("sigmoid"), activation_bits=3)
    assert layers(converted)["fc"].type == IntType(8)
    found = converted.run(data["x"])
    assert 0 <= found.min() and found.max() <= 1.01


def test_an_input_as_an_output():
    build = Build(x=(2, 3))
    model = g.Model(build.inputs, (), {"y": "x"})
    converted, data = made(model)
    codes = converted.quantise_input(data["x"])
    np.testing.assert_array_equal(converted.network.run(codes), codes)


def test_several_inputs_and_outputs():
    build = Build(left=(4,), right=(3, 2, 2))
    build.add(g.Reshape(), "right", name="flat", shape=(12,))
    build.add(linear(RANDOM, 12, 4), "flat", name="fc")
    build.add(g.Function("relu"), "fc", name="relu")
    build.add(g.Mul(), "left", "relu", name="mul")
    build.add(linear(RANDOM, 4, 3), "mul", name="last")
    model = build.model("last", "relu")
    converted, data = made(model)
    assert [port.name for port in converted.network.inputs] == ["left", "right"]
    assert [output.name for output in converted.network.outputs] == ["y_last", "y_relu"]
    expected = run_model(model, data)
    for given in (data, (data["left"], data["right"])):
        for name, found in converted.run(given).items():
            # Weights and inputs of 8 bits.
            assert np.abs(found - expected[name]).max() < 0.1 * expected[name].std()


def test_flattening_an_image_costs_no_layer():
    build = Build(x=(1, 6, 6))
    build.add(conv(RANDOM, 1, 4, (3, 3)), "x", name="conv")
    build.add(g.Function("relu"), "conv", name="relu")
    build.add(g.Reshape(), "relu", name="flat", shape=(64,))
    build.add(linear(RANDOM, 64, 5), "flat", name="fc")
    model = build.model("fc")
    converted, data = made(model)
    assert not any(isinstance(layer, Gather) for layer in layers(converted).values())
    found, expected = converted.run(data["x"]), run_model(model, data)["y_fc"]
    assert np.abs(found - expected).max() < 0.1 * expected.std()


def test_the_report_of_a_convolution():
    build = Build(x=(8, 6, 5))
    build.add(conv(RANDOM, 8, 16, (3, 3), groups=2), "x", name="conv")
    converted, _ = made(build.model("conv"), quantization_bits=2, crossbar_size=16)
    (report,) = converted.report.layers
    dense = layers(converted)["conv"]
    assert isinstance(dense, Dense) and (dense.blocks, dense.positions) == (2, 12)
    assert (report.inputs, report.outputs, report.positions, report.blocks) == (36, 16, 12, 2)
    # 36 rows of each group on tiles of 16: three, for two slices, two devices a weight.
    assert report.tiles == 3 * 2 * 2 * 2
    assert report.devices == 36 * 16 * 2 * 2
    assert math.prod(dense.codes.shape) == report.devices
