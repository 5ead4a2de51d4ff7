"""Tests of spintron_nn.training.reads."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import Adc, IntType, arith
from spintron_nn.converter.calibrate import fit_line
from spintron_nn.converter.real_adc import sampled_adc
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.converters import ConverterSpread
from spintron_nn.core.sampling.telegraph import Telegraph
from spintron_nn.training.chip_model import ChipModel
from spintron_nn.training.devices import Converters
from spintron_nn.training.held import Draw, drawn
from spintron_nn.training.networks import mlp
from spintron_nn.training.reads import Reads, chunked, fitted

X = torch.rand((64, 12), generator=torch.Generator().manual_seed(0))


def normal(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("dac_bits", [1, 2, 3, 8])
def test_chunks_are_those_of_the_contract(bits, signed, dac_bits):
    kind = IntType(bits, signed=signed)
    codes = np.arange(kind.low, kind.high + 1)
    wanted = arith.chunks(codes, bits=bits, signed=signed, dac_bits=min(dac_bits, bits))
    np.testing.assert_array_equal(chunked(torch.from_numpy(codes), kind, dac_bits), wanted)


@pytest.mark.parametrize("per_channel", [False, True])
def test_lines_are_those_of_a_conversion(per_channel):
    real, target = normal((3, 40, 5)), normal((1, 40, 5), 1) / 10
    real = real * torch.arange(1, 6) + target * 4
    real[:, :, 2] = 1.5  # a column that does not move keeps the slope of a nominal chip
    slope, offset = fitted(real, target, per_channel=per_channel)
    for chip in range(3):
        wanted = fit_line(
            real[chip].numpy(), target[0].numpy(), per_channel=per_channel, nominal=np.ones(5)
        )
        np.testing.assert_allclose(slope[chip, 0].numpy(), wanted[0])
        np.testing.assert_allclose(offset[chip, 0].numpy(), wanted[1], atol=1e-12)


@pytest.mark.parametrize("bits", [5, 6])
@pytest.mark.parametrize("errors", [{"gain": 0.05}, {"inl": 0.5, "dnl": 0.5, "offset": 0.4}])
def test_codes_of_converters_with_errors(bits, errors):
    """Against the transition levels that a network carries for the same converters."""
    config = MTJConfig(levels=4, converters=ConverterSpread(**errors))
    chips, chip = ChipModel(mlp((12, 5, 3)), config, X, adc_bits=bits, dac_bits=4), Chip(config, 4)
    layer = chips.trial.crossbars["fc1"].layer
    step = 16
    adc = Adc(bits=bits, signed=True, shift=4)
    made = sampled_adc("fc1", replace(layer, adc=None), adc, chip)
    found = chip.converters("fc1", (1, 1, 1, layer.cols), bits)
    level = np.arange(-600, 600)[:, None].repeat(layer.cols, axis=1)
    wanted = made.run(level, layer, (0, 0, 0))
    shape = 1, 1, 1, 1, layer.cols
    given = Converters(
        torch.from_numpy(found.offset).reshape(shape),
        torch.from_numpy(found.gain).reshape(shape),
        None if found.transitions is None
        else torch.from_numpy(found.transitions).reshape(*shape, -1),
        torch.zeros(shape, dtype=torch.float64),
    )  # fmt: skip
    current = torch.from_numpy(level.astype(np.float64)).reshape(1, 1, 1, 1, -1, 1, layer.cols)
    codes = Reads(bits, 4, 128)._converted(current, torch.tensor(float(step)), given)
    np.testing.assert_array_equal(codes.numpy().reshape(level.shape), wanted)
    assert len(np.unique(wanted)) == 1 << bits


def test_one_bit_is_a_sense_amplifier():
    current = torch.tensor([-2.0, -0.1, 0.0, 3.0]).reshape(1, 1, 1, 1, 4, 1, 1)
    found = Reads(1, 1, 8)._converted(current, torch.tensor(5.0), None)
    assert found.ravel().tolist() == [-1, -1, 0, 0]


@pytest.mark.parametrize(
    "card",
    [
        {"read_noise": 0.3},
        {"telegraph": Telegraph(share=1.0, amplitude=1.5)},
    ],
)
def test_noise_without_converters_is_that_of_the_network(card):
    """Of one input many times over: the deviation of what a chip gives for it."""
    config = MTJConfig(levels=4, cell_bits=9, resistance_variation=0.0, **card)
    layers = nn.Linear(40, 3)
    with torch.no_grad():
        layers.weight.copy_(normal((3, 40)).float())
    x = normal((1, 40), 3).abs().float().expand(3000, 40)
    spread = torch.rand((64, 40), generator=torch.Generator().manual_seed(0))
    model = ChipModel(layers, config, spread, adc_bits=None, crossbar_size=16)
    made = model.convert()
    scores = made.network.run(made.quantise_input(x.numpy()))["scores"]
    crossbar = model.trial.crossbars["linear"]
    now, random = model.sizes(), torch.Generator().manual_seed(1)
    draw = Draw(model.sampler, model.sampler.dies(20, random), random)
    held = drawn({"linear": crossbar}, {"linear": layers.weight}, now.steps, draw)["linear"]
    deviation = crossbar.reads.summed(crossbar, crossbar._noise(held.states, draw))
    found = deviation.square().mean().sqrt() * config.level_codes
    assert float(found) == pytest.approx(np.sqrt(scores.var(axis=0).mean()), rel=0.1)
