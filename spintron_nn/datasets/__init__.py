"""Data to train and test on. Nothing is downloaded, and nothing of a file is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .arrays import array_dataset, read_arrays
    from .dataset import Dataset
    from .features import Features
    from .folders import wav_folder
    from .idx import read_idx
    from .images import FASHION_MNIST, digits, fashion_mnist
    from .keyword_data import Surroundings, keyword_dataset
    from .keywords import SpokenClips, speak_words
    from .spoken_words import SpokenWords
    from .wav import Recording, read_wav

__all__ = [
    "FASHION_MNIST",
    "Dataset",
    "Features",
    "Recording",
    "SpokenClips",
    "SpokenWords",
    "Surroundings",
    "array_dataset",
    "digits",
    "fashion_mnist",
    "keyword_dataset",
    "read_arrays",
    "read_idx",
    "read_wav",
    "speak_words",
    "wav_folder",
]

_HOMES = {
    "FASHION_MNIST": ".images",
    "Dataset": ".dataset",
    "Features": ".features",
    "Recording": ".wav",
    "SpokenClips": ".keywords",
    "SpokenWords": ".spoken_words",
    "Surroundings": ".keyword_data",
    "array_dataset": ".arrays",
    "digits": ".images",
    "fashion_mnist": ".images",
    "keyword_dataset": ".keyword_data",
    "read_arrays": ".arrays",
    "read_idx": ".idx",
    "read_wav": ".wav",
    "speak_words": ".keywords",
    "wav_folder": ".folders",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
