"""The free layer of a technology card, cold or warm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..junction import (
    anisotropy_field,
    effective_anisotropy,
    interface_anisotropy,
    julliere_tmr,
    pillar_area,
    polarisation_from_tmr,
    saturation_magnetisation,
    tmr_at_temperature,
)
from .technology import Technology

if TYPE_CHECKING:
    from ..macrospin import Macrospin

__all__ = ["free_layer", "stability_at", "tmr_at"]

SPIN_WAVES = 2e-5
"""Fall of the polarisation with temperature, 1/K**1.5: Shang et al., Phys. Rev. B 58 (1998)."""


def free_layer(card: Technology, temperature: ArrayLike) -> Macrospin:
    """Macrospin of a card at one temperature, or one for each device.

    The values of the card hold at its own temperature, from which Bloch's law leads to 0 K and
    back; the interface anisotropy falls with a power of the magnetisation.

    Parameters
    ----------
    card : Technology
        With the geometry and the magnetics of a pillar.
    temperature : float or (devices,) array, K
        Of the layer.

    Raises
    ------
    ParameterError
        If the card leaves out what this needs, or the layer has lost its magnetisation.

    Examples
    --------
    >>> from spintron_nn.core.technology import technology
    >>> layer = free_layer(technology("sot-mtj-high-ra"), 300.0)
    >>> round(float(layer.thermal_stability))
    60
    """
    from ..macrospin import Macrospin

    values = card.values
    at_card, share = (
        saturation_magnetisation(1.0, kelvin)
        for kelvin in (card.value("magnetics.temperature"), temperature)
    )
    fall = interface_anisotropy(1.0, share) / interface_anisotropy(1.0, at_card)
    magnetisation = card.value("magnetics.saturation_magnetisation") * share / at_card
    energy = effective_anisotropy(
        card.value("magnetics.interface_anisotropy") * fall,
        card.value("geometry.free_layer_thickness"),
        magnetisation,
        card.value("magnetics.demagnetising_factor"),
        values.get("magnetics.bulk_anisotropy", 0.0) * fall,
    )
    return Macrospin(
        saturation_magnetisation=magnetisation,
        thickness=card.value("geometry.free_layer_thickness"),
        area=pillar_area(card.value("geometry.diameter")),
        anisotropy_field=anisotropy_field(energy, magnetisation),
        damping=card.value("magnetics.damping"),
        temperature=temperature,
        spin_torque_efficiency=values.get("write.spin_torque_efficiency", 0.0),
        spin_hall_angle=values.get("write.spin_hall_angle", 0.0),
    )


def stability_at(card: Technology, temperature: ArrayLike) -> NDArray[np.float64]:
    """Thermal stability over temperature; one that a card states scales that of its pillar.

    Parameters
    ----------
    card : Technology
        As for :func:`free_layer`.
    temperature : float or array, K
        Of the layer.
    """
    pillar = card.derived()["macrospin_stability"].value
    stated = card.values.get("magnetics.thermal_stability", pillar)
    return np.asarray(free_layer(card, temperature).thermal_stability * stated / pillar)


def tmr_at(card: Technology, temperature: ArrayLike) -> NDArray[np.float64]:
    """Magnetoresistance ratio over temperature of a card that states it at its own.

    Parameters
    ----------
    card : Technology
        With ``transport.tmr`` and ``magnetics.temperature``.
    temperature : float or array, K
        Of the junction.
    """
    stated = polarisation_from_tmr(card.value("transport.tmr"))
    cold = stated / (1 - SPIN_WAVES * card.value("magnetics.temperature") ** 1.5)
    return tmr_at_temperature(julliere_tmr(cold), temperature, SPIN_WAVES)
