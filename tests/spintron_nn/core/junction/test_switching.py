"""Tests of spintron_nn.core.junction.switching."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    critical_current,
    critical_current_from_field,
    spin_torque_efficiency,
    switching_time,
    switching_time_from_current,
)

# A layer of Delta 60 at 300 K: Ms 1e6, 0.3 T, so K_eff 150,000 J/m3 and V = 60 kB T / K_eff.
VOLUME = 60 * 1.380649e-23 * 300 / 150_000


def test_efficiency():
    # 0.6 / 1.36, 0.6, 0.6 / 0.64: the antiparallel state is easier to leave.
    found = spin_torque_efficiency(0.6, [0.0, np.pi / 2, np.pi])
    np.testing.assert_allclose(found, [0.441176, 0.6, 0.9375], rtol=1e-5)
    assert spin_torque_efficiency(0.0) == 0.0


def test_critical_current():
    # 4 * 1.602177e-19 * 0.01 * 4.141947e-21 * 60 / (1.054572e-34 * 0.6) = 25.17 uA.
    found = critical_current(0.01, 0.6, 60.0, 300.0)
    assert found == pytest.approx(25.2e-6, rel=0.002)
    assert critical_current_from_field(0.01, 0.6, 1e6, 0.3, VOLUME) == pytest.approx(found)


def test_critical_current_scales():
    base = critical_current(0.01, 0.3, 60.0, 300.0)
    found = critical_current([0.02, 0.01, 0.01], [0.3, 0.6, 0.3], [60.0, 60.0, 120.0], 300.0)
    np.testing.assert_allclose(found / base, [2.0, 0.5, 2.0])


def test_switching_time():
    # 2 * 0.02 * 1.760859e11 * 0.3 / 1.0004 = 2.11219e9; 0.57722 + ln(98.696) = 5.16921.
    assert switching_time(2.0, 40.0, 0.02, 0.3) == pytest.approx(5.16921 / 2.11219e9, rel=1e-5)
    assert switching_time(2.0, 40.0, 0.02, 0.3) == pytest.approx(2.45e-9, rel=0.002)
    falling = switching_time(np.geomspace(1.0001, 10, 30), 40.0, 0.02, 0.3)
    assert (np.diff(falling) < 0).all() and falling[0] > 1e-5


@pytest.mark.parametrize("damping", [0.005, 0.02])
def test_both_forms_of_the_switching_time(damping):
    critical = critical_current_from_field(damping, 0.6, 1e6, 0.3, VOLUME)
    ratio = np.array([1.2, 2.0, 5.0])
    electrons = switching_time_from_current(ratio * critical, critical, 60.0, 0.6, 1e6, VOLUME)
    # They differ by 1 + a**2 and by the electron's g-factor over 2.
    np.testing.assert_allclose(electrons, switching_time(ratio, 60.0, damping, 0.3), rtol=2e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: spin_torque_efficiency(1.0),
            "spin_torque_efficiency: polarisation must be a number at least 0 and below 1, not 1.0",
        ),
        (
            lambda: spin_torque_efficiency(0.5, float("nan")),
            "spin_torque_efficiency: angle must be a finite number of rad, not nan",
        ),
        (
            lambda: critical_current(0.0, 0.6, 60.0, 300.0),
            "critical_current: damping must be a number above 0, not 0.0",
        ),
        (
            lambda: critical_current(0.01, 1.1, 60.0, 300.0),
            "critical_current: efficiency must be a number above 0 and at most 1, not 1.1",
        ),
        (
            lambda: critical_current(0.01, 0.6, 0.0, 300.0),
            "critical_current: thermal_stability must be a number above 0, not 0.0",
        ),
        (
            lambda: critical_current(0.01, 0.6, 60.0, 0.0),
            "critical_current: temperature must be a number of K above 0, not 0.0",
        ),
        (
            lambda: critical_current_from_field(-0.01, 0.6, 1e6, 0.3, 1e-24),
            "critical_current_from_field: damping must be a number above 0, not -0.01",
        ),
        (
            lambda: critical_current_from_field(0.01, 0.0, 1e6, 0.3, 1e-24),
            "critical_current_from_field: efficiency must be a number above 0 and at most 1, "
            "not 0.0",
        ),
        (
            lambda: critical_current_from_field(0.01, 0.6, 0.0, 0.3, 1e-24),
            "critical_current_from_field: magnetisation must be a number of A/m above 0, not 0.0",
        ),
        (
            lambda: critical_current_from_field(0.01, 0.6, 1e6, 0.0, 1e-24),
            "critical_current_from_field: anisotropy_field must be a number of T above 0, not 0.0",
        ),
        (
            lambda: critical_current_from_field(0.01, 0.6, 1e6, 0.3, 0.0),
            "critical_current_from_field: volume must be a number of m3 above 0, not 0.0",
        ),
        (
            lambda: switching_time(1.0, 40.0, 0.02, 0.3),
            "switching_time: current_ratio must be a number above 1, not 1.0",
        ),
        (
            lambda: switching_time(2.0, 0.5, 0.02, 0.3),
            "switching_time: thermal_stability must be a number at least 1, not 0.5",
        ),
        (
            lambda: switching_time(2.0, 40.0, 0.0, 0.3),
            "switching_time: damping must be a number above 0, not 0.0",
        ),
        (
            lambda: switching_time(2.0, 40.0, 0.02, -0.3),
            "switching_time: anisotropy_field must be a number of T above 0, not -0.3",
        ),
        (
            lambda: switching_time_from_current([5e-5, 2e-5], 2.5e-5, 40.0, 0.6, 1e6, 1e-24),
            "switching_time_from_current: current must be above the critical current, not 0.8 "
            "times it; take switching_probability below",
        ),
        (
            lambda: switching_time_from_current(0.0, 2.5e-5, 40.0, 0.6, 1e6, 1e-24),
            "switching_time_from_current: current must be a number of A above 0, not 0.0",
        ),
        (
            lambda: switching_time_from_current(5e-5, 0.0, 40.0, 0.6, 1e6, 1e-24),
            "switching_time_from_current: critical_current must be a number of A above 0, not 0.0",
        ),
        (
            lambda: switching_time_from_current(5e-5, 2.5e-5, 0.0, 0.6, 1e6, 1e-24),
            "switching_time_from_current: thermal_stability must be a number at least 1, not 0.0",
        ),
        (
            lambda: switching_time_from_current(5e-5, 2.5e-5, 40.0, 0.0, 1e6, 1e-24),
            "switching_time_from_current: efficiency must be a number above 0 and at most 1, "
            "not 0.0",
        ),
        (
            lambda: switching_time_from_current(5e-5, 2.5e-5, 40.0, 0.6, 0.0, 1e-24),
            "switching_time_from_current: magnetisation must be a number of A/m above 0, not 0.0",
        ),
        (
            lambda: switching_time_from_current(5e-5, 2.5e-5, 40.0, 0.6, 1e6, 0.0),
            "switching_time_from_current: volume must be a number of m3 above 0, not 0.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
