"""Tests of spintron_nn.core.junction.write_error."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    pulse_for_error_rate,
    switching_probability,
    switching_time,
    write_error_rate,
)

LAYER = (40.0, 0.02, 0.3)  # Delta, damping, mu0 Hk


def test_against_the_equation_of_motion():
    # The formula's values and those of 3,000 shots of the stochastic equation, taken elsewhere:
    # its prefactor is up to 1.6 times too large, its slope right.
    pulses = np.array([1.5, 2.5, 3.5, 4.5]) * 1e-9
    found = write_error_rate(2.0, pulses, *LAYER)
    np.testing.assert_allclose(found, [0.880, 0.223, 0.030, 0.0037], rtol=0.02)
    simulated = np.array([0.768, 0.148, 0.0190, 0.0023])
    assert (found / simulated < 1.65).all() and (found > simulated).all()
    slope = np.log(simulated[2] / simulated[3]) / np.log(found[2] / found[3])
    assert slope == pytest.approx(1.0, abs=0.03)


def test_by_hand():
    # T = 0.02 * 1.760859e11 * 0.3 / 1.0004 * 10e-9 = 10.56093; exp(21.12186) = 1.48968e9; and
    # 98.69604 / (2 * 1.48968e9) = 3.3127e-8.
    assert write_error_rate(2.0, 10e-9, *LAYER) == pytest.approx(3.3127e-8, rel=1e-3)


def test_the_tail_keeps_its_digits():
    time = 0.02 * 1.760859e11 * 0.3 / 1.0004
    near, far = write_error_rate(2.0, [30e-9, 31e-9], *LAYER)
    assert far < 1e-25
    assert np.log(near / far) == pytest.approx(2 * time * 1e-9, rel=1e-5)
    assert write_error_rate(2.0, 1e-3, *LAYER) < 1e-290


def test_limits():
    np.testing.assert_allclose(write_error_rate([0.5, 1.0, 2.0], 0.0, *LAYER), 1.0)
    # The wrong polarity, however long; and a current that does not reach the critical one.
    np.testing.assert_allclose(write_error_rate([-2.0, -0.5, 0.0, 0.5], 100e-9, *LAYER), 1.0)
    assert (np.diff(write_error_rate(np.linspace(0.5, 4, 100), 5e-9, *LAYER)) <= 0).all()


def test_the_critical_current_is_no_gap():
    # The limit i -> 1 is 1 - exp(-(pi**2 / 4) Delta / (1 + 2 T)).
    time = 0.02 * 1.760859e11 * 0.3 / 1.0004 * 100e-9
    expected = 1 - np.exp(-98.69604 / (1 + 2 * time))
    found = write_error_rate([1 - 1e-9, 1.0, 1 + 1e-9], 100e-9, *LAYER)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_median_is_near_the_mean_time():
    # The distribution is skew; the median stays within a fifth of Sun's mean time.
    median = pulse_for_error_rate(0.5, 2.0, *LAYER)
    assert median == pytest.approx(switching_time(2.0, *LAYER), rel=0.2)


def test_pulse_is_the_inverse():
    rates = np.array([1e-15, 1e-6, 0.3])
    pulses = pulse_for_error_rate(rates, 1.7, *LAYER)
    np.testing.assert_allclose(write_error_rate(1.7, pulses, *LAYER), rates, rtol=1e-9)
    assert pulse_for_error_rate(1 - 1e-15, 1e3, 1.0, 0.02, 0.3) == 0.0


def test_switching_probability():
    # By heat: 10 exp(-60 * 0.25) = 3.0590e-6; by torque: one less the error rate.
    low, high = switching_probability([0.5, 2.0], 10e-9, 60.0, 0.02, 0.3)
    assert low == pytest.approx(3.059e-6, rel=1e-3)
    assert high == pytest.approx(1 - write_error_rate(2.0, 10e-9, 60.0, 0.02, 0.3), rel=1e-12)
    found = switching_probability(np.linspace(-3, 3, 61), 10e-9, 600.0, 0.02, 0.3)
    assert ((found >= 0) & (found <= 1)).all() and found[0] < 1e-280


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: write_error_rate(float("nan"), 1e-9, *LAYER),
            "write_error_rate: current_ratio must be a finite number, not nan",
        ),
        (
            lambda: write_error_rate(2.0, -1e-9, *LAYER),
            "write_error_rate: pulse must be a number of s at least 0, not -1e-09",
        ),
        (
            lambda: write_error_rate(2.0, 1e-9, 0.5, 0.02, 0.3),
            "write_error_rate: thermal_stability must be a number at least 1, not 0.5",
        ),
        (
            lambda: write_error_rate(2.0, 1e-9, 40.0, 0.0, 0.3),
            "write_error_rate: damping must be a number above 0, not 0.0",
        ),
        (
            lambda: write_error_rate(2.0, 1e-9, 40.0, 0.02, 0.0),
            "write_error_rate: anisotropy_field must be a number of T above 0, not 0.0",
        ),
        (
            lambda: pulse_for_error_rate(0.0, 2.0, *LAYER),
            "pulse_for_error_rate: error_rate must be a number above 0 and below 1, not 0.0",
        ),
        (
            lambda: pulse_for_error_rate(1e-6, 1.0, *LAYER),
            "pulse_for_error_rate: current_ratio must be a number above 1, not 1.0",
        ),
        (
            lambda: pulse_for_error_rate(1e-6, 2.0, 0.5, 0.02, 0.3),
            "pulse_for_error_rate: thermal_stability must be a number at least 1, not 0.5",
        ),
        (
            lambda: switching_probability(float("inf"), 1e-9, *LAYER),
            "switching_probability: current_ratio must be a finite number, not inf",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
