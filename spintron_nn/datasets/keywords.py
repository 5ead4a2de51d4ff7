"""Keywords spoken by espeak-ng: many voices, speeds and pitches, kept in one file."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError
from spintron_ir.errors import check_int

from .arrays import UNREADABLE, read_archive
from .espeak import Espeak
from .spoken_words import SpokenWords
from .wav import Recording, resample

__all__ = ["SpokenClips", "speak_words"]

RATE = 16_000
"""Samples a second of every clip, in Hz."""

PART = 100
"""Clips of a part: what an interrupted run loses at most, for each worker."""

LONGEST = 2 * RATE
"""Samples that a clip is cut to."""

QUIET = 0.01
"""Share of a clip's peak below which its ends are silence."""


@dataclass(frozen=True, eq=False)
class SpokenClips:
    """What was spoken: words without silence around them or noise, at 16 kHz.

    Attributes
    ----------
    spoken : SpokenWords
        What was asked for.
    version : str
        The espeak-ng that spoke.
    sound : int16 array of shape ``(n,)``
        All clips, one after the other; 32768 is full scale.
    lengths : int64 array of shape ``(clips,)``
        Samples of each, in the order of :meth:`SpokenWords.indices`.
    """

    spoken: SpokenWords
    version: str
    sound: NDArray[np.int16]
    lengths: NDArray[np.int64]

    def clips(self) -> list[NDArray[np.float32]]:
        """Return the clips, each scaled to a peak of 1."""
        parts = np.split(self.sound.astype(np.float32), np.cumsum(self.lengths)[:-1])
        return [part / max(1.0, float(np.abs(part).max(initial=0))) for part in parts]


def speak_words(
    spoken: SpokenWords,
    directory: str | Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SpokenClips:
    """Return the clips from ``DIRECTORY/keywords-DIGEST.npz``, spoken first where it is missing.

    The sound depends on :py:`spoken` and the version of espeak-ng, not on the workers. An
    interrupted run goes on where it was: finished parts lie in a folder beside the file until
    that is whole. Files are written under another name and renamed.

    Parameters
    ----------
    spoken : SpokenWords
        What is said.
    directory : path
        Where the file is kept; made if missing.
    workers : int
        Calls of espeak-ng at a time, 1..64.
    progress : callable, optional
        Called with the number of clips done and of all.

    Raises
    ------
    ToolError
        If espeak-ng is missing, lacks a voice, or fails.
    ParameterError
        If the file there is another's.
    """
    workers = check_int("speak_words", "workers", workers, 1, 64)
    path = Path(directory) / f"keywords-{spoken.digest()[:16]}.npz"
    if path.is_file():
        return _load(path, spoken)
    program = Espeak()
    program.check(spoken.voices, spoken.variants)
    release = hashlib.sha256(program.version.encode()).hexdigest()[:8]
    folder = path.with_suffix(f".{release}.parts")
    folder.mkdir(parents=True, exist_ok=True)
    indices = spoken.indices()
    parts = {
        folder / f"{start:08d}.npz": indices[start : start + PART]
        for start in range(0, len(indices), PART)
    }
    done = 0
    with ThreadPoolExecutor(workers) as pool:
        running = {
            pool.submit(_speak_part, program, spoken, rows, part): rows
            for part, rows in parts.items()
        }
        try:
            for future in as_completed(running):
                future.result()
                done += len(running[future])
                if progress is not None:
                    progress(done, len(indices))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    found = [_arrays(part) for part in parts]
    clips = SpokenClips(
        spoken,
        program.version,
        np.concatenate([arrays["sound"] for arrays in found]),
        np.concatenate([arrays["lengths"] for arrays in found]),
    )
    version = np.frombuffer(program.version.encode(), np.uint8)
    _write(path, sound=clips.sound, lengths=clips.lengths, version=version)
    shutil.rmtree(folder, ignore_errors=True)
    return clips


def _speak_part(program: Espeak, spoken: SpokenWords, rows: NDArray[np.int64], part: Path) -> None:
    if part.is_file():
        return
    with tempfile.TemporaryDirectory() as folder:
        clips = [
            _trimmed(program.speak(spoken.utterance(*map(int, row)), Path(folder))) for row in rows
        ]
    lengths = np.array([len(clip) for clip in clips], dtype=np.int64)
    _write(part, sound=np.concatenate(clips), lengths=lengths)


def _trimmed(recording: Recording) -> NDArray[np.int16]:
    """Return the clip at the common rate, without silence at its ends."""
    sound = resample(recording.mono(), recording.rate, RATE)
    loud = np.flatnonzero(np.abs(sound) > QUIET * np.abs(sound).max(initial=0))
    if loud.size:
        sound = sound[loud[0] : loud[-1] + 1][:LONGEST]
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)


def _write(path: Path, **arrays: NDArray[np.generic]) -> None:
    """Write the file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        try:
            np.savez_compressed(file, allow_pickle=False, **arrays)
            file.flush()
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return what a file holds."""
    try:
        return read_archive(path)
    except UNREADABLE as error:
        raise _damaged(path, str(error)) from error


def _load(path: Path, spoken: SpokenWords) -> SpokenClips:
    found = _arrays(path)
    kinds = {"sound": "int16", "lengths": "int64", "version": "uint8"}
    if {name: str(array.dtype) for name, array in found.items()} != kinds:
        raise _damaged(path, f"it holds {', '.join(sorted(found)) or 'nothing'}")
    sound, lengths = found["sound"], found["lengths"]
    if (
        sound.ndim != 1
        or lengths.shape != (spoken.clips,)
        or lengths.min() < 0
        or lengths.max() > LONGEST
        or lengths.sum() != len(sound)
    ):
        raise _damaged(path, "its lengths are not those of its clips")
    version = bytes(found["version"]).decode(errors="replace")
    return SpokenClips(spoken, version, sound, lengths)


def _damaged(path: Path, why: str) -> ParameterError:
    return ParameterError(
        f"speak_words: {path.name} must be a file that this function wrote ({why}); delete it to "
        "have it made again"
    )
