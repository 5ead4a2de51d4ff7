"""Tests of spintron_nn.converter.converter: torch, numbers and network say the same."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import Argmax, Dense, Flatten, IntType, Network, ParameterError
from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

RANDOM = np.random.default_rng(0)
TECHNOLOGIES = {"binary": MTJConfig(), "wall": MTJConfig(levels=4, cell_bits=8)}


def on_grid(layer, bits=2, step=0.125):
    """Put weights on levels that the converter keeps, and the bias on sixteenths."""
    top = (1 << bits) - 1
    with torch.no_grad():
        odd = 2 * torch.randint(-((top + 1) // 2), (top + 1) // 2, layer.weight.shape) + 1
        odd[:, 0] = top
        layer.weight.copy_(odd * step)
        layer.bias.copy_(torch.randint(-9, 10, layer.bias.shape) / 16)
    return layer


def network_of_levels():
    """A model whose every number is on a grid, so that quantised torch is exact in float64."""
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Flatten(),
        on_grid(nn.Linear(24, 16)),
        nn.BatchNorm1d(16, eps=1e-12),
        nn.ReLU(),
        on_grid(nn.Linear(16, 12)),
        nn.ReLU(),
        on_grid(nn.Linear(12, 8)),
        on_grid(nn.Linear(8, 4)),
    ).double()
    with torch.no_grad():
        model[2].weight.uniform_(-1, 1)  # some channels fall
        model[2].bias.uniform_(-1, 1)
        model[2].running_mean.uniform_(-1, 1)
        model[2].running_var.uniform_(0.5, 2)
        model[7].bias.zero_()
    return model.eval().requires_grad_(False)


X = RANDOM.integers(0, 16, (300, 4, 6)) / 4.0
X[0, 0, :2] = 0.0, 3.75


def convert(model, config=None, x=X, **changed):
    return SpintronConverter(config or MTJConfig()).convert(model, calibration=x, **changed)


def torch_codes(model, converted, x):
    """Activation codes and last accumulators of quantised torch, in float64 alone."""
    network = converted.network
    value = torch.from_numpy(converted.quantise_input(x) * network.inputs[0].scale)
    scales = {
        layer.name: (layer.output_scale, network_layer(converted, layer.name))
        for layer in converted.report.layers
    }
    found, name = {}, None
    modules = list(model.named_children())
    for index, (key, module) in enumerate(modules):
        value = module(value)
        ends = index + 1 == len(modules) or isinstance(modules[index + 1][1], nn.Linear)
        name = f"layer_{key}" if isinstance(module, nn.Linear) else name
        if ends and name is not None and index + 1 < len(modules):
            scale, layer = scales[name]
            codes = torch.floor(value / scale + 0.5).clamp(layer.type.low, layer.type.high)
            found[name] = codes.numpy().astype(np.int64)
            value = codes * scale
    return found, value.numpy()


def network_layer(converted, name):
    return next(node.layer for node in converted.network.nodes if node.name == name)


@pytest.mark.parametrize("scheme", ["pair", "columns", "reference"])
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_an_ideal_chip_equals_quantised_torch(scheme, technology):
    model = network_of_levels()
    config = TECHNOLOGIES[technology]
    converted = convert(
        model, config, ideal=True, recalibrate=False, scheme=scheme, crossbar_size=10, dac_bits=2
    )
    codes, scores = torch_codes(model, converted, X)
    trace = converted.network.trace(converted.quantise_input(X))
    assert list(codes) == ["layer_1", "layer_4", "layer_6"]
    for name, expected in codes.items():
        np.testing.assert_array_equal(trace[name], expected, err_msg=name)
        assert len(np.unique(expected)) > 8
    # The scores are integers on one scale; torch's, divided by it, are these to a part in 1e9.
    scale = converted.network.outputs[0].scale
    np.testing.assert_array_equal(np.round(scores / scale, 6), trace["layer_7"].astype(float))


def test_batch_normalisation_is_measured_on_the_chip():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(24, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4)).eval()
    x = X.reshape(-1, 24)
    converted = convert(model, x=x)
    layer = network_layer(converted, "layer_0")
    acc = replace(layer, requantise=None).run(converted.quantise_input(x)).astype(float)
    unit = (acc - acc.mean(axis=0)) / acc.std(axis=0)  # gamma is 1, beta is 0
    scale = converted.report.layers[0].output_scale
    expected = np.clip(np.floor(unit / scale + 0.5), 0, 15)
    found = layer.run(converted.quantise_input(x))
    # The model's eps, 1e-5 of a variance of about 1, moves values by 5e-6 at most.
    assert np.mean(found != expected) < 1e-3
    assert np.abs(found - expected).max() <= 1


def test_the_network_holds_what_was_asked_for():
    model = network_of_levels()
    converted = convert(
        model, quantization_bits=2, activation_bits=3, crossbar_size=10, adc_bits=5, dac_bits=2,
        chip_seed=7, name="small",
    )  # fmt: skip
    network = converted.network
    assert network.name == "small"
    assert [node.name for node in network.nodes] == [
        "flatten", "layer_1", "layer_4", "layer_6", "layer_7", "argmax",
    ]  # fmt: skip
    kinds = [type(node.layer) for node in network.nodes]
    assert kinds == [Flatten, Dense, Dense, Dense, Dense, Argmax]
    assert network.inputs[0].shape == (4, 6) and network.inputs[0].type == IntType(3)
    assert [output.name for output in network.outputs] == ["scores", "class"]
    first = network_layer(converted, "layer_1")
    assert (first.tile_rows, first.groups, first.slices, first.dac_bits) == (10, 3, 2, 2)
    assert first.adc.bits == 5 and first.adc.signed
    assert first.type == IntType(3) and network_layer(converted, "layer_6").type.signed
    assert json.loads(network.metadata["chip"]) == {"seed": 7, "wafer": 0, "ideal": False}
    assert json.loads(network.metadata["conversion"])["adc_bits"] == 5
    assert MTJConfig(**json.loads(network.metadata["mtj"])) == converted.chip.config
    assert converted.chip == Chip(MTJConfig(), seed=7)


def test_the_same_call_gives_the_same_bytes():
    model = network_of_levels()
    digests = {convert(model, chip_seed=seed).network.digest() for seed in (1, 1, 2)}
    assert len(digests) == 2


def test_a_network_survives_its_file(tmp_path):
    converted = convert(network_of_levels(), MTJConfig(read_noise=0.5, stuck_ap=0.01))
    converted.network.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    codes = converted.quantise_input(X[:20])
    for name, expected in converted.network.run(codes).items():
        np.testing.assert_array_equal(loaded.run(codes)[name], expected)


def test_last_batch_normalisation():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(24, 5), nn.BatchNorm1d(5)).eval()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([1.0, -2.0, 0.0, 0.5, 1e-3]))
        model[1].bias.copy_(torch.tensor([0.0, 1.0, 0.75, -3.0, 0.1]))
    x = X.reshape(-1, 24)
    converted = convert(model, x=x, quantization_bits=8, activation_bits=6, adc_bits=None,
                        ideal=True, recalibrate=False)  # fmt: skip
    with torch.no_grad():
        expected = model(torch.from_numpy(x).float()).numpy()
    found = converted.run(x)
    assert found.shape == (300, 5)
    # 8-bit weights: errors stay below a hundredth of the scores' spread.
    assert np.abs(found - expected).max() < 0.01 * expected.std() * 3
    assert np.abs(found[:, 2] - 0.75).max() < 0.01


def test_signed_inputs():
    model = nn.Sequential(on_grid(nn.Linear(6, 3))).double().eval()
    x = RANDOM.integers(-8, 8, (100, 6)) / 2.0
    x[0, 0] = -4.0
    converted = convert(model, x=x, ideal=True)
    assert converted.network.inputs[0].type == IntType(4, signed=True)
    codes = converted.quantise_input(x)
    odd = np.round(model[0].weight.detach().numpy() / 0.125).astype(np.int64)
    scores = converted.network.run(codes)["scores"]
    np.testing.assert_array_equal(scores - scores[:1], (codes - codes[:1]) @ odd.T * 22)


def test_a_model_that_never_answers_differently_converts():
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)).eval()
    converted = convert(model, x=np.zeros((1, 6)))
    assert converted.run(np.zeros((2, 6))).shape == (2, 2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"calibration": None}, "convert: calibration must be given: some hundred real inputs, of "
         "shape (batch, *input); they fix the ranges of inputs, converters and activations"),
        ({"calibration": np.zeros((0, 24))}, "convert: calibration must hold at least one input, "
         "as an array of shape (batch, *input), not of shape (0, 24)"),
        ({"calibration": np.zeros(24)}, "convert: calibration must hold at least one input, as an "
         "array of shape (batch, *input), not of shape (24,)"),
        ({"calibration": np.full((2, 4, 6), np.nan)}, "convert: calibration must be finite, and "
         "48 of 48 values are not; clean the data first"),
        ({"calibration": "data.npy"}, "convert: calibration must be an array of numbers, not str"),
        ({"ideal": "yes"}, "convert: ideal must be True or False, not 'yes'"),
        ({"scheme": "offset"},
         "convert: scheme must be one of 'pair', 'columns', 'reference', not 'offset'"),
        ({"chip_seed": 1.5},
         "Chip: seed must be an integer in 0..18446744073709551615, not 1.5"),
    ],
    ids=["none", "empty", "flat", "nan", "text", "ideal", "scheme", "seed"],
)  # fmt: skip
def test_refuses(changed, message):
    arguments = {"calibration": X} | changed
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        SpintronConverter(MTJConfig()).convert(network_of_levels(), **arguments)


def test_refuses_a_calibration_that_does_not_fit_the_program():
    from spintron_nn.converter.loading import export_of

    program = export_of(network_of_levels(), X)
    with pytest.raises(
        ParameterError,
        match=r"^convert: calibration must have the shape \(batch, 4, 6\), not \(300, 24\)$",
    ):
        convert(program, x=X.reshape(300, 24))


def test_refuses_another_technology():
    with pytest.raises(
        ParameterError, match=r"^SpintronConverter: mtj_config must be an MTJConfig, not 'mtj'$"
    ):
        SpintronConverter("mtj")


class Two(nn.Module):
    """Two inputs, two outputs, a skip connection."""

    def __init__(self):
        super().__init__()
        self.image, self.vector = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(5, 4)
        self.last = nn.Linear(4, 3)

    def forward(self, picture, numbers):
        image = torch.relu(self.image(picture))
        mean = image.mean((2, 3)) + torch.relu(self.vector(numbers))
        return self.last(mean), image


PAIR = {"picture": RANDOM.random((80, 1, 6, 5)), "numbers": RANDOM.standard_normal((80, 5))}


@pytest.mark.parametrize("given", [PAIR, tuple(PAIR.values())], ids=["dict", "tuple"])
def test_several_inputs_and_outputs(given):
    torch.manual_seed(4)
    model = Two().eval()
    converted = convert(model, x=given, quantization_bits=8, activation_bits=8, ideal=True)
    assert [port.name for port in converted.network.inputs] == ["picture", "numbers"]
    with torch.no_grad():
        tensors = (torch.from_numpy(values).float() for values in PAIR.values())
        expected = [values.numpy() for values in model(*tensors)]
    found = list(converted.run(given).values())
    for one, other in zip(found, expected, strict=True):
        # Weights and activations of 8 bits.
        assert np.abs(one - other).max() < 0.1 * other.std()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"numbers": "a"}, "convert: calibration['numbers'] must be an array of numbers, not str"),
        ({"numbers": np.zeros((80, 6))}, "convert: calibration['numbers'] must have the shape "
         "(batch, 5), not (80, 6)"),
        ({"numbers": PAIR["numbers"][:9]}, "convert: calibration must have as many frames of each "
         "input, not 80, 9"),
        ({"more": PAIR["numbers"]}, "convert: calibration must have an array for each of the "
         "inputs picture, numbers, as a dict or in their order, not picture, numbers, more"),
    ],
    ids=["none", "shape", "frames", "names"],
)  # fmt: skip
def test_refuses_inputs_that_do_not_fit(changed, message):
    from spintron_nn.converter.loading import export_of
    from spintron_nn.converter.pytorch_front import parse

    model = parse(export_of(Two().eval(), PAIR))
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        convert(model, x=PAIR | changed)


def test_takes_a_graph_of_real_operations():
    from spintron_nn.converter.loading import export_of
    from spintron_nn.converter.pytorch_front import parse

    model = network_of_levels()
    graph = parse(export_of(model, X))
    assert convert(graph).network.digest() == convert(model).network.digest()
