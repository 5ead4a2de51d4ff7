"""Tests of spintron_nn.training.places."""

import numpy as np
import torch
from torch import nn

from spintron_ir import IntType
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.chip_model import ChipModel

X = torch.randn((64, 4, 6), generator=torch.Generator().manual_seed(0))


class Joined(nn.Module):
    """Two branches side by side, of which a sum takes one too."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv1d(4, 3, 1), nn.Conv1d(4, 3, 1)
        self.last = nn.Linear(36, 2)

    def forward(self, x):
        one, two = torch.relu(self.one(x)), torch.relu(self.two(x))
        return self.last(torch.cat([one, two], 1).flatten(1))


class Given(nn.Module):
    """An input beside what is made of it, and a softmax."""

    def __init__(self):
        super().__init__()
        self.one, self.last = nn.Conv1d(4, 4, 1), nn.Linear(48, 2)

    def forward(self, x):
        y = torch.relu(self.one(x))
        y = self.last(torch.cat([x, y], 1).flatten(1))
        return y


def chips(module):
    torch.manual_seed(0)
    config = MTJConfig(levels=4, resistance_variation=0.0)
    return ChipModel(module(), config, X, adc_bits=None)


def test_tensors_side_by_side_share_a_scale():
    model = chips(Joined)
    places = model.trial.places
    (join,) = places.joined.values()
    assert len(set(place.scale for place in places.read.values())) == 2  # the input has its own
    assert join.kind == IntType(4)
    trained = model.trained().scales
    shared = {name: trained[name] for name in places.names[join.scale]}
    assert len(shared) >= 2 and len(set(shared.values())) == 1


def test_an_input_is_requantised_where_it_is_joined():
    model = chips(Given)
    found = model.on_chips(X, 1, torch.Generator())[0].detach().numpy()
    wanted = model.convert(ideal=True).run(X)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.999
    with torch.no_grad():
        model.sizes.scales.add_(0.2)
    found = model.on_chips(X, 1, torch.Generator())[0].detach().numpy()
    wanted = model.convert(ideal=True).run(X)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.999


def test_types_are_those_of_the_network():
    model = chips(Joined)
    made = model.convert(ideal=True)
    layers = {node.name: node.layer for node in made.network.nodes}
    kinds = {stage.steps[-1]: layers[stage.node].type for stage in made.report.stages}
    for name, place in model.trial.places.made.items():
        if name in kinds:
            assert place.kind == kinds[name]
    assert model.trial.places.made["x"].kind == IntType(4, signed=True)


class Shares(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.last = nn.Linear(24, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.last(torch.softmax(self.one(x.flatten(1)), 1))


def test_shares_have_the_scale_of_their_bits():
    model = chips(Shares)
    (place,) = [one for one in model.trial.places.made.values() if not one.scale]
    assert (place.kind, place.start) == (IntType(4), 1 / 16)
    found = model.on_chips(X, 1, torch.Generator())[0]
    found.sum().backward()
    wanted = model.convert(ideal=True).run(X)
    assert np.corrcoef(found.detach().numpy().ravel(), wanted.ravel())[0, 1] > 0.99
    assert model.module.one.weight.grad.any()
