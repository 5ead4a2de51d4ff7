"""What wires and voltages do to a layer that its codes cannot say, as figures of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, arith
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.nodal import (
    CurrentLaw,
    RuleReport,
    TunnelJunctions,
    check_array,
    operating_point,
)

from .mapping import MappedLayer
from .packing import pack

Reals = NDArray[np.float64]

__all__ = ["bias_error", "tile_rule"]

SHARE = 0.9
"""Share of the ideal current that the worst column of a tile should deliver."""

READS = 4
"""Reads whose operating point is solved for the error figure of a layer."""


def tile_rule(chip: Chip, layers: Sequence[Dense], tile: int) -> RuleReport | None:
    """Judge the largest tile that a network uses; None on an ideal chip or without wires.

    Parameters
    ----------
    chip : Chip
        The die.
    layers : sequence of Dense
        Layers of the network.
    tile : int
        Rows, and columns, of a physical array.
    """
    config, wires = chip.config, chip.config.wires
    if chip.ideal or not wires.on:
        return None
    side = max(layers, key=lambda layer: min(layer.rows, tile) * min(layer.block_cols, tile))
    return check_array(
        resistance_low=config.resistance_low + wires.access,
        resistance_high=config.resistance_high + wires.access,
        rows=min(side.rows, tile),
        cols=min(side.block_cols, tile),
        wire_word=wires.word,
        wire_bit=wires.bit,
        driver=wires.driver,
        sense=wires.sense,
        share=SHARE,
    )


def bias_error(name: str, mapped: MappedLayer, chip: Chip, x: NDArray[np.int64]) -> float:
    """Error that the dependence of conductance on voltage leaves beside the codes.

    The first tile of a layer is solved for some reads with Newton's method, each device with the
    conductance of its own voltage, and compared with the linear array of the codes, in which all
    conduct as at the read voltage. Access devices count as part of the junction.

    Parameters
    ----------
    name : str
        Name of the arrays.
    mapped : MappedLayer
        The layer on the chip.
    chip : Chip
        The die.
    x : int64 array of shape ``(batch, inputs)``
        Calibration inputs.

    Returns
    -------
    float
        Root mean square error of the column currents over their root mean square; 0 where the
        technology has no such dependence.
    """
    config, layer = chip.config, mapped.layer
    if chip.ideal or config.bias_half is None:
        return 0.0
    side, levels = layer.tile_rows, mapped.levels
    read = layer.rows, layer.block_cols  # of a packed tile only the first block is
    if layer.blocks is not None:
        levels, _ = pack(levels, layer.blocks, side)
    held, _ = chip.conductances(name, levels, tile=side)
    corner: Any = (*(0,) * (levels.ndim - 2), slice(0, side), slice(0, side))
    raw, level = held[corner], levels[corner]
    array = CurrentLaw(
        raw.shape[0], raw.shape[1], _law(config, raw / (1 + raw * config.wires.access), level)
    )
    voltage = _voltages(layer, x, config.read_voltage)[:, : raw.shape[0]]
    voltage[:, read[0] :] = 0
    linear = (voltage @ config.wires.effective(raw))[:, : read[1]]
    wires = config.wires
    exact = [
        operating_point(
            array,
            row,
            wire_word=wires.word,
            wire_bit=wires.bit,
            driver=wires.driver,
            sense=wires.sense,
        ).solution.output_current[: read[1]]
        for row in voltage
    ]
    power = float(np.mean(linear**2))
    return float(np.sqrt(np.mean((np.array(exact) - linear) ** 2) / power)) if power else 0.0


def _voltages(layer: Dense, x: NDArray[np.int64], full: float) -> Reals:
    """Word-line voltages of some reads, of all chunks in turn."""
    picked = x[:: max(len(x) // READS, 1)][:READS]
    chunks = arith.chunks(
        picked, bits=layer.input.bits, signed=layer.input.signed, dac_bits=layer.dac_bits
    )
    order = np.arange(len(picked))
    largest = (1 << layer.dac_bits) - 1
    volts: Reals = (chunks[order % layer.chunks, order] * (full / largest)).astype(np.float64)
    return volts


def _law(
    config: MTJConfig, conductance: Reals, level: NDArray[np.integer]
) -> Callable[[Reals], tuple[Reals, Reals]]:
    """Current and slope of devices that conduct :py:`conductance` at the read voltage."""
    assert config.bias_half is not None
    parallel = np.asarray(config.fractions)[level]
    scale = conductance / (parallel + (1 - parallel) / (1 + config.read_tmr))
    # The part of each area that is antiparallel, over the conductance of a parallel one.
    rest = TunnelJunctions(
        np.full(level.shape, 1 + config.tmr), resistance_low=1.0, bias_half=config.bias_half
    )

    def law(voltage: Reals) -> tuple[Reals, Reals]:
        current, slope = rest.current(voltage)
        return (
            scale * (parallel * voltage + (1 - parallel) * current),
            scale * (parallel + (1 - parallel) * slope),
        )

    return law
