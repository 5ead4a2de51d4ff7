"""Which words are spoken, by whom and how often."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError
from spintron_ir.errors import check_int

from .espeak import Utterance

__all__ = ["SpokenWords"]

MOST = 100_000
"""Clips of the largest set."""

SPEEDS, PITCHES = (120, 220), (25, 75)
"""Ranges that words a minute and pitches are drawn from."""


@dataclass(frozen=True)
class SpokenWords:
    """Which words who speaks how often.

    A speaker is a voice with a variant: the accent and the timbre. Those with a variant of
    :py:`held_out` are tested on, so that no timbre of the test was heard in training.

    Parameters
    ----------
    words : tuple of str
        Labels in their order.
    voices, variants : tuple of str
        Accents and timbres of espeak-ng; every pair speaks.
    held_out : tuple of str
        Variants to test on.
    takes : int
        How often each speaker says each word, with speed and pitch drawn anew.
    seed : int
        Seed of the drawing.

    Examples
    --------
    >>> spoken = SpokenWords()
    >>> len(spoken.words), spoken.speakers, spoken.clips
    (10, 140, 1400)
    """

    words: tuple[str, ...] = (
        *("yes", "no", "up", "down", "left"),
        *("right", "on", "off", "stop", "go"),
    )
    voices: tuple[str, ...] = (
        *("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp"),
        *("en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029"),
    )
    variants: tuple[str, ...] = (
        *("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5"),
        *("Alex", "Andrea", "Andy", "Annie", "linda", "steph", "grandma"),
    )
    held_out: tuple[str, ...] = ("m3", "m7", "f2", "f5", "Andy")
    takes: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("words", "voices", "variants", "held_out"):
            value = getattr(self, field)
            if not isinstance(value, tuple) or not value or len(set(value)) < len(value):
                raise ParameterError(
                    f"SpokenWords: {field} must be a tuple of different names, not {value!r}"
                )
        for field in ("words", "voices", "variants"):
            for name in getattr(self, field):
                given = {"words": "yes", "voices": "en-us", "variants": "m1", field: name}
                Utterance(given["words"], given["voices"], given["variants"])
        if not set(self.held_out) < set(self.variants):
            raise ParameterError(
                f"SpokenWords: held_out must be some of variants, and not all, not "
                f"{self.held_out!r}"
            )
        check_int("SpokenWords", "takes", self.takes, 1, 1000)
        check_int("SpokenWords", "seed", self.seed, 0, (1 << 63) - 1)
        if self.clips > MOST:
            raise ParameterError(
                f"SpokenWords: there must be at most {MOST} clips, not {self.clips}; ask for fewer "
                "takes, voices or variants"
            )

    @property
    def speakers(self) -> int:
        """Number of speakers, in training and test together."""
        return len(self.voices) * len(self.variants)

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self.words) * self.speakers * self.takes

    def digest(self) -> str:
        """SHA-256 of all that is asked for, in hex."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()

    def indices(self) -> NDArray[np.int64]:
        """Return word, voice, variant and take of each clip, of shape ``(clips, 4)``."""
        counts = (len(self.words), len(self.voices), len(self.variants), self.takes)
        return np.array(list(itertools.product(*map(range, counts))), dtype=np.int64)

    def utterance(self, word: int, voice: int, variant: int, take: int) -> Utterance:
        """Return what is said there: speed and pitch depend on the seed and these numbers only."""
        random = np.random.default_rng([self.seed, word, voice, variant, take])
        return Utterance(
            self.words[word],
            self.voices[voice],
            self.variants[variant],
            speed=int(random.integers(SPEEDS[0], SPEEDS[1], endpoint=True)),
            pitch=int(random.integers(PITCHES[0], PITCHES[1], endpoint=True)),
        )
