"""``spintron weights``: the integers of a network for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from .console import Console
from .options import (
    board_option,
    cells_option,
    command_words,
    json_option,
    mapping_options,
    network_argument,
    output_folder_option,
)

__all__ = ["weights"]


@click.command()
@network_argument
@output_folder_option
@click.option(
    "--format",
    "formats",
    type=click.Choice(["npz", "json", "c", "mem"]),
    multiple=True,
    help="What to write; may be given more than once. All where absent.",
)
@board_option()
@mapping_options
@cells_option
@json_option
def weights(
    network: Path,
    output: Path,
    formats: tuple[str, ...],
    board: str | None,
    body: str,
    interval: int | None,
    cell_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Write the integer weights and scales of NET.

    As numpy arrays, JSON, a C header and $readmemh images of the code memories. Those are the
    memories of folded layers in the hardware that verilog and build make with the same --board,
    --body and --interval.
    """
    from ..deployment.flow import plan_for
    from ..hardware.weights import write_weights
    from .files import load_network, made_folder

    console = Console(as_json)
    net = load_network(network, cell_files)
    plan = plan_for(net, board=board, body=body, interval=interval)
    made_folder(output)
    files = write_weights(plan, output, formats=formats or None, command=command_words())
    if not formats and not any(path.suffix == ".mem" for path in files):
        console.note("no layer is folded, so there are no memory images; --body folded makes some")
    console.result(
        {
            "network": str(network),
            "digest": net.digest(),
            "files": [str(path) for path in files],
        }
    )
    for path in files:
        console.text(str(path))
