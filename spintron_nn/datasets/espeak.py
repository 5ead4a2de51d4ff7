"""The speech synthesiser espeak-ng, called as a program."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spintron_ir import ParameterError, ToolError

from .wav import Recording, read_wav

__all__ = ["Espeak", "Utterance", "unavailable"]

PROGRAM = "espeak-ng"

TIME_LIMIT = 30
"""Seconds that one call may take; a word takes some hundredths."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TEXT = re.compile(r"[a-z]+(?: [a-z]+)*")


@dataclass(frozen=True)
class Utterance:
    """One word as one speaker says it once.

    Attributes
    ----------
    text : str
        English words in small letters.
    voice : str
        Language and accent, as ``espeak-ng --voices=en`` lists them.
    variant : str
        Timbre, as ``espeak-ng --voices=variant`` lists the files of ``!v``.
    speed : int
        Words a minute, 80..450.
    pitch : int
        0..99, where 50 is the voice's own.
    """

    text: str
    voice: str
    variant: str
    speed: int = 175
    pitch: int = 50

    def __post_init__(self) -> None:
        if not _TEXT.fullmatch(self.text):
            raise ParameterError(
                f"Utterance: text must be words of the letters a..z, not {self.text!r}"
            )
        for field in ("voice", "variant"):
            if not _NAME.fullmatch(getattr(self, field)):
                raise ParameterError(
                    f"Utterance: {field} must be letters, digits, '-' and '_', not "
                    f"{getattr(self, field)!r}"
                )


def unavailable() -> str | None:
    """Return why nothing can be spoken here, or :py:`None`."""
    if shutil.which(PROGRAM) is None:
        return "espeak-ng must be installed, it speaks the words: apt-get install espeak-ng"
    return None


class Espeak:
    """The program as it is installed. It is called without a shell and reads nothing but words.

    Attributes
    ----------
    version : str
        What it says of itself: other versions may speak otherwise.

    Raises
    ------
    ToolError
        If it is not installed or does not answer.
    """

    def __init__(self) -> None:
        missing = unavailable()
        if missing is not None:
            raise ToolError(missing)
        found = re.search(r"\d+(?:\.\d+)+\S*", self._call(["--version"]))
        self.version = f"espeak-ng {found[0] if found else 'of no version'}"

    def check(self, voices: Sequence[str], variants: Sequence[str]) -> None:
        """Check that all of them are installed, for the program takes unknown variants in silence.

        Raises
        ------
        ToolError
            If one is not.
        """
        rows = self._call(["--voices=en"]).splitlines()[1:]
        spoken = {word for row in rows for word in row.split()[1:2]}
        timbres = set(re.findall(r"!v/(\S+)", self._call(["--voices=variant"])))
        for kind, wanted, present in (
            ("voice", voices, spoken),
            ("variant", variants, timbres),
        ):
            lacking = sorted(set(wanted) - present)
            if lacking:
                raise ToolError(
                    f"{self.version} must have {kind} {lacking[0]!r}, and has not; install the "
                    f"package espeak-ng-data, or ask for other {kind}s"
                )

    def speak(self, utterance: Utterance, folder: Path) -> Recording:
        """Return how it says that; the file lies in :py:`folder` meanwhile.

        Raises
        ------
        ToolError
            If the program fails or writes no sound.
        """
        path = folder / "utterance.wav"
        self._call(
            [
                "-v",
                f"{utterance.voice}+{utterance.variant}",
                "-s",
                str(utterance.speed),
                "-p",
                str(utterance.pitch),
                "-w",
                str(path),
                "--",
                utterance.text,
            ]
        )
        try:
            return read_wav(path)
        except ParameterError as error:
            raise ToolError(
                f"{self.version} must write a WAV file, and did not: {error}"
            ) from error
        finally:
            path.unlink(missing_ok=True)

    def _call(self, arguments: Sequence[str]) -> str:
        try:
            done = subprocess.run(
                [PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIME_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolError(f"espeak-ng must answer within {TIME_LIMIT} s: {error}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise ToolError(
                f"espeak-ng must speak, but it ended with status {done.returncode}: "
                f"{said[0] if said else 'no message'}"
            )
        return done.stdout.decode(errors="replace")
