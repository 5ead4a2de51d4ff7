"""Tests of spintron_nn.core.junction.spin_orbit."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    instability_field,
    least_assist_field,
    spin_hall_angle,
    spin_orbit_field,
    threshold_current_density,
    track_resistance,
    track_share,
    write_energy,
)


def test_spin_hall_angle():
    # 1 - 1 / cosh(1) = 1 - 0.648054; thin tracks lose the square of their thickness.
    assert spin_hall_angle(-0.3, 2e-9, 2e-9) == pytest.approx(-0.3 * 0.351946, rel=1e-5)
    thin, thick = spin_hall_angle(0.3, [1e-12, 1.0], 1e-9)
    assert thin == pytest.approx(0.3 * 1e-6 / 2, rel=1e-4)
    assert thick == 0.3
    assert (np.diff(spin_hall_angle(0.3, np.linspace(0.1e-9, 10e-9, 50), 1.5e-9)) > 0).all()


def test_track():
    # 4 nm / 200 uohm cm = 2 mS; 1 nm / 170 uohm cm = 0.588 mS: 2 / 2.588.
    assert track_share(4e-9, 2e-6, 1e-9, 1.7e-6) == pytest.approx(0.772727, rel=1e-5)
    assert track_share(4e-9, 2e-6, 1e-9, 1e6) == pytest.approx(1.0)
    assert track_resistance(2e-6, 55e-9, 55e-9, 4e-9) == pytest.approx(500.0)


def test_published_current_density():
    # A published compact model: 200 uA at 100 mV is 9.1e11 A/m2 in 55 nm x 4 nm of 500 ohm.
    current = 0.1 / track_resistance(2e-6, 55e-9, 55e-9, 4e-9)
    assert current == pytest.approx(200e-6)
    assert current / (55e-9 * 4e-9) == pytest.approx(9.1e11, rel=0.002)


def test_spin_orbit_field():
    # hbar / (2 e) = 3.29106e-16 V s; times 0.3 * 1e12 / (1e6 * 1e-9).
    assert spin_orbit_field(1e12, 0.3, 1e6, 1e-9) == pytest.approx(98.7318e-3, rel=1e-5)
    np.testing.assert_allclose(spin_orbit_field([-1e12, 0.0], 0.3, 1e6, 1e-9)[1], 0.0)


def test_threshold():
    # 0.15 - 0.03 / 1.414214 = 0.128787 T; times 1e6 * 1e-9 / (0.3 * 3.29106e-16).
    found = threshold_current_density(0.3, 0.03, 0.3, 1e6, 1e-9)
    assert found == pytest.approx(1.3044e12, rel=1e-4)
    assert found == pytest.approx(1.30e12, rel=0.005)
    # It is the current density of which the damping-like field is that of the formula.
    assert spin_orbit_field(found, 0.3, 1e6, 1e-9) == pytest.approx(0.128787, rel=1e-5)


@pytest.mark.parametrize(("share", "tolerance"), [(0.0, 1e-9), (0.1, 0.004), (0.3, 0.045)])
def test_threshold_against_the_exact_one(share, tolerance):
    density = threshold_current_density(0.3, 0.3 * share, 0.3, 1e6, 1e-9)
    exact = instability_field(0.3, 0.3 * share)
    assert spin_orbit_field(density, 0.3, 1e6, 1e-9) == pytest.approx(exact, rel=tolerance)


def test_write_energy():
    # 1.3e12 * 60 nm * 4 nm = 312 uA; squared, 500 ohm, 1 ns: 48.7 fJ.
    assert write_energy(312e-6, 500.0, 1e-9) == pytest.approx(49e-15, rel=0.01)
    np.testing.assert_array_equal(write_energy([0.0, -1.0, 1.0], 2.0, 3.0), [0.0, 6.0, 6.0])


def test_assist_field():
    assert least_assist_field(0.3) == pytest.approx(0.045)
    np.testing.assert_allclose(least_assist_field(0.2, [0.0, 0.5]), [0.0, 0.1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: spin_hall_angle(float("nan"), 1e-9, 1e-9),
            "spin_hall_angle: bulk must be a finite number, not nan",
        ),
        (
            lambda: spin_hall_angle(0.3, 0.0, 1e-9),
            "spin_hall_angle: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: spin_hall_angle(0.3, 1e-9, 0.0),
            "spin_hall_angle: diffusion_length must be a number of m above 0, not 0.0",
        ),
        (
            lambda: track_share(0.0, 1.0, 1.0, 1.0),
            "track_share: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: track_share(1.0, 0.0, 1.0, 1.0),
            "track_share: resistivity must be a number of ohm m above 0, not 0.0",
        ),
        (
            lambda: track_share(1.0, 1.0, 0.0, 1.0),
            "track_share: layer_thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: track_share(1.0, 1.0, 1.0, 0.0),
            "track_share: layer_resistivity must be a number of ohm m above 0, not 0.0",
        ),
        (
            lambda: track_resistance(0.0, 1.0, 1.0, 1.0),
            "track_resistance: resistivity must be a number of ohm m above 0, not 0.0",
        ),
        (
            lambda: track_resistance(1.0, 0.0, 1.0, 1.0),
            "track_resistance: length must be a number of m above 0, not 0.0",
        ),
        (
            lambda: track_resistance(1.0, 1.0, 0.0, 1.0),
            "track_resistance: width must be a number of m above 0, not 0.0",
        ),
        (
            lambda: track_resistance(1.0, 1.0, 1.0, 0.0),
            "track_resistance: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: spin_orbit_field(float("inf"), 0.3, 1e6, 1e-9),
            "spin_orbit_field: current_density must be a finite number of A/m2, not inf",
        ),
        (
            lambda: spin_orbit_field(1e12, float("nan"), 1e6, 1e-9),
            "spin_orbit_field: angle must be a finite number, not nan",
        ),
        (
            lambda: spin_orbit_field(1e12, 0.3, 0.0, 1e-9),
            "spin_orbit_field: magnetisation must be a number of A/m above 0, not 0.0",
        ),
        (
            lambda: spin_orbit_field(1e12, 0.3, 1e6, 0.0),
            "spin_orbit_field: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: threshold_current_density(0.0, 0.0, 0.3, 1e6, 1e-9),
            "threshold_current_density: anisotropy_field must be a number of T above 0, not 0.0",
        ),
        (
            lambda: threshold_current_density(0.3, float("nan"), 0.3, 1e6, 1e-9),
            "threshold_current_density: in_plane_field must be a finite number of T, not nan",
        ),
        (
            lambda: threshold_current_density(0.25, [0.0, 0.15], 0.3, 1e6, 1e-9),
            "threshold_current_density: in_plane_field must be below half the anisotropy field, "
            "not 0.6 times it; take instability_field, which is exact",
        ),
        (
            lambda: threshold_current_density(0.3, 0.0, -0.3, 1e6, 1e-9),
            "threshold_current_density: angle must be a number above 0, not -0.3",
        ),
        (
            lambda: threshold_current_density(0.3, 0.0, 0.3, 0.0, 1e-9),
            "threshold_current_density: magnetisation must be a number of A/m above 0, not 0.0",
        ),
        (
            lambda: threshold_current_density(0.3, 0.0, 0.3, 1e6, 0.0),
            "threshold_current_density: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: write_energy(float("nan"), 1.0, 1.0),
            "write_energy: current must be a finite number of A, not nan",
        ),
        (
            lambda: write_energy(1.0, 0.0, 1.0),
            "write_energy: resistance must be a number of ohm above 0, not 0.0",
        ),
        (
            lambda: write_energy(1.0, 1.0, -1.0),
            "write_energy: pulse must be a number of s at least 0, not -1.0",
        ),
        (
            lambda: least_assist_field(0.0),
            "least_assist_field: anisotropy_field must be a number of T above 0, not 0.0",
        ),
        (
            lambda: least_assist_field(0.3, 1.5),
            "least_assist_field: share must be a number in 0..1, not 1.5",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
