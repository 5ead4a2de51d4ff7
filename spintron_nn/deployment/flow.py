"""The stages from a network to a verified design, each with the choices a user has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintron_ir.network import Network

if TYPE_CHECKING:
    from boards.board import Board
    from sim.verify import VerifyReport
    from spintron_hw.mapping.plan import Plan
    from spintron_hw.mapping.target import Target

__all__ = [
    "board_named",
    "build_plan",
    "fit_findings",
    "plan_for",
    "target_named",
    "verify_plan",
]

Advance = Callable[[int], None]

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


def fit_findings(plan: Plan) -> list[str]:
    """Say which resources of its target a plan exceeds, by the estimate, with a way out each."""
    target, used = plan.target, plan.resources
    names = {
        "luts": "look-up tables",
        "ffs": "flip-flops",
        "brams": "block RAMs",
        "dsps": "multipliers",
    }
    return [
        f"{target.name}: needs {getattr(used, key):,} {name} by the estimate, and the part has "
        f"{getattr(target, key):,}; allow more cycles with --interval, or take a larger board"
        for key, name in names.items()
        if getattr(used, key) > getattr(target, key)
    ]


def verify_plan(
    plan: Plan, x: Any, *, engine: str, progress: Advance | None = None
) -> VerifyReport:
    """Run the emitted design on :py:`x` and compare every stream with the golden answer."""
    from sim.verify import verify
    from spintron_hw.build.verilog import design_of

    design = design_of(plan, TOP)
    return verify(design, plan.network, x, engine, progress=progress)


def build_plan(plan: Plan, board: str, folder: Path) -> dict[str, Any]:
    """Build a plan for a board; return what came of it.

    Returns
    -------
    dict
        ``board``, ``luts``, ``ffs``, ``brams``, ``dsps``, ``fmax_mhz``, ``bitstream`` (None where
        no open tool makes one) and ``says``, what is left to do.

    Raises
    ------
    MappingError
        If it does not fit; nothing is synthesized then.
    ToolError
        If a tool is missing or fails.
    """
    from boards import build_for

    return build_for(board_named(board), plan, folder)
