"""Tests of spintron_nn.core.domain_wall.programming."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.domain_wall import StepLaw, StepModel, write_conductance, write_error

# Every pulse is 5 uS: the walk can be told in advance.
EXACT = StepModel(50e-6, 150e-6, (StepLaw(300, 5e-6, 0, 0, 1e-12),))
NOISY = StepModel(60e-6, 160e-6, (StepLaw(300, 3.3e-6, 0.01, 0.36, 1.1e-6),))


def rng():
    return np.random.default_rng(5)


def test_pulses_of_exact_steps():
    start, target = np.array([52e-6, 100e-6, 148e-6]), np.array([98e-6, 100e-6, 98e-6])
    result = write_conductance(EXACT, start, target, rng(), temperature=300, tolerance=2.6e-6)
    # 52 to 97 in nine steps, nothing, and 148 to 98 in ten.
    assert result.pulses.tolist() == [9, 0, 10]
    np.testing.assert_allclose(result.error, [-1e-6, 0, 0], atol=1e-10)
    assert result.within.all()


def test_pulses_run_out():
    result = write_conductance(
        EXACT, 52e-6, [98e-6], rng(), temperature=300, tolerance=1e-6, most_pulses=4
    )
    assert result.pulses.tolist() == [4]
    assert not result.within.any()
    np.testing.assert_allclose(result.conductance, [72e-6])


def test_verified_writes_are_within_the_tolerance():
    start = rng().uniform(60e-6, 160e-6, 5000)
    result = write_conductance(NOISY, start, 110e-6, rng(), temperature=300, tolerance=1e-6)
    assert result.within.mean() > 0.999
    assert np.abs(result.error[result.within]).max() <= 1e-6
    # Noise of the reads cannot be seen by the write and adds to the error.
    noisy = write_conductance(
        NOISY, start, 110e-6, rng(), temperature=300, tolerance=1e-6, read_noise=2e-6
    )
    assert noisy.error.std() > 1.5 * result.error.std()


def test_error_over_the_distance_of_levels():
    # The place in which whole steps leave a device is uniform within a step's width: a variance of
    # 1/12 of its square. At both outer levels the half that would overshoot is stopped by the end
    # with no error: three quarters of the variance on average. Four levels are 33.3 uS apart.
    found = write_error(EXACT, 4, rng(), temperature=300, tolerance=2.5 / 33.333, devices=4000)
    assert found == pytest.approx(5 / 33.333 * np.sqrt(0.75 / 12), rel=0.03)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: write_conductance(EXACT, 1e-4, 2e-4, rng(), temperature=300, tolerance=1e-6),
            "write_conductance: target must be on the track, 5e-05..0.00015 S, not "
            "0.0002..0.0002 S",
        ),
        (
            lambda: write_conductance(EXACT, 1e-4, 1e-4, rng(), temperature=300, tolerance=0),
            "write_conductance: tolerance must be a number of S above 0, not 0",
        ),
        (
            lambda: write_error(EXACT, 1, rng(), temperature=300),
            "StepModel.level_conductances: levels must be an integer in 2..64, not 1",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
