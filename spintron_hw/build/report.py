"""What a build came to: resources, clocks, tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["BuildReport", "Clock", "Usage"]


@dataclass(frozen=True)
class Usage:
    """How much of one resource a design takes.

    Parameters
    ----------
    used, capacity : int
        What it takes, and what there is.
    """

    used: int
    capacity: int

    @property
    def percent(self) -> float:
        """Share in percent, to a tenth."""
        return round(100 * self.used / self.capacity, 1) if self.capacity else 0.0


@dataclass(frozen=True)
class Clock:
    """One clock after place and route.

    Parameters
    ----------
    name : str
        Its net.
    fmax_mhz : float
        Highest frequency at which every path is fast enough, megahertz, worst case of the device.
    target_mhz : float
        Frequency of the board.
    """

    name: str
    fmax_mhz: float
    target_mhz: float

    @property
    def met(self) -> bool:
        """Whether the design runs at the frequency of the board."""
        return self.fmax_mhz >= self.target_mhz


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """A build for a board.

    Parameters
    ----------
    board, part : str
        What it is for.
    bitstream : str or None
        File in the folder to configure the board with; none where open tools make none.
    resources : dict from str to Usage
        ``luts``, ``ffs``, ``brams`` and ``dsps`` of the part, counted after place and route, or
        after synthesis where there is none.
    cells : dict from str to int
        The same by the names the tools give them.
    clocks : tuple of Clock
        None where there was no place and route.
    tools : dict from str to str
        Version of each program.
    seed : int
        Seed of the placer.
    options : dict from str to str
        Command of each step.
    facts : dict
        Whatever the caller adds, such as the digest of the network.
    note : str
        What a user must know, such as a step that is left.
    seconds : dict from str to float
        Time of each step. Not written into ``report.json``: the same inputs give the same bytes.
    """

    board: str
    part: str
    bitstream: str | None
    resources: dict[str, Usage]
    cells: dict[str, int]
    clocks: tuple[Clock, ...]
    tools: dict[str, str]
    seed: int
    options: dict[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether every clock is fast enough; none where no tool has measured it."""
        return all(clock.met for clock in self.clocks) if self.clocks else None

    def as_dict(self) -> dict[str, Any]:
        """What goes into ``report.json``."""
        return {
            **self.facts,
            "board": self.board,
            "part": self.part,
            "bitstream": self.bitstream,
            "resources": {
                name: asdict(use) | {"percent": use.percent} for name, use in self.resources.items()
            },
            "cells": self.cells,
            "clocks": [asdict(clock) | {"met": clock.met} for clock in self.clocks],
            "timing_met": self.met,
            "tools": self.tools,
            "seed": self.seed,
            "options": self.options,
            "note": self.note,
            "units": {"fmax_mhz": "MHz", "target_mhz": "MHz", "percent": "percent of capacity"},
            "origin": {
                "resources": "placed and routed" if self.clocks else "synthesized",
                "clocks": "static timing analysis, slowest corner of the part",
            },
        }

    def as_json(self) -> str:
        """Text of ``report.json``."""
        return json.dumps(self.as_dict(), indent=2) + "\n"
