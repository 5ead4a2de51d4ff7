"""The data of the networks for speech, as their inputs. espeak-ng speaks them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spintron_nn.datasets import Dataset, SpokenClips, SpokenWords, keyword_dataset, speak_words
from spintron_nn.datasets.corpora import (
    KEYWORDS,
    KEYWORDS_AGAIN,
    OTHER_PHRASES,
    OTHER_PHRASES_AGAIN,
    WAKE_WORD,
    WAKE_WORD_AGAIN,
    wake_word_dataset,
)

from .speech import FEATURES, standardised

__all__ = [
    "augmented",
    "keyword_data",
    "keyword_data_again",
    "wake_word_data",
    "wake_word_data_again",
]

SHIFT, MASKED_FRAMES, MASKED_COEFFICIENTS, NOISE = 5, 8, 2, 0.1
"""Largest shift in frames, widths of masks, and deviation of the noise of :func:`augmented`."""

Speak = Callable[[SpokenWords], SpokenClips]


def keyword_data(directory: str | Path) -> Dataset:
    """Ten keywords: 25,200 inputs of 6,300 clips to train on, 1,400 to test on.

    The clips are kept in the directory, and spoken only where they are not there yet.
    """
    return _keywords(KEYWORDS, lambda words: speak_words(words, directory), copies=4)


def keyword_data_again() -> Dataset:
    """200 other clips of the held-out speakers to test on; 20 of another one to train on."""
    return _spoken_apart(lambda speak: _keywords(KEYWORDS_AGAIN, speak, copies=1))


def wake_word_data(directory: str | Path) -> Dataset:
    """The wake word, other phrases and noise: 32,949 inputs to train on, 1,974 to test on.

    The clips are kept in the directory, and spoken only where they are not there yet.
    """
    return _wake_word(WAKE_WORD, OTHER_PHRASES, lambda words: speak_words(words, directory), 8, 3)


def wake_word_data_again() -> Dataset:
    """The wake word 40 times more from held-out speakers, with 220 other phrases and 22 noises."""
    return _spoken_apart(
        lambda speak: _wake_word(WAKE_WORD_AGAIN, OTHER_PHRASES_AGAIN, speak, 1, 1)
    )


def augmented(x: Tensor, random: torch.Generator) -> Tensor:
    """Return inputs shifted in time, with a mask over time and one over coefficients, and noise.

    Parameters
    ----------
    x : float32 tensor of shape ``(batch, 1, frames, coefficients)``
        Standardised features.
    random : torch.Generator
        What everything is drawn from.

    Source
    ------
    Masks: Park et al., "SpecAugment", Interspeech 2019.
    """
    count, _, frames, coefficients = x.shape

    def drawn(low: int, high: int) -> Tensor:
        return torch.randint(low, high + 1, (count, 1), generator=random)

    def mask(size: int, widest: int) -> Tensor:
        start, width, places = drawn(0, size - 1), drawn(0, widest), torch.arange(size)
        return (places >= start) & (places < start + width)

    places = (torch.arange(frames) + drawn(-SHIFT, SHIFT)).clamp(0, frames - 1)
    shifted = x.gather(2, places[:, None, :, None].expand(-1, 1, -1, coefficients))
    hidden = (
        mask(frames, MASKED_FRAMES)[:, None, :, None]
        | mask(coefficients, MASKED_COEFFICIENTS)[:, None, None, :]
    )
    return shifted.masked_fill(hidden, 0) + NOISE * torch.randn(x.shape, generator=random)


def _keywords(words: SpokenWords, speak: Speak, *, copies: int) -> Dataset:
    return _as_inputs(keyword_dataset(speak(words), FEATURES, copies=copies))


def _wake_word(
    wake: SpokenWords, others: SpokenWords, speak: Speak, wake_copies: int, copies: int
) -> Dataset:
    return _as_inputs(
        wake_word_dataset(
            speak(wake), speak(others), FEATURES, wake_copies=wake_copies, copies=copies
        )
    )


def _spoken_apart(make: Callable[[Speak], Dataset]) -> Dataset:
    """Return what is made of clips that are not kept."""
    with tempfile.TemporaryDirectory() as folder:
        return make(lambda words: speak_words(words, folder))


def _as_inputs(data: Dataset) -> Dataset:
    """Standardised, and in a fixed order that means nothing: the first inputs stand for all."""
    train, test = (
        np.random.default_rng(0).permutation(len(y)) for y in (data.train_y, data.test_y)
    )
    return replace(
        data,
        train_x=_scaled(data.train_x)[train],
        train_y=data.train_y[train],
        test_x=_scaled(data.test_x)[test],
        test_y=data.test_y[test],
    )


def _scaled(x: np.ndarray) -> np.ndarray:
    return standardised(torch.from_numpy(x)).numpy()
