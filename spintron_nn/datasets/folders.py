"""Folders of WAV files, one for each label."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real

from .dataset import Dataset
from .wav import RATES, read_wav, resample

__all__ = ["fit_length", "wav_folder"]

MAX_SAMPLES = 1 << 28
"""Samples of the largest data set that is made of a folder."""


def wav_folder(
    directory: str | Path,
    *,
    seconds: float,
    rate: int | None = None,
    held_out: float | Collection[str] = 0.2,
    seed: int = 0,
) -> Dataset:
    """Return the recordings of ``DIRECTORY/LABEL/*.wav``, with speakers held out for the test.

    Labels are the folders in alphabetic order; those that start with ``.`` or ``_`` are passed
    over. The speaker is the file's name up to its first underscore. No speaker is in both parts.
    Channels are averaged; sound is cut, or filled with silence, at its end.

    Parameters
    ----------
    directory : path
        Folder of the labels.
    seconds : float
        Length of every input, in s.
    rate : int, optional
        Rate in Hz that everything is brought to. Without it all files must have the same.
    held_out : float or collection of str
        Share of the speakers to test on, rounded to at least one, drawn with :py:`seed`; or their
        names.
    seed : int
        Seed of that draw.

    Returns
    -------
    Dataset
        Inputs of shape ``(round(seconds * rate),)`` in units of full scale.

    Raises
    ------
    ParameterError
        If a file cannot be read, rates differ, or a part would be empty.
    """
    seconds = check_real("wav_folder", "seconds", seconds, "above 0", "s")
    rate = rate if rate is None else check_int("wav_folder", "rate", rate, *RATES)
    root = Path(directory)
    if not root.is_dir():
        raise ParameterError(
            f"wav_folder: directory must name a folder, and there is no {str(directory)!r}"
        )
    labels = sorted(p.name for p in root.iterdir() if p.is_dir() and p.name[0] not in "._")
    files = [
        (number, root / label / name)
        for number, label in enumerate(labels)
        for name in sorted(os.listdir(root / label))
        if name.lower().endswith(".wav") and not name.startswith(".")
    ]
    if not files:
        raise ParameterError(
            f"wav_folder: {root} must hold files LABEL/SPEAKER_NUMBER.wav, and holds none"
        )
    test = _held_out({_speaker(path) for _, path in files}, held_out, seed)
    x = _read_all([path for _, path in files], seconds, rate)
    y = np.array([number for number, _ in files], dtype=np.int64)
    late = np.array([_speaker(path) in test for _, path in files])
    return Dataset(root.name, x[~late], y[~late], x[late], y[late], len(labels))


def fit_length(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Return the first :py:`length` samples of shape ``(n,)``, with silence where there are fewer.

    Examples
    --------
    >>> fit_length(np.float32([1, 2, 3]), 5).tolist(), fit_length(np.float32([1, 2]), 1).tolist()
    ([1.0, 2.0, 3.0, 0.0, 0.0], [1.0])
    """
    made = np.zeros(length, np.float32)
    kept = samples[:length]
    made[: len(kept)] = kept
    return made


def _speaker(path: Path) -> str:
    return path.stem.partition("_")[0]


def _held_out(
    speakers: Collection[str], held_out: float | Collection[str], seed: int
) -> frozenset[str]:
    """Return who is tested on; refuse where that leaves a part empty."""
    order = sorted(speakers)
    if isinstance(held_out, (int, float)):
        share = check_real("wav_folder", "held_out", held_out, "above 0 and below 1")
        seed = check_int("wav_folder", "seed", seed, 0, (1 << 63) - 1)
        drawn = np.random.default_rng(seed).permutation(len(order))
        chosen = frozenset(order[place] for place in drawn[: max(1, round(share * len(order)))])
    else:
        chosen = frozenset([held_out] if isinstance(held_out, str) else held_out)
        unknown = sorted(chosen - set(order))
        if unknown:
            raise ParameterError(
                f"wav_folder: held_out must name speakers of the files, and {unknown[0]!r} is "
                f"none; there are {', '.join(order[:8])}{', ...' if len(order) > 8 else ''}"
            )
    if not 0 < len(chosen) < len(order):
        raise ParameterError(
            f"wav_folder: some of {len(order)} speakers must be held out and some not, and "
            f"held_out takes {len(chosen)}; name files SPEAKER_NUMBER.wav, or change held_out"
        )
    return chosen


def _read_all(paths: list[Path], seconds: float, rate: int | None) -> NDArray[np.float32]:
    """Return what the files hold, of shape ``(files, samples)``."""
    first = read_wav(paths[0]).rate
    common = first if rate is None else rate
    length = max(1, round(min(seconds, 1e9) * common))
    if length * len(paths) > MAX_SAMPLES:
        raise ParameterError(
            f"wav_folder: the inputs must have at most {MAX_SAMPLES} samples together, not "
            f"{len(paths)} times {length}; shorten seconds or lower rate"
        )
    made = np.empty((len(paths), length), np.float32)
    for number, path in enumerate(paths):
        found = read_wav(path)
        if rate is None and found.rate != first:
            raise ParameterError(
                f"wav_folder: all files must have one rate, and {paths[0].name} has {first} Hz, "
                f"{path.name} {found.rate} Hz; give rate={first} to bring all to it"
            )
        made[number] = fit_length(resample(found.mono(), found.rate, common), length)
    return made
