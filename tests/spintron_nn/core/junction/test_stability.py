"""Tests of spintron_nn.core.junction.stability."""

import re

import numpy as np
import pytest
from numpy.polynomial import legendre
from scipy.linalg import eigvals

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    activation_volume,
    dwell_time,
    failure_probability,
    read_disturb,
    required_stability,
    stability_in_field,
    stability_with_current,
    switching_rate,
)

TEN_YEARS = 10 * 365.25 * 24 * 3600


def slowest_rate(stability, bias):
    """Lowest eigenvalue of the Fokker-Planck equation in m_z, over ``a g Bk / (1 + a**2)``.

    Galerkin in Legendre polynomials; the current density is ``(1 - z**2) (p' + p U')``.
    """
    terms = 60
    z, weights = legendre.leggauss(300)
    basis = np.stack([legendre.legval(z, np.eye(terms)[n]) for n in range(terms)])
    slopes = np.stack([legendre.legval(z, legendre.legder(np.eye(terms)[n])) for n in range(terms)])
    force = -2 * stability * (z + bias)
    flow = -(slopes * weights * (1 - z**2)) @ (slopes + basis * force).T
    mass = np.diag(2 / (2 * np.arange(terms) + 1))
    return -np.sort(eigvals(flow, mass).real)[-2] / (2 * stability)


def test_ten_years():
    # ln(3.15576e8 / 1e-9) = ln(3.15576e17) = 40.293.
    assert required_stability(1, TEN_YEARS, 1 - np.exp(-1)) == pytest.approx(40.293, abs=1e-3)
    assert dwell_time(40.293) == pytest.approx(TEN_YEARS, rel=1e-3)


def test_a_megabit():
    # ln(1e6 * 3.15576e17 / 1e-6) = ln(3.15576e29) = 67.924.
    assert required_stability(1e6, TEN_YEARS, 1e-6) == pytest.approx(67.924, abs=1e-3)
    needed = required_stability(1e6, TEN_YEARS, 1e-6, attempt_time=5e-10)
    failed = failure_probability(TEN_YEARS, dwell_time(needed, 5e-10), 1e6)
    assert failed == pytest.approx(1e-6, rel=1e-9)


def test_tiny_and_certain_failures():
    found = failure_probability(1.0, [1e30, 1e20, 1.0, 1e-9])
    np.testing.assert_allclose(found, [1e-30, 1e-20, 1 - np.exp(-1), 1.0], rtol=1e-12)
    assert failure_probability(0.0, 1.0, 1e9) == 0.0


@pytest.mark.parametrize(("stability", "exact"), [(5.0, 0.7965), (10.0, 0.8896), (20.0, 0.9478)])
def test_brown_against_the_eigenvalue(stability, exact):
    # Both wells relax together: the eigenvalue is the sum of two equal rates.
    rate = slowest_rate(stability, 0.0) / 2
    scale = 0.01 * 1.760859e11 * 0.3 / 1.0001
    assert rate * scale / switching_rate(stability, 0.01, 0.3) == pytest.approx(exact, abs=2e-3)
    better = switching_rate(stability, 0.01, 0.3, next_order=True)
    assert rate * scale / better == pytest.approx(1.0, abs=0.02)


def test_brown_in_a_field_against_the_eigenvalue():
    scale = 0.02 * 1.760859e11 * 0.2 / 1.0004
    rates = switching_rate(16.0, 0.02, 0.2, field=[0.02, -0.02])
    assert slowest_rate(16.0, 0.1) * scale == pytest.approx(rates.sum(), rel=0.1)
    # The shares of both states are those of Boltzmann, exp(4 Delta h), but for the wells' widths.
    assert rates[1] / rates[0] == pytest.approx(np.exp(6.4) * 0.9 / 1.1)


def test_measured_dwell_times():
    # Of the equation of motion with heat, 150 events each (8 %): mean dwell over the formula.
    measured = np.array([1.14, 1.21, 1.10])
    barriers = np.array([4.0, 5.0, 6.0])
    share = switching_rate(barriers, 0.02, 0.1) / switching_rate(
        barriers, 0.02, 0.1, next_order=True
    )
    np.testing.assert_allclose(share, 1 / (1 - 1 / barriers))
    assert (np.abs(measured / share - 1) < 2 * 0.08).all()


def test_field_and_current():
    np.testing.assert_allclose(stability_in_field(60.0, [-0.03, 0.0, 0.03], 0.3), [48.6, 60, 72.6])
    np.testing.assert_allclose(stability_with_current(60.0, [-0.5, 0.0, 0.5]), [135.0, 60.0, 15.0])
    assert stability_with_current(60.0, 0.5, 1.0) == pytest.approx(30.0)


