"""Devices in seven pictures: loops, writes, retention, domain walls, wires.

    python examples/devices.py [--out DIR] [--quick] [--json]

Parameters come from technology cards (`spintron tech list`), formulas from spintron_nn.core; the
pictures need matplotlib: pip install spintron-nn-kit[plots]. docs/devices.md explains them.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import torch
from device_plots.arrays import domain_wall_levels, ir_drop, retention
from device_plots.loops import resistance_field, resistance_voltage
from device_plots.sheet import FULL, QUICK, Size, known, png, sheet
from device_plots.writes import switching_probability, write_error_rate

from spintron_ir.files import inside, write_atomic
from spintron_nn.cli import main
from spintron_nn.cli.console import Console, plain
from spintron_nn.core import DomainWallDevice, MTJConfig, MTJCrossbar


def readme_devices() -> dict[str, Any]:
    """Build a crossbar of domain walls, multiply with it, and price a change of its weights."""
    torch.manual_seed(0)

    crossbar = MTJCrossbar(
        rows=128,
        cols=128,
        mtj_type="perpendicular",
        reference_layer="CoFeB",
        barrier="MgO",
        free_layer="CoFeB",
    )
    dw_device = DomainWallDevice(
        track_length=200e-9,  # 200 nm
        domain_width=20e-9,  # 20 nm
        levels=4,  # 2-bit precision
    )
    crossbar.set_cell_type(dw_device)

    weights = torch.randn(128, 128)
    conductances = crossbar.map_weights(weights)
    input_voltages = torch.full((128,), 0.1)
    current_output = crossbar.compute_vmm(input_voltages, conductances)

    mtj_config = MTJConfig(
        resistance_high=10e3,  # 10 kOhm
        resistance_low=5e3,  # 5 kOhm
        switching_voltage=0.3,  # 300 mV
        cell_area=40e-9,  # mm2
    )
    weight_changes = 0.01 * torch.randn(128, 128)
    switching_energy = mtj_config.estimate_switching_energy(weight_changes)

    return {
        "crossbar_current": known(current_output.abs().max(), "A", "compute_vmm: largest, 0.1 V"),
        "crossbar_low": known(conductances.min(), "S", "map_weights: lowest level of the wall"),
        "crossbar_high": known(conductances.max(), "S", "map_weights: highest level of the wall"),
        "update_energy": known(switching_energy, "J", "estimate_switching_energy, 1 % of range"),
    }


PICTURES: dict[str, Callable[[Size], tuple[Any, dict[str, Any]]]] = {
    "resistance-field": resistance_field,
    "resistance-voltage": resistance_voltage,
    "switching-probability": switching_probability,
    "write-error-rate": write_error_rate,
    "retention": retention,
    "domain-wall-levels": domain_wall_levels,
    "ir-drop": ir_drop,
}


@click.command()
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/devices"),
    show_default=True,
    help="Where the pictures and report.json go.",
)
@click.option("--quick", is_flag=True, help="Few devices and shots: ten seconds, not a minute.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def command(out: Path, quick: bool, as_json: bool) -> None:
    """Draw what single devices and arrays of them do, and write down the key figures."""
    console, size = Console(as_json), QUICK if quick else FULL
    sheet(("", ""))  # refuses where matplotlib is missing, before any work
    figures, written = readme_devices(), []
    out.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        with console.stage(name):
            picture, found = draw(size)
            written.append(write_atomic(inside(out, f"{name}.png"), png(picture)).name)
        figures |= found
    report = plain({"quick": quick, "pictures": written, "figures": figures})
    write_atomic(inside(out, "report.json"), json.dumps(report, indent=2) + "\n")
    console.result(report)
    rows = [
        (name, _text(row["value"]), row["unit"], row["origin"]) for name, row in figures.items()
    ]
    console.table("Key figures", ("figure", "value", "unit", "origin"), rows)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else f"{value:.4g}"


if __name__ == "__main__":
    main(command=command, name="devices.py")
