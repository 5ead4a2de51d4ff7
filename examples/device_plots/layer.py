"""The free layer of a technology card, cold or warm."""

from typing import Any

from spintron_nn.core import junction as mtj
from spintron_nn.core.macrospin import Macrospin
from spintron_nn.core.technology import Technology

SPIN_WAVES = 2e-5
"""Fall of the polarisation with temperature, 1/K**1.5: Shang et al. 1998."""


def free_layer(card: Technology, temperature: Any) -> Macrospin:
    """Return the free layer at one temperature or several, with Ms and K_eff of the warm layer.

    The card's values hold at its own temperature, from which Bloch's law leads to 0 K and back.
    """
    values = card.values
    card_share, share = (
        mtj.saturation_magnetisation(1.0, kelvin)
        for kelvin in (values["magnetics.temperature"], temperature)
    )
    fall = mtj.interface_anisotropy(1.0, share) / mtj.interface_anisotropy(1.0, card_share)
    magnetisation = values["magnetics.saturation_magnetisation"] * share / card_share
    energy = mtj.effective_anisotropy(
        values["magnetics.interface_anisotropy"] * fall,
        values["geometry.free_layer_thickness"],
        magnetisation,
        values["magnetics.demagnetising_factor"],
        values.get("magnetics.bulk_anisotropy", 0.0) * fall,
    )
    return Macrospin(
        saturation_magnetisation=magnetisation,
        thickness=values["geometry.free_layer_thickness"],
        area=mtj.pillar_area(values["geometry.diameter"]),
        anisotropy_field=mtj.anisotropy_field(energy, magnetisation),
        damping=values["magnetics.damping"],
        temperature=temperature,
        spin_torque_efficiency=values.get("write.spin_torque_efficiency", 0.0),
        spin_hall_angle=values.get("write.spin_hall_angle", 0.0),
    )


def stability_at(card: Technology, temperature: Any) -> Any:
    """Return the thermal stability over temperature; a stated one scales that of the pillar."""
    pillar = card.derived()["macrospin_stability"].value
    stated = card.values.get("magnetics.thermal_stability", pillar)
    return free_layer(card, temperature).thermal_stability * stated / pillar


def tmr_at(card: Technology, temperature: Any) -> Any:
    """Return the magnetoresistance over temperature of a card that states it at its own."""
    stated = mtj.polarisation_from_tmr(card.value("transport.tmr"))
    cold = stated / (1 - SPIN_WAVES * card.value("magnetics.temperature") ** 1.5)
    return mtj.tmr_at_temperature(mtj.julliere_tmr(cold), temperature, SPIN_WAVES)
