"""Quantisers that training found: their checks, and the networks that come of them."""

import contextlib
import functools
import json
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from spintron_ir import ConversionError, ParameterError
from spintron_nn.converter import graph as g
from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.converter.levels import weight_values
from spintron_nn.converter.loading import program_of
from spintron_nn.converter.lower import lower
from spintron_nn.converter.pytorch_front import parse
from spintron_nn.converter.settings import Settings
from spintron_nn.converter.trained import Trained, adc_parts, nearest_adc_step
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

X = np.random.default_rng(0).random((60, 6))
UNEVEN = MTJConfig(levels=4, cell_bits=8, level_fractions=(0, 0.2, 0.8, 1))


def model():
    torch.manual_seed(0)
    layers = nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)
    made = nn.Sequential(*layers).double().eval().requires_grad_(False)
    for layer in layers[::2]:
        layer.bias.copy_(-0.3 * layer.weight.sum(1))  # so that each output is of both signs
    return made


@functools.cache
def parsed():
    return parse(program_of(model(), X))


SCALES = {"input": 0.07, "layer_1": 0.041, "layer_3": 0.03}
STEPS = {
    "layer_0": np.array([0.1, 0.2, 0.15, 0.12, 0.3]),
    "layer_2": np.array([0.13]),
    "layer_4": np.array([0.125]),
}


def convert(trained, config=None, **changed):
    made = {"ideal": True, "calibration": X} | changed
    return SpintronConverter(config or MTJConfig()).convert(parsed(), trained=trained, **made)


def quantised(x, scale):
    """Codes of four bits, in torch."""
    return torch.floor(torch.as_tensor(x) / scale + 0.5).clamp(0, 15)


def on_values(weight, values, step):
    """Nearest value of each weight, by looking at all of them."""
    tall = torch.as_tensor(step).reshape(-1, 1, 1)
    distance = (weight[..., None] - torch.as_tensor(values) * tall).abs()
    return torch.as_tensor(values)[distance.argmin(-1)] * tall[..., 0]


@pytest.mark.parametrize("config", [MTJConfig(), UNEVEN], ids=["even", "uneven"])
def test_a_network_is_the_formula_of_its_quantisers(config):
    """Weights on their values, the float products' line, codes by the scales given."""
    made = convert(Trained(SCALES, STEPS), config)
    values, module = weight_values(config, 2), model()
    codes = quantised(X, SCALES["input"])
    np.testing.assert_array_equal(made.quantise_input(X), codes.numpy())
    trace = made.network.trace(codes.numpy().astype(np.int64))
    real = codes * SCALES["input"]
    for place, name in enumerate(STEPS):
        layer = module[2 * place]
        weight = on_values(layer.weight, values, STEPS[name])
        found, wanted = F.linear(real, weight), F.linear(real, layer.weight, layer.bias)
        # A straight line from one to the other is fitted, for each output or for all.
        one, two = found - found.mean(0), wanted - wanted.mean(0)
        power, common = (one**2).sum(0), (one * two).sum(0)
        if name == "layer_4":
            power, common = power.sum(), common.sum()
        value = wanted.mean(0) + common / power * one
        if name == "layer_4":
            break
        scale = SCALES[f"layer_{2 * place + 1}"]
        codes = quantised(value, scale)
        edges = (value / scale + 0.5) % 1
        assert torch.minimum(edges, 1 - edges).min() > 1e-6  # no code hangs on a rounding
        np.testing.assert_array_equal(trace[name], codes.numpy())
        real = codes * scale
    # A bias is a whole number of units.
    assert np.abs(made.run(X) - value.numpy()).max() <= 0.5001 * made.network.outputs[0].scale


@pytest.mark.parametrize("number", [1e-150, 1e-12, 1e12, 1e150])
def test_the_least_and_the_largest_number(number):
    """A network or a refusal, and no warning, which tests would take for an error."""
    given = [Trained(scales={name: number}) for name in SCALES]
    given += [Trained(steps={name: np.array([number])}) for name in STEPS]
    for trained in given:
        with contextlib.suppress(ConversionError):
            assert np.isfinite(convert(trained).run(X[:3])).all()


def test_refuses_a_bias_that_no_unit_suits():
    with pytest.raises(
        ConversionError,
        match=r"^the model cannot be converted \(1 finding\): 4 \(Linear\): its bias is more than "
        r"2\*\*31 units of its scores, for its inputs hardly move; give other scales$",
    ):
        convert(Trained(scales={"layer_3": 1e-150}))


def test_what_is_not_named_is_calibrated():
    plain, none = convert(None), convert(Trained())
    assert plain.network.digest() == none.network.digest()
    one = convert(Trained(scales={"layer_1": 0.041}))
    assert one.report.layers[0].output_scale == 0.041
    assert one.network.inputs[0].scale == plain.network.inputs[0].scale
    assert one.network.node("layer_0").layer.codes.tolist() == (
        plain.network.node("layer_0").layer.codes.tolist()
    )


