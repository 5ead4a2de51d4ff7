"""Tests of spintron_nn.core.technology.layer."""

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.technology import technology
from spintron_nn.core.technology.layer import free_layer, stability_at, tmr_at

PILLARS = ("sot-mtj-high-ra", "sot-mtj-kilohm", "stt-mtj", "ikeda-2010")


@pytest.mark.parametrize("name", PILLARS)
def test_the_layer_at_the_temperature_of_the_card(name):
    card = technology(name)
    layer = free_layer(card, card.value("magnetics.temperature"))
    derived = card.derived()
    assert float(layer.anisotropy_field) == pytest.approx(derived["anisotropy_field"].value)
    assert float(layer.damping) == card.value("magnetics.damping")


def test_warm_figures_by_hand():
    # Bloch with T_c 1120 K: Ms(400)/Ms(300) = (1 - (400/1120)^1.5) / (1 - (300/1120)^1.5)
    # = 0.78656 / 0.86137 = 0.91315; K_i goes with its power 2.2: 0.81884.
    card = technology("sot-mtj-high-ra")
    layer = free_layer(card, np.array([300.0, 400.0]))
    magnetisation = np.asarray(layer.saturation_magnetisation)
    assert magnetisation == pytest.approx([1.2e6, 1.2e6 * 0.91315], rel=1e-4)
    # K = 1.09e-3 x 0.81884 / 1.1e-9 - mu0 (1.0958e6)^2 0.9682 / 2 = 8.1140e5 - 7.3046e5.
    energy = 1.09e-3 * 0.81884 / 1.1e-9 - 2e-7 * np.pi * 0.9682 * (1.2e6 * 0.91315) ** 2
    assert layer.anisotropy_field[1] == pytest.approx(2 * energy / magnetisation[1], rel=1e-3)


def test_a_stated_stability_is_kept():
    card = technology("ikeda-2010")
    stated = card.value("magnetics.thermal_stability")
    found = stability_at(card, card.value("magnetics.temperature"))
    assert float(found) == pytest.approx(stated, rel=1e-6)
    assert np.all(np.diff(stability_at(card, np.linspace(250, 400, 5))) < 0)


def test_magnetoresistance_falls_from_the_stated_one():
    card = technology("stt-mtj")
    found = tmr_at(card, np.array([300.0, 400.0]))
    assert found[0] == pytest.approx(card.value("transport.tmr"))
    assert 0.8 * found[0] < found[1] < found[0]


def test_a_card_without_a_pillar_is_refused():
    with pytest.raises(
        ParameterError,
        match=r"^Technology: the card sot-dw-high-ra must have magnetics\.saturation_magnetisation "
        r"for this, and leaves it out; add it with its unit and source$",
    ):
        free_layer(technology("sot-dw-high-ra"), 300.0)
