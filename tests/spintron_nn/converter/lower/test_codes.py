"""Every code of a network is that of its operations in float64, on an ideal chip."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_nn import MTJConfig
from spintron_nn.converter.lower import check, lower
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from tests.spintron_nn.converter.lower.random_models import (
    Placements,
    check_codes,
    random_model,
)

FRAMES = 24


def settings(**changed):
    chip = Chip(MTJConfig(), ideal=True)
    return Settings(chip=chip, adc_bits=None, recalibrate=False, crossbar_size=16, **changed)


def data_of(model, random):
    return {name: random.standard_normal((FRAMES, *shape)) for name, shape in model.inputs.items()}


@pytest.mark.parametrize("seed", range(180))
def test_random_models_on_an_ideal_chip(seed, monkeypatch):
    random = np.random.default_rng(seed)
    model = random_model(random, int(random.integers(2, 10)))
    assert check(model) == []
    x, placements = data_of(model, random), Placements(monkeypatch)
    scheme = ("pair", "columns", "reference")[seed % 3]
    bits = (4, 3, 8, 1)[seed % 4]
    converted = lower(model, x, settings(scheme=scheme, activation_bits=bits), "net")
    check_codes(model, converted, placements, x)


@pytest.mark.parametrize("seed", range(1000, 1060))
def test_random_models_on_a_sampled_chip(seed, monkeypatch):
    random = np.random.default_rng(seed)
    model = random_model(random, int(random.integers(2, 10)))
    assert check(model) == []
    x, placements = data_of(model, random), Placements(monkeypatch)
    chip = Chip(MTJConfig(read_noise=0.5 * (seed % 2)), seed=seed)
    code_steps = ("network", "column")[seed % 2]
    made = replace(settings(code_steps=code_steps), chip=chip, adc_bits=6)
    converted = lower(model, x, made, "net")
    check_codes(model, converted, placements, x)
