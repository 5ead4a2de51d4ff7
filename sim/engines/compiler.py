"""The C++ compiler: the system's, or the one in a Python package."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spintron_ir.errors import ToolError

__all__ = ["Compiler", "find_compiler"]


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler that can be called.

    Attributes
    ----------
    command : tuple of str
        Program and leading arguments.
    version : str
        First line of what it says it is.
    """

    command: tuple[str, ...]
    version: str

    def run(self, arguments: Sequence[str], folder: Path) -> None:
        """Call the compiler in :py:`folder`.

        Raises
        ------
        ToolError
            If it fails; the message carries its first lines.
        """
        done = subprocess.run(
            [*self.command, *arguments], cwd=folder, capture_output=True, check=False
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise ToolError(
                f"{self.version} must compile the simulator, but it ended with status "
                f"{done.returncode}: {' / '.join(said[:3]) or 'no message'}"
            )


def find_compiler() -> Compiler | None:
    """Return the compiler that ``SPINTRON_CXX`` names, or the first there is, or :py:`None`.

    Looked for are ``g++``, ``clang++`` and ``c++``, and Python package ziglang.

    Raises
    ------
    ToolError
        If the named one cannot be called.
    """
    named = os.environ.get("SPINTRON_CXX")
    if named:
        command = tuple(shlex.split(named))
        if shutil.which(command[0]) is None:
            raise ToolError(f"SPINTRON_CXX must name a C++ compiler, not {named!r}; or unset it")
        return Compiler(command, _version(command))
    for program in ("g++", "clang++", "c++"):
        if shutil.which(program) is not None:
            return Compiler((program,), _version((program,)))
    if importlib.util.find_spec("ziglang") is not None:
        command = (sys.executable, "-m", "ziglang", "c++")
        return Compiler(command, _version(command))
    return None


def _version(command: Sequence[str]) -> str:
    done = subprocess.run([*command, "--version"], capture_output=True, check=False)
    return done.stdout.decode(errors="replace").partition("\n")[0].strip() or command[0]
