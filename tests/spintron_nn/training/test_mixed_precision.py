"""Tests of spintron_nn.training.mixed_precision."""

import itertools
import re

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import ParameterError
from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training import mixed_precision, search_bits
from spintron_nn.training.mixed_precision import best_within
from spintron_nn.training.sensitivity import Sensitivity
from tests.spintron_nn.training.digits_cnn import DATA, parsed

X, Y = DATA.train_x[:200], DATA.train_y[:200]
NAMES = ["layer_1", "layer_5", "layer_10", "layer_12"]


def on_chip(x=X, model=None, config=None, **choices):
    return SpintronConverter(config or MTJConfig()).convert(
        model or parsed(), calibration=x, ideal=True, **choices
    )


def cross_entropy(made, x, y):
    return float(nn.functional.cross_entropy(torch.tensor(made.run(x)), torch.tensor(y).long()))


@pytest.fixture(scope="module")
def found():
    budget = on_chip(quantization_bits=2).report.devices
    return search_bits(parsed(), MTJConfig(), X, Y, budget=budget, choices=range(1, 5))


def test_a_mix_beats_uniform_bits_on_as_many_devices(found):
    uniform, mixed = on_chip(quantization_bits=2), on_chip(layer_bits=found.bits)
    assert found.cost == mixed.report.devices <= uniform.report.devices
    assert mixed.accuracy(DATA.test_x, DATA.test_y) > uniform.accuracy(DATA.test_x, DATA.test_y)
    test = DATA.test_x, DATA.test_y
    assert cross_entropy(mixed, *test) < 0.8 * cross_entropy(uniform, *test)


def test_losses_and_costs_are_those_of_conversions(found):
    assert [(one.name, one.bits) for one in found.sensitivities] == [
        (name, bits) for name in NAMES for bits in range(1, 5)
    ]
    one = found.sensitivities[6]
    made = on_chip(quantization_bits=8, layer_bits={one.name: one.bits})
    assert (one.name, one.bits, one.cost) == ("layer_5", 3, 2 * 72 * 16 * 3)
    assert abs(one.loss - cross_entropy(made, X, Y)) < 1e-9
    assert abs(found.loss - cross_entropy(on_chip(layer_bits=found.bits), X, Y)) < 1e-9
    whole = cross_entropy(on_chip(quantization_bits=8), X, Y)
    chosen = [one for one in found.sensitivities if found.bits[one.name] == one.bits]
    assert abs(found.expected - whole - sum(one.loss - whole for one in chosen)) < 1e-9


def test_bits_of_weights_and_distortion_without_labels():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)).eval()
    config, x = MTJConfig(levels=4), np.random.default_rng(0).random((40, 6))
    found = search_bits(module, config, {"input": x}, budget=20 * 8 + 30 * 2, unit="bits")
    assert sorted({one.bits for one in found.sensitivities}) == [2, 4, 6, 8]
    assert found.cost == 30 * found.bits["layer_0"] + 20 * found.bits["layer_2"] <= 220
    whole = on_chip(x, module, config, quantization_bits=8).run(x)
    made = on_chip(x, module, config, quantization_bits=8, layer_bits={"layer_0": 2}).run(x)
    first = found.sensitivities[0]
    assert (first.name, first.bits, first.cost) == ("layer_0", 2, 60)
    assert abs(first.loss - np.square(made - whole).mean() / whole.var()) < 1e-12
    assert found.sensitivities[3].loss == 0.0  # eight bits of either are the network itself


def test_losses_on_sampled_chips():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)).eval()
    x = np.random.default_rng(0).random((40, 6))
    given = {"crossbar_size": 4, "adc_bits": 6}
    found = search_bits(module, MTJConfig(), x, budget=500, choices=[1, 4], chips=(3, 5), **given)
    target = on_chip(x, module, quantization_bits=8, **given).run(x)
    losses = []
    for seed in (3, 5):
        made = SpintronConverter(MTJConfig()).convert(
            module, calibration=x, quantization_bits=8, layer_bits={"layer_0": 4}, chip_seed=seed,
            wafer=seed, **given,
        )  # fmt: skip
        losses.append(np.square(made.run(x) - target).mean() / target.var())
    second = found.sensitivities[1]
    assert (second.name, second.bits) == ("layer_0", 4)
    assert abs(second.loss - np.mean(losses)) < 1e-12


