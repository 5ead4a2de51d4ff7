"""Every code of a network is that of its operations in float64, on an ideal chip."""

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


@pytest.mark.parametrize("seed", range(300))
def test_random_models(seed, monkeypatch):
    random = np.random.default_rng(seed)
    model = random_model(random, int(random.integers(2, 10)))
    findings = check(model)
    if findings:
        assert all("; " in finding for finding in findings)
        return
    x = {name: random.standard_normal((FRAMES, *shape)) for name, shape in model.inputs.items()}
    placements = Placements(monkeypatch)
    scheme = ("pair", "columns", "reference")[seed % 3]
    bits = (4, 3, 8, 1)[seed % 4]
    converted = lower(model, x, settings(scheme=scheme, activation_bits=bits), "net")
    data = x if len(x) > 1 else next(iter(x.values()))
    check_codes(model, converted, placements, data)
