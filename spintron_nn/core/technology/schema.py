"""Every quantity that a technology card may have: its name, its SI unit and its physical limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["CHOICES", "SCHEMA", "SECTIONS", "QuantitySpec"]

CHOICES = {"device.kind": ("domain-wall", "sot", "stt")}
"""What the quantities that are words may say."""


@dataclass(frozen=True)
class QuantitySpec:
    """One quantity of the schema. There are no defaults: a card says a thing or leaves it out.

    Attributes
    ----------
    name : str
        Dotted name, section first.
    form : str, "real", "integer", "reals" or "text"
        What a value is.
    unit : str
        SI unit that values have once read; "" where there is none.
    low, high : float
        Physical limits, both included, in that unit.
    meaning : str
        What it is.
    """

    name: str
    form: str
    unit: str
    low: float
    high: float
    meaning: str


def _section(
    section: str, *rows: tuple[str, str, str, float, float, str]
) -> dict[str, QuantitySpec]:
    specs = (QuantitySpec(f"{section}.{row[0]}", *row[1:]) for row in rows)
    return {spec.name: spec for spec in specs}


SCHEMA: dict[str, QuantitySpec] = {
    **_section(
        "device",
        ("kind", "text", "", 0, 0, "how it is written: sot, stt or domain-wall"),
        ("levels", "integer", "", 2, 64, "conductances a device can be set to, a power of two"),
        ("level_fractions", "reals", "", 0, 1, "share of G_P - G_AP at each level, rising 0 to 1"),
        ("cell_bits", "integer", "", 2, 12, "bits of a conductance code"),
    ),
    **_section(
        "geometry",
        ("diameter", "real", "m", 1e-9, 1e-5, "diameter of the pillar"),
        ("junction_area", "real", "m**2", 1e-18, 1e-10, "area of a junction that is not round"),
        ("free_layer_thickness", "real", "m", 1e-10, 1e-7, "thickness of the free layer"),
        ("barrier_thickness", "real", "m", 1e-10, 1e-8, "thickness of the tunnel barrier"),
        ("cell_area", "real", "m**2", 1e-16, 1e-8, "area of a cell with its access devices"),
        ("channel_length", "real", "m", 1e-9, 1e-4, "length of the heavy-metal channel"),
        ("channel_width", "real", "m", 1e-9, 1e-5, "width of the heavy-metal channel"),
        ("channel_thickness", "real", "m", 1e-10, 1e-6, "thickness of the heavy-metal channel"),
        ("track_length", "real", "m", 1e-9, 1e-3, "length that a domain wall can travel"),
        ("domain_width", "real", "m", 1e-9, 1e-5, "shortest distance between two wall positions"),
    ),
    **_section(
        "magnetics",
        ("saturation_magnetisation", "real", "A/m", 1e3, 3e6, "saturation magnetisation M_s"),
        ("interface_anisotropy", "real", "J/m**2", 0, 1e-2, "interface anisotropy K_i"),
        ("bulk_anisotropy", "real", "J/m**3", -1e7, 1e7, "bulk anisotropy K_b"),
        ("demagnetising_factor", "real", "", -1, 1, "N_z - N_x of the free layer"),
        ("damping", "real", "", 1e-5, 1, "Gilbert damping"),
        ("exchange_stiffness", "real", "J/m", 1e-13, 1e-10, "exchange stiffness A_ex"),
        ("temperature", "real", "K", 0, 1200, "temperature that the card holds at"),
        ("thermal_stability", "real", "", 0, 1000, "Delta as measured, energy barrier over kT"),
        ("activation_diameter", "real", "m", 1e-9, 1e-5, "diameter of the region that reverses"),
    ),
    **_section(
        "transport",
        ("resistance_low", "real", "ohm", 1, 1e12, "parallel resistance R_P at low bias"),
        ("resistance_area", "real", "ohm*m**2", 1e-14, 1e-3, "resistance-area product, parallel"),
        ("tmr", "real", "", 0.001, 50, "(R_AP - R_P) / R_P at low bias; 120 percent is 1.2"),
        ("bias_half", "real", "V", 0.01, 100, "bias at which the TMR has halved"),
    ),
    **_section(
        "write",
        ("switching_voltage", "real", "V", 1e-4, 100, "voltage on the write path that writes"),
        ("resistance", "real", "ohm", 0.1, 1e9, "resistance of the write path"),
        ("pulse", "real", "s", 1e-12, 1, "length of a write pulse"),
        ("switching_current", "real", "A", 1e-9, 1, "current that writes, as measured"),
        ("critical_voltage", "real", "V", 1e-4, 100, "voltage that switches without heat"),
        ("spin_hall_angle", "real", "", 0.001, 10, "spin Hall angle of the channel"),
        ("spin_torque_efficiency", "real", "", 0.01, 1, "eta of spin-transfer torque"),
        ("in_plane_field", "real", "T", 0, 10, "field along the current of a spin-orbit write"),
    ),
    **_section(
        "read",
        ("voltage", "real", "V", 1e-4, 10, "voltage on a device in a full read"),
        ("noise", "real", "", 0, 1, "noise of a column read over G_P - G_AP of one device, sd"),
    ),
    **_section(
        "spread",
        ("resistance", "real", "", 0, 1, "device to device, sd of ln R"),
        ("tmr", "real", "", 0, 1, "device to device, sd of ln TMR"),
        ("switching", "real", "", 0, 1, "device to device, sd of ln switching voltage"),
        ("resistance_tmr", "real", "", -1, 1, "correlation of ln R_P and ln TMR; not sampled"),
        ("correlated", "real", "", 0, 1, "share of the variance of ln R that neighbours share"),
        ("correlation_length", "real", "", 0, 1e3, "reach of that share, cells"),
        ("die", "real", "", 0, 1, "die to die, sd of ln R"),
        ("wafer", "real", "", 0, 1, "wafer to wafer, sd of ln R"),
        ("overdrive", "real", "", 1, 10, "write voltage over the nominal switching voltage"),
    ),
    **_section(
        "faults",
        ("stuck_p", "real", "", 0, 1, "probability of a device stuck parallel"),
        ("stuck_ap", "real", "", 0, 1, "probability of a device stuck antiparallel"),
        ("open", "real", "", 0, 1, "probability of an open device"),
        ("short", "real", "", 0, 1, "probability of a shorted barrier"),
        ("short_resistance", "real", "ohm", 0.1, 1e9, "resistance of a shorted barrier"),
        ("broken_word", "real", "", 0, 1, "probability of a broken word line"),
        ("broken_bit", "real", "", 0, 1, "probability of a broken bit line"),
    ),
    **_section(
        "programming",
        ("error", "real", "", 0, 10, "sd of a write, in distances between levels"),
        ("tolerance", "real", "", 1e-6, 10, "write-verify stops within it, in such distances"),
        ("pulses", "integer", "", 1, 1000, "writes that write-verify may spend"),
        ("write_error", "real", "", 0, 1, "probability that a pulse leaves a device antiparallel"),
    ),
    **_section(
        "ageing",
        ("time", "real", "s", 0, 1e12, "time since writing"),
        ("temperature", "real", "K", 0, 1200, "temperature of the die meanwhile"),
        ("thermal_stability", "real", "", 0.1, 1000, "Delta of a written state at 25 Celsius"),
        ("thermal_stability_spread", "real", "", 0, 1, "device to device, relative sd of Delta"),
        ("attempt_time", "real", "s", 1e-15, 1, "time between attempts to cross the barrier"),
        ("drift", "real", "", -1, 1, "relative change of conductance with each tenfold time"),
        ("polarisation_slope", "real", "K**-1.5", 0, 1e-3, "b of P(T) = P0 (1 - b T^1.5)"),
    ),
    **_section(
        "telegraph",
        ("share", "real", "", 0, 1, "share of devices with telegraph noise"),
        ("amplitude", "real", "", 0, 2, "relative step of their conductance, median"),
        ("amplitude_spread", "real", "", 0, 10, "device to device, sd of ln amplitude"),
        ("switching_time", "real", "s", 1e-12, 1e9, "time in one state, median"),
        ("switching_time_spread", "real", "", 0, 100, "device to device, sd of its logarithm"),
        ("read_time", "real", "s", 1e-12, 1, "time constant of a read"),
    ),
    **_section(
        "wires",
        ("word", "real", "ohm", 0, 1e4, "a segment of a word line, cell to cell"),
        ("bit", "real", "ohm", 0, 1e4, "a segment of a bit line, cell to cell"),
        ("driver", "real", "ohm", 0, 1e6, "driver of a word line"),
        ("sense", "real", "ohm", 0, 1e6, "input of a column's sense circuit"),
        ("access", "real", "ohm", 0, 1e7, "access device of a cell, when on"),
    ),
    **_section(
        "converters",
        ("offset", "real", "", 0, 1e4, "offset of a column converter, sd, least significant bits"),
        ("gain", "real", "", 0, 1, "gain of a column converter, relative sd"),
        ("inl", "real", "", 0, 1e4, "integral non-linearity, sd, least significant bits"),
        ("dnl", "real", "", 0, 1e4, "differential non-linearity, sd, least significant bits"),
        ("sense_offset", "real", "", 0, 100, "offset of a sense amplifier over G_P - G_AP, sd"),
    ),
    **_section(
        "steps",
        ("low_conductance", "real", "S", 1e-12, 1, "conductance with the wall at one end"),
        ("high_conductance", "real", "S", 1e-12, 1, "conductance with the wall at the other end"),
        ("temperature", "reals", "K", 0, 1200, "temperatures of the fitted step laws, rising"),
        ("hop", "reals", "S", 1e-15, 1, "change of conductance by one hop"),
        ("stay", "reals", "", 0, 1, "probability that a pulse moves nothing"),
        ("extra_hops", "reals", "", 0, 6, "mean hops of a pulse beyond the first"),
        ("jitter", "reals", "S", 1e-15, 1, "sd of a place of rest"),
        ("low_push", "reals", "S", 0, 1, "shift of a step away from the low end"),
        ("high_push", "reals", "S", 0, 1, "shift of a step away from the high end"),
        ("end_reach", "reals", "S", 1e-15, 1, "distance over which a push falls by a factor e"),
    ),
}
"""Quantities by dotted name, in the order of a card."""

SECTIONS = tuple(dict.fromkeys(name.split(".")[0] for name in SCHEMA))
"""Sections of a card that hold quantities; the section ``card`` describes the card itself."""

assert all(math.isfinite(spec.low) and spec.low <= spec.high for spec in SCHEMA.values())
