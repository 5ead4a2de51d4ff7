"""Tests of spintron_nn.training.post_training."""

import numpy as np
import pytest
import torch

from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training import post_training
from tests.spintron_nn.training.digits_cnn import DATA, digits_cnn, parsed

CALIBRATION = DATA.train_x[:200]


def on_chip(trained, **choices):
    return SpintronConverter(MTJConfig()).convert(
        parsed(), calibration=CALIBRATION, trained=trained, **choices
    )


def test_all_chips_have_the_same_quantisers():
    found = post_training(parsed(), MTJConfig(), CALIBRATION, layer_bits={"layer_1": 4})
    assert list(found.steps) == ["layer_1", "layer_5", "layer_10", "layer_12"]
    assert found.adc_steps == {}
    for seed in (1, 2):
        made = on_chip(found, chip_seed=seed, adc_bits=6, layer_bits={"layer_1": 4})
        again = made.report.quantisers
        assert again.scales == found.scales
        for name, step in found.steps.items():
            np.testing.assert_array_equal(again.steps[name], step)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_least_squares_beats_the_largest_value(bits):
    """Distortion of the scores of held-out digits, of those that the module gives."""
    choices = {"quantization_bits": bits, "activation_bits": bits}
    with torch.no_grad():
        target = digits_cnn()(torch.from_numpy(DATA.test_x)).numpy()
    error = {}
    for percentile in (None, 100):
        found = post_training(parsed(), MTJConfig(), CALIBRATION, percentile=percentile, **choices)
        scores = on_chip(found, ideal=True, **choices).run(DATA.test_x)
        error[percentile] = np.square(scores - target).mean() / target.var()
    assert error[None] < error[100]
