"""Tests of the read noise and the converters of spintron_nn.training.devices, and of refusals."""

import math
import re

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp, kstest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.devices import DeviceSampler

TELEGRAPH = {"share": 0.3, "amplitude": 0.4, "amplitude_spread": 0.5, "switching_time": 1e-8}
LEVELS = torch.ones((1, 256, 400), dtype=torch.int32)

INTEGERS = "integers of shape (slices, rows, cols)"


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def noise(config, levels=LEVELS, samples=1, dac_bits=1, rows=64):
    sampler, random = DeviceSampler(config, tile=64), generator()
    return sampler.read_noise(levels, sampler.dies(samples, random), dac_bits, rows, random)


def test_noise_of_amplifiers_by_hand():
    # A tenth of G_P - G_AP is 0.3 of the distances between 4 levels; chunks of 2 bits reach 3.
    assert noise(MTJConfig(levels=4, read_noise=0.1), dac_bits=2) == pytest.approx(0.9)
    assert noise(MTJConfig()) == 0


def test_telegraph_noise_of_columns_is_that_of_chips():
    config = MTJConfig(telegraph=TELEGRAPH)
    found = noise(config, samples=2, dac_bits=2).numpy()
    assert found.shape == (2, 1, 4, 400)
    positive = LEVELS.numpy()
    sampled = Chip(config, seed=3).sample("a", np.stack([positive, 1 - positive], 1), tile=64)
    exact = 3 * np.sqrt(sampled.telegraph.sum(axis=1)) / config.level_codes
    assert ks_2samp(found.ravel(), exact.ravel()).pvalue > 0.01


def test_noise_of_amplifiers_and_devices_adds_in_squares():
    both = noise(MTJConfig(telegraph=TELEGRAPH, read_noise=0.5))
    alone = noise(MTJConfig(telegraph=TELEGRAPH))
    assert both.numpy() == pytest.approx(np.hypot(alone.numpy(), 0.5), rel=1e-5)
    # A chip of less conductance has less of it.
    config = MTJConfig(telegraph=TELEGRAPH, spread={"die": 0.5})
    sampler, random = DeviceSampler(config, tile=64), generator()
    dies = sampler.dies(200, random)
    found = sampler.read_noise(LEVELS[:, :, :20], dies, 1, 64, random)
    mean = found.square().mean(dim=(1, 2, 3)).sqrt().numpy()
    assert np.corrcoef(mean, dies.factor)[0, 1] > 0.98


def test_converters_of_chips():
    spread = {"offset": 0.5, "gain": 0.02, "inl": 0.3, "dnl": 0.2, "sense_offset": 0.1}
    config = MTJConfig(levels=4, converters=spread)
    found = DeviceSampler(config, tile=8).converters(50, (3, 40), 4, generator())
    assert found.offset.shape == found.gain.shape == found.sense_offset.shape == (50, 3, 40)
    assert found.transitions.shape == (50, 3, 40, 15)
    assert kstest(found.offset.ravel(), "norm", (0, 0.5)).pvalue > 0.01
    assert kstest(found.gain.log().ravel(), "norm", (0, 0.02)).pvalue > 0.01
    # A tenth of G_P - G_AP is 0.3 of the distances between 4 levels.
    assert kstest(found.sense_offset.ravel(), "norm", (0, 0.3)).pvalue > 0.01
    # Chip by chip another.
    assert abs(np.corrcoef(found.offset[:2].flatten(1))[0, 1]) < 4 / math.sqrt(120)


def test_converters_without_errors_or_without_non_linearity():
    assert DeviceSampler(MTJConfig(), tile=8).converters(2, (3,), 4, generator()) is None
    sampler = DeviceSampler(MTJConfig(converters={"gain": 0.1}), tile=8)
    first, again = (sampler.converters(2, (3,), 4, generator()) for _ in range(2))
    assert first.transitions is None and not first.offset.any()
    assert torch.equal(first.gain, again.gain)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: DeviceSampler(MTJConfig(), tile=0),
            "DeviceSampler: tile must be an integer in 1..65536, not 0",
        ),
        (
            lambda: DeviceSampler(MTJConfig(), tile=8, seed=-1),
            f"DeviceSampler: seed must be an integer in 0..{2**64 - 1}, not -1",
        ),
        (
            lambda: DeviceSampler(MTJConfig(), tile=8).dies(0, generator()),
            "DeviceSampler: samples must be an integer in 1..1048576, not 0",
        ),
        (
            lambda: noise(MTJConfig(), dac_bits=17),
            "DeviceSampler: dac_bits must be an integer in 1..16, not 17",
        ),
        (
            lambda: noise(MTJConfig(), rows=0),
            "DeviceSampler: rows must be an integer in 1..65536, not 0",
        ),
        (
            lambda: DeviceSampler(MTJConfig(), tile=8).converters(1, (2,), 0, generator()),
            "DeviceSampler: bits must be an integer in 1..16, not 0",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (torch.ones(1, 2, 3), f"{INTEGERS}, not torch.float32 of shape (1, 2, 3)"),
        (torch.ones(2, 3).int(), f"{INTEGERS}, not torch.int32 of shape (2, 3)"),
        (torch.ones(1, 2, 3).bool(), f"{INTEGERS}, not torch.bool of shape (1, 2, 3)"),
        (torch.tensor([[[0, 2]]]), "in 0..1, not 0..2"),
        (torch.tensor([[[-1, 1]]]), "in 0..1, not -1..1"),
    ],
)
def test_refuses_levels(levels, message):
    sampler, random = DeviceSampler(MTJConfig(), tile=8), generator()
    whole = re.escape(f"DeviceSampler: levels must be {message}")
    with pytest.raises(ParameterError, match=f"^{whole}$"):
        sampler.differences(levels, sampler.dies(1, random), random)
