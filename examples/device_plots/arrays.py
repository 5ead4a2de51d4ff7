"""What a memory asks of its devices: retention, levels, and wires that leave a voltage."""

from typing import Any

import numpy as np

from spintron_nn.core import MTJCrossbar
from spintron_nn.core import junction as mtj
from spintron_nn.core.constants import CELSIUS
from spintron_nn.core.domain_wall import write_error
from spintron_nn.core.nodal import solve
from spintron_nn.core.technology import technology
from spintron_nn.core.technology.layer import stability_at

from .sheet import COLOURS, Size, known, sheet

TEN_YEARS = 10 * 365.25 * 86400
ROWS = COLUMNS = 128


def retention(size: Size) -> tuple[Any, dict[str, Any]]:
    """Mean time in one state over temperature, with Ms(T) and K_i(T); every size does it all."""
    celsius = np.linspace(-40, 150, 191)
    figure, (axes,) = sheet(("temperature (°C)", "mean time in a state (s)"))
    found = {}
    cards = ("sot-mtj-high-ra", "stt-mtj", "ikeda-2010", "sot-mtj-kilohm")
    for name, colour in zip(cards, COLOURS):
        stability = stability_at(technology(name), celsius + CELSIUS)
        time = mtj.dwell_time(stability)
        room, hot = (float(np.interp(place, celsius, stability)) for place in (25, 125))
        axes.semilogy(celsius, time, color=colour, label=f"{name}, $\\Delta$ = {room:.0f} at 25 °C")
        origin = f"{name}: K_eff V / (k T), scaled to a stated stability"
        found[f"stability_25C_{name}"] = known(room, "", origin)
        found[f"stability_125C_{name}"] = known(hot, "", origin)
        if (time >= TEN_YEARS).any():
            hottest = celsius[time >= TEN_YEARS].max()
            found[f"ten_years_{name}"] = known(hottest, "°C", f"{name}: 1 ns exp(Delta)")
    array = float(mtj.required_stability(ROWS * COLUMNS, TEN_YEARS, 0.01))
    for time, style, text in (
        (TEN_YEARS, ":", "ten years"),
        (mtj.dwell_time(array), "--", f"{ROWS} x {COLUMNS}, ten years, one array in 100"),
    ):
        axes.axhline(time, color="grey", linestyle=style)
        axes.text(150, time * 3, text, color="grey", ha="right")
    axes.legend(loc="upper right")
    found["stability_of_an_array"] = known(array, "", "128 x 128, ten years, one array in 100")
    return figure, found


def domain_wall_levels(size: Size) -> tuple[Any, dict[str, Any]]:
    """Pulses up and down a track: every device climbs its own staircase."""
    card = technology("domain-wall-sot")
    model, levels = card.step_model(), card.value("device.levels")
    kelvin = card.value("magnetics.temperature")
    rng = np.random.default_rng(4)
    course = np.repeat([1, -1], 26)
    climb = [np.full(1000, model.low_conductance)]
    for pulse in course:
        climb.append(model.sample(climb[-1], pulse, rng, temperature=kelvin))
    steps = np.stack(climb)

    figure, (axes,) = sheet(("pulse", "conductance (µS)"))
    axes.grid(False)
    wanted = model.level_conductances(levels)
    for conductance in wanted:
        axes.axhline(conductance * 1e6, color="lightgrey", linewidth=1, zorder=0)
    for device, colour in zip(range(size.devices), COLOURS):
        axes.step(range(len(steps)), steps[:, device] * 1e6, color=colour, linewidth=1, where="mid")
    axes.set_title(f"{min(size.devices, len(COLOURS))} devices, {levels} levels, {kelvin:.0f} K")
    distance = float(wanted[1] - wanted[0])
    verified = write_error(model, levels, rng, temperature=kelvin)
    origin = f"{card.name}: steps fitted to micromagnetic tables"
    return figure, {
        "pulses_a_level": known(distance / model.laws[-1].mean, "", origin),
        "spread_after_12_pulses": known(
            steps[12].std() / distance, "levels", f"{origin}; 1000 devices"
        ),
        "error_of_verified_writes": known(
            verified, "levels", f"{origin}; a read after every pulse"
        ),
    }


def ir_drop(size: Size) -> tuple[Any, dict[str, Any]]:
    """Voltage that wires take from each device of a full array; every size does it all."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    figure, panels = sheet(("column", "row; bit lines end below"), ("column", ""))
    found = {}
    cards = {"kilohm": "sot-mtj-kilohm", "megohm": "sot-mtj-high-ra"}
    for (kind, name), axes in zip(cards.items(), panels):
        config = technology(name).mtj_config()
        low, wires = config.resistance_low, config.wires
        solution = solve(
            np.full((ROWS, COLUMNS), low),
            np.ones(ROWS),
            wire_word=wires.word,
            wire_bit=wires.bit,
        )
        lost = 1 - (solution.word_line_voltage - solution.bit_line_voltage)
        delivered = float(solution.output_current.min()) * low / ROWS
        # Steps of colour are read like contours, and compress well.
        colours = colormaps["viridis_r"].resampled(32)
        image = axes.imshow(100 * lost, norm=LogNorm(0.01, 100), cmap=colours)
        axes.grid(False)
        crossbar = MTJCrossbar(rows=ROWS, cols=COLUMNS)
        crossbar.set_cell_type(config)
        axes.set_title(f"{name}: {delivered:.1%} in the worst column")
        origin = f"{name}: worst column, every device parallel, {wires.word:g} ohm a segment"
        found[f"delivered_share_{kind}"] = known(delivered, "", origin)
        found[f"design_rule_{kind}"] = known(crossbar.check().message, "", "MTJCrossbar.check")
    figure.colorbar(image, ax=list(panels), label="voltage lost in wires (%)")
    return figure, found
