"""Tests of spintron_nn.core.junction.conductance."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    angular_conductance,
    antiparallel_resistance,
    parallel_resistance,
    pillar_area,
)


def test_the_published_junction():
    # UT-Austin set: 9.818 ohm um2 and 50 nm are published as 5 kOhm, TMR 1.2.
    area = pillar_area(50e-9)
    assert area == pytest.approx(1963.495e-18, rel=1e-6)
    assert parallel_resistance(9.818e-12, area) == pytest.approx(5000.3, rel=1e-5)
    assert antiparallel_resistance(5000.0, 1.2) == pytest.approx(11e3)


def test_an_ellipse():
    assert pillar_area(100e-9, 50e-9) == pytest.approx(2 * pillar_area(50e-9))


def test_resistances_broadcast():
    found = parallel_resistance([[1e-12], [2e-12]], pillar_area([40e-9, 80e-9, 160e-9]))
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found[1] / found[0], 2)
    np.testing.assert_allclose(found[:, 0] / found[:, 1], 4)


def test_angle():
    angles = np.array([0, np.pi / 3, np.pi / 2, np.pi])
    # cos 60 degrees is 1/2: three quarters of one and one quarter of the other.
    expected = [200e-6, 175e-6, 150e-6, 100e-6]
    np.testing.assert_allclose(angular_conductance(200e-6, 100e-6, angles), expected)
    # Resistances at 90 degrees: the harmonic mean, not the mean.
    assert 1 / angular_conductance(1 / 5e3, 1 / 10e3, np.pi / 2) == pytest.approx(6666.67)


def test_mean_over_the_sphere():
    cosines = np.linspace(-1, 1, 100_001)
    mean = np.trapezoid(angular_conductance(2.2, 1.0, np.arccos(cosines)), cosines) / 2
    assert mean == pytest.approx(1.6, rel=1e-6)


def test_slonczewski_with_polarisations():
    # G = (G_P + G_AP) / 2 (1 + P1 P2 cos): with TMR = 2 P**2 / (1 - P**2) both forms agree.
    parallel, squared = 1.0, 0.36
    antiparallel = parallel * (1 - squared) / (1 + squared)
    found = angular_conductance(parallel, antiparallel, 0.7)
    mean = (parallel + antiparallel) / 2
    assert found == pytest.approx(mean * (1 + squared * np.cos(0.7)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: pillar_area(0.0),
            "pillar_area: diameter must be a number of m above 0, not 0.0",
        ),
        (
            lambda: pillar_area(1e-9, [1e-9, -1e-9]),
            "pillar_area: width must be numbers of m above 0, not -1e-09",
        ),
        (
            lambda: pillar_area("50n"),
            "pillar_area: diameter must be a number or an array of numbers of m above 0, not '50n'",
        ),
        (
            lambda: parallel_resistance(0.0, 1e-15),
            "parallel_resistance: resistance_area must be a number of ohm m2 above 0, not 0.0",
        ),
        (
            lambda: parallel_resistance(1e-12, float("inf")),
            "parallel_resistance: area must be a number of m2 above 0, not inf",
        ),
        (
            lambda: antiparallel_resistance(-1.0, 1.0),
            "antiparallel_resistance: resistance must be a number of ohm above 0, not -1.0",
        ),
        (
            lambda: antiparallel_resistance(5e3, -0.1),
            "antiparallel_resistance: tmr must be a number at least 0, not -0.1",
        ),
        (
            lambda: angular_conductance(-1.0, 1.0, 0.0),
            "angular_conductance: parallel must be a number of S at least 0, not -1.0",
        ),
        (
            lambda: angular_conductance(1.0, -1.0, 0.0),
            "angular_conductance: antiparallel must be a number of S at least 0, not -1.0",
        ),
        (
            lambda: angular_conductance(1.0, 1.0, float("nan")),
            "angular_conductance: angle must be a finite number of rad, not nan",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
