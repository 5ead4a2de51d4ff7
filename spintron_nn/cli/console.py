"""What a command says: one result on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

__all__ = ["Console", "plain"]

Row = Sequence[object]


def plain(value: Any) -> Any:
    """Turn numpy numbers and arrays, paths and tuples inside :py:`value` into JSON's own kinds."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


class Console:
    """Output of one command.

    Parameters
    ----------
    as_json : bool
        Print the result as one JSON object; its tables are left out then.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def note(self, text: str) -> None:
        """Say something on stderr that is not part of the result."""
        click.echo(text, err=True)

    def result(self, payload: dict[str, Any]) -> None:
        """Print :py:`payload` as one JSON object, where JSON was asked for."""
        if self.as_json:
            click.echo(json.dumps(plain(payload), indent=2, allow_nan=False))

    def table(self, title: str, header: Row, rows: Sequence[Row]) -> None:
        """Print a table of the result, where JSON was not asked for.

        Columns of numbers alone are aligned to the right.
        """
        if self.as_json:
            return
        from rich import box
        from rich.console import Console as RichConsole
        from rich.table import Table

        table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        for index, name in enumerate(header):
            numbers = all(isinstance(row[index], (int, float)) for row in rows) and rows
            table.add_column(str(name), justify="right" if numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_shown(value) for value in row))
        # Without a terminal nothing may be folded: the output is read by other programs.
        width = None if sys.stdout.isatty() else 400
        console = RichConsole(width=width, highlight=False, markup=False)
        with console.capture() as captured:
            console.print(table)
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))

    def text(self, text: str) -> None:
        """Print a line of the result, where JSON was not asked for."""
        if not self.as_json:
            click.echo(text)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce a stage of the work on stderr, and how many seconds it took."""
        begun = time.monotonic()
        click.echo(f"{name} ...", err=True)
        yield
        click.echo(f"{name}: {time.monotonic() - begun:.1f} s", err=True)

    def steps(self) -> Callable[[str, str], None]:
        """Return what announces each step of a build on stderr, once: ``progress(step, line)``."""
        seen: set[str] = set()

        def announce(step: str, line: str) -> None:
            if step not in seen:
                seen.add(step)
                click.echo(f"  {step} ...", err=True)

        return announce

    @contextlib.contextmanager
    def progress(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar on stderr where that is a terminal; yield ``advance(done)``."""
        if not sys.stderr.isatty():
            yield lambda done: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import Progress

        with Progress(console=RichConsole(stderr=True), transient=True) as bar:
            task = bar.add_task(name, total=total)
            yield lambda done: bar.update(task, completed=done)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return str(value)
