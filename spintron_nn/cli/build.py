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

    What does not fit is refused before synthesis, with the numbers. The folder must be new,
    empty or an earlier build; it appears as a whole, at the end.
    """
    from ..deployment.flow import build_plan, plan_for
    from .files import load_network

    console = Console(as_json)
    net = load_network(network, cell_files)
    plan = plan_for(net, board=board, body=body, interval=interval)
    with console.stage(f"build for {board}"):
        report = build_plan(plan, board, output, progress=console.steps())
    cycles = {"latency": plan.latency, "interval": plan.interval}
    console.result(report.as_dict() | {"folder": str(output), "cycles": cycles})
    console.table(
        f"{net.name} on {board}",
        ("resource", "used", "available", "percent"),
        [
            (name, usage.used, usage.capacity, usage.percent)
            for name, usage in report.resources.items()
        ],
    )
    for clock in report.clocks:
        console.text(
            f"clock {clock.name}: up to {clock.fmax_mhz:g} MHz, needs {clock.target_mhz:g} MHz"
        )
    if report.bitstream is not None:
        console.text(f"bitstream: {output / report.bitstream}")
    if report.note:
        console.text(report.note)
