"""Tests of spintron_nn.training.fake_quant."""

import numpy as np
import pytest
import torch

from spintron_ir import IntType
from spintron_nn.converter.levels import weight_values
from spintron_nn.converter.mapping import map_layer
from spintron_nn.converter.quantise import best_scale, codes_of, quantise_weights
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.fake_quant import (
    activation_scale,
    chip_weights,
    device_error,
    fake_quantise,
)


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_weights_are_those_of_the_converter(bits, per_channel):
    weight = torch.randn(30, 200, generator=torch.Generator().manual_seed(bits)) ** 3
    values = np.arange(1 - (1 << bits), 1 << bits, 2.0)
    states, step = chip_weights(weight, torch.tensor(values).float(), per_channel=per_channel)
    expected, steps = quantise_weights(weight.double().numpy(), values, per_channel=per_channel)
    # Single precision: a weight on the very edge may fall on the other side.
    assert np.mean(states.numpy() != expected) < 0.001
    np.testing.assert_allclose(step.expand(30, 1)[:, 0].numpy(), steps, rtol=1e-3)


@pytest.mark.parametrize("config", [MTJConfig(), MTJConfig(levels=4, cell_bits=12)])
def test_device_errors_are_those_of_sampled_chips(config):
    states = np.random.default_rng(0).integers(0, 4, (300, 400))
    random = torch.Generator().manual_seed(0)
    trained = device_error(torch.from_numpy(states), 2, config, random).numpy()
    mapped = map_layer(
        "a", states, bits=2, kind=IntType(4), chip=Chip(config, seed=1), scheme="pair",
        crossbar_size=400, dac_bits=1,
    )  # fmt: skip
    layer = mapped.layer
    slices = (1 << np.array(layer.slice_shift))[:, None, None]
    on_chip = (layer.weights[:, 0] * slices).sum(axis=0).T / mapped.unit
    on_chip -= weight_values(config, 2)[states]
    for state in range(4):
        ours, theirs = trained[states == state], on_chip[states == state]
        # Codes are rounded, which adds 1/12 for both devices of each slice.
        rounding = (slices**2).sum() * 2 / 12 / mapped.unit**2
        assert np.hypot(ours.std(), np.sqrt(rounding)) == pytest.approx(theirs.std(), rel=0.03)
        assert ours.mean() == pytest.approx(theirs.mean(), abs=0.02)


def test_device_errors_by_formula():
    # One pair in opposite states: the deviations of both, exp(s*s/2) * sqrt(exp(s*s) - 1) each,
    # in units of the difference; G_P is 2.2 and G_AP 1 where that is 1.2.
    config = MTJConfig(resistance_variation=0.2, cell_bits=12)
    states = torch.ones(500, 500, dtype=torch.int64)
    found = device_error(states, 1, config, torch.Generator().manual_seed(0))
    single = np.exp(0.02) * np.sqrt(np.exp(0.04) - 1)
    assert float(found.std()) == pytest.approx(np.hypot(2.2, 1.0) / 1.2 * single, rel=0.01)
    assert float(found.mean()) == pytest.approx(np.exp(0.02) - 1, abs=0.005)


def test_stuck_devices_lose_their_state():
    config = MTJConfig(resistance_variation=0.0, stuck_p=0.25, stuck_ap=0.25)
    states = torch.ones(400, 400, dtype=torch.int64)
    found = 1 + device_error(states, 1, config, torch.Generator().manual_seed(0))
    values, counts = np.unique(np.round(found.numpy(), 4), return_counts=True)
    # 1 where neither hurts, -1 where both do, 0 where one does: 9/16, 1/16, 6/16.
    assert values.tolist() == [-1.0, 0.0, 1.0]
    np.testing.assert_allclose(counts / states.numel(), [1 / 16, 6 / 16, 9 / 16], atol=0.01)


def test_activation_scale_is_close_to_the_converters():
    values = torch.randn(200, 50, generator=torch.Generator().manual_seed(0))
    for signed in (False, True):
        kind = IntType(4, signed=signed)
        scale = float(activation_scale(values, kind.high, signed=signed))
        assert scale == pytest.approx(best_scale(values.double().numpy(), kind), rel=0.15)
    assert float(activation_scale(-torch.ones(2, 2), 15, signed=False)) == 1.0


def test_gradients_pass_where_nothing_saturates():
    x = torch.tensor([-1.0, 0.2, 0.7, 9.0], requires_grad=True)
    y = fake_quantise(x, torch.tensor(0.25), 15, signed=False)
    expected = codes_of(x.detach().numpy(), 0.25, IntType(4)) * 0.25
    np.testing.assert_array_equal(y.detach().numpy(), expected.astype(np.float32))
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 0.0]
