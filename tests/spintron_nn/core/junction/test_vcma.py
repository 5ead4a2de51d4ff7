"""Tests of spintron_nn.core.junction.vcma."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    anisotropy_at_voltage,
    critical_voltage,
    effective_anisotropy,
    half_precession_pulse,
    stability_at_voltage,
    thermal_stability,
)


def test_by_hand():
    # 100 fJ/(V m) * 1 V / 1 nm = 1e-4 J/m2.
    np.testing.assert_allclose(
        anisotropy_at_voltage(1e-3, [-1.0, 0.0, 1.0], 100e-15, 1e-9), [1.1e-3, 1e-3, 0.9e-3]
    )
    # 33 fJ/(V m), 1 V over 1.4 nm: 2.357e-5 J/m2.
    assert anisotropy_at_voltage(0.0, 1.0, 33e-15, 1.4e-9) == pytest.approx(-2.3571e-5, rel=1e-4)


def test_stability_is_that_of_the_anisotropy():
    area, height, voltage = 1e-15, 1.1e-9, np.array([0.0, 0.3, 0.6])
    surface = anisotropy_at_voltage(1.1e-3, voltage, 60e-15, 1.5e-9)
    energy = effective_anisotropy(surface, height, 1.1e6)
    start = thermal_stability(energy[0], area * height, 300.0)
    found = stability_at_voltage(start, voltage, 60e-15, 1.5e-9, area, 300.0)
    np.testing.assert_allclose(found, thermal_stability(energy, area * height, 300.0))


def test_critical_voltage():
    # 1e5 J/m3 * 1 nm * 1 nm / 100 fJ/(V m) = 1 V; there the barrier vanishes.
    voltage = critical_voltage(1e5, 1e-9, 100e-15, 1e-9)
    assert voltage == pytest.approx(1.0)
    barrier = thermal_stability(1e5, 2e-24, 300.0)
    left = stability_at_voltage(barrier, voltage, 100e-15, 1e-9, 2e-15, 300.0)
    assert left == pytest.approx(0.0, abs=1e-12 * barrier)


def test_half_precession():
    # pi / (1.760859e11 * 0.03) = 0.5947 ns: half of one over 28.02 GHz/T * 0.03 T.
    assert half_precession_pulse(0.03) == pytest.approx(0.5947e-9, rel=1e-4)
    assert half_precession_pulse(0.03) == pytest.approx(0.5 / (28.02495e9 * 0.03), rel=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: anisotropy_at_voltage(float("nan"), 1.0, 1e-13, 1e-9),
            "anisotropy_at_voltage: interface must be a finite number of J/m2, not nan",
        ),
        (
            lambda: anisotropy_at_voltage(1e-3, float("nan"), 1e-13, 1e-9),
            "anisotropy_at_voltage: voltage must be a finite number of V, not nan",
        ),
        (
            lambda: anisotropy_at_voltage(1e-3, 1.0, -1e-13, 1e-9),
            "anisotropy_at_voltage: coefficient must be a number of J/(V m) at least 0, not -1e-13",
        ),
        (
            lambda: anisotropy_at_voltage(1e-3, 1.0, 1e-13, 0.0),
            "anisotropy_at_voltage: barrier_thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: stability_at_voltage(-1.0, 1.0, 1e-13, 1e-9, 1e-15, 300.0),
            "stability_at_voltage: thermal_stability must be a number at least 0, not -1.0",
        ),
        (
            lambda: stability_at_voltage(60.0, 1.0, 1e-13, 1e-9, 0.0, 300.0),
            "stability_at_voltage: area must be a number of m2 above 0, not 0.0",
        ),
        (
            lambda: stability_at_voltage(60.0, 1.0, 1e-13, 1e-9, 1e-15, 0.0),
            "stability_at_voltage: temperature must be a number of K above 0, not 0.0",
        ),
        (
            lambda: critical_voltage(0.0, 1e-9, 1e-13, 1e-9),
            "critical_voltage: anisotropy must be a number of J/m3 above 0, not 0.0",
        ),
        (
            lambda: critical_voltage(1e5, 0.0, 1e-13, 1e-9),
            "critical_voltage: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: critical_voltage(1e5, 1e-9, 0.0, 1e-9),
            "critical_voltage: coefficient must be a number of J/(V m) above 0, not 0.0",
        ),
        (
            lambda: critical_voltage(1e5, 1e-9, 1e-13, 0.0),
            "critical_voltage: barrier_thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: half_precession_pulse([0.03, 0.0]),
            "half_precession_pulse: in_plane_field must be numbers of T above 0, not 0.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
