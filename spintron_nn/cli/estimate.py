"""``spintron estimate``: cycles and resources without synthesis."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from .console import Console
from .options import board_option, cells_option, json_option, mapping_options, network_argument

__all__ = ["estimate", "facts_of"]


def facts_of(plan: Any) -> dict[str, Any]:
    """Cycles, clock and resources of a plan, with units and origins."""
    target, used = plan.target, asdict(plan.resources)
    capacity = {name: getattr(target, name) for name in used}
    clock = float(target.clock_hz)
    return {
        "target": target.name,
        "cycles": {"latency": plan.latency, "interval": plan.interval},
        "clock_hz": clock,
        "latency_us": plan.latency / clock * 1e6,
        "frames_per_second": clock / plan.interval,
        "resources": used,
        "capacity": capacity,
        "fits": plan.resources.within(target),
        "layers": [
            {
                "name": name,
                "body": getattr(layer, "body", ""),
                "interval": layer.interval,
                "row_parallel": getattr(layer, "row_parallel", ""),
                "col_parallel": getattr(layer, "col_parallel", ""),
            }
            for name, layer in plan.layers.items()
        ],
        "queues": [
            {
                "from": feed.source,
                "to": feed.sink,
                "beats": feed.depth + feed.depth_behind,
                "bits": plan.network_type(feed.source).bits
                * (feed.depth * plan.lanes[feed.source] + feed.depth_behind * feed.lanes),
            }
            for feed in plan.schedule[1].feeds
            if feed.depth or feed.depth_behind
        ],
        "units": {
            "cycles": "clock cycles",
            "queues": "beats and bits of the FIFOs that branches need",
            "clock_hz": "Hz",
            "latency_us": "us",
            "frames_per_second": "1/s",
            "resources": "look-up tables, flip-flops, block RAMs, multipliers",
        },
        "origin": {
            "cycles": "exact: the schedule, equal to simulation",
            "clock_hz": "the board's clock; spintron build reports the clock that timing allows",
            "resources": "modelled; docs/estimates.md has the formula and its known error",
        },
    }


@click.command()
@network_argument
@board_option(required=True)
@mapping_options
@cells_option
@json_option
def estimate(
    network: Path,
    board: str,
    body: str,
    interval: int | None,
    cell_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Tell cycles, resources and whether NET fits a board.

    Nothing is synthesized: cycles are exact, resources are modelled.
    """
    from ..deployment.flow import plan_for
    from .files import load_network

    console = Console(as_json)
    net = load_network(network, cell_files)
    facts = facts_of(plan_for(net, board=board, body=body, interval=interval))
    console.result({"network": str(network), "digest": net.digest()} | facts)
    console.table(
        f"{net.name} on {board}: layers",
        ("layer", "body", "interval", "rows a cycle", "columns a cycle"),
        [list(layer.values()) for layer in facts["layers"]],
    )
    if facts["queues"]:
        console.table(
            "FIFOs of branches",
            ("from", "to", "beats", "bits"),
            [list(queue.values()) for queue in facts["queues"]],
        )
    rows = [
        (name, used, facts["capacity"][name], _share(used, facts["capacity"][name]))
        for name, used in facts["resources"].items()
    ]
    console.table("resources (modelled)", ("resource", "used", "available", "share"), rows)
    console.text(
        f"latency {facts['cycles']['latency']} cycles ({facts['latency_us']:.4g} us), "
        f"interval {facts['cycles']['interval']} cycles "
        f"({facts['frames_per_second']:,.0f} frames/s) at {facts['clock_hz'] / 1e6:g} MHz (exact)"
    )
    console.text("fits" if facts["fits"] else _too_large(facts))


def _too_large(facts: dict[str, Any]) -> str:
    """What is short, and what helps."""
    used, there = facts["resources"], facts["capacity"]
    short = [name for name in used if used[name] > there[name]]
    # Codes and tables of converters take as much memory at any interval.
    ways = "a larger board, or fewer bits" if short == ["brams"] else "--interval with more cycles"
    return f"does not fit: too few {', '.join(short)}; try {ways}"


def _share(used: int, available: int) -> str:
    return f"{used / available:.0%}" if available else ("-" if used == 0 else "over")
