"""A board: what it holds, how its pins are reached, how it is built for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amaranth import Elaboratable, Module
from amaranth.lib import io

from spintron_hw.build.flow import Flow
from spintron_hw.build.folder import check_folder
from spintron_hw.build.fpga import build_bitstream
from spintron_hw.build.report import BuildReport
from spintron_hw.build.tools import Progress, find_tool
from spintron_hw.build.vivado import build_vivado_project
from spintron_hw.control.board_top import BoardTop, Served
from spintron_hw.mapping.capacity import check_capacity
from spintron_hw.mapping.target import Target
from spintron_ir.errors import ParameterError

__all__ = ["Board"]


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board that an accelerator can be built for.

    Parameters
    ----------
    name : str
        Name for commands: lower case, digits and hyphens.
    title : str
        Name as its maker writes it.
    part : str
        Its FPGA.
    target : Target
        What the FPGA holds.
    platform : callable
        Makes a fresh Amaranth platform, with a resource ``uart`` and a default clock.
    flow : Flow or None
        Open tools from RTLIL to a bitstream; none where Vivado takes the last step.
    baud : int, bits a second
        Speed of the serial line to the host.
    programming : str
        Command that configures the board with a bitstream.

    Examples
    --------
    >>> from boards import get_board
    >>> get_board("icebreaker").target.luts
    5280
    """

    name: str
    title: str
    part: str
    target: Target
    platform: Callable[[], Any]
    flow: Flow | None
    baud: int = 1_000_000
    programming: str

    @property
    def clock_hz(self) -> int:
        """Clock of the accelerator in hertz."""
        return int(self.target.clock_hz)

    @property
    def makes(self) -> str:
        """How far the open tools go."""
        if self.flow is None:
            return "a netlist, its resource counts, and a Vivado project"
        return "a bitstream"

    def top(self, accelerator: Served, *, digest: str, max_cycles: int = 1 << 26) -> BoardTop:
        """The design that runs on the board, without its pins.

        Parameters
        ----------
        accelerator : Served
            A component with :py:`streams`.
        digest : str
            Digest of the network in hexadecimal, of which the board tells the first 8 bytes.
        max_cycles : int, cycles
            Longest time that a frame may take.
        """
        try:
            start = bytes.fromhex(digest[:16])
        except ValueError:
            start = b""
        if len(start) != 8:
            raise ParameterError(
                f"{self.name}: digest must start with 16 hexadecimal digits, not {digest!r}"
            )
        return BoardTop(
            accelerator,
            digest=start,
            clock_hz=self.clock_hz,
            baud=self.baud,
            max_cycles=max_cycles,
        )

    def check(self, folder: str | os.PathLike[str], resources: Any = None) -> None:
        """Raise what :meth:`build` would find out before it starts; takes no time.

        Parameters
        ----------
        folder : path
            New, empty, or an earlier build.
        resources : object with luts, ffs, brams, dsps, optional
            Estimate of what the accelerator takes.

        Raises
        ------
        MappingError
            If it does not fit.
        ToolError
            If a program is missing.
        ParameterError
            If the folder holds something else.
        """
        if resources is not None:
            check_capacity(resources, self.target)
        check_folder(folder)
        for name in ("yosys",) if self.flow is None else ("yosys", *self.flow.programs):
            find_tool(name)

    def build(
        self,
        accelerator: Served,
        folder: str | os.PathLike[str],
        *,
        digest: str,
        max_cycles: int = 1 << 26,
        resources: Any = None,
        seed: int = 1,
        allow_timing_failure: bool = False,
        progress: Progress | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> BuildReport:
        """Build for the board, as far as open tools go.

        Parameters
        ----------
        accelerator : Served
            A component with :py:`streams`.
        folder : path
            New, empty, or an earlier build.
        digest : str
            Digest of the network in hexadecimal.
        max_cycles : int, cycles
            Longest time that a frame may take.
        resources : object with luts, ffs, brams, dsps, optional
            Estimate of what the accelerator takes: what does not fit is refused at once.
        seed : int
            Seed of the placer.
        allow_timing_failure : bool
            Accept a design that is too slow for the clock.
        progress : callable, optional
            Called with the step and a line while programs run.
        facts : mapping, optional
            What to add to ``report.json``.

        Raises
        ------
        MappingError
            If it does not fit.
        ToolError
            If a program is missing or fails, or the design is too slow.
        """
        self.check(folder, resources)
        options: dict[str, Any] = {
            "board": self.name,
            "part": self.part,
            "target": self.target,
            "progress": progress,
            "facts": {"digest": digest, "baud": self.baud} | dict(facts or {}),
        }
        top = _OnPins(self.top(accelerator, digest=digest, max_cycles=max_cycles))
        if self.flow is None:
            return build_vivado_project(top, self.platform(), folder, **options)
        return build_bitstream(
            top,
            self.platform(),
            folder,
            flow=self.flow,
            seed=seed,
            allow_timing_failure=allow_timing_failure,
            **options,
        )


class _OnPins(Elaboratable):
    """Joins the serial line of :py:`top` to the pins of the board."""

    def __init__(self, top: BoardTop):
        self.top = top

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.top = self.top
        uart = platform.request("uart", dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [self.top.rx.eq(rx.i), tx.o.eq(self.top.tx)]
        return m
