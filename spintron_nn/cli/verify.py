"""``spintron verify``: the hardware against the golden integers."""

from __future__ import annotations

from pathlib import Path

import click

from .console import Console
from .options import (
    board_option,
    cells_option,
    input_option,
    json_option,
    mapping_options,
    network_argument,
    seed_option,
    vectors_option,
)

__all__ = ["verify"]


@click.command()
@network_argument
@click.option(
    "--engine",
    type=click.Choice(["cxxrtl", "amaranth", "icarus", "verilator"]),
    default="cxxrtl",
    show_default=True,
    help="Simulator of the emitted hardware.",
)
@input_option()
@vectors_option
@seed_option
@board_option()
@mapping_options
@cells_option
@json_option
def verify(
    network: Path,
    engine: str,
    input_file: Path | None,
    vectors: int,
    seed: int,
    board: str | None,
    body: str,
    interval: int | None,
    cell_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compare the hardware of NET with its golden integers.

    Every output and every stream between layers is compared. Without --input the frames are
    corner cases and seeded random numbers. On a difference the exit code is 3, and the first one
    is named by layer, index and cycle, with both values.
    """
    from ..deployment.flow import plan_for, verify_plan
    from .files import load_network
    from .inputs import made_frames, read_frames

    console = Console(as_json)
    net = load_network(network, cell_files)
    if input_file is None:
        frames = made_frames(net, count=vectors, seed=seed)
    else:
        frames = read_frames(input_file, net)
    count = len(next(iter(frames.values())))
    plan = plan_for(net, board=board, body=body, interval=interval)
    with console.stage(f"verify with {engine}"), console.progress("frames", count) as advance:
        report = verify_plan(plan, frames, engine=engine, progress=advance)
    first = report.first
    console.result(
        {
            "network": str(network),
            "digest": net.digest(),
            "engine": report.engine,
            "vectors": report.vectors,
            "seed": None if input_file else seed,
            "streams": report.streams,
            "values": report.values,
            "mismatches": report.mismatches,
            "first": None if first is None else vars(first),
            "cycles": {"latency": report.latency, "interval": report.interval},
        }
    )
    report.check()
    console.text(
        f"{report.vectors} frames, {report.values:,} values on {len(report.streams)} streams, "
        f"0 differences ({report.engine}); latency {report.latency} cycles, interval "
        f"{'unknown' if report.interval is None else report.interval} cycles"
    )
