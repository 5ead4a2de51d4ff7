"""What follows from the quantities of a card by the closed forms of spintron_nn.core.junction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from spintron_ir.errors import ParameterError

from ..junction.conductance import antiparallel_resistance, parallel_resistance, pillar_area
from ..junction.magnetics import anisotropy_field, effective_anisotropy, thermal_stability
from ..junction.spin_orbit import threshold_current_density
from ..junction.stability import dwell_time
from ..junction.switching import critical_current
from .card import Quantity

__all__ = ["ROWS", "ROOM", "area_of", "derive", "resistances"]

ROWS = 128
"""Rows of the array for which a column current is stated."""

ROOM = 300.0
"""Kelvin, where a card names no temperature."""

LONGEST = 700.0
"""Stability beyond which the dwell time has no number."""

Values = Mapping[str, Any]


def resistances(values: Values) -> tuple[float, float] | None:
    """Parallel and antiparallel resistance of a card in ohm, or None where it lacks them.

    The parallel resistance is the one stated, or follows from resistance-area product and area.
    """
    low = values.get("transport.resistance_low", _from_area(values))
    if low is None or "transport.tmr" not in values:
        return None
    # Twelve digits: 1.5 MOhm and 120 % are 3.3 MOhm and not its neighbour.
    high = float(antiparallel_resistance(low, values["transport.tmr"]))
    return float(f"{low:.12g}"), float(f"{high:.12g}")


def derive(values: Values) -> dict[str, Quantity]:
    """Everything that the card has the parameters for, by name.

    Parameters
    ----------
    values : mapping
        Values of the card by dotted name, SI.

    Examples
    --------
    >>> made = derive({"transport.resistance_area": 9.818e-12, "geometry.diameter": 50e-9})
    >>> round(made["parallel_resistance"].value)
    5000
    """
    found: dict[str, Quantity] = {}
    known = dict(values)
    known.setdefault("magnetics.temperature", ROOM)
    for name, (unit, formula, compute) in FORMULAS.items():
        try:
            value = compute(known)
        except (KeyError, ParameterError):  # a parameter is missing, or the formula holds not there
            continue
        if value is not None:
            known[name] = float(value)
            found[name] = Quantity(name, float(value), unit, formula, written_unit=unit)
    return found


def area_of(values: Values) -> float | None:
    """Area of the junction, m2."""
    if "geometry.junction_area" in values:
        return float(values["geometry.junction_area"])
    if "geometry.diameter" in values:
        return float(pillar_area(values["geometry.diameter"]))
    return None


def _from_area(values: Values) -> float | None:
    area = area_of(values)
    if area is None or "transport.resistance_area" not in values:
        return None
    return float(parallel_resistance(values["transport.resistance_area"], area))


def _state(index: int) -> Callable[[Values], float | None]:
    def of(values: Values) -> float | None:
        found = resistances(values)
        return None if found is None else found[index]

    return of


def _anisotropy(values: Values) -> float:
    return float(
        effective_anisotropy(
            values["magnetics.interface_anisotropy"],
            values["geometry.free_layer_thickness"],
            values["magnetics.saturation_magnetisation"],
            values.get("magnetics.demagnetising_factor", 1.0),
            values.get("magnetics.bulk_anisotropy", 0.0),
        )
    )


def _stability(values: Values) -> float | None:
    if values["effective_anisotropy"] <= 0:
        return None
    diameter = min(
        values["geometry.diameter"], values.get("magnetics.activation_diameter", math.inf)
    )
    volume = float(pillar_area(diameter)) * values["geometry.free_layer_thickness"]
    temperature = max(values["magnetics.temperature"], 1e-3)
    return float(thermal_stability(values["effective_anisotropy"], volume, temperature))


def _stated_stability(values: Values) -> float:
    """Delta as measured, or else as it follows."""
    stated = values.get("magnetics.thermal_stability")
    return float(values["macrospin_stability"] if stated is None else stated)


def _dwell(values: Values) -> float | None:
    stability = _stated_stability(values)
    return float(dwell_time(stability)) if stability <= LONGEST else None


def _critical(values: Values) -> float:
    return float(
        critical_current(
            values["magnetics.damping"],
            values["write.spin_torque_efficiency"],
            _stated_stability(values),
            max(values["magnetics.temperature"], 1e-3),
        )
    )


def _threshold(values: Values) -> float | None:
    field, along = values["anisotropy_field"], values["write.in_plane_field"]
    if field / 2 <= along / math.sqrt(2):
        return None
    density = threshold_current_density(
        field,
        along,
        values["write.spin_hall_angle"],
        values["magnetics.saturation_magnetisation"],
        values["geometry.free_layer_thickness"],
    )
    section = values["geometry.channel_width"] * values["geometry.channel_thickness"]
    return float(density) * section


def _weight_noise(values: Values) -> float:
    tmr = values["transport.tmr"]
    return float(values["spread.resistance"] * math.sqrt(1 + (1 + tmr) ** 2) / tmr)


FORMULAS: dict[str, tuple[str, str, Callable[[Values], float | None]]] = {
    "parallel_resistance": (
        "ohm",
        "resistance_area / area",
        _from_area,
    ),
    "resistance_low": ("ohm", "as stated, or parallel_resistance", _state(0)),
    "resistance_high": ("ohm", "resistance_low (1 + tmr)", _state(1)),
    "effective_anisotropy": ("J/m**3", "K_b + K_i / t - mu0 M_s**2 (N_z - N_x) / 2", _anisotropy),
    "anisotropy_field": (
        "T",
        "2 K_eff / M_s",
        lambda v: float(
            anisotropy_field(v["effective_anisotropy"], v["magnetics.saturation_magnetisation"])
        ),
    ),
    "macrospin_stability": ("", "K_eff V / (k T), V of the activation diameter", _stability),
    "dwell_time": ("s", "1 ns exp(Delta)", _dwell),
    "critical_current": ("A", "4 e alpha k T Delta / (hbar eta)", _critical),
    "threshold_current": ("A", "J_c width thickness of the channel", _threshold),
    "write_current": (
        "A",
        "switching_voltage / write.resistance",
        lambda v: v["write.switching_voltage"] / v["write.resistance"],
    ),
    "write_energy": (
        "J",
        "switching_voltage**2 pulse / write.resistance",
        lambda v: v["write.switching_voltage"] ** 2 * v["write.pulse"] / v["write.resistance"],
    ),
    "pair_weight_noise": (
        "",
        "sigma sqrt(1 + (1 + tmr)**2) / tmr, of full scale",
        _weight_noise,
    ),
    "column_current": (
        "A",
        f"{ROWS} rows, all parallel, read.voltage / resistance_low",
        lambda v: ROWS * v["read.voltage"] / v["resistance_low"],
    ),
}
"""For each derived quantity: unit, formula and function; in the order in which they build up."""
