"""Verilog and design files of a converted network, for no particular device."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Network, ParameterError

from .design import write_design

if TYPE_CHECKING:
    from spintron_hw.mapping.plan import Plan

__all__ = ["save_design", "to_verilog"]

FRAMES = 16
"""Frames of a testbench where none are given."""


def to_verilog(network: Network, *, module_name: str, target_frequency: float) -> str:
    """Verilog-2005 of the accelerator of :py:`network`.

    Parameters
    ----------
    network : Network
        What to build.
    module_name : str
        Name of the top module.
    target_frequency : float, Hz
        Clock that the plan is made for.

    Raises
    ------
    ParameterError
        If the name is no plain identifier, or the frequency no frequency.
    ToolError
        If Yosys is missing or fails.
    """
    _check_name(module_name)
    return design_of(_plan(network, target_frequency), module_name, taps=False).verilog


def save_design(
    network: Network,
    folder: Path,
    *,
    module_name: str,
    target_frequency: float,
    codes: NDArray[np.int64] | None,
) -> tuple[Path, ...]:
    """Write the network, its Verilog, a testbench with vectors, and a manifest.

    Parameters
    ----------
    network : Network
        What to build.
    folder : Path
        Where to; made if need be.
    module_name : str
        Name of the top module.
    target_frequency : float, Hz
        Clock that the plan is made for.
    codes : int64 array of shape ``(frames, *input)`` or None
        Input codes of the testbench; None makes 16 random frames, the same each time.

    Returns
    -------
    tuple of Path
        Files written, the manifest last.

    Raises
    ------
    ParameterError
        If the name is no plain identifier, or the frequency no frequency.
    ToolError
        If Yosys is missing or fails.
    """
    _check_name(module_name)
    return write_design(
        _plan(network, target_frequency),
        folder,
        name=module_name,
        frames=_frames(network) if codes is None else codes,
        command=["SpintronicModel.save_design", module_name, f"{target_frequency:g} Hz"],
        seeds={"vectors": 0} if codes is None else {},
    )


def _check_name(name: str) -> None:
    """Refuse a bad name before any work is done for it."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ParameterError(
            "export: module_name must be a letter followed by letters, digits and underscores, "
            f"not {name!r}"
        )


def _plan(network: Network, target_frequency: float) -> Plan:
    if not isinstance(target_frequency, (int, float)) or not 1 <= target_frequency <= 1e11:
        raise ParameterError(
            f"export: target_frequency must be in 1..1e11 Hz, not {target_frequency!r}"
        )
    return map_network(network, replace(GENERIC, clock_hz=float(target_frequency)))


def _frames(network: Network) -> dict[str, Any]:
    """Random frames for every input."""
    random = np.random.default_rng(0)
    return {
        port.name: random.integers(
            port.type.low, port.type.high, size=(FRAMES, *port.shape), endpoint=True
        )
        for port in network.inputs
    }
