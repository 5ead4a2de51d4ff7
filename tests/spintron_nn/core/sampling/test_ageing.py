"""Tests of spintron_nn.core.sampling.ageing."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.ageing import Ageing

YEAR = 3.156e7
MANY = np.tile([0, 1], (400, 250))


def test_retention_worked_out_by_hand():
    # exp(40.3) ns is 3.177e8 s; ten years are 3.156e8: (1 - exp(-1.9866)) / 2.
    assert Ageing(time=10 * YEAR, thermal_stability=40.3).loss_probability() == pytest.approx(
        0.4314, rel=1e-3
    )
    # At 85 Celsius a barrier of 48 is 48 * 298.15 / 358.15 = 39.959: 2.2585e8 s, so that
    # 1e6 s lose (1 - exp(-8.8555e-3)) / 2.
    hot = Ageing(time=1e6, temperature=85, thermal_stability=48).loss_probability()
    assert hot == pytest.approx(4.408e-3, rel=1e-3)
    assert Ageing(time=1e12, thermal_stability=5).loss_probability() == 0.5
    assert Ageing(time=10 * YEAR, thermal_stability=1000).loss_probability() < 1e-200


def test_a_chip_loses_states():
    config = MTJConfig(resistance_variation=0, ageing=Ageing(time=10 * YEAR, thermal_stability=42))
    # exp(42) ns is 1.7393e9 s: (1 - exp(-0.36290)) / 2 = 0.15216.
    array = Chip(config, seed=1).sample("a", MANY)
    fresh = np.array(config.nominal_codes)[MANY]
    lost = array.codes != fresh
    assert lost.mean() == pytest.approx(0.15216, abs=5 * 0.36 / MANY.size**0.5)
    assert set(np.unique(array.codes)) == set(config.nominal_codes)
    assert lost[MANY == 0].mean() == pytest.approx(lost[MANY == 1].mean(), abs=0.01)


def test_spread_of_barriers():
    ageing = Ageing(time=YEAR, thermal_stability=60, thermal_stability_spread=0.1)
    config = MTJConfig(resistance_variation=0, ageing=ageing)
    array = Chip(config, seed=2).sample("a", np.ones((1000, 1000), dtype=int))
    # Integral over the normal distribution on a fine grid: one device in some hundred, where a
    # barrier of 60 alone would lose one in 10**10.
    n = np.linspace(-6, 6, 20_001)
    weight = np.exp(-(n**2) / 2) / np.sqrt(2 * np.pi) * (n[1] - n[0])
    tau = 1e-9 * np.exp(60 + 6 * n)
    expected = (weight * (1 - np.exp(-2 * YEAR / tau)) / 2).sum()
    lost = (array.codes == config.nominal_codes[0]).mean()
    assert 1e-5 < expected < 1e-2
    assert lost == pytest.approx(expected, abs=5 * (expected / 1e6) ** 0.5)


def test_walls_move_by_one_notch():
    config = MTJConfig(
        levels=4,
        cell_bits=8,
        resistance_variation=0,
        ageing=Ageing(time=10 * YEAR, thermal_stability=42),
    )
    for level, neighbours in ((0, {1}), (1, {0, 2}), (3, {2})):
        array = Chip(config, seed=1).sample("a", np.full((200, 200), level))
        codes = config.nominal_codes
        moved = array.codes != codes[level]
        assert moved.mean() == pytest.approx(0.15216, abs=0.01)
        assert {codes.index(code) for code in np.unique(array.codes[moved])} == neighbours


def test_temperature_takes_contrast():
    # b = 2e-5: 1 - b T**1.5 is 0.897036 at 298.15 K and 0.841108 at 398.15 K; the ratio squared
    # 0.879193 makes P**2 = 0.375 one of 0.329697, a TMR of 0.983733.
    hot = MTJConfig(resistance_variation=0, ageing=Ageing(temperature=125))
    assert hot.ageing.contrast == pytest.approx(0.879193, rel=1e-5)
    low, high = Chip(hot).conductances("a", np.array([0, 1]))[0]
    assert high / low - 1 == pytest.approx(0.983733, rel=1e-5)
    assert low + high == pytest.approx(hot.conductance_ap + hot.conductance_p)
    assert Ageing().contrast == 1.0
    assert Ageing(temperature=-40).contrast > 1


def test_temperature_agrees_with_the_junction_formula():
    from spintron_nn.core.junction.magnetoresistance import tmr_at_temperature

    hot = MTJConfig(resistance_variation=0, ageing=Ageing(temperature=85, polarisation_slope=5e-5))
    low, high = Chip(hot).conductances("a", np.array([0, 1]))[0]
    at_zero = 1.2 / 3.2 / (1 - 5e-5 * 298.15**1.5) ** 2  # P0**2
    expected = tmr_at_temperature(2 * at_zero / (1 - at_zero), 358.15, coefficient=5e-5)
    assert high / low - 1 == pytest.approx(float(expected), rel=1e-9)


def test_drift():
    # 2 % less for each tenfold time: 1 - 0.02 * log10(1 + 999) = 0.94.
    old = MTJConfig(resistance_variation=0, ageing=Ageing(time=999, drift=-0.02))
    found, _ = Chip(old).conductances("a", np.array([0, 1]))
    assert found / [old.conductance_ap, old.conductance_p] == pytest.approx([0.94, 0.94])


def test_what_is_new_and_at_room_temperature_has_no_effect():
    assert not Ageing(thermal_stability=20, drift=0.1).on
    assert Ageing(time=1).on and Ageing(temperature=85).on


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"time": -1}, "time must be a number of s at least 0, not -1"),
        ({"thermal_stability": 0}, "thermal_stability must be a number above 0, not 0"),
        (
            {"temperature": -300},
            "temperature must be above -273.15 Celsius, not -300",
        ),
        (
            {"temperature": 300, "polarisation_slope": 9e-5},
            "polarisation_slope must leave some polarisation at 300 Celsius, below 7.29e-05, not "
            "9e-05",
        ),
        (
            {"time": 1e9, "drift": -0.2},
            "drift must leave some conductance, a factor above 0, not -0.8 after 1e+09 s; give a "
            "drift nearer to 0",
        ),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Ageing: {re.escape(message)}$"):
        Ageing(**changed)
