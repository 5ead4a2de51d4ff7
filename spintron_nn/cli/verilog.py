"""``spintron verilog``: the hardware as text, with what it takes to check it elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from .console import Console
from .options import (
    board_option,
    cells_option,
    command_words,
    input_option,
    json_option,
    mapping_options,
    network_argument,
    output_folder_option,
    seed_option,
    vectors_option,
)

__all__ = ["verilog"]


@click.command()
@network_argument
@output_folder_option
@click.option("--name", metavar="MODULE", help="Name of the top module; that of NET where absent.")
@input_option()
@vectors_option
@seed_option
@board_option()
@mapping_options
@cells_option
@json_option
def verilog(
    network: Path,
    output: Path,
    name: str | None,
    input_file: Path | None,
    vectors: int,
    seed: int,
    board: str | None,
    body: str,
    interval: int | None,
    cell_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Write NET as Verilog, with a testbench.

    The vectors and golden answers of the testbench and a manifest lie beside it.
    """
    from ..deployment.flow import plan_for
    from ..hardware.design import write_design
    from .files import load_network, made_folder
    from .inputs import made_frames, read_frames

    console = Console(as_json)
    net = load_network(network, cell_files)
    if input_file is None:
        frames = made_frames(net, count=vectors, seed=seed)
    else:
        frames = read_frames(input_file, net)
    plan = plan_for(net, board=board, body=body, interval=interval)
    made_folder(output)
    with console.stage("write Verilog"):
        files = write_design(
            plan,
            output,
            name=name or net.name,
            frames=frames,
            command=command_words(),
            seeds={} if input_file else {"vectors": seed},
        )
    console.result(
        {
            "network": str(network),
            "digest": net.digest(),
            "module": name or net.name,
            "files": [str(path) for path in files],
            "cycles": {"latency": plan.latency, "interval": plan.interval},
        }
    )
    for path in files:
        console.text(str(path))
