"""All effects on the devices of one array, in the order in which they happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .ageing import lose_states
from .faults import cut_off
from .programming import program
from .spread import resistance_deviation, unwritable
from .telegraph import telegraph

if TYPE_CHECKING:
    from ..mtj_models import MTJConfig

__all__ = ["Devices", "nominal_devices", "sample_devices"]

Reals = NDArray[np.float64]
Bools = NDArray[np.bool_]
Generators = Callable[[str], np.random.Generator]


@dataclass(frozen=True, eq=False)
class Devices:
    """The devices of one array.

    Attributes
    ----------
    conductance : array, siemens
        What each conducts, before wires and access devices.
    stuck, open, short : bool arrays
        Devices that did not take what was written, that conduct nothing, that are shorts.
    variance : array or None
        Variance of each read over the square of the conductance: fast telegraph noise.
    pulses : int
        Write pulses of all devices together.
    ends : bool array of shape ``(..., rows, blocks)`` or None
        Word lines that do not reach the right end of their array.
    """

    conductance: Reals
    stuck: Bools
    open: Bools
    short: Bools
    variance: Reals | None
    pulses: int
    ends: Bools | None


def nominal_devices(config: MTJConfig, levels: NDArray[np.integer]) -> Devices:
    """Devices of which none has an effect."""
    low, high = config.conductance_ap, config.conductance_p
    conductance = low + np.asarray(config.fractions)[levels] * (high - low)
    none = np.zeros(levels.shape, dtype=bool)
    return Devices(conductance, none, none, none, None, levels.size, None)


def sample_devices(
    config: MTJConfig,
    generator: Generators,
    offset: float,
    levels: NDArray[np.integer],
    tile: int | None,
) -> Devices:
    """Write the levels to devices with all that goes wrong with them.

    Parameters
    ----------
    config : MTJConfig
        Technology.
    generator : callable
        Random numbers of an effect, by its name; an effect that is off draws none.
    offset : float
        Deviation of ``ln R`` of the whole die.
    levels : integer array of shape ``(..., rows, cols)``
        Level of each device.
    tile : int or None
        Rows and columns of a physical array.
    """
    shape = levels.shape
    held, stuck, pulses = _written(config, generator, levels)
    conductance = _conducting(config, generator, offset, held)
    variance = None
    if config.telegraph.on:
        factor, variance = telegraph(config.telegraph, generator("telegraph"), shape)
        conductance *= factor
    opened, short, ends = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool), None
    faults = config.faults
    if faults.short > 0:
        short = generator("short").random(shape) < faults.short
        conductance[short] = 1 / faults.short_resistance
    if faults.open > 0:
        opened = generator("open").random(shape) < faults.open
    if faults.broken_word > 0 or faults.broken_bit > 0:
        cut, ends = cut_off(faults, generator("lines"), shape, tile)
        opened = opened | cut
    conductance[opened] = 0.0
    return Devices(conductance, stuck, opened, short & ~opened, variance, pulses, ends)


def _written(
    config: MTJConfig, generator: Generators, levels: NDArray[np.integer]
) -> tuple[Reals, Bools, int]:
    """Share of ``G_P - G_AP`` that each device holds, the stuck ones, and the pulses."""
    fractions = np.asarray(config.fractions)
    held, pulses = fractions[levels], levels.size
    stuck = np.zeros(levels.shape, dtype=bool)
    if config.programming.on:
        distance = 1 / (config.levels - 1)
        held, spent = program(config.programming, generator("programming"), held, distance)
        pulses = int(spent.sum())
    if config.spread.switching > 0:
        normal = generator("switching").standard_normal(levels.shape)
        stuck = unwritable(config.spread, config.switching_voltage, config.read_voltage, normal)
        held[stuck] = 0.0
    if config.ageing.time > 0:
        between = (fractions[1:] + fractions[:-1]) / 2
        nearest = np.searchsorted(between, held)
        held = held + lose_states(config.ageing, generator("ageing"), nearest, fractions)
        held = np.clip(held, 0.0, 1.0)
    if config.stuck_p > 0 or config.stuck_ap > 0:
        draw = generator("stuck").random(levels.shape)
        stuck_p = draw < config.stuck_p
        stuck_ap = ~stuck_p & (draw < config.stuck_p + config.stuck_ap)
        held[stuck_p] = 1.0
        held[stuck_ap] = 0.0
        stuck = stuck | stuck_p | stuck_ap
    return held, stuck, pulses


def _conducting(config: MTJConfig, generator: Generators, offset: float, held: Reals) -> Reals:
    """Conductance of devices that hold these shares of ``G_P - G_AP``, siemens."""
    spread, high = config.spread, config.conductance_p
    low: Reals | float = config.conductance_ap
    if spread.tmr > 0:
        normal = generator("tmr").standard_normal(held.shape)
        low = high / (1 + config.read_tmr * np.exp(spread.tmr * normal))
    mean, half = (low + high) / 2, (high - low) / 2 * config.ageing.contrast
    conductance = mean + half * (2 * held - 1)
    drift = config.ageing.drift_factor
    if config.resistance_variation == 0:
        return np.asarray(conductance * np.exp(-offset) * drift)
    normal = generator("resistance").standard_normal(held.shape)
    field = generator("correlated") if spread.correlated > 0 else None
    found = resistance_deviation(spread, config.resistance_variation, normal, field)
    found += offset
    np.exp(np.negative(found, out=found), out=found)
    found *= conductance
    found *= drift
    return found
