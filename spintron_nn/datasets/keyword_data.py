"""Features of spoken keywords in noise, for training and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real

from .dataset import Dataset
from .features import Features
from .keywords import RATE, SpokenClips

__all__ = ["Surroundings", "keyword_dataset"]

BATCH = 256
"""Clips whose features are computed at a time."""

_RANGES = {"snr_db": (-60, 100), "colour": (-4, 4), "gain_db": (-90, 0)}


@dataclass(frozen=True)
class Surroundings:
    """How a clip is heard. Everything is drawn evenly from its range, for each clip.

    Parameters
    ----------
    seconds : float
        Length of what is heard, in s.
    snr_db : tuple of 2 floats
        Power of the speech over that of the noise, both over the spoken part, in dB.
    colour : tuple of 2 floats
        Noise power falls with frequency to this power: 0 is white, 1 pink, 2 brown.
    shift_s : float
        How far the middle of the word lies from the middle, at most, in s.
    gain_db : tuple of 2 floats
        Peak of the speech, in dB of full scale.
    """

    seconds: float = 1.0
    snr_db: tuple[float, float] = (5.0, 30.0)
    colour: tuple[float, float] = (0.0, 2.0)
    shift_s: float = 0.1
    gain_db: tuple[float, float] = (-20.0, -3.0)

    def __post_init__(self) -> None:
        check_real("Surroundings", "seconds", self.seconds, "above 0", "s")
        check_real("Surroundings", "shift_s", self.shift_s, "at least 0", "s")
        if self.seconds > 10 or 2 * self.shift_s > self.seconds:
            raise ParameterError(
                "Surroundings: seconds must be at most 10 and shift_s at most half of it, not "
                f"{self.seconds} and {self.shift_s} s"
            )
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            pair = isinstance(value, tuple) and len(value) == 2
            if (
                not pair
                or not low
                <= check_real("Surroundings", field, value[0])
                <= check_real("Surroundings", field, value[1])
                <= high
            ):
                raise ParameterError(
                    f"Surroundings: {field} must be a tuple of two numbers in {low}..{high}, the "
                    f"lower first, not {value!r}"
                )

    def heard(self, clip: NDArray[np.float32], seed: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the clip at a drawn place in drawn noise, of shape ``(seconds * 16000,)``."""
        random = np.random.default_rng(list(seed))
        snr, colour, gain = (
            random.uniform(*bounds) for bounds in (self.snr_db, self.colour, self.gain_db)
        )
        shift = round(random.uniform(-self.shift_s, self.shift_s) * RATE)
        length = max(1, round(self.seconds * RATE))
        speech = np.zeros(length)
        start = (length - len(clip)) // 2 + shift
        first, last = max(0, start), min(length, start + len(clip))
        if first < last:
            speech[first:last] = clip[first - start : last - start]
        noise = _noise(random, length, colour)
        spoken = slice(first, last) if first < last else slice(None)
        loud, noisy = (np.sqrt(np.mean(part[spoken] ** 2)) for part in (speech, noise))
        if noisy > 0:
            noise *= loud / noisy * 10 ** (-snr / 20)
        return np.clip((speech + noise) * 10 ** (gain / 20), -1, 1).astype(np.float32)

    def unspoken(self, seed: tuple[int, ...]) -> NDArray[np.float32]:
        """Return drawn noise without a word, of shape ``(seconds * 16000,)``.

        Its peak lies below that of speech by the drawn ratio of their powers.
        """
        random = np.random.default_rng(list(seed))
        snr, colour, gain = (
            random.uniform(*bounds) for bounds in (self.snr_db, self.colour, self.gain_db)
        )
        noise = _noise(random, max(2, round(self.seconds * RATE)), colour)
        noise *= 10 ** ((gain - snr) / 20) / np.abs(noise).max()
        return np.clip(noise, -1, 1).astype(np.float32)


def _noise(random: np.random.Generator, length: int, colour: float) -> NDArray[np.float64]:
    """Return Gaussian noise whose power falls with frequency to the power of :py:`colour`."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    bins = np.arange(len(spectrum), dtype=np.float64)
    spectrum *= np.maximum(bins, 1) ** (-colour / 2)
    spectrum[0] = 0  # no constant pressure
    return np.asarray(np.fft.irfft(spectrum, length))


def keyword_dataset(
    clips: SpokenClips,
    features: Features | None = None,
    surroundings: Surroundings | None = None,
    *,
    copies: int = 1,
    seed: int = 0,
) -> Dataset:
    """Return the features of the clips in noise, with the held-out speakers as the test.

    Parameters
    ----------
    clips : SpokenClips
        What was spoken.
    features : Features, optional
        At 16 kHz; ten cepstral coefficients of 49 frames unless given.
    surroundings : Surroundings, optional
        Noise, place and loudness.
    copies : int
        How often each clip to train on is heard, each time otherwise; those to test on once.
    seed : int
        Seed of what is drawn.

    Returns
    -------
    Dataset
        Inputs of shape ``(1, frames, features)``: an image of one channel, in dB, not standardised.

    Raises
    ------
    ParameterError
        If the features are of another rate.
    """
    features = Features(coefficients=10) if features is None else features
    surroundings = Surroundings() if surroundings is None else surroundings
    copies = check_int("keyword_dataset", "copies", copies, 1, 1000)
    seed = check_int("keyword_dataset", "seed", seed, 0, (1 << 63) - 1)
    if features.rate != RATE:
        raise ParameterError(
            f"keyword_dataset: features must have rate {RATE} Hz, that of the clips, not "
            f"{features.rate}"
        )
    spoken, sounds, indices = clips.spoken, clips.clips(), clips.spoken.indices()
    held = np.isin(np.array(spoken.variants), spoken.held_out)[indices[:, 2]]
    train, test = np.flatnonzero(~held), np.flatnonzero(held)
    wanted = [(int(place), copy) for copy in range(copies) for place in train]
    wanted += [(int(place), 0) for place in test]
    x = np.empty((len(wanted), 1, *features.shape(round(surroundings.seconds * RATE))), np.float32)
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        heard = np.stack(
            [surroundings.heard(sounds[place], (seed, place, copy)) for place, copy in batch]
        )
        x[start : start + BATCH, 0] = features(torch.from_numpy(heard)).numpy()
    y = indices[[place for place, _ in wanted], 0]
    split = len(train) * copies
    return Dataset("spoken keywords", x[:split], y[:split], x[split:], y[split:], len(spoken.words))
