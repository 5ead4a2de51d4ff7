"""The stages from a network to a verified design, each with the choices a user has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintron_ir.network import Network

if TYPE_CHECKING:
    from boards.board import Board
    from sim.verify import VerifyReport
    from spintron_hw.build.report import BuildReport
    from spintron_hw.mapping.plan import Plan
    from spintron_hw.mapping.target import Target

__all__ = [
    "Advance",
    "StepProgress",
    "board_named",
    "build_plan",
    "fpga_facts",
    "plan_for",
    "target_named",
    "verify_plan",
]

Advance = Callable[[int], None]
StepProgress = Callable[[str, str], None]

TOP = "spintron_top"
"""Top module where nobody sees its name: that of a network may be a word of Verilog."""


def board_named(name: str) -> Board:
    """Return the board called :py:`name`.

    Raises
    ------
    ParameterError
        If there is none; the message lists those there are.
    """
    from boards import get_board

    return get_board(name)


def target_named(board: str | None) -> Target:
    """Return the target of a board, or generic logic without limits where no board is named."""
    from spintron_hw.mapping.target import GENERIC

    return GENERIC if board is None else board_named(board).target


def plan_for(
    network: Network,
    *,
    board: str | None = None,
    body: str = "auto",
    interval: int | None = None,
) -> Plan:
    """Map :py:`network` for a board, or for generic logic.

    Raises
    ------
    MappingError
        If the wished interval cannot be reached.
    """
    from spintron_hw.mapping.map import map_network

    return map_network(network, target_named(board), interval=interval, body=body)


def verify_plan(
    plan: Plan, x: Any, *, engine: str, progress: Advance | None = None
) -> VerifyReport:
    """Run the emitted design on :py:`x` and compare every stream with the golden answer."""
    from sim.verify import verify
    from spintron_hw.build.verilog import design_of

    design = design_of(plan, TOP)
    return verify(design, plan.network, x, engine, progress=progress)


def build_plan(
    plan: Plan, board: str, folder: Path, *, progress: StepProgress | None = None
) -> BuildReport:
    """Build a plan for a board, as far as open tools go.

    Raises
    ------
    MappingError
        If it does not fit; nothing is synthesized then.
    ToolError
        If a tool is missing or fails, or the design is too slow for the board.
    """
    from spintron_hw.accelerator import Accelerator

    found = board_named(board)
    found.check(folder, plan.resources)  # before hardware is made that a refusal would leave unused
    return found.build(
        Accelerator(plan),
        folder,
        digest=plan.network.digest(),
        resources=plan.resources,
        progress=progress,
        facts={"network": plan.network.name},
    )


def fpga_facts(report: BuildReport, folder: Path) -> dict[str, Any]:
    """What a build came to, in one flat dict.

    Returns
    -------
    dict
        ``board``, ``luts``, ``ffs``, ``brams``, ``dsps``, what there is of each under
        ``capacity``, ``fmax_mhz`` of the slowest clock and ``clock_mhz`` of the board,
        ``bitstream`` as a path (None where no open tool gives them), and ``note``.
    """
    names = ("luts", "ffs", "brams", "dsps")
    slowest = min(report.clocks, key=lambda clock: clock.fmax_mhz, default=None)
    bitstream = None if report.bitstream is None else str(folder / report.bitstream)
    return {
        "board": report.board,
        **{name: report.resources[name].used for name in names},
        "capacity": {name: report.resources[name].capacity for name in names},
        "fmax_mhz": slowest and slowest.fmax_mhz,
        "clock_mhz": slowest and slowest.target_mhz,
        "bitstream": bitstream,
        "note": report.note,
    }
