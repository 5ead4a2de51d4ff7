"""Bitstreams: synthesis, place and route, packing, in a folder that appears when all is done."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amaranth.hdl import Elaboratable

from spintron_ir.errors import ToolError, check_int

from ..mapping.capacity import check_capacity
from ..mapping.target import Target
from .flow import Flow
from .folder import whole_folder
from .report import BuildReport, Clock, Usage
from .steps import Steps, logs_kept, synthesize
from .tools import Progress, find_tool

__all__ = ["build_bitstream"]


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

    The folder then holds the bitstream, the design (``top.il``), what else Yosys reads, the pins,
    a log of each step, and ``report.json``. It appears as a whole, at the end.

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
    with whole_folder(folder) as work, logs_kept(work, Path(folder)):
        for name in ("top.il", flow.constraints):
            (work / name).write_text(plan.files[name], encoding="utf-8")
        steps = Steps(work, tools, progress)
        cells = _netlist(steps, flow)
        check_capacity(flow.count(cells), target, about=False)
        placed, clocks = _place(steps, flow, seed)
        _check_timing(clocks, allow_timing_failure)
        steps.run("bitstream", flow.packer, flow.packing)
        used = {name: use["used"] for name, use in placed["utilization"].items() if use["used"]}
        report = BuildReport(
            board=board,
            part=part,
            bitstream=flow.bitstream,
            resources=_resources(flow, cells, used, target),
            cells=used,
            clocks=clocks,
            seed=seed,
            facts=dict(facts or {}),
            **steps.told(),
        )
        for name in ("netlist.json", "cells.json", "placed.json", flow.routed):
            (work / name).unlink()
        (work / "report.json").write_text(report.as_json(), encoding="utf-8")
    return report


def _netlist(steps: Steps, flow: Flow) -> dict[str, int]:
    """Synthesize; return the cells of the netlist."""
    return synthesize(
        steps,
        flow.synthesis,
        read="read_rtlil top.il",
        adders="adders.v",
        write="write_json netlist.json",
    )


def _place(steps: Steps, flow: Flow, seed: int) -> tuple[dict[str, Any], tuple[Clock, ...]]:
    """Place and route, at first without regard to timing: in two thirds of the time."""
    for hurry in (True, False):
        steps.run("place and route", flow.placer, flow.place_arguments(seed, hurry=hurry))
        placed = json.loads((steps.work / "placed.json").read_text(encoding="utf-8"))
        clocks = tuple(
            Clock(name, round(fmax["achieved"], 2), round(fmax["constraint"], 2))
            for name, fmax in sorted(placed["fmax"].items())
        )
        if all(clock.met for clock in clocks):
            break
    return placed, clocks


def _check_timing(clocks: tuple[Clock, ...], allow_timing_failure: bool) -> None:
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


def _resources(
    flow: Flow, netlist: Mapping[str, int], placed: Mapping[str, int], target: Target
) -> dict[str, Usage]:
    """What the placer counts; what it does not count, as synthesis counts it."""
    before, after = flow.count(netlist), flow.count(placed)
    return {
        name: Usage(getattr(after, name) or getattr(before, name), getattr(target, name))
        for name in ("luts", "ffs", "brams", "dsps")
    }
