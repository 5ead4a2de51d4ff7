"""Tests of spintron_nn.datasets.keyword_data, on tones in the place of words."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.datasets import (
    Features,
    SpokenClips,
    SpokenWords,
    Surroundings,
    keyword_dataset,
)

SPOKEN = SpokenWords(
    words=("yes", "no", "up"), voices=("en-us",), variants=("m1", "f1", "m3"), held_out=("m3",)
)
QUIET = Surroundings(snr_db=(100, 100), shift_s=0, gain_db=(0, 0))


def tones():
    """Nine clips: word ``w`` is a tone of ``500 * (w + 1)`` Hz."""
    lengths = np.array([6000 + 100 * number for number in range(9)])
    parts = [
        12000 * np.sin(2 * np.pi * 500 * (number // 3 + 1) / 16000 * np.arange(length))
        for number, length in enumerate(lengths)
    ]
    return SpokenClips(SPOKEN, "none", np.concatenate(parts).astype(np.int16), lengths)


def test_held_out_speakers_are_the_test():
    data = keyword_dataset(tones(), copies=2)
    assert data.train_x.shape == (12, 1, 49, 10) and data.test_x.shape == (3, 1, 49, 10)
    assert data.train_y.tolist() == [0, 0, 1, 1, 2, 2] * 2 and data.test_y.tolist() == [0, 1, 2]
    assert data.train_x.dtype == np.float32 and data.train_y.dtype == np.int64
    assert data.classes == 3
    assert not np.array_equal(data.train_x[:6], data.train_x[6:])


def test_the_seed_decides_everything():
    clips = tones()
    first, again, other = (keyword_dataset(clips, seed=seed).digest() for seed in (0, 0, 1))
    assert first == again != other


def test_more_copies_leave_the_first_and_the_test_alone():
    once, twice = (keyword_dataset(tones(), copies=copies) for copies in (1, 2))
    np.testing.assert_array_equal(once.test_x, twice.test_x)
    np.testing.assert_array_equal(once.train_x, twice.train_x[:6])


def test_a_tone_is_where_its_filter_is():
    data = keyword_dataset(tones(), Features(), QUIET)
    loudest = data.test_x[:, 0, 24].argmax(axis=1)
    # Filter k is centred at 31.7 + 51.57 * (k + 1) mel; the tones have 607.4, 1000.0 and 1290.6.
    assert loudest.tolist() == [10, 18, 23]


def test_a_word_lies_in_the_middle_and_keeps_its_gain():
    clip = tones().clips()[0]
    heard = QUIET.heard(clip, (0,))
    assert heard.shape == (16000,) and heard.dtype == np.float32
    assert np.abs(heard[5000:11000] - clip).max() < 1e-3
    assert np.abs(heard[:5000]).max() < 1e-3 and np.abs(heard[11000:]).max() < 1e-3


@pytest.mark.parametrize("snr", [0, 10, 30])
@pytest.mark.parametrize("colour", [0, 1, 2])
def test_noise_has_the_power_asked_for(snr, colour):
    clip = tones().clips()[0]
    given = {"shift_s": 0, "gain_db": (-40, -40), "colour": (colour, colour)}
    noisy = Surroundings(snr_db=(snr, snr), **given).heard(clip, (1,))
    noise = (noisy * 100)[5000:11000] - clip
    assert abs(10 * np.log10(np.mean(clip**2) / np.mean(noise**2)) - snr) < 0.01


def test_colour_is_the_slope_of_the_noise():
    silence = np.zeros(0, np.float32)
    ones = np.concatenate([[1.0], np.zeros(15999)]).astype(np.float32)
    assert np.abs(QUIET.heard(silence, (0,))).max() == 0
    loud = Surroundings(snr_db=(-60, -60), shift_s=0, gain_db=(-90, -90), colour=(2, 2))
    power = np.abs(np.fft.rfft(loud.heard(ones, (3,)))) ** 2
    low, high = power[100:200].mean(), power[1000:2000].mean()
    assert 60 < low / high < 160  # ten times the frequency, a hundredth of the power


def test_a_long_clip_is_cut_at_both_ends():
    clip = np.ones(20000, np.float32)
    heard = Surroundings(snr_db=(100, 100), shift_s=0.5, gain_db=(0, 0)).heard(clip, (2,))
    assert heard.shape == (16000,) and np.abs(heard).max() <= 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"seconds": 11},
            "seconds must be at most 10 and shift_s at most half of it, not 11 and 0.1 s",
        ),
        (
            {"shift_s": 0.6},
            "seconds must be at most 10 and shift_s at most half of it, not 1.0 and 0.6 s",
        ),
        (
            {"snr_db": (20, 10)},
            "snr_db must be a tuple of two numbers in -60..100, the lower first, not (20, 10)",
        ),
        (
            {"gain_db": (0, 3)},
            "gain_db must be a tuple of two numbers in -90..0, the lower first, not (0, 3)",
        ),
        (
            {"colour": 1},
            "colour must be a tuple of two numbers in -4..4, the lower first, not 1",
        ),
        ({"colour": ("a", 1)}, "colour must be a finite number, not 'a'"),
    ],
    ids="seconds shift order gain pair text".split(),
)
def test_refuses_surroundings(given, message):
    with pytest.raises(ParameterError, match=f"^Surroundings: {re.escape(message)}$"):
        Surroundings(**given)


def test_refuses_features_of_another_rate():
    with pytest.raises(
        ParameterError,
        match=r"^keyword_dataset: features must have rate 16000 Hz, that of the clips, not 8000$",
    ):
        keyword_dataset(tones(), Features(rate=8000))


def test_refuses_no_copies():
    with pytest.raises(
        ParameterError,
        match=r"^keyword_dataset: copies must be an integer in 1\.\.1000, not 0$",
    ):
        keyword_dataset(tones(), copies=0)
