"""What the speech models of the package were trained and tested on, to be spoken again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from spintron_ir.errors import check_int

from .dataset import Dataset
from .features import Features
from .keyword_data import BATCH, Surroundings, keyword_dataset
from .keywords import RATE, SpokenClips
from .spoken_words import SpokenWords

__all__ = [
    "KEYWORDS",
    "KEYWORDS_AGAIN",
    "OTHER_PHRASES",
    "OTHER_PHRASES_AGAIN",
    "WAKE_SURROUNDINGS",
    "WAKE_WORD",
    "WAKE_WORD_AGAIN",
    "wake_word_dataset",
]

_MORE = (
    *("Alicia", "Denis", "Gene", "Gene2", "Jacky", "Lee", "Michael", "Mario", "Henrique", "Hugo"),
    *("Diogo", "adam", "anika", "antonio", "aunty", "belinda", "benjamin", "boris", "caleb"),
    *("david", "ed", "edward", "gustave", "iven", "john", "marcelo", "max", "michel", "pablo"),
    *("paul", "quincy", "rob", "sandro", "shelby", "zac"),
)
_VARIANTS = SpokenWords().variants + _MORE
_HELD_OUT = (*SpokenWords().held_out, "Michael", "belinda", "pablo", "Denis", "paul")

KEYWORDS = SpokenWords(variants=_VARIANTS, held_out=_HELD_OUT, takes=2)
"""Ten words of 385 speakers: 6,300 clips to train on, 1,400 of 70 other speakers to test on."""

KEYWORDS_AGAIN = replace(
    KEYWORDS, voices=("en-us", "en-gb"), variants=("m1", *_HELD_OUT), takes=1, seed=1
)
"""200 other clips of the held-out speakers, spoken in some seconds."""

WAKE_WORD = replace(KEYWORDS, words=("hey assistant",), takes=4)
"""The wake word, 1,260 times to train on and 280 times of other speakers to test on."""

OTHER_PHRASES = replace(
    KEYWORDS,
    words=(
        *("hey", "assistant", "hey sister", "an assistant", "the assistance", "consistent"),
        *("resistance", "hey there", "a system", "hey mister", "they insist", "assist her"),
        *("yes", "no", "stop", "go", "good morning", "turn on the light", "what time is it"),
        *("play some music", "hello", "thank you"),
    ),
    takes=1,
)
"""What is not the wake word, half of it much like it: 6,930 clips to train on, 1,540 to test."""

WAKE_WORD_AGAIN = replace(
    WAKE_WORD, voices=KEYWORDS_AGAIN.voices, variants=KEYWORDS_AGAIN.variants, takes=2, seed=1
)
"""The wake word 40 times more from held-out speakers."""

OTHER_PHRASES_AGAIN = replace(
    OTHER_PHRASES, voices=("en-gb",), variants=KEYWORDS_AGAIN.variants, seed=1
)
"""Other phrases 220 times more from held-out speakers."""

WAKE_SURROUNDINGS = Surroundings(seconds=1.4)
"""The wake word takes up to 1.3 s of a slow speaker."""

Pair = tuple[NDArray[np.float32], NDArray[np.int64]]


def wake_word_dataset(
    wake: SpokenClips,
    others: SpokenClips,
    features: Features | None = None,
    surroundings: Surroundings = WAKE_SURROUNDINGS,
    *,
    wake_copies: int = 1,
    copies: int = 1,
    seed: int = 0,
) -> Dataset:
    """Return the features of a wake word (class 1), and of other phrases and noise (class 0).

    To each part comes noise without a word, one for every ten clips of other phrases.

    Parameters
    ----------
    wake, others : SpokenClips
        What was spoken.
    features : Features, optional
        At 16 kHz; ten cepstral coefficients unless given.
    surroundings : Surroundings
        Noise, place and loudness.
    wake_copies, copies : int
        How often each clip to train on is heard, of the wake word and of the others.
    seed : int
        Seed of what is drawn.

    Returns
    -------
    Dataset
        Inputs of shape ``(1, frames, features)`` in dB; classes 0 and 1.
    """
    features = Features(coefficients=10) if features is None else features
    seed = check_int("wake_word_dataset", "seed", seed, 0, (1 << 63) - 2)
    word = keyword_dataset(wake, features, surroundings, copies=wake_copies, seed=seed)
    other = keyword_dataset(others, features, surroundings, copies=copies, seed=seed + 1)

    def part(place: int, spoken: Pair, unspoken: Pair) -> Pair:
        noise = _noise(features, surroundings, len(unspoken[1]) // 10, (seed, place))
        x = np.concatenate([unspoken[0], noise, spoken[0]])
        counts = (len(unspoken[1]) + len(noise), len(spoken[1]))
        return x, np.repeat([0, 1], counts).astype(np.int64)

    train = part(0, (word.train_x, word.train_y), (other.train_x, other.train_y))
    test = part(1, (word.test_x, word.test_y), (other.test_x, other.test_y))
    return Dataset("wake word", *train, *test, 2)


def _noise(
    features: Features, surroundings: Surroundings, count: int, seed: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the features of noise, of shape ``(count, 1, frames, features)``."""
    made = np.empty((count, 1, *features.shape(round(surroundings.seconds * RATE))), np.float32)
    for start in range(0, count, BATCH):
        places = range(start, min(count, start + BATCH))
        sounds = np.stack([surroundings.unspoken((*seed, place)) for place in places])
        made[start : start + BATCH, 0] = features(torch.from_numpy(sounds)).numpy()
    return made
