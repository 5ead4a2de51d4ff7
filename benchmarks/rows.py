"""What a benchmark reports: rows with a peer, a ratio and what was demanded of it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from spintron_ir.files import write_atomic

__all__ = ["Row", "main", "seconds"]

WIDE = 200
"""Characters of a line that no terminal cuts."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure beside its peer's, taken in the same run.

    Attributes
    ----------
    name : str
        What was measured.
    value : float or None
        Ours.
    unit : str
        Unit of both values.
    peer : str
        What it is compared with: a program and its version, or a limit.
    peer_value : float or None
        Theirs; None where the peer is not installed.
    ratio : float or None
        How many times better ours is.
    demanded : float or None
        Least ratio asked for.
    note : str
        How well both agree, or why there is no figure.
    """

    name: str
    value: float | None
    unit: str
    peer: str
    peer_value: float | None = None
    ratio: float | None = None
    demanded: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the ratio is the demanded one; None where either is missing."""
        if self.ratio is None or self.demanded is None:
            return None
        return bool(self.ratio >= self.demanded)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain Python values."""
        return asdict(self) | {"holds": self.holds}


def seconds(work: Callable[[], Any], *, repeats: int = 5, least: float = 0.0) -> float:
    """Median wall-clock time of one call, after one call that is not counted.

    Parameters
    ----------
    work : callable
        What to time.
    repeats : int
        Timed runs.
    least : float, s
        Calls are repeated within a run until it takes this long, for work too short to time.
    """
    work()
    taken = []
    for _ in range(repeats):
        calls, start = 0, time.perf_counter()
        while calls == 0 or time.perf_counter() - start < least:
            work()
            calls += 1
        taken.append((time.perf_counter() - start) / calls)
    return statistics.median(taken)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def main(title: str, measure: Callable[[bool], Iterable[Row]]) -> None:
    """Run a family: print a table, write the rows, exit 3 where one falls short.

    Parameters
    ----------
    title : str
        Name of the family.
    measure : callable
        Given whether to be quick, yields the rows.
    """

    @click.command(help=title)
    @click.option("--quick", is_flag=True, help="Small sizes: whether it runs, not how fast.")
    @click.option("--json", "file", type=click.Path(path_type=Path), help="Write the rows here.")
    def command(quick: bool, file: Path | None) -> None:
        console, rows = Console(soft_wrap=True), []
        if not console.is_terminal:
            console.width = WIDE
        for row in measure(quick):
            # What is demanded, is demanded at full size.
            rows.append(replace(row, demanded=None) if quick else row)
            console.print(f"{row.name}: {_figure(row.value)} {row.unit}", style="dim")
        table = Table("what", "value", "unit", "peer's", "ratio", "demanded", "holds", "peer")
        for row in rows:
            holds = "" if row.holds is None else "yes" if row.holds else "no"
            table.add_row(
                row.name,
                _figure(row.value),
                row.unit,
                _figure(row.peer_value),
                _figure(row.ratio),
                _figure(row.demanded),
                holds,
                row.peer,
            )
        console.print(table)
        for row in rows:
            console.print(f"{row.name}: {row.note}")
        if file is not None:
            text = json.dumps([row.as_dict() for row in rows], indent=2) + "\n"
            write_atomic(file, text.encode())
        if not quick and any(row.holds is False for row in rows):
            raise SystemExit(3)

    command()
