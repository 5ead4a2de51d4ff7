"""How sure a write is: switching probability, and errors too rare for any Monte Carlo."""

from functools import cache
from typing import Any

import numpy as np

from spintron_nn.core import junction as mtj
from spintron_nn.core.fokker_planck import FokkerPlanck
from spintron_nn.core.macrospin import Drive, Macrospin, pulses
from spintron_nn.core.technology import technology
from spintron_nn.core.technology.layer import free_layer

from .sheet import COLOURS, Size, known, sheet

RATIOS = (1.5, 2.0, 3.0)
"""Write currents of spin transfer, over the critical one."""

RAMP = 50e-12
"""Part of a falling edge, s."""


def switching_probability(size: Size) -> tuple[Any, dict[str, Any]]:
    """Spin transfer over pulse length, and spin-orbit torque over current."""
    figure, (transfer, orbit) = sheet(
        ("pulse (ns)", "switching probability"), ("current (µA)", "switching probability")
    )
    return figure, _spin_transfer(transfer, size) | _spin_orbit(orbit, size)


def _spin_transfer(axes: Any, size: Size) -> dict[str, Any]:
    layer = _transfer_layer()
    lengths, left = _transfer_shots(size)
    curve = np.linspace(0, lengths[-1], 121)
    gaps = {"butler": 0.0, "fokker_planck": 0.0}
    for ratio, shots, colour in zip(RATIOS, 1 - left, COLOURS):
        written = 1 - _fokker_planck(layer, ratio).remaining(curve)
        butler = mtj.switching_probability(
            ratio, curve, layer.thermal_stability, layer.damping, layer.anisotropy_field
        )
        axes.plot(curve * 1e9, written, color=colour, label=f"{ratio:g} $I_{{c0}}$")
        axes.plot(curve * 1e9, butler, color=colour, linestyle="--", linewidth=0.8)
        axes.plot(lengths * 1e9, shots, "o", color=colour, markersize=3)
        for name, law in (("butler", butler), ("fokker_planck", written)):
            gap = np.abs(shots - np.interp(lengths, curve, law)).max()
            gaps[name] = max(gaps[name], float(gap))
    axes.set_title("spin transfer: macrospin (dots),\nFokker-Planck (lines), Butler (dashed)")
    axes.legend(loc="lower right")
    origin = f"stt-mtj: largest distance from {size.shots} macrospins, as a probability"
    return {f"{name}_gap": known(gap, "", origin) for name, gap in gaps.items()}


