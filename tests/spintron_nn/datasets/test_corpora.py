"""Tests of spintron_nn.datasets.corpora, on tones in the place of words."""

import re
from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.datasets import SpokenClips, SpokenWords, Surroundings, corpora
from spintron_nn.datasets.corpora import (
    KEYWORDS,
    KEYWORDS_AGAIN,
    OTHER_PHRASES,
    OTHER_PHRASES_AGAIN,
    WAKE_WORD,
    WAKE_WORD_AGAIN,
    wake_word_dataset,
)

FEW = SpokenWords(
    words=("hey assistant",), voices=("en-us",), variants=("m1", "m3"), held_out=("m3",)
)


def clips(spoken):
    """A tone for every clip."""
    tone = (9000 * np.sin(0.1 * np.arange(8000))).astype(np.int16)
    return SpokenClips(spoken, "none", np.tile(tone, spoken.clips), np.full(spoken.clips, 8000))


def test_sizes_are_those_of_the_documents():
    sizes = [
        (corpus.clips, corpus.clips * len(corpus.held_out) // len(corpus.variants))
        for corpus in (KEYWORDS, WAKE_WORD, OTHER_PHRASES)
    ]
    assert sizes == [(7700, 1400), (1540, 280), (8470, 1540)]
    assert (KEYWORDS.speakers, len(KEYWORDS.held_out) * len(KEYWORDS.voices)) == (385, 70)
    again = [c.clips // 11 * 10 for c in (KEYWORDS_AGAIN, WAKE_WORD_AGAIN, OTHER_PHRASES_AGAIN)]
    assert again == [200, 40, 220]
    assert KEYWORDS_AGAIN.seed != KEYWORDS.seed


def test_labels_tell_the_wake_word_from_all_else():
    others = replace(FEW, words=tuple("abcdefghij"))
    data = wake_word_dataset(clips(FEW), clips(others), wake_copies=3, copies=2)
    # 20 clips of others with 2 of noise, 3 of the word; 10 with 1 and 1 to test on.
    assert data.train_y.tolist() == [0] * 22 + [1] * 3
    assert data.test_y.tolist() == [0] * 11 + [1]
    assert data.train_x.shape == (25, 1, 69, 10) and data.classes == 2
    assert (
        data.digest()
        == wake_word_dataset(clips(FEW), clips(others), wake_copies=3, copies=2).digest()
    )
    assert (
        data.digest()
        != wake_word_dataset(clips(FEW), clips(others), wake_copies=3, copies=2, seed=1).digest()
    )


def test_noise_is_made_in_parts(monkeypatch):
    others = replace(FEW, words=tuple("abcdefghij"), takes=3)
    whole = wake_word_dataset(clips(FEW), clips(others)).digest()
    monkeypatch.setattr(corpora, "BATCH", 2)
    assert wake_word_dataset(clips(FEW), clips(others)).digest() == whole


@pytest.mark.parametrize("colour", [0, 2])
def test_unspoken_noise_has_its_peak_below_that_of_speech(colour):
    noise = Surroundings(
        snr_db=(14, 14), gain_db=(-6, -6), colour=(colour, colour), seconds=0.5
    ).unspoken((1, 2))
    assert noise.shape == (8000,) and noise.dtype == np.float32
    assert abs(np.abs(noise).max() - 0.1) < 1e-6  # -20 dB


def test_refuses_a_seed():
    with pytest.raises(
        ParameterError,
        match=rf"^{re.escape('wake_word_dataset: seed must be an integer in 0..')}\d+, not -1$",
    ):
        wake_word_dataset(clips(FEW), clips(FEW), seed=-1)
