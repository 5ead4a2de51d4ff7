"""Tests of spintron_nn.core.domain_wall.wall."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.domain_wall import wall


def test_width_extent_and_energy_by_hand():
    # A = 15 pJ/m, K = 220 kJ/m3: A/K = 6.818e-17 m2, A K = 3.3e-6.
    assert float(wall.wall_width(15e-12, 2.2e5)) == pytest.approx(8.257e-9, rel=1e-3)
    assert float(wall.wall_extent(8.257e-9)) == pytest.approx(25.94e-9, rel=1e-3)
    assert float(wall.wall_energy(15e-12, 2.2e5)) == pytest.approx(7.266e-3, rel=1e-3)


def test_energy_is_that_of_the_profile():
    stiffness, anisotropy = 15e-12, 2.2e5
    width = float(wall.wall_width(stiffness, anisotropy))
    place = np.linspace(-20 * width, 20 * width, 20_001)
    angle = 2 * np.arctan(np.exp(place / width))
    slope = np.gradient(angle, place)
    density = stiffness * slope**2 + anisotropy * np.sin(angle) ** 2
    expected = np.sum((density[1:] + density[:-1]) / 2 * np.diff(place))
    assert float(wall.wall_energy(stiffness, anisotropy)) == pytest.approx(expected, rel=1e-4)


def test_conductance_is_that_of_the_profile():
    # Slices of the junction conduct side by side, each by the angle of the magnetisation there.
    length, centre, width = 400e-9, 130e-9, 8e-9
    place = (np.arange(40_000) + 0.5) * length / 40_000
    up = np.tanh((centre - place) / width)
    parallel, antiparallel = 1 / 1.5e6, 1 / 3.3e6
    local = (parallel + antiparallel) / 2 + (parallel - antiparallel) / 2 * up
    found = wall.wall_conductance(
        centre, length, conductance_parallel=parallel, conductance_antiparallel=antiparallel
    )
    assert float(found) == pytest.approx(local.mean(), rel=1e-6)


def test_conductance_is_linear_between_the_ends():
    found = wall.wall_conductance(
        [0.0, 50e-9, 200e-9], 200e-9, conductance_parallel=4e-6, conductance_antiparallel=2e-6
    )
    np.testing.assert_allclose(found, [2e-6, 2.5e-6, 4e-6])


def test_levels_of_a_track():
    extent = float(wall.wall_extent(wall.wall_width(15e-12, 2.2e5)))
    assert wall.levels_that_fit(200e-9, extent) == 7
    assert wall.levels_that_fit(200e-9, 20e-9) == 10
    assert wall.levels_that_fit(3e-3, 1e-3) == 3  # the quotient is 2.9999999999999996
    np.testing.assert_allclose(wall.notch_positions(200e-9, 4), [25e-9, 75e-9, 125e-9, 175e-9])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: wall.wall_width(15e-12, 0.0),
            "wall_width: anisotropy must be a number of J/m3 above 0, not 0.0",
        ),
        (
            lambda: wall.levels_that_fit(200, 20),
            "levels_that_fit: track_length must be at most 0.01 m, not 200 m; lengths are in "
            "metres, 200 nm is 200e-9",
        ),
        (
            lambda: wall.wall_conductance(
                3e-7, 2e-7, conductance_parallel=2e-6, conductance_antiparallel=1e-6
            ),
            "wall_conductance: position must be on the track, 0..2e-07 m, not 3e-07 m",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