@pytest.mark.parametrize("given", [{"ideal": True}, {"ideal": False, "adc_bits": 5}], ids=str)
def test_the_quantisers_of_a_conversion_make_it_again(given):
    made = convert(None, **given)
    found = made.report.quantisers
    assert list(found.scales) == list(SCALES) and list(found.steps) == list(STEPS)
    assert [len(step) for step in found.steps.values()] == [5, 4, 1]
    assert list(found.adc_steps) == ([] if given["ideal"] else list(STEPS))
    assert convert(found, **given).network.digest() == made.network.digest()


def test_a_percentile_in_place_of_the_least_error():
    largest = convert(None, percentile=100).report.quantisers
    assert largest.scales["input"] == X.max() / 15
    weight = model()[0].weight.numpy()
    assert largest.steps["layer_0"].tolist() == (np.abs(weight).max(axis=1) / 3).tolist()
    made = convert(None, percentile=90)
    assert made.report.quantisers.scales["input"] == np.percentile(X, 90) / 15
    assert json.loads(made.network.metadata["conversion"])["percentile"] == 90


def test_ties_go_to_the_larger_value():
    layer = nn.Linear(3, 1, bias=False).double().eval().requires_grad_(False)
    layer.weight.copy_(torch.tensor([[0.0, -1.0, 1.0]]))
    made = SpintronConverter(MTJConfig()).convert(
        layer, calibration=X[:, :3], ideal=True, trained=Trained(steps={"linear": np.array([0.5])})
    )
    # 0, -2 and 2 steps lie between odd integers: 1, -1, 3 are the levels 01, 10, 11, low bit last.
    codes = made.network.node("linear").layer.codes[:, 0, :, 0]
    assert (codes == codes.max()).T.tolist() == [[False, True], [True, False], [True, True]]


@pytest.mark.parametrize("step", [2.0**6, 2.0**7 / 3, 2.0**5 / 15])
@pytest.mark.parametrize("bits", [3, 6])
def test_steps_of_converters(step, bits):
    given = {"ideal": False, "adc_bits": bits, "chip_seed": 4}
    made, plain = convert(Trained(adc_steps={"layer_0": step}), **given), convert(None, **given)
    adc = made.network.node("layer_0").layer.adc
    assert (adc.shift, int(adc.gain.max())) == adc_parts("layer_0", step)
    assert made.report.layers[0].adc_step == step
    other = plain.network.node("layer_0").layer.adc
    # Offsets are those of the gain: but for rounding, the mean read is in the middle of the range.
    half = 2.0**adc.shift / adc.gain + 2.0**other.shift
    assert np.all(np.abs(adc.offset / adc.gain - other.offset) <= half / 2 + 1)


def test_lossless_converters_have_no_step():
    assert convert(Trained(adc_steps={"layer_0": 1.0})).report.layers[0].adc_step is None


SIDE = g.Model(
    {"a": (3,), "b": (3,)},
    (
        g.Step("one", g.Linear(np.eye(3), np.zeros(3)), ("a",), (3,)),
        g.Step("two", g.Function("abs"), ("b",), (3,)),
        g.Step("both", g.Concatenate(0), ("one", "two"), (6,)),
        g.Step("fc", g.Linear(np.ones((2, 6)), np.zeros(2)), ("both",), (2,)),
    ),
    {"y": "fc"},
)
PAIR = {"a": X[:, :3], "b": X[:, 3:] - 0.5}
SETTINGS = Settings(chip=Chip(MTJConfig(), ideal=True), adc_bits=None)


def side(trained=None, **changed):
    return lower(SIDE, PAIR, Settings(**vars(SETTINGS) | changed), "n", trained)


def stages(made):
    return {stage.steps[-1]: stage for stage in made.report.stages}


@pytest.mark.parametrize("name", ["one", "two", "both"])
def test_tensors_side_by_side_share_a_scale(name):
    made = side(Trained(scales={name: 1 / 3, "b": 0.1}))
    found = {key: stages(made)[key].scale for key in ("one", "two", "both")}
    assert found == dict.fromkeys(found, 2731 / 2**13)  # 12 bits, for there are branches
    assert made.network.inputs[1].scale == 3277 / 2**15
    made = side(layer_activation_bits={name: 3, "a": 7})
    assert made.network.node("both").layer.type.bits == 3
    assert [port.type.bits for port in made.network.inputs] == [7, 4]


def test_bits_of_single_layers():
    made = convert(None, layer_bits={"layer_2": 3}, layer_activation_bits={"layer_1": 1})
    layers = [made.network.node(name).layer for name in STEPS]
    assert [layer.slices for layer in layers] == [2, 3, 2]
    assert [layer.bits for layer in made.report.layers] == [2, 3, 2]
    assert [layer.devices for layer in made.report.layers] == [120, 120, 48]
    assert [layer.input.bits for layer in layers] == [4, 1, 4]
    chosen = json.loads(made.network.metadata["conversion"])
    assert chosen["layer_bits"] == {"layer_2": 3}
    assert chosen["layer_activation_bits"] == {"layer_1": 1}
    same = convert(None, layer_bits={"layer_2": 2}, layer_activation_bits={"layer_1": 4})
    assert same.network.nodes[0].layer.codes.tolist() == (
        convert(None).network.nodes[0].layer.codes.tolist()
    )