def _spin_orbit(axes: Any, size: Size) -> dict[str, Any]:
    card = technology("sot-mtj-high-ra")
    layer = free_layer(card, card.value("magnetics.temperature"))
    section = card.value("geometry.channel_width") * card.value("geometry.channel_thickness")
    assist = card.value("write.in_plane_field")
    threshold = card.derived()["threshold_current"].value
    currents = threshold * np.linspace(0.5, 2.5, 17)
    shots = max(size.shots // 16, 64)
    # With the assisting field along +x, this sign of the current takes the moment down.
    density = -np.repeat(currents, shots) / section
    origin = f"{card.name}: best of all currents, 1 ns, {shots} macrospins"
    found = {"spin_orbit_threshold": known(threshold, "A", f"{card.name}: at 0 K, derived")}
    cases = ((0.0, assist), (1e-9, assist), (4e-9, assist), (1e-9, 2 * assist))
    for (edge, field), colour in zip(cases, COLOURS):

        def drive(share: float, along: float = field) -> Drive:
            return Drive(spin_orbit_current_density=share * density, field=(along, 0.0, 0.0))

        count = round(edge / RAMP)
        ramp = [(RAMP, drive(1 - (part + 0.5) / count)) for part in range(count)]
        end = layer.run(
            layer.equilibrium(density.size, seed=3),
            pulses([(1e-9, drive(1.0)), *ramp, (3e-9, drive(0.0))]),
            duration=4e-9 + edge,
            time_step=2e-12,
            seed=3,
        ).magnetisation[2]
        share = (end < 0).double().reshape(-1, shots).mean(dim=1).numpy()
        label = f"edge of {edge * 1e9:g} ns, {field * 1e3:.0f} mT"
        axes.plot(currents * 1e6, share, "o-", color=colour, markersize=3, label=label)
        name = f"spin_orbit_probability_{edge * 1e9:g}ns_{field * 1e3:.0f}mT"
        found[name] = known(share.max(), "", origin)
    axes.axvline(threshold * 1e6, color="grey", linestyle=":")
    axes.set_title("spin-orbit torque, 1 ns and a falling edge;\ndotted: threshold at 0 K, 30 mT")
    axes.set_ylim(-0.05, 1.35)
    axes.legend(loc="upper center", ncols=2, fontsize="small")
    return found


def write_error_rate(size: Size) -> tuple[Any, dict[str, Any]]:
    """Errors down to 1e-12: the Fokker-Planck equation, Butler's formula, shots where they go."""
    layer = _transfer_layer()
    lengths, left = _transfer_shots(size)
    figure, (axes,) = sheet(("pulse (ns)", "write error rate"))
    curve = np.linspace(0, 80e-9, 161)
    found = {}
    for ratio, shots, colour in zip(RATIOS, left, COLOURS):
        shape = (layer.thermal_stability, layer.damping, layer.anisotropy_field)
        exact = _fokker_planck(layer, ratio).remaining(curve)
        butler = mtj.write_error_rate(ratio, curve, *shape)
        reached = shots * size.shots >= 10  # fewer events say little
        axes.semilogy(curve * 1e9, exact, color=colour, label=f"{ratio:g} $I_{{c0}}$")
        axes.semilogy(curve * 1e9, butler, color=colour, linestyle="--", linewidth=0.8)
        axes.semilogy(lengths[reached] * 1e9, shots[reached], "o", color=colour, markersize=3)
        origin = f"stt-mtj, {ratio:g} Ic0, Fokker-Planck"
        pulse = np.interp(np.log(1e9), -np.log(exact), curve)
        found[f"pulse_for_1e-9_{ratio:g}"] = known(pulse, "s", origin)
        pulse = mtj.pulse_for_error_rate(1e-9, ratio, *shape)
        found[f"pulse_for_1e-9_{ratio:g}_butler"] = known(pulse, "s", f"stt-mtj, {ratio:g} Ic0")
        if ratio == 2.0:
            found["write_error_rate_10_20_30ns"] = known(exact[[20, 40, 60]], "", origin)
    axes.set_ylim(1e-12, 2)
    axes.set_title("Fokker-Planck (lines), Butler (dashed), macrospin (dots)")
    axes.legend(loc="upper right")
    return figure, found


def _transfer_layer() -> Macrospin:
    card = technology("stt-mtj")
    return free_layer(card, card.value("magnetics.temperature"))


def _fokker_planck(layer: Macrospin, ratio: float) -> FokkerPlanck:
    return FokkerPlanck(
        thermal_stability=float(layer.thermal_stability),
        anisotropy_field=float(layer.anisotropy_field),
        damping=layer.damping,
        current_ratio=ratio,
        cells=384,  # the early part of a pulse needs a finer grid than the tail
    )


@cache
def _transfer_shots(size: Size) -> tuple[Any, Any]:
    """Pulse lengths, and for each current and length the share of shots still antiparallel."""
    layer = _transfer_layer()
    critical = mtj.critical_current(
        layer.damping, layer.spin_torque_efficiency, layer.thermal_stability, layer.temperature
    )
    run = layer.run(
        layer.equilibrium(len(RATIOS) * size.shots, up=False, seed=2),
        Drive(current_density=np.repeat(RATIOS, size.shots) * critical / layer.area),
        duration=24e-9,
        time_step=1e-12,  # twice as long a step writes a few per cent too fast
        sample_every=1000,
        seed=2,
    )
    left = (run.samples[:, 2] < 0).double().numpy().reshape(-1, len(RATIOS), size.shots)
    return run.time.numpy(), left.mean(axis=2).T