def test_read_disturb():
    # 60 * 0.8**2 = 38.4; 10 ns / 1 ns * exp(-38.4) = 10 * 2.104e-17.
    assert read_disturb(60.0, 0.2, 10e-9) == pytest.approx(2.104e-16, rel=1e-3)
    rising = read_disturb(60.0, np.linspace(-0.5, 0.9, 30), 10e-9)
    assert (np.diff(rising) > 0).all()
    assert read_disturb(60.0, 0.2, 0.0) == 0.0


def test_activation_volume():
    found = activation_volume([20e-9, 80e-9], 1e-9, 40e-9)
    np.testing.assert_allclose(found, [np.pi * 1e-25, np.pi * 4e-25])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: dwell_time(-1.0),
            "dwell_time: thermal_stability must be a number at least 0, not -1.0",
        ),
        (
            lambda: dwell_time([40.0, 1e5]),
            "dwell_time: thermal_stability must be at most 700, not 100000.0; it is a ratio of "
            "energies, not an energy",
        ),
        (
            lambda: dwell_time(40.0, 0.0),
            "dwell_time: attempt_time must be a number of s above 0, not 0.0",
        ),
        (
            lambda: switching_rate(0.5, 0.01, 0.3),
            "switching_rate: thermal_stability must be a number at least 1, not 0.5",
        ),
        (
            lambda: switching_rate(5.0, 0.0, 0.3),
            "switching_rate: damping must be a number above 0, not 0.0",
        ),
        (
            lambda: switching_rate(5.0, 0.01, 0.0),
            "switching_rate: anisotropy_field must be a number of T above 0, not 0.0",
        ),
        (
            lambda: switching_rate(5.0, 0.01, 0.2, -0.25),
            "switching_rate: field must be smaller than the anisotropy field, not 1.25 times it; "
            "only one state is left there",
        ),
        (
            lambda: switching_rate(5.0, 0.01, 0.2, 0.1, next_order=True),
            "switching_rate: next_order must be False in a field; it is known at 0 T",
        ),
        (
            lambda: stability_in_field(-1.0, 0.0, 0.3),
            "stability_in_field: thermal_stability must be a number at least 0, not -1.0",
        ),
        (
            lambda: stability_in_field(60.0, float("nan"), 0.3),
            "stability_in_field: field must be a finite number of T, not nan",
        ),
        (
            lambda: stability_in_field(60.0, 0.0, 0.0),
            "stability_in_field: anisotropy_field must be a number of T above 0, not 0.0",
        ),
        (
            lambda: stability_with_current(-1.0, 0.0),
            "stability_with_current: thermal_stability must be a number at least 0, not -1.0",
        ),
        (
            lambda: stability_with_current(60.0, 1.0),
            "stability_with_current: current_ratio must be a number below 1, not 1.0",
        ),
        (
            lambda: stability_with_current(60.0, 0.5, 0.5),
            "stability_with_current: exponent must be a number at least 1, not 0.5",
        ),
        (
            lambda: failure_probability(-1.0, 1.0),
            "failure_probability: time must be a number of s at least 0, not -1.0",
        ),
        (
            lambda: failure_probability(1.0, 0.0),
            "failure_probability: dwell_time must be a number of s above 0, not 0.0",
        ),
        (
            lambda: failure_probability(1.0, 1.0, 0),
            "failure_probability: devices must be a number at least 1, not 0.0",
        ),
        (
            lambda: required_stability(0, 1.0, 0.5),
            "required_stability: devices must be a number at least 1, not 0.0",
        ),
        (
            lambda: required_stability(1, 0.0, 0.5),
            "required_stability: time must be a number of s above 0, not 0.0",
        ),
        (
            lambda: required_stability(1, 1.0, 1.0),
            "required_stability: probability must be a number above 0 and below 1, not 1.0",
        ),
        (
            lambda: required_stability(1, 1.0, 0.5, 0.0),
            "required_stability: attempt_time must be a number of s above 0, not 0.0",
        ),
        (
            lambda: read_disturb(701.0, 0.0, 1e-9),
            "read_disturb: thermal_stability must be at most 700, not 701.0; it is a ratio of "
            "energies, not an energy",
        ),
        (
            lambda: activation_volume(0.0, 1e-9),
            "activation_volume: diameter must be a number of m above 0, not 0.0",
        ),
        (
            lambda: activation_volume(1e-8, 0.0),
            "activation_volume: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: activation_volume(1e-8, 1e-9, 0.0),
            "activation_volume: activation_diameter must be a number of m above 0, not 0.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
