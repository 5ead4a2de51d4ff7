"""Tests of spintron_nn.training.given and parameters: what is refused."""

import re

import pytest
import torch
from torch import nn

from spintron_ir import ConversionError, ParameterError
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.chip_model import ChipModel
from spintron_nn.training.networks import mlp


def images():
    return torch.rand((8, 28, 28), generator=torch.Generator().manual_seed(0))


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.fc = nn.Parameter(torch.ones(4)), nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x * self.scale)


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(4, 2))

    def forward(self, x):
        return x @ (2 * self.matrix)


class Best(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x).argmax(1)


FROZEN = (
    "no matrix or batch normalisation of the graph has it, and only their parameters are trained "
    "on chips; freeze it with requires_grad_(False)"
)


@pytest.mark.parametrize(
    ("module", "findings"),
    [
        (Constant(), (f"scale: {FROZEN}",)),
        (
            Product(),
            (
                "matmul (aten.matmul): its weights are computed from others, not parameters; use "
                "nn.Linear, nn.Conv1d or nn.Conv2d",
                f"matrix: {FROZEN}",
            ),
        ),
        (
            Best(),
            ("argmax (aten.argmax): gives indices, which have no gradient; train what it takes",),
        ),
    ],
    ids=["constant", "product", "argmax"],
)
def test_refuses_what_it_cannot_train(module, findings):
    with pytest.raises(ConversionError) as caught:
        ChipModel(module, MTJConfig(), torch.rand(8, 4))
    assert caught.value.findings == findings


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scheme": "reference", "technology": {"cell_bits": 7}}, "scheme must be 'pair' in "
         "training, not 'reference'; give the other to convert, after it"),
        ({"code_steps": "column"}, "code_steps must be 'network' in training, not 'column'; give "
         "the other to convert, after it"),
        ({"bits": 3}, "choices must be of quantization_bits, "),
    ],
    ids=str,
)  # fmt: skip
def test_refuses_choices(changed, message):
    end = "" if message.endswith(", ") else "$"
    with pytest.raises(ParameterError, match=f"^ChipModel: {re.escape(message)}{end}"):
        ChipModel(
            mlp((784, 4, 10)), MTJConfig(**changed.pop("technology", {})), images(), **changed
        )


def test_refuses_data():
    net = mlp((784, 4, 10))
    message = (
        "ChipModel: calibration must hold at least one input, as an array of shape (batch, "
        "*input), not of shape (28,)"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        ChipModel(net, MTJConfig(), images()[0, 0])
    with pytest.raises(
        ParameterError, match=r"^ChipModel: samples must be an integer in 1\.\.65536, not 0$"
    ):
        ChipModel(net, MTJConfig(), images()).on_chips(images(), 0, torch.Generator())


def test_refuses_what_is_no_module():
    with pytest.raises(
        ParameterError, match=r"^ChipModel: module must be a torch.nn.Module, not NoneType$"
    ):
        ChipModel(None, MTJConfig(), images())


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.rand(4, 7), "x must have the shape (batch, 8), not (4, 7)"),
        (torch.rand(8), "x must have the shape (batch, 8), not (8,)"),
        (torch.rand(0, 8), "x must hold at least one input, not none"),
    ],
)
def test_refuses_inputs(x, message):
    model = ChipModel(mlp((8, 4, 3)), MTJConfig(), torch.rand(9, 8))
    with pytest.raises(ParameterError, match=f"^ChipModel: {re.escape(message)}$"):
        model.on_chips(x, 1, torch.Generator())
    with pytest.raises(ParameterError, match=f"^ChipModel: {re.escape(message)}$"):
        model.train()(x)


def test_refuses_what_draws_no_numbers():
    model = ChipModel(mlp((8, 4, 3)), MTJConfig(), torch.rand(9, 8))
    with pytest.raises(
        ParameterError, match=r"^ChipModel: random must be a torch.Generator, not NoneType$"
    ):
        model.on_chips(torch.rand(4, 8), 1, None)


def test_refuses_data_of_other_names():
    message = "ChipModel: x must have an array for each of the inputs input"
    model = ChipModel(mlp((784, 4, 10)), MTJConfig(), images())
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}"):
        model.on_chips({"other": images()}, 1, torch.Generator())


def test_refuses_bits_that_were_not_trained():
    model = ChipModel(mlp((784, 4, 10)), MTJConfig(levels=4), images(), adc_bits=None)
    message = (
        "ChipModel: quantization_bits must be what the model was trained with, 2, not 4; make a "
        "ChipModel of its module with others"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        model.convert(quantization_bits=4)
    assert model.convert(quantization_bits=2, adc_bits=5).report.layers[0].adc_step is not None
