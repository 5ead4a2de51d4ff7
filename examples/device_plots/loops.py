"""Resistance over field and over voltage: the two loops that every junction is shown with."""

from typing import Any

import numpy as np

from spintron_nn.core import junction as mtj
from spintron_nn.core.macrospin import Drive, pulses
from spintron_nn.core.technology import technology
from spintron_nn.core.technology.layer import free_layer, tmr_at

from .sheet import COLOURS, Size, known, sheet

STEP = 2e-12
"""Time step of the macrospins, s."""


def resistance_field(size: Size) -> tuple[Any, dict[str, Any]]:
    """Easy-axis hysteresis of thermal macrospins; at 0 K they follow Stoner and Wohlfarth."""
    card = technology("sot-mtj-high-ra")
    temperatures = (0.0, 300.0, 425.0)
    kelvin = np.repeat(temperatures, size.devices)
    layer = free_layer(card, kelvin)
    cold = float(layer.anisotropy_field[0])
    tilt = np.radians(1.0)  # of the field: a moment exactly on the axis would feel no torque
    direction = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    falling = np.linspace(1.25 * cold, -1.25 * cold, 4 * size.points)
    sweep = np.concatenate([falling, -falling])
    run = layer.run(
        np.repeat(direction[:, None], kelvin.size, axis=1),
        pulses([(size.dwell, Drive(field=field * direction)) for field in sweep]),
        duration=size.dwell * sweep.size,
        time_step=STEP,
        sample_every=round(size.dwell / STEP),
    )
    cosine = run.samples[:, 2].double().numpy().clip(-1, 1)
    low = card.derived()["resistance_low"].value
    high = mtj.antiparallel_resistance(low, tmr_at(card, kelvin))
    resistance = 1 / mtj.angular_conductance(1 / low, 1 / high, np.arccos(cosine))

    half = falling.size
    down, up = falling[(cosine[:half] < 0).argmax(0)], -falling[(cosine[half:] > 0).argmax(0)]
    coercive = ((up - down) / 2).reshape(len(temperatures), size.devices)
    figure, (axes,) = sheet(("field $\\mu_0 H$ (mT)", "resistance (M$\\Omega$)"))
    loops = resistance.reshape(-1, len(temperatures), size.devices) / 1e6
    origin = f"{card.name}: median of {size.devices} macrospins, {size.dwell * 1e9:g} ns a field"
    found = {}
    for index, (temperature, colour) in enumerate(zip(temperatures, COLOURS)):
        field = float(np.median(coercive[index]))
        label = f"{temperature:.0f} K: {field * 1e3:.0f} mT"
        axes.plot(sweep * 1e3, loops[:, index, 1:], color=colour, linewidth=0.5, alpha=0.5)
        axes.plot(sweep * 1e3, loops[:, index, 0], color=colour, label=label)
        found[f"coercive_field_{temperature:.0f}K"] = known(field, "T", origin)
    switching = cold * (np.cos(tilt) ** (2 / 3) + np.sin(tilt) ** (2 / 3)) ** -1.5
    for side in (-switching, switching):
        axes.axvline(side * 1e3, color="grey", linestyle=":", linewidth=1)
    axes.legend(title="coercive field", loc="lower center", bbox_to_anchor=(0.5, 0.08))
    axes.set_title(f"{size.devices} macrospins a temperature; dotted: Stoner-Wohlfarth, 0 K")
    found["switching_field_0K"] = known(switching, "T", "Stoner and Wohlfarth, 1 degree off axis")
    found["anisotropy_field_0K"] = known(cold, "T", "2 K_eff / Ms with Ms(T) and K_i(T)")
    return figure, found


def resistance_voltage(size: Size) -> tuple[Any, dict[str, Any]]:
    """Spin-transfer loop: the current follows the resistance that it changes."""
    card = technology("stt-mtj")
    layer = free_layer(card, card.value("magnetics.temperature"))
    low, area = card.derived()["resistance_low"].value, float(layer.area)
    tmr, half_voltage = card.value("transport.tmr"), card.value("transport.bias_half")

    def conductance(cosine: Any, volt: Any) -> Any:
        high = mtj.antiparallel_resistance(low, mtj.tmr_at_voltage(tmr, volt, half_voltage))
        return mtj.angular_conductance(1 / low, 1 / high, np.arccos(np.clip(cosine, -1, 1)))

    rising = np.linspace(0, 0.5, size.points + 1)
    positive = np.concatenate([rising, rising[-2::-1]])
    sweep = np.concatenate([positive, -positive])
    state = layer.equilibrium(size.devices, up=False, seed=1)
    cosine = np.empty((sweep.size, size.devices))
    part = 1e-9  # s, after which the current is brought up to date
    for index, volt in enumerate(sweep):
        for turn in range(round(size.dwell / part)):
            density = volt * conductance(state[2].double().numpy(), volt) / area
            state = layer.run(
                state,
                Drive(current_density=density),
                duration=part,
                time_step=STEP,
                seed=1000 * index + turn,
            ).magnetisation
        cosine[index] = state[2].double().numpy()
    resistance = 1 / conductance(cosine, sweep[:, None]) / 1e3

    figure, (axes,) = sheet(("voltage (V)", "resistance (k$\\Omega$)"))
    bias = np.linspace(-0.5, 0.5, 101)
    antiparallel = low * (1 + mtj.tmr_at_voltage(tmr, bias, half_voltage)) / 1e3
    axes.plot(bias, antiparallel, color="grey", linestyle=":", label="antiparallel, TMR(V)")
    axes.plot(bias, np.full(101, low / 1e3), color="grey", linestyle="--", label="parallel")
    axes.plot(sweep, resistance[:, 1:], color=COLOURS[0], linewidth=0.5, alpha=0.5)
    axes.plot(sweep, resistance[:, 0], color=COLOURS[0], label="macrospin, 300 K")
    axes.legend(loc="center")
    half = positive.size
    to_parallel = sweep[(cosine > 0).argmax(0)]
    to_antiparallel = sweep[half + (cosine[half:] < 0).argmax(0)]
    origin = f"{card.name}: median of {size.devices} macrospins, {size.dwell * 1e9:g} ns a voltage"
    critical = card.derived()["critical_current"].value
    return figure, {
        "voltage_to_parallel": known(np.median(to_parallel), "V", origin),
        "voltage_to_antiparallel": known(np.median(to_antiparallel), "V", origin),
        "critical_voltage_parallel": known(critical * low, "V", "critical current times R_P"),
    }
