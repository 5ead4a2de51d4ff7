"""Tests of spintron_nn.simulation.chips: accuracies of many chips at once."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.simulation import accuracies

from .test_converted import converted


def data(shape, count=60):
    rng = np.random.default_rng(1)
    return rng.random((count, *shape)), rng.integers(0, 6, count)


@pytest.mark.parametrize("classify", [True, False])
def test_what_each_chip_says_itself(classify):
    models, _ = converted("mlp", "default", classify=classify)
    x, labels = data((36,))
    found = accuracies(models, x, labels)
    assert found.tolist() == [model.accuracy(x, labels) for model in models]
    assert found.dtype == np.float64
    assert len(set(accuracies(models, x, models[0].predict(x)).tolist())) > 1


@pytest.mark.parametrize(
    ("models", "found"), [([], "none"), (3, "int"), ([3, None], "NoneType, int")]
)
def test_refuses_what_are_no_models(models, found):
    wanted = f"models must be a sequence of SpintronicModel, at least one, not {found}"
    with pytest.raises(ParameterError, match=f"^accuracies: {wanted}$"):
        accuracies(models, *data((36,)))


def test_refuses_a_model_by_itself():
    models, _ = converted("mlp", "default")
    wanted = "models must be a sequence of SpintronicModel, at least one, not SpintronicModel"
    with pytest.raises(ParameterError, match=f"^accuracies: {wanted}$"):
        accuracies(models[0], *data((36,)))


def test_refuses_labels_that_fit_no_inputs():
    models, _ = converted("mlp", "default")
    x, labels = data((36,))
    wanted = r"labels must be one class for each input, of shape \(60,\), not \(60, 1\)"
    with pytest.raises(ParameterError, match=f"^accuracies: {wanted}$"):
        accuracies(models, x, labels[:, None])


def test_refuses_other_input_scales():
    models, _ = converted("mlp", "default")
    (port,) = models[1].network.inputs
    network = replace(models[1].network, inputs=(replace(port, scale=2.0),))
    wanted = (
        rf"^accuracies: models must have the same input scales, but those of models\[1\] are "
        rf"\(2.0,\) and those of models\[0\] \({port.scale},\): convert them with the same "
        r"calibration data$"
    )
    with pytest.raises(ParameterError, match=wanted):
        accuracies([models[0], replace(models[1], network=network)], *data((36,)))


def test_refuses_models_without_classes():
    models, _ = converted("residual", "default")
    names = ", ".join(output.name for output in models[0].network.outputs)
    with pytest.raises(
        ParameterError,
        match=rf"^accuracies: models must have an output 'scores' or 'class', not {names}$",
    ):
        accuracies(models, *data((1, 6, 6)))
