"""Tests of spintron_nn.converter.model."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import ParameterError
from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.core.mtj_models import MTJConfig

X = np.random.default_rng(0).uniform(0, 1, (60, 2, 3))


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    return SpintronConverter(MTJConfig()).convert(model, calibration=X)


def test_scores_are_the_integers_of_the_network(made):
    codes = made.quantise_input(X)
    integers = made.network.run(codes)
    np.testing.assert_array_equal(made.run(X), integers["scores"] * made.network.outputs[0].scale)
    np.testing.assert_array_equal(made.predict(X), integers["class"][:, 0])
    np.testing.assert_array_equal(made.predict(X), np.argmax(made.run(X), axis=1))
    assert made.accuracy(X, made.predict(X)) == 1.0


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((60, 1)), "labels must be one class for each input, of shape (60,), not (60, 1)"),
        (np.zeros(59), "labels must be one class for each input, of shape (60,), not (59,)"),
        (1, "labels must be one class for each input, of shape (60,), not ()"),
        ("shoe", "labels must be an array of numbers, not str"),
    ],
)
def test_refuses_labels_that_fit_no_inputs(made, labels, message):
    with pytest.raises(ParameterError, match=f"^SpintronicModel: {re.escape(message)}$"):
        made.accuracy(X, labels)


def test_no_inputs_have_no_accuracy(made):
    with pytest.raises(
        ParameterError, match=r"^SpintronicModel: x must hold at least one input, not none$"
    ):
        made.accuracy(X[:0], [])


def test_takes_tensors_and_lists(made):
    expected = made.run(X)
    np.testing.assert_array_equal(made.run(torch.from_numpy(X)), expected)
    np.testing.assert_array_equal(made.run(X.tolist()), expected)


def test_input_codes_by_the_rule(made):
    port = made.network.inputs[0]
    expected = np.clip(np.floor(X / port.scale + 0.5), 0, 15)
    np.testing.assert_array_equal(made.quantise_input(X), expected)
    assert made.quantise_input(np.full((1, 2, 3), 1e9)).max() == 15


def test_classes_without_an_argmax_in_the_network():
    torch.manual_seed(0)
    model = nn.Linear(6, 3).eval()
    x = X.reshape(60, 6)
    made = SpintronConverter(MTJConfig()).convert(model, calibration=x, classify=False)
    assert [output.name for output in made.network.outputs] == ["scores"]
    np.testing.assert_array_equal(made.predict(x), np.argmax(made.run(x), axis=1))


def test_the_report_adds_up(made):
    report = made.report
    assert report.frames == 60
    assert [layer.name for layer in report.layers] == ["layer_1", "layer_3"]
    assert [layer.devices for layer in report.layers] == [2 * 2 * 30, 2 * 2 * 15]
    assert [layer.tiles for layer in report.layers] == [4, 4]
    assert report.devices == 180 and report.saturated == 0
    assert all(0 < layer.weight_error < 0.5 for layer in report.layers)
    assert report.as_dict()["layers"][0]["name"] == "layer_1"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((4, 6)), "x must have the shape (batch, 2, 3), not (4, 6)"),
        (np.zeros((2, 3)), "x must have the shape (batch, 2, 3), not (2, 3)"),
        (np.full((1, 2, 3), np.inf), "x must be finite, and 6 of 6 values are not; clean the data "
                                     "first"),
        ("x", "x must be an array of numbers, not str"),
    ],
)  # fmt: skip
def test_refuses(made, x, message):
    with pytest.raises(ParameterError, match=f"^SpintronicModel: {re.escape(message)}$"):
        made.run(x)


class Two(nn.Module):
    """Two inputs and two outputs."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 3)

    def forward(self, left, right):
        return self.fc(left), right


@pytest.fixture(scope="module")
def two():
    torch.manual_seed(0)
    x = X.reshape(60, 6)
    return SpintronConverter(MTJConfig()).convert(Two().eval(), calibration=(x, x))


def test_several_inputs_by_name_or_in_order(two):
    x = X.reshape(60, 6)
    codes = two.quantise_input({"right": x, "left": 0 * x})
    assert set(codes) == {"left", "right"}
    assert codes["left"].max() == 0 < codes["right"].max()
    named, placed = two.run({"right": x, "left": x}), two.run((x, torch.from_numpy(x)))
    assert list(named) == [output.name for output in two.network.outputs]
    for name, values in named.items():
        np.testing.assert_array_equal(values, placed[name])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"left": X}, "x must have an array for each of the inputs left, right, as a dict or in "
         "their order, not left"),
        (X, "x must have an array for each of the inputs left, right, as a dict or in their order, "
         "not ndarray"),
        ((X, X, X), "x must have an array for each of the inputs left, right, as a dict or in "
         "their order, not tuple"),
        ((X.reshape(60, 6), X), "x['right'] must have the shape (batch, 6), not (60, 2, 3)"),
    ],
)  # fmt: skip
def test_refuses_inputs_of_two(two, x, message):
    with pytest.raises(ParameterError, match=f"^SpintronicModel: {re.escape(message)}$"):
        two.run(x)


def test_refuses_a_class_without_scores(two):
    names = ", ".join(output.name for output in two.network.outputs)
    message = f"SpintronicModel: predict needs an output 'scores' or 'class', not {names}; use run"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        two.predict((X.reshape(60, 6), X.reshape(60, 6)))
