"""Tests of the networks for speech: what they hear, and what they refuse."""

import re

import numpy as np
import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn.core.energy import EnergyModel
from spintron_nn.models import (
    Detection,
    KeywordSpottingNet_Spintronic,
    WakeWordDetector_Spintronic,
)
from spintron_nn.models.speech import CENTRES, FEATURES, SPREADS
from spintron_nn.models.speech_data import augmented

NETWORKS = (KeywordSpottingNet_Spintronic, WakeWordDetector_Spintronic)


def inputs(kind, count, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, *kind().shape, generator=random)


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    made = WakeWordDetector_Spintronic()
    made.prepare(inputs(WakeWordDetector_Spintronic, 8))
    return made.eval()


@pytest.mark.parametrize("kind", NETWORKS)
def test_first_matrix_fills_a_tile_and_all_stay_small(kind):
    net = kind()
    rows = [w[0].numel() for w in net.network.parameters() if w.ndim > 1]
    assert rows[0] == 60 and sum(w.numel() for w in net.parameters()) < 30_000
    again = kind(**net.arguments, config=net.config)
    assert again.arguments == net.arguments and again.choices == net.choices
    assert net.choices["crossbar_size"] == 64 and net.config.levels == 4


@pytest.mark.parametrize("kind", NETWORKS)
def test_features_are_standardised_coefficients(kind):
    samples = round(kind.SECONDS * 16000)
    sound = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (2, samples))).float()
    found = kind.features(sound)
    assert found.shape == (2, *kind().shape) and found.dtype == torch.float32
    plain = FEATURES(sound)
    for place in (0, 9):
        by_hand = (plain[..., place] - CENTRES[place]) / SPREADS[place]
        assert torch.equal(found[:, 0, :, place], by_hand)
    assert kind.features(sound[0]).shape == (1, *kind().shape)


def test_one_clip_or_a_batch(detector):
    x = inputs(WakeWordDetector_Spintronic, 3, seed=1)
    many = detector(x)
    assert isinstance(many, Detection) and many.probability.shape == (3,)
    odds = torch.exp(many.scores[:, 1] - many.scores[:, 0])  # softmax of two, by hand
    assert (many.probability - odds / (1 + odds)).abs().max() < 1e-12
    for clip in (x[:1], x[0], x[0, 0]):
        one = detector(clip)
        assert isinstance(one.probability, float) and one.probability == float(many.probability[0])


def test_evaluation_is_the_integers_of_the_chip(detector):
    x = inputs(WakeWordDetector_Spintronic, 5, seed=2)
    assert np.array_equal(detector(x).scores.numpy(), detector.convert(ideal=True).run(x))


def test_training_gives_scores():
    detector = WakeWordDetector_Spintronic()
    assert detector(inputs(WakeWordDetector_Spintronic, 4)).shape == (4, 2)


def test_power_is_energy_by_rate(detector):
    placed = detector.convert()
    report = EnergyModel(detector.config).of_network(
        placed.network, placed.quantise_input(detector.frames)
    )
    at_read_voltage = detector.estimate_power_consumption(
        duty_cycle=1, voltage=detector.config.read_voltage, decisions_per_second=1
    )
    assert abs(at_read_voltage / (report.total_j * 1e6) - 1) < 1e-12
    # At 0.8 V the charge of the reads, taken at 0.1 V, costs eight times as much.
    drawn = 8 * (report.cell_read_j + report.driver_j) + report.adc_j
    found = detector.estimate_power_consumption(duty_cycle=0.1, voltage=0.8)
    assert abs(found / (drawn * 10 * 0.1 * 1e6) - 1) < 1e-12


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"duty_cycle": 0}, "duty_cycle must be a number above 0 and at most 1, not 0"),
        ({"voltage": "a"}, "voltage must be a number of V above 0, not 'a'"),
        ({"voltage": 0.05}, "voltage must be at least the read voltage, 0.1 V, not 0.05 V"),
        (
            {"decisions_per_second": -1},
            "decisions_per_second must be a number of Hz above 0, not -1",
        ),
    ],
    ids=["duty", "text", "low", "rate"],
)
def test_refuses_powers(given, message):
    with pytest.raises(
        ParameterError, match=f"^WakeWordDetector_Spintronic: {re.escape(message)}$"
    ):
        WakeWordDetector_Spintronic().estimate_power_consumption(**given)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            torch.zeros(1, 1, 49, 10),
            "must have the shape (batch, 1, 69, 10), not (1, 1, 49, 10); make them with "
            "features(sound)",
        ),
        (
            torch.full((69, 10), -80.0),
            "must be standardised, and reach 80; make them with features(sound)",
        ),
    ],
    ids=["shape", "decibel"],
)
def test_refuses_features(x, message):
    with pytest.raises(
        ParameterError, match=f"^WakeWordDetector_Spintronic: features {re.escape(message)}$"
    ):
        WakeWordDetector_Spintronic().eval()(x)


def test_refuses_sound_of_another_length():
    with pytest.raises(
        ParameterError,
        match=r"^KeywordSpottingNet_Spintronic: sound must have the shape \(16000,\) or \(batch, "
        r"16000\), 1 s at 16000 Hz, not \(22050,\); cut it, or bring it to the rate with "
        r"spintron_nn\.datasets\.wav\.resample$",
    ):
        KeywordSpottingNet_Spintronic.features(torch.zeros(22050))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: KeywordSpottingNet_Spintronic(num_keywords=1),
            "KeywordSpottingNet_Spintronic: num_keywords must be an integer in 2..1000, not 1",
        ),
        (
            lambda: KeywordSpottingNet_Spintronic(mtj_bits=5),
            "KeywordSpottingNet_Spintronic: mtj_bits must be an integer in 1..4, not 5",
        ),
        (
            lambda: KeywordSpottingNet_Spintronic(crossbar_size=8),
            "KeywordSpottingNet_Spintronic: crossbar_size must be an integer in 16..1024, not 8",
        ),
        (
            lambda: WakeWordDetector_Spintronic(mtj_bits=0),
            "WakeWordDetector_Spintronic: mtj_bits must be an integer in 1..4, not 0",
        ),
        (
            lambda: WakeWordDetector_Spintronic(crossbar_size=2000),
            "WakeWordDetector_Spintronic: crossbar_size must be an integer in 16..1024, not 2000",
        ),
        (
            lambda: WakeWordDetector_Spintronic(config=1),
            "WakeWordDetector_Spintronic: config must be an MTJConfig or None, not 1",
        ),
    ],
    ids=["words", "bits", "size", "wake bits", "wake size", "technology"],
)
def test_refuses_arguments(make, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make()


def test_augmentation_shifts_and_masks():
    x = torch.arange(1.0, 50).reshape(1, 1, 49, 1).expand(200, 1, 49, 10)
    found = augmented(x, torch.Generator().manual_seed(0))
    again = augmented(x, torch.Generator().manual_seed(0))
    assert found.shape == x.shape and torch.equal(found, again)
    assert torch.equal(x[:, 0, :, 0], torch.arange(1.0, 50).expand(200, 49))  # left as it was
    hidden = found.abs() < 0.9  # the noise is a tenth
    bands = hidden.all(dim=2).sum(dim=2).flatten()
    gaps = hidden.all(dim=3).sum(dim=2).flatten()
    assert bands.unique().tolist() == [0, 1, 2] and gaps.unique().tolist() == list(range(9))
    shifts = (found - x).round().abs()
    assert (shifts[~hidden] <= 5).all()
