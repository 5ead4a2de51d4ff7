"""Tests of spintron_nn.core.domain_wall.device."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.domain_wall import DomainWallDevice
from spintron_nn.core.mtj_models import MTJConfig


def device(**changes):
    values = {"track_length": 200e-9, "domain_width": 20e-9, "levels": 4}
    return DomainWallDevice(**(values | changes))


def test_conductances_by_hand():
    # Wall at 1/8, 3/8, 5/8 and 7/8 of the track, between 303.03 nS and 666.67 nS.
    expected = np.array([348.485, 439.394, 530.303, 621.212]) * 1e-9
    np.testing.assert_allclose(device().conductances, expected, rtol=1e-5)
    np.testing.assert_allclose(device().level_fractions, [0, 1 / 3, 2 / 3, 1], atol=1e-12)


def test_the_technology_has_the_outer_levels():
    mtj = device().mtj_config(cell_bits=8, resistance_variation=0.02)
    assert isinstance(mtj, MTJConfig)
    assert (mtj.levels, mtj.cell_bits, mtj.resistance_variation) == (4, 8, 0.02)
    assert mtj.conductance_ap == pytest.approx(348.485e-9, rel=1e-5)
    assert mtj.conductance_p == pytest.approx(621.212e-9, rel=1e-5)


def test_the_track_as_the_wall_feels_it():
    track = device().notches(pinning_energy=2e-19, notch_width=10e-9)
    np.testing.assert_allclose(track.positions, device().positions)


def test_a_full_track_is_taken():
    assert len(device(levels=10).conductances) == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"levels": 16},
            "DomainWallDevice: 16 levels of 20 nm must fit on the track, and 200 nm hold 10; ask "
            "for at most 10, or make the track at least 320 nm long",
        ),
        (
            {"levels": 2, "track_length": 30e-9},
            "DomainWallDevice: 2 levels of 20 nm must fit on the track, and 30 nm hold 1; make "
            "the track at least 40 nm long",
        ),
        ({"levels": 1}, "DomainWallDevice: levels must be an integer in 2..64, not 1"),
        (
            {"domain_width": -1},
            "DomainWallDevice: domain_width must be a number of m above 0, not -1",
        ),
        (
            {"resistance_low": 5e6},
            "DomainWallDevice: resistance_high must be above resistance_low, not 3.3e+06 and "
            "5e+06 ohm; the antiparallel state is the one of high resistance",
        ),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        device(**changes)


def test_a_network_needs_a_power_of_two():
    message = (
        "DomainWallDevice.mtj_config: levels must be one of 2, 4, 8, 16, 32, 64 for a network's "
        "weights, not 5; make a device of 4 levels on the same track, or of 8 on one of 160 nm "
        "or more"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        device(levels=5).mtj_config()
