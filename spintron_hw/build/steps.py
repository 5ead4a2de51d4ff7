"""The steps of one build: scripts out of templates, programs run one after the other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from spintron_ir.errors import ToolError
from spintron_ir.files import write_atomic

from .tools import Progress, Tool, run_tool

__all__ = ["Steps", "logs_kept", "render", "synthesize"]


@dataclass
class Steps:
    """Runs the programs of one build, and remembers commands and times.

    Parameters
    ----------
    work : Path
        Folder that they run in.
    tools : mapping from str to Tool
        The programs by name.
    progress : callable or None
        Called with the step and a line of what its program says.
    commands : dict from str to str
        Command of each step.
    seconds : dict from str to float
        Time of each step.
    """

    work: Path
    tools: Mapping[str, Tool]
    progress: Progress | None
    commands: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, step: str, program: str, arguments: tuple[str, ...]) -> None:
        """Run a program; its log is named after the step."""
        self.commands[step] = " ".join((program, *arguments))
        took = run_tool(
            self.tools[program],
            arguments,
            folder=self.work,
            log=step.replace(" ", "_") + ".log",
            step=step,
            progress=self.progress,
        )
        self.seconds[step] = self.seconds.get(step, 0.0) + took

    def told(self) -> dict[str, Any]:
        """What a report says of the steps."""
        versions = {name: tool.version for name, tool in self.tools.items()}
        return {"tools": versions, "options": self.commands, "seconds": self.seconds}


def synthesize(steps: Steps, ways: tuple[tuple[str, ...], ...], **values: Any) -> dict[str, int]:
    """Run Yosys, and count the cells of the netlist.

    The technology mapper ABC9, as Yosys 0.70 for WebAssembly has it, ends without a word on some
    designs. Where it does, the next way is gone.

    Parameters
    ----------
    steps : Steps
        Runs ``yosys``.
    ways : tuple of tuples of str
        Commands that synthesize, the best first.
    values : str
        The other values of template ``fpga_synthesis.ys.j2``.

    Returns
    -------
    dict from str to int
        How many cells of each type there are.

    Raises
    ------
    ToolError
        If the last way fails, or one fails elsewhere than in ABC.
    """
    if values.get("adders"):
        (steps.work / values["adders"]).write_text(render("fpga_adders.v.j2"), encoding="utf-8")
    for number, way in enumerate(ways, 1):
        script = render("fpga_synthesis.ys.j2", synthesis="\n".join(way), **values)
        (steps.work / "synthesis.ys").write_text(script, encoding="utf-8")
        try:
            steps.run("synthesis", "yosys", ("synthesis.ys",))
        except ToolError as error:
            if number == len(ways) or "Running ABC command" not in str(error):
                raise
            continue
        steps.commands["synthesis"] = "; ".join(way)
        break
    counted = json.loads((steps.work / "cells.json").read_text(encoding="utf-8"))
    cells = counted["design"]["num_cells_by_type"]
    return {name: int(count) for name, count in sorted(cells.items()) if name[0] != "$"}


def render(template: str, **values: Any) -> str:
    """Text of a template of this package."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spintron_hw.build"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    return environment.get_template(template).render(**values)


@contextlib.contextmanager
def logs_kept(work: Path, folder: Path) -> Iterator[None]:
    """Put the logs of a build that fails beside the folder it would have become."""
    kept = folder.with_name(folder.name + ".log")
    kept.unlink(missing_ok=True)
    try:
        yield
    except ToolError as error:
        logs = sorted(work.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        if not logs:
            raise
        text = "".join(f"# {log.name}\n{log.read_text(encoding='utf-8')}" for log in logs)
        write_atomic(kept, text)
        raise ToolError(f"{error}; the log is in {kept}") from None
