"""Bitstreams: synthesis, place and route, packing, in a folder that appears when all is done."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from amaranth.hdl import Elaboratable

from spintron_ir.errors import ToolError, check_int
from spintron_ir.files import write_atomic

from ..mapping.capacity import check_capacity
from ..mapping.target import Target
from .flow import Flow
from .folder import whole_folder
from .report import BuildReport, Clock, Usage
from .tools import Progress, find_tool, run_tool

__all__ = ["build_bitstream", "cell_counts", "logs_kept", "render"]


def build_bitstream(
    top: Elaboratable,
    platform: Any,
    folder: str | os.PathLike[str],
    *,
    board: str,
    part: str,
    flow: Flow,
    target: Target,
    seed: int = 1,
    allow_timing_failure: bool = False,
    progress: Progress | None = None,
    facts: Mapping[str, Any] | None = None,
) -> BuildReport:
    """Make the bitstream of :py:`top` with open tools.

    The folder then holds the bitstream, the design (``top.il``), the Yosys script, the pin
    constraints, a log of each step, and ``report.json``. It appears as a whole, at the end.

    Parameters
    ----------
    top : Elaboratable
        The design, which requests its pins from the platform.
    platform : amaranth.build.Platform
        A fresh one.
    folder : path
        New, empty, or an earlier build.
    board, part : str
        Names for the report.
    flow : Flow
        Steps for the part.
    target : Target
        Capacity of the part.
    seed : int, 0..2**31-1
        Seed of the placer.
    allow_timing_failure : bool
        Accept a design that is too slow for the board's clock; the report says so.
    progress : callable, optional
        Called with the step and a line while programs run.
    facts : mapping, optional
        What to add to the report.

    Raises
    ------
    MappingError
        If the design does not fit. Found after synthesis, before place and route.
    ToolError
        If a program is missing or fails, or the design is too slow.
    ParameterError
        If the folder holds something else.
    """
    check_int("build_bitstream", "seed", seed, 0, (1 << 31) - 1)
    tools = {name: find_tool(name) for name in ("yosys", *flow.programs)}
    plan = platform.prepare(top, "top", emit_src=False)
    seconds = {}
    with whole_folder(folder) as work, logs_kept(work, Path(folder)):
        for name in ("top.il", flow.constraints):
            (work / name).write_text(plan.files[name], encoding="utf-8")
        script = render(
            "fpga_synthesis.ys.j2",
            read="read_rtlil top.il",
            synthesis=flow.synthesis,
            write="write_json netlist.json",
        )
        (work / "synthesis.ys").write_text(script, encoding="utf-8")
        steps = {
            "synthesis": ("yosys", ("synthesis.ys",)),
            "place and route": (flow.placer, flow.place_arguments(seed)),
            "bitstream": (flow.packer, flow.packing),
        }
        for step, (name, arguments) in steps.items():
            log = step.replace(" ", "_") + ".log"
            seconds[step] = run_tool(
                tools[name], arguments, folder=work, log=log, step=step, progress=progress
            )
            if step == "synthesis":
                cells = cell_counts(work / "cells.json")
                check_capacity(flow.count(cells), target, about=False)
            elif step == "place and route":
                placed = json.loads((work / "placed.json").read_text(encoding="utf-8"))
                clocks = _clocks(placed, allow_timing_failure)
        used = {name: use["used"] for name, use in placed["utilization"].items() if use["used"]}
        report = BuildReport(
            board=board,
            part=part,
            bitstream=flow.bitstream,
            resources=_resources(flow, cells, used, target),
            cells=used,
            clocks=clocks,
            tools={name: tool.version for name, tool in tools.items()},
            seed=seed,
            options={step: " ".join((name, *args)) for step, (name, args) in steps.items()}
            | {"synthesis": flow.synthesis},
            facts=dict(facts or {}),
            seconds=seconds,
        )
        for name in ("netlist.json", "cells.json", "placed.json", flow.routed):
            (work / name).unlink()
        (work / "report.json").write_text(report.as_json(), encoding="utf-8")
    return report


def render(template: str, **values: Any) -> str:
    """Text of a template of this package."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spintron_hw.build"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    return environment.get_template(template).render(**values)


def cell_counts(path: Path) -> dict[str, int]:
    """How many cells of each type a netlist has, out of what Yosys ``stat -json`` wrote."""
    counted = json.loads(path.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
    return {name: int(count) for name, count in sorted(counted.items()) if name[0] != "$"}


def _resources(
    flow: Flow, netlist: Mapping[str, int], placed: Mapping[str, int], target: Target
) -> dict[str, Usage]:
    """What the placer counts; what it does not count, as synthesis counts it."""
    before, after = flow.count(netlist), flow.count(placed)
    return {
        name: Usage(getattr(after, name) or getattr(before, name), getattr(target, name))
        for name in ("luts", "ffs", "brams", "dsps")
    }


def _clocks(placed: Mapping[str, Any], allow_timing_failure: bool) -> tuple[Clock, ...]:
    clocks = tuple(
        Clock(name, round(fmax["achieved"], 2), round(fmax["constraint"], 2))
        for name, fmax in sorted(placed["fmax"].items())
    )
    slow = [clock for clock in clocks if not clock.met]
    if slow and not allow_timing_failure:
        raise ToolError(
            "the design is too slow for the board: "
            + ", ".join(
                f"clock {clock.name} reaches {clock.fmax_mhz:.2f} MHz and needs "
                f"{clock.target_mhz:.2f} MHz"
                for clock in slow
            )
            + "; try another seed, or smaller tiles, or allow a timing failure and do not rely on "
            "the answers"
        )
    return clocks


@contextlib.contextmanager
def logs_kept(work: Path, folder: Path) -> Iterator[None]:
    """Put the logs of a build that fails beside the folder it would have become."""
    kept = folder.with_name(folder.name + ".log")
    kept.unlink(missing_ok=True)
    try:
        yield
    except ToolError as error:
        logs = sorted(work.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        if not logs:
            raise
        text = "".join(f"# {log.name}\n{log.read_text(encoding='utf-8')}" for log in logs)
        write_atomic(kept, text)
        raise ToolError(f"{error}; the log is in {kept}") from None
