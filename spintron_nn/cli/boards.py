"""``spintron boards``: what can be built for."""

from __future__ import annotations

import click

from .console import Console
from .options import json_option

__all__ = ["boards"]


@click.command()
@json_option
def boards(as_json: bool) -> None:
    """List the boards that can be built for.

    Shows what they hold, and how far the open tools take them.
    """
    from dataclasses import asdict

    from boards import all_boards

    console = Console(as_json)
    found = all_boards()
    console.result({"boards": {name: asdict(board.target) for name, board in found.items()}})
    console.table(
        "boards",
        ("board", "part", "LUTs", "flip-flops", "block RAMs", "multipliers", "clock MHz", "makes"),
        [
            (
                name,
                board.part,
                board.target.luts,
                board.target.ffs,
                board.target.brams,
                board.target.dsps,
                board.target.clock_hz / 1e6,
                board.makes,
            )
            for name, board in found.items()
        ],
    )