def test_several_outputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 5), nn.Linear(6, 4)

        def forward(self, x, y):
            return self.a(x), self.b(y)

    torch.manual_seed(0)
    x, y = np.random.default_rng(0).random((2, 40, 6))
    found = search_bits(Two().eval(), MTJConfig(), (x, y), budget=500, choices=[1, 4])
    assert found.bits == {"a": 4, "b": 4} and found.cost == 2 * 54 * 4
    with pytest.raises(
        ParameterError,
        match=r"^search_bits: labels need a model of one output, a vector of scores; leave them "
        r"out, and the distortion of the outputs is measured$",
    ):
        search_bits(Two().eval(), MTJConfig(), (x, y), np.zeros(40), budget=500)


@pytest.mark.parametrize(("together", "bits"), [(0.9, {"a": 2, "b": 2}), (0.1, {"a": 1, "b": 3})])
def test_the_same_bits_for_all_where_these_lose_less(monkeypatch, together, bits):
    class Networks:
        names, least = ("a", "b"), 0.0

        def __init__(self, *_):
            pass

        def of_layer(self, name, bits):
            return Sensitivity(name, bits, 1 / bits if name == "b" else 0.1, 10 * bits)

        def of_network(self, bits):
            cost = {name: 10 * count for name, count in bits.items()}
            return cost, 0.5 if len(set(bits.values())) == 1 else together

    monkeypatch.setattr(mixed_precision, "Networks", Networks)
    found = search_bits(None, MTJConfig(), None, budget=45, choices=(1, 2, 3))
    assert (found.bits, found.cost, found.loss) == (bits, 40, min(together, 0.5))
    assert found.expected == 0.1 + 1 / bits["b"]


@pytest.mark.parametrize("seed", range(6))
def test_the_choice_is_the_best_of_all(seed):
    """All combinations, one by one."""
    random = np.random.default_rng(seed)
    layers = [
        [
            Sensitivity(f"l{place}", bits, float(random.random() / bits), int(rows) * bits)
            for bits in (1, 2, 3, 4, 5)
        ]
        for place, rows in enumerate(random.integers(1, [10, 10, 1000, 10**6, 10**8]))
    ]
    table = [one for layer in layers for one in layer]
    combinations = [
        (sum(one.loss for one in chosen), sum(one.cost for one in chosen), chosen)
        for chosen in itertools.product(*layers)
    ]
    for budget in [int(cost) for _, cost, _ in combinations[:: len(combinations) // 6]]:
        loss, _, _ = min(one for one in combinations if one[1] <= budget)
        chosen = best_within(table, budget, "devices")
        assert [one.name for one in chosen] == [f"l{place}" for place in range(5)]
        assert sum(one.cost for one in chosen) <= budget
        assert abs(sum(one.loss for one in chosen) - loss) < 1e-9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"budget": 7183}, "budget must be at least the 7184 devices of the fewest bits, not 7183; "
         "give more, or fewer bits to choose from"),
        ({"budget": 0}, "budget must be an integer in 1..1152921504606846976, not 0"),
        ({"budget": 1e4}, "budget must be an integer in 1..1152921504606846976, not 10000.0"),
        ({"unit": "cells"}, "unit must be one of 'devices', 'bits', not 'cells'"),
        ({"choices": ()}, "choices must be a list of bits, or None, not ()"),
        ({"choices": 2}, "choices must be a list of bits, or None, not 2"),
        ({"choices": (1, 9)}, "choices must be an integer in 1..8, not 9"),
        ({"config": MTJConfig(levels=4), "choices": [2, 3]}, "choices must be multiples of the 2 "
         "bits that a device of 4 levels holds, not 3"),
        ({"labels": Y[:9]}, "labels must be 200 integers in 0..9, as many as inputs, not of shape "
         "(9,) up to 9"),
        ({"labels": Y + 1}, "labels must be 200 integers in 0..9, as many as inputs, not of shape "
         "(200,) up to 10"),
        ({"labels": Y + 0.5}, "labels must be 200 integers in 0..9, as many as inputs, not of "
         "shape (200,) up to 9.5"),
        ({"quantization_bits": 2, "ideal": False}, "quantization_bits, ideal must be left out: the "
         "search tries all choices on the chips of its own argument"),
        ({"chips": 3}, "chips must be a list of seeds, or None, not 3"),
        ({"chips": []}, "chips must be a list of seeds, or None, not []"),
    ],
    ids=str,
)  # fmt: skip
def test_refuses(changed, message):
    given = {"config": MTJConfig(), "budget": 10**6, "choices": [1]} | changed
    with pytest.raises(ParameterError, match=f"^search_bits: {re.escape(message)}$"):
        search_bits(parsed(), data=X, **given)
