"""Converted models on sampled chips, with every effect of a card: torch gives what they give."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from spintron_nn import MTJConfig, SpintronConverter, technology
from spintron_nn.simulation import TorchNetwork
from spintron_nn.training.networks import mlp

from .stacks import expected, same


class Residual(nn.Module):
    """A convolution, two more and what goes past them, pools, shares and the three largest."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.deep = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.wide = nn.Conv2d(4, 4, 1)
        self.pool = nn.AvgPool2d(2)
        self.fc = nn.Linear(36, 6)

    def forward(self, x):
        x = torch.relu(self.first(x))
        x = torch.relu(self.wide(torch.relu(self.deep(x))) + x)
        x = self.fc(self.pool(x).flatten(1))
        return torch.softmax(x, 1), torch.topk(x, 3)[1]


CARDS = {
    "default": MTJConfig,
    "sot": lambda: technology("sot-dw-high-ra").mtj_config(),
    "hikstor": lambda: technology("hikstor-sot-2024").mtj_config(),
}
MODELS = {
    "mlp": (lambda: mlp((36, 12, 10)), (36,)),
    "residual": (Residual, (1, 6, 6)),
}


@cache
def converted(model, card, chips=3, **choices):
    make, shape = MODELS[model]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = make().eval()
    data = np.random.default_rng(0).random((40, *shape), dtype=np.float32)
    converter = SpintronConverter(CARDS[card]())
    models = [
        converter.convert(module, calibration=data, chip_seed=seed, **choices)
        for seed in range(chips)
    ]
    return models, models[0].quantise_input(data)


def check(models, codes, first=0):
    networks = [model.network for model in models]
    wanted = expected(networks, codes, first)
    same(TorchNetwork(networks)(codes, first), wanted)
    one = {name: values[1] for name, values in wanted.items()}
    same(TorchNetwork(networks[1])(codes, first), one)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("card", CARDS)
def test_cards(model, card):
    check(*converted(model, card), first=11)


@pytest.mark.parametrize("scheme", ["columns", "reference"])
@pytest.mark.parametrize("bits", [1, 6, None])
def test_schemes_and_converters(scheme, bits):
    check(*converted("mlp", "default", scheme=scheme, adc_bits=bits, crossbar_size=16))


def test_an_ideal_chip():
    check(*converted("residual", "hikstor", ideal=True, chips=2))
