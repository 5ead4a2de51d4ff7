"""Tests of spintron_nn.core.domain_wall.pinning."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.constants import BOLTZMANN
from spintron_nn.core.domain_wall import NotchTrack
from spintron_nn.core.domain_wall.pinning import (
    depinning_time,
    hop_probability,
    pulses_moved,
    retention_time,
)

HEAT = BOLTZMANN * 300


def test_times_by_hand():
    # e^10 = 22026.5; half the depinning current leaves a quarter of the barrier, e^2.5 = 12.18.
    assert float(retention_time(10 * HEAT, 300)) == pytest.approx(22.0265e-6, rel=1e-5)
    found = depinning_time(10 * HEAT, 300, current_ratio=[0.5, 1.0, 1.7])
    np.testing.assert_allclose(found, [12.1825e-9, 1e-9, 1e-9], rtol=1e-5)
    assert float(retention_time(40.3 * HEAT, 300)) == pytest.approx(3.156e8, rel=0.02)


def test_probability_of_a_hop():
    assert float(hop_probability(1e-9, 1e-9)) == pytest.approx(1 - np.exp(-1))
    # 1 - exp(-x) = x for small x, to the last digit.
    assert float(hop_probability(1e-9, 1e9)) == pytest.approx(1e-18, rel=1e-12)
    assert float(hop_probability(0.0, 1e-9)) == 0


def test_pulses_move_binomially():
    rng = np.random.default_rng(1)
    found = pulses_moved(np.full(100_000, 50), 20, 0.3, levels=101, rng=rng) - 50
    assert found.mean() == pytest.approx(6, abs=5 * np.sqrt(4.2 / 1e5))
    assert found.var() == pytest.approx(4.2, rel=0.03)
    back = pulses_moved(np.full(1000, 50), -20, 1.0, levels=101, rng=rng)
    assert (back == 30).all()
    assert pulses_moved([0, 3], [-5, 5], 1.0, levels=4, rng=rng).tolist() == [0, 3]


def test_the_field_is_the_slope_of_the_energy():
    track = NotchTrack(400e-9, 4, 2e-19, 15e-9, magnetisation=8e5, cross_section=60e-18)
    place = np.linspace(10e-9, 390e-9, 20_001)
    slope = np.gradient(track.energy(place), place)
    field = track.pinning_field(place)
    np.testing.assert_allclose(field[1:-1] * 2 * 8e5 * 60e-18, -slope[1:-1], atol=2e-16)
    assert np.abs(field).max() == pytest.approx(track.depinning_field, rel=1e-2)
    deep = track.energy(track.positions) - track.energy(track.positions[:1] + 50e-9)
    np.testing.assert_allclose(deep, -2e-19, rtol=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: NotchTrack(200e-9, 8, 2e-19, 10e-9),
            "NotchTrack: notch_width must be at most a quarter of the distance of notches, "
            "6.25e-09 m, not 1e-08 m; use fewer levels or a track of 3.2e-07 m",
        ),
        (
            lambda: pulses_moved(4, 1, 0.5, levels=4, rng=np.random.default_rng(0)),
            "pulses_moved: start must be in 0..3, not 4..4",
        ),
        (
            lambda: pulses_moved(0, 0.5, 0.5, levels=4, rng=np.random.default_rng(0)),
            "pulses_moved: pulses must be integers, not float64",
        ),
        (
            lambda: retention_time(1e-19, 0),
            "depinning_time: temperature must be a number of kelvin above 0, not 0.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
