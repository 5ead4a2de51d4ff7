"""Tests of spintron_nn.core.junction.spin_orbit_stability."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import instability_field


def cross(a, b):
    return np.stack(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )


def velocity(moment, torque, assist, ratio, damping):
    """Equation of motion in units of the anisotropy field; moments are (3, devices).

    Effective field: z for the anisotropy, -x for the assisting field, y for the spins.
    """
    x, _, z = moment
    # The damping-like torque acts as a field along m x y.
    field = np.stack([-assist - torque * z, ratio * torque, z + torque * x])
    turn = cross(moment, field)
    return -(turn + damping * cross(moment, turn)) / (1 + damping**2)


def follow(moment, torques, assist, ratio, damping, step=0.1):
    """Fourth-order Runge-Kutta, one step for each torque."""
    for torque in torques:
        known = (torque, assist, ratio, damping)
        first = velocity(moment, *known)
        second = velocity(moment + step / 2 * first, *known)
        third = velocity(moment + step / 2 * second, *known)
        fourth = velocity(moment + step * third, *known)
        moment = moment + step / 6 * (first + 2 * second + 2 * third + fourth)
        moment = moment / np.sqrt((moment**2).sum(axis=0))
    return moment


CASES = np.array(
    [
        # assist, ratio, damping
        (0.0, -0.5, 0.1),
        (0.0, -2.0, 0.1),
        (0.0, 0.5, 0.1),
        (0.05, -0.5, 0.1),
        (0.15, -1.0, 0.05),
        (0.15, 0.0, 0.1),
        (0.2, 1.0, 0.1),
        (0.3, 0.5, 0.05),
        (0.3, -0.2, 0.1),
    ]
).T


def test_against_the_equation_of_motion():
    # The torque rises slowly to a little below and a little above the threshold, and stays.
    assist, ratio, damping = np.repeat(CASES[:, None], 2, axis=1).reshape(3, -1)
    share = np.repeat([0.97, 1.03], CASES.shape[1])
    end = share * instability_field(1.0, assist, ratio, damping)
    start = np.stack([-assist + 1e-3, 1e-3 + 0 * assist, np.sqrt(1 - assist**2)])
    rise = np.minimum(np.arange(10_000) / 4000, 1.0)
    moment = follow(start, end * rise[:, None], assist, ratio, damping)
    # What is kept stands still; what is lost has left, or precesses.
    still = np.abs(velocity(moment, end, assist, ratio, damping)).max(axis=0) < 1e-3
    kept = still & (moment[2] > 0.3)
    np.testing.assert_array_equal(kept, share < 1)


def test_closed_form_without_field_like_torque():
    # The torque that a tilt s = sin(theta) stands is c (s - h); greatest at
    # s = (h + sqrt(h**2 + 8)) / 4. At h = 0.1: s = 0.732531, c = 0.680731, 0.430585.
    found = instability_field(0.3, [0.0, 0.03, 0.09])
    assist = np.array([0.0, 0.1, 0.3])
    sine = (assist + np.sqrt(assist**2 + 8)) / 4
    np.testing.assert_allclose(found, 0.3 * np.sqrt(1 - sine**2) * (sine - assist), rtol=1e-9)
    assert found[1] == pytest.approx(0.3 * 0.430585, rel=1e-5)
    np.testing.assert_allclose(instability_field(0.3, 0.03, 0.0, [1e-4, 0.5]), found[1])


def test_closed_form_without_field():
    ratio = np.array([-0.1, -0.5, -1.0, -5.0])
    damping = 0.02
    squared = 2 * damping / (damping * (1 + ratio**2) - 2 * ratio)
    expected = 0.3 * np.sqrt(squared) / (1 + squared)
    np.testing.assert_allclose(instability_field(0.3, 0.0, ratio, damping), expected, rtol=1e-7)
    # Small damping: Bk sqrt(a / |b|), the square root that Taniguchi and others report.
    small = instability_field(0.3, 0.0, -1.0, [1e-6, 4e-6])
    np.testing.assert_allclose(small, [0.3e-3, 0.6e-3], rtol=1e-4)


def test_a_helpful_sign_does_not_move_the_threshold():
    # With the field along the spins the state only ceases to exist: Bk / 2, or b / (1 + b**2).
    found = instability_field(0.3, 0.0, [0.0, 0.5, 0.9, 2.0])
    np.testing.assert_allclose(found, [0.15, 0.15, 0.15, 0.12], rtol=1e-6)


def test_more_field_needs_less_torque():
    found = instability_field(0.3, np.linspace(0, 0.29, 30)[:, None], [-1.0, 0.0, 1.0])
    assert found.shape == (30, 3)
    assert (np.diff(found, axis=0) < 0).all() and (found > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: instability_field(0.0),
            "instability_field: anisotropy_field must be a number of T above 0, not 0.0",
        ),
        (
            lambda: instability_field(0.3, -0.01),
            "instability_field: in_plane_field must be a number of T at least 0, not -0.01",
        ),
        (
            lambda: instability_field(0.4, [0.1, 0.5]),
            "instability_field: in_plane_field must be below the anisotropy field, not 1.25 times "
            "it; it turns the layer into the plane by itself",
        ),
        (
            lambda: instability_field(0.3, 0.0, float("nan")),
            "instability_field: field_like_ratio must be a finite number, not nan",
        ),
        (
            lambda: instability_field(0.3, 0.0, -1.0, 0.0),
            "instability_field: damping must be a number above 0, not 0.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
