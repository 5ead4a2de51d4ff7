"""``spintron build``: a bitstream, or as far as open tools go."""

from __future__ import annotations

from pathlib import Path

import click

from .console import Console
from .options import (
    board_option,
    cells_option,
    json_option,
    mapping_options,
    network_argument,
    output_folder_option,
)

__all__ = ["build"]


@click.command()
@network_argument
@board_option(required=True)
@output_folder_option
@mapping_options
@cells_option
@json_option
def build(
    network: Path,
    board: str,
    output: Path,
    body: str,
    interval: int | None,
    cell_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Build the bitstream of NET for a board.

    What does not fit is refused before synthesis, with the numbers.
    """
    from ..deployment.flow import build_plan, plan_for
    from .files import load_network, made_folder

    console = Console(as_json)
    net = load_network(network, cell_files)
    plan = plan_for(net, board=board, body=body, interval=interval)
    made_folder(output)
    with console.stage(f"build for {board}"):
        facts = build_plan(plan, board, output)
    console.result({"network": str(network), "digest": net.digest()} | facts)
    console.table("build", ("what", "value"), list(facts.items()))
