"""Tests of spintron_nn.datasets.features and mel, against what librosa gives."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn.datasets import Features
from spintron_nn.datasets.mel import cosine_matrix, hz_to_mel, mel_filters, mel_to_hz
from tests.outside import DATA

CASES = {
    "htk": Features(),
    "slaney": Features(
        window_s=0.025,
        hop_s=0.01,
        mels=32,
        low_hz=0,
        high_hz=8000,
        scale="slaney",
        height="area",
    ),
}
COEFFICIENTS = {"htk": 10, "slaney": 13}


@pytest.fixture(scope="module")
def librosa():
    with np.load(DATA / "librosa" / "features.npz", allow_pickle=False) as file:
        return dict(file)


def difference(found, wanted):
    return np.abs(np.asarray(found, np.float64) - wanted).max()


@pytest.mark.parametrize("scale", CASES)
def test_mel_scale(librosa, scale):
    assert difference(hz_to_mel(librosa["hz"], scale), librosa[f"mel_{scale}"]) < 1e-9
    assert difference(mel_to_hz(librosa[f"mel_{scale}"], scale), librosa["hz"]) < 1e-8


@pytest.mark.parametrize(("name", "features"), CASES.items(), ids=CASES)
def test_filters(librosa, name, features):
    made = mel_filters(
        rate=16000,
        fft_size=features.fft_size,
        mels=features.mels,
        low_hz=features.low_hz,
        high_hz=features.high_hz,
        scale=features.scale,
        height=features.height,
    )
    wanted = librosa[f"{name}_filters"]
    assert made.shape == (len(wanted), features.fft_size // 2 + 1) and made.dtype == torch.float32
    assert difference(made.sum(dim=1), wanted) < 1e-5


# librosa computed in float64; bounds in dB are for the float32 of ours.
@pytest.mark.parametrize(("name", "features"), CASES.items(), ids=CASES)
def test_log_mel_and_cepstra(librosa, name, features):
    sound = torch.from_numpy(librosa["sound"].astype(np.float32) / np.float32(32768))
    batch = torch.stack([sound.flip(0), sound])
    wanted = librosa[f"{name}_log_mel"]
    found = features(batch)
    assert found.dtype == torch.float32
    assert found.shape == (2, *features.shape(8000)) == (2, *wanted.shape)
    assert found[1, -1].tolist() == [-100] * features.mels  # silence
    assert difference(found[1], wanted) < 1e-3
    cepstral = replace(features, coefficients=COEFFICIENTS[name])
    assert difference(cepstral(batch)[1], librosa[f"{name}_mfcc"]) < 1e-3


def test_cosines_are_orthonormal():
    whole = cosine_matrix(40, 40).double()
    assert difference(whole @ whole.T, np.eye(40)) < 1e-6


def test_a_clip_has_the_same_features_in_any_batch():
    sound = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (3, 4000)).astype(np.float32))
    features = Features(coefficients=10)
    assert difference(features(sound)[1:2], features(sound[1:2]).numpy()) < 1e-3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 10}, "rate must be an integer in 1000..768000, not 10"),
        ({"window_s": 0}, "window_s must be a number of s above 0 and at most 1, not 0"),
        ({"mels": 0}, "mels must be an integer in 1..1024, not 0"),
        ({"coefficients": 41}, "coefficients must be an integer in 1..40, not 41"),
        (
            {"high_hz": 9000},
            "low_hz must be below high_hz, and that at most half of rate, not 20 and 9000 Hz at "
            "16000 Hz",
        ),
        (
            {"hop_s": 1e-5},
            "window_s and hop_s must be 2 samples or more, not 640 and 0; lengthen them",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_refuses_parameters(given, message):
    with pytest.raises(ParameterError, match=f"^Features: {re.escape(message)}$"):
        Features(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scale": "bark"}, "hz_to_mel: scale must be one of 'htk', 'slaney', not 'bark'"),
        ({"height": "tall"}, "mel_filters: height must be one of 'peak', 'area', not 'tall'"),
        (
            {"mels": 400},
            "mel_filters: each of 400 filters must cover a point of the transform, and number 0 "
            "lies between two, 15.625 Hz apart; ask for fewer mels or a longer window",
        ),
    ],
    ids=["scale", "height", "narrow"],
)
def test_refuses_filters(given, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        Features(**given)


def test_refuses_sound():
    with pytest.raises(
        ParameterError,
        match=r"^Features: sound must have 640 samples or more, one frame, not 600; lengthen it "
        r"or shorten window_s$",
    ):
        Features()(torch.zeros(1, 600))
    with pytest.raises(
        ParameterError,
        match=r"^Features: sound must be a float tensor of shape \(batch, samples\), not "
        r"torch\.int16 of shape \(1, 640\)$",
    ):
        Features()(torch.zeros(1, 640, dtype=torch.int16))
