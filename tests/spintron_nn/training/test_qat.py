"""Tests of spintron_nn.training.qat."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from spintron_ir import ConversionError, ParameterError
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.devices import Conditions
from spintron_nn.training.networks import lenet, mlp
from spintron_nn.training.progress import Progress
from spintron_nn.training.qat import _taught, fine_tune, train

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((130, 8)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
QUICK = {"config": MTJConfig(), "epochs": 2, "batch_size": 32}


def state(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


def same(one, other):
    return all(torch.equal(value, other[key]) for key, value in one.items())


@pytest.fixture
def model():
    return mlp((8, 6, 2), dropout=0.1, seed=3)


def test_the_same_seed_gives_the_same_model(model):
    first, again, other = (state(fine_tune(model, (X, Y), seed=s, **QUICK)) for s in (5, 5, 6))
    assert same(first, again)
    assert not same(first, other)
    assert {f"module.{key}" for key in model.state_dict()} < set(first)


def test_the_given_model_and_the_global_generator_stay(model):
    before, random = state(model), torch.get_rng_state()
    tuned = fine_tune(model.train(), (X, Y), **QUICK)
    train(model, (X, Y), epochs=1)
    assert same(before, model.state_dict()) and model.training
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module.training for module in tuned.modules())
    assert not same(before, tuned.module.state_dict())


def test_progress_is_told(model):
    told = []
    fine_tune(model, (X, Y), progress=told.append, **QUICK)
    assert [(state.epoch, state.epochs) for state in told] == [(1, 2), (2, 2)]
    assert isinstance(told[0], Progress) and 0 < told[0].loss < 2


def test_learns_on_chips(model):
    told = []
    quick = {"config": MTJConfig(), "epochs": 20, "batch_size": 32, "learning_rate": 1e-2}
    fine_tune(model, (X, Y), progress=told.append, **quick)
    assert told[-1].loss < 0.85 * told[0].loss and told[-1].accuracy > 0.7


def test_statistics_follow_the_chips(model):
    tuned = fine_tune(model, (X, Y), **QUICK)
    assert not torch.equal(tuned.module.norm1.running_mean, model.norm1.running_mean)


def test_refuses_models_that_do_not_convert():
    with pytest.raises(ConversionError) as caught:
        fine_tune(nn.Sequential(nn.Linear(8, 2), nn.PReLU()), (X, Y), **QUICK)
    assert caught.value.findings == (
        "1.weight: no matrix or batch normalisation of the graph has it, and only their parameters "
        "are trained on chips; freeze it with requires_grad_(False)",
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weight_bits": 0}, "convert: quantization_bits must be an integer in 1..8, not 0"),
        ({"activation_bits": 9}, "convert: activation_bits must be an integer in 1..8, not 9"),
        ({"teacher": 3}, "fine_tune: teacher must be a torch.nn.Module, not int"),
        ({"samples": 0}, "fine_tune: samples must be an integer in 1..65536, not 0"),
        ({"calibration_frames": 0}, "fine_tune: calibration_frames must be an integer in "
         "1..1073741824, not 0"),
        ({"teacher_share": 1.5}, "fine_tune: teacher_share must be a number in 0..1, not 1.5"),
        ({"batch_size": 1}, "fine_tune: batch_size must be an integer in 2..1048576, not 1"),
        ({"epochs": 0}, "training: epochs must be an integer in 1..1048576, not 0"),
        ({"config": MTJConfig(levels=8)}, "convert: quantization_bits must be a multiple of the 3 "
         "bits that a device of 8 levels holds, not 2"),
    ],
    ids=str,
)  # fmt: skip
def test_refuses(model, changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        fine_tune(model, (X, Y), **QUICK | changed)


def test_refuses_what_is_no_module():
    message = "model must be a torch.nn.Module, not"
    with pytest.raises(ParameterError, match=f"^fine_tune: {message} int$"):
        fine_tune(3, (X, Y), **QUICK)
    with pytest.raises(ParameterError, match=f"^train: {message} type$"):
        train(nn.Linear, (X, Y), epochs=1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X, Y[:-1]), "training: train_data must be inputs (n, *input) and labels (n, *label) with "
                      "n of at least 1, not shapes (130, 8) and (129,)"),
        ((X[:1], Y[:1]), "fine_tune: train_data must have at least two inputs, each with its class "
                         "as one integer, not 1 with labels of shape (1,) and type torch.int64"),
        ((X, Y / 2), "fine_tune: train_data must have at least two inputs, each with its class as "
                     "one integer, not 130 with labels of shape (130,) and type torch.float32"),
        ((X * np.nan, Y), "training: inputs of train_data must be finite, and 1040 of 1040 values "
                          "are not; clean the data first"),
    ],
    ids=["lengths", "one", "no classes", "nan"],
)  # fmt: skip
def test_refuses_data(model, data, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        fine_tune(model, data, **QUICK)


def test_takes_loaders(model):
    data = TensorDataset(torch.from_numpy(X).float(), torch.from_numpy(Y))
    found = [fine_tune(model, each, **QUICK) for each in ((X, Y), data, DataLoader(data, 16))]
    weights = [made.module.state_dict() for made in found]
    assert all(torch.equal(part, one[name]) for one in weights for name, part in weights[0].items())


def test_convolutions_several_chips_and_converters():
    x = torch.rand((40, 28, 28), generator=torch.Generator().manual_seed(1)).numpy()
    y = np.arange(40) % 10
    told = []
    tuned = fine_tune(
        lenet((2, 3, 12, 8, 10)), (x, y), config=MTJConfig(levels=4, read_noise=0.05), epochs=2,
        samples=2, progress=told.append, validation_data=(x[:20], y[:20]),
        choices={"adc_bits": 6, "learn_ranges": True, "crossbar_size": 32,
                 "conditions": Conditions(temperature=(0, 85))},
    )  # fmt: skip
    right = np.sum(tuned.convert(ideal=True).predict(x[:20]) == y[:20])
    assert round(20 * told[-1].metrics["validation_accuracy"]) == right
    assert set(tuned.trained().adc_steps) == {"conv1", "conv2", "fc1", "fc2", "fc3"}
    assert not tuned.training


class Says(nn.Module):
    """The same shares for every input."""

    def forward(self, x):
        return torch.log(torch.tensor([[0.25, 0.75]])).expand(len(x), 2)


def test_a_teacher_is_part_of_the_target():
    x = torch.zeros(3, 8)
    targets = _taught(Says(), x, torch.tensor([0, 1, 0]), 0.5)
    torch.testing.assert_close(
        targets, torch.tensor([[0.625, 0.375], [0.125, 0.875], [0.625, 0.375]])
    )


def test_a_teacher_is_listened_to(model):
    quick = QUICK | {"epochs": 8, "learning_rate": 2e-2, "teacher": Says(), "teacher_share": 1.0}
    told = []
    tuned = fine_tune(model, (X, Y), validation_data=(X, Y), progress=told.append, **quick)
    with torch.no_grad():
        share = tuned(torch.from_numpy(X)).softmax(dim=1)[:, 1].mean()
    assert 0.6 < share < 0.9
    assert 0.4 < told[-1].metrics["validation_accuracy"] < 0.7
