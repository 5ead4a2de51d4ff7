"""``spintron cells``: the hardware cells there are, a new one, and its check."""

from __future__ import annotations

from pathlib import Path

import click

from spintron_ir.errors import MismatchError

from .console import Console
from .options import READABLE_FILE, cells_option, json_option

__all__ = ["cells"]


@click.group()
def cells() -> None:
    """List hardware cells, start a new one, or check one."""


@cells.command("list")
@cells_option
@json_option
def list_cells(cell_files: tuple[Path, ...], as_json: bool) -> None:
    """List the cells of this package, of installed packages and of --cells files."""
    from spintron_hw.cells.registry import all_cells

    from .files import load_cells

    console = Console(as_json)
    load_cells(cell_files)
    rows = [
        {"name": found.name, "origin": found.origin, "summary": found.summary}
        for found in all_cells()
    ]
    console.result({"cells": rows})
    console.table("cells", ("name", "from", "what it does"), [list(row.values()) for row in rows])


@cells.command("new")
@click.argument("name", metavar="NAME")
@json_option
def new(name: str, as_json: bool) -> None:
    """Write a commented cell called NAME to start from, into this folder."""
    from spintron_hw.cells.template import class_name, new_cell

    console = Console(as_json)
    path = new_cell(name)
    console.result({"file": str(path), "cell": class_name(name)})
    console.text(f"{path}: cell {class_name(name)}; next: spintron cells check {path}")


@cells.command("check")
@click.argument("file", metavar="FILE", type=READABLE_FILE)
@click.option(
    "--frames",
    metavar="N",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Random frames for each of the cell's examples, besides the corner frames.",
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of frames and stalls.",
)
@json_option
def check(file: Path, frames: int, seed: int, as_json: bool) -> None:
    """Put the cells in FILE through the same bench as those of this package.

    The bench compares the hardware with compute() under random stalls, watches the rules of
    streams, and measures latency and interval. On a difference the exit code is 3.
    """
    from spintron_hw.cells.check import check_file

    console = Console(as_json)
    with console.stage(f"check {file}"):
        results = check_file(file, frames=frames, seed=seed)
    rows = [
        {"cell": result.cell, "check": result.check, "passed": result.passed, "says": result.says}
        for result in results
    ]
    failed = [row for row in rows if not row["passed"]]
    console.result({"file": str(file), "checks": rows, "failed": len(failed)})
    console.table(
        str(file), ("cell", "check", "passed", "says"), [list(row.values()) for row in rows]
    )
    if failed:
        first = failed[0]
        raise MismatchError(
            f"{file}: {len(failed)} of {len(rows)} checks failed, first {first['cell']}, "
            f"{first['check']}: {first['says']}"
        )
    console.text(f"{len(rows)} checks passed")
