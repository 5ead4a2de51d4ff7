"""Files of a network's hardware, and what it is estimated to draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spintron_ir.errors import check_bool
from spintron_nn.converter.model import SpintronicModel
from spintron_nn.core.energy import EnergyModel, EnergyReport

__all__ = ["HardwarePackage", "write_package"]

FRAMES = 16
"""Frames of a testbench, and of an estimate."""


@dataclass(frozen=True, eq=False)
class HardwarePackage:
    """What an export wrote.

    Attributes
    ----------
    directory : Path
        Where the files are.
    files : tuple of Path
        All of them.
    model : SpintronicModel
        The network on its chip.
    power : EnergyReport or None
        Energy of one frame in the crossbars, where it was asked for.
    """

    directory: Path
    files: tuple[Path, ...]
    model: SpintronicModel
    power: EnergyReport | None


def write_package(
    model: SpintronicModel, directory: Path, *, name: str, frames: Any, testbench: bool, power: bool
) -> HardwarePackage:
    """Write a network on a chip as Verilog.

    Parameters
    ----------
    model : SpintronicModel
        The network.
    directory : Path
        Where to; made if need be.
    name : str
        Name of the top module.
    frames : array or tensor of shape ``(batch, *input)``
        Real inputs, for the testbench and the estimate.
    testbench : bool
        Whether a testbench with vectors and a manifest are written.
    power : bool
        Whether energy and power are estimated.

    Raises
    ------
    ParameterError
        If an argument is not what it must be.
    """
    check_bool("export_to_hardware", "include_testbench", testbench)
    check_bool("export_to_hardware", "power_analysis", power)
    files: tuple[Path, ...]
    if testbench:
        files = model.save_design(directory, module_name=name, vectors=frames[:FRAMES])
    else:
        directory.mkdir(parents=True, exist_ok=True)
        files = directory / "network.safetensors", directory / f"{name}.v"
        model.network.save(files[0])
        files[1].write_text(model.to_verilog(name), encoding="utf8")
    if not power:
        return HardwarePackage(directory, files, model, None)
    estimate = EnergyModel(model.chip.config)
    report = estimate.of_network(model.network, model.quantise_input(frames[:FRAMES]))
    return HardwarePackage(directory, files, model, report)