@pytest.mark.parametrize(
    ("step", "wanted"),
    [(10.8, 2**5 / 3), (1.0, 1.0), (0.001, 1 / 15), (1e30, 2.0**31), (6.0, 2.0**6 / 11)],
)
def test_the_nearest_step_of_a_converter(step, wanted):
    assert nearest_adc_step(step) == wanted
    adc_parts("it", wanted)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scales": [1.0]}, "scales must be a dict by name, not list"),
        ({"scales": {"x": 0.0}}, "scales['x'] must be a number in 1e-150..1e+150, not 0.0"),
        ({"scales": {"x": np.inf}}, "scales['x'] must be a number in 1e-150..1e+150, not inf"),
        ({"scales": {"x": np.nan}}, "scales['x'] must be a number in 1e-150..1e+150, not nan"),
        ({"scales": {"x": True}}, "scales['x'] must be a number in 1e-150..1e+150, not True"),
        ({"scales": {"x": "1"}}, "scales['x'] must be a number in 1e-150..1e+150, not '1'"),
        ({"adc_steps": {"x": -4.0}}, "adc_steps['x'] must be a number in 1e-150..1e+150, not -4.0"),
        ({"adc_steps": {"x": 2.0**32}}, "adc_steps['x'] must be 2**shift / gain with a gain of at "
         "most 15 and a shift of at most 31, not 4294967296.0; round it with nearest_adc_step"),
        ({"adc_steps": {"x": 10.7}}, "adc_steps['x'] must be 2**shift / gain with a gain of at "
         "most 15 and a shift of at most 31, not 10.7; round it with nearest_adc_step"),
        ({"steps": {"x": 0.5}}, "steps['x'] must be an array of floats of shape (outputs,) or "
         "(1,), not 0.5"),
        ({"steps": {"x": np.ones(3, int)}}, "steps['x'] must be an array of floats of shape "
         "(outputs,) or (1,), not one of int64 and shape (3,)"),
        ({"steps": {"x": np.ones((3, 1))}}, "steps['x'] must be an array of floats of shape "
         "(outputs,) or (1,), not one of float64 and shape (3, 1)"),
        ({"steps": {"x": np.zeros(0)}}, "steps['x'] must be an array of floats of shape "
         "(outputs,) or (1,), not one of float64 and shape (0,)"),
        ({"steps": {"x": np.array([1.0, np.nan, 0.0, 1e151])}}, "steps['x'] must be in "
         "1e-150..1e+150, and 3 of 4 are not"),
    ],
    ids=str,
)  # fmt: skip
def test_refuses_numbers(given, message):
    with pytest.raises(ParameterError, match=f"^Trained: {re.escape(message)}$"):
        Trained(**given)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"trained": {}}, "trained must be a Trained, not {}"),
        ({"trained": Trained(scales={"layer_0": 1.0, "x": 1.0})}, "trained.scales must name "
         "tensors that become codes, which are input, layer_1, layer_3, not layer_0, x"),
        ({"trained": Trained(steps={"layer_1": np.ones(1)})}, "trained.steps must name steps with "
         "weights, which are layer_0, layer_2, layer_4, not layer_1"),
        ({"trained": Trained(adc_steps={"fc": 1.0})}, "trained.adc_steps must name steps with "
         "weights, which are layer_0, layer_2, layer_4, not fc"),
        ({"trained": Trained(adc_steps={"layer_0": 1.0}), "ideal": False, "adc_bits": 1},
         "trained.adc_steps must have none for layer_0, whose converters of one bit have no step; "
         "leave it out"),
        ({"trained": Trained(steps={"layer_0": np.ones(6)})},
         "trained.steps['layer_0'] must have 5 steps or one, not 6"),
        ({"trained": Trained(steps={"layer_4": np.ones(3)})}, "trained.steps['layer_4'] must have "
         "one step for its outputs, which are compared, not 3"),
        ({"layer_bits": {"fc": 2}}, "layer_bits must name steps with weights, which are layer_0, "
         "layer_2, layer_4, not fc"),
        ({"layer_activation_bits": {"layer_4": 2}}, "layer_activation_bits must name tensors that "
         "become codes, which are input, layer_1, layer_3, not layer_4"),
    ],
    ids=str,
)  # fmt: skip
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^convert: {re.escape(message)}$"):
        convert(**({"trained": None} | changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"trained": Trained(scales={"one": 0.5, "two": 0.25})}, "trained.scales must agree for "
         "tensors side by side, which share their codes, not be 0.5 for one, 0.25 for two"),
        ({"layer_activation_bits": {"both": 2, "one": 3}}, "layer_activation_bits must agree for "
         "tensors side by side, which share their codes, not be 2 for both, 3 for one"),
    ],
    ids=["scales", "bits"],
)  # fmt: skip
def test_refuses_tensors_side_by_side_that_differ(changed, message):
    with pytest.raises(ParameterError, match=f"^convert: {re.escape(message)}$"):
        side(**changed)
