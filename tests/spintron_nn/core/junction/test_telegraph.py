"""Tests of spintron_nn.core.junction.telegraph."""

import re

import numpy as np
import pytest
from scipy.signal import welch

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    antiparallel_probability,
    averaged_variance,
    correlation_time,
    noise_density,
    sample_telegraph,
    telegraph_rates,
    update_p_bits,
)


def test_rates():
    # exp(-5 * 0.81) = 0.017422 and exp(-5 * 1.21) = 0.0023579, over 1 ns.
    up, down = telegraph_rates(5.0, 0.1)
    assert up == pytest.approx(1.7422e7, rel=1e-4)
    assert down == pytest.approx(2.3579e6, rel=1e-4)
    up, down = telegraph_rates(5.0, np.linspace(-0.9, 0.9, 19), 5e-10)
    np.testing.assert_allclose(up, down[::-1])
    assert up[9] == pytest.approx(2e9 * np.exp(-5))


def test_stationary_share_is_boltzmann():
    bias = np.linspace(-0.5, 0.5, 11)
    found = antiparallel_probability(*telegraph_rates(4.0, bias))
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-16 * bias)))


def test_noise_adds_up_to_the_variance():
    frequency = np.concatenate([[0.0], np.geomspace(1e2, 1e12, 200_001)])
    density = noise_density(frequency, 6e3, 3e6, 1e6)
    # 6 kOhm squared times 0.75 * 0.25.
    assert np.trapezoid(density, frequency) == pytest.approx(6.75e6, rel=1e-4)
    # The corner lies at 4e6 / (2 pi).
    corner = noise_density(4e6 / (2 * np.pi), 6e3, 3e6, 1e6)
    assert corner == pytest.approx(density[0] / 2)


def test_averaged_variance():
    # x = 1: 2 exp(-1); long reads: 2 tau / window; short ones: all of it.
    windows = np.array([0.0, 1e-12, 1e-6, 1e-2])
    found = averaged_variance(windows, 2.0, 5e5, 5e5)
    np.testing.assert_allclose(found, [1.0, 1.0, 2 * np.exp(-1), 2e-4], rtol=2e-4)
    seam = averaged_variance(np.array([0.99e-10, 1.01e-10]), 1.0, 5e5, 5e5)
    assert seam[0] == pytest.approx(seam[1], rel=1e-5)


@pytest.fixture(scope="module")
def records():
    """2,000 devices of each of three bias points, 512 samples of half a correlation time."""
    up = np.repeat([[1e6], [2e6], [3.6e6]], 2000, axis=1)
    down = 4e6 - up
    generator = np.random.default_rng(20)
    return up, down, sample_telegraph(up, down, interval=0.125e-6, samples=512, generator=generator)


def test_records_have_the_stationary_share(records):
    up, down, found = records
    assert found.shape == (3, 2000, 512) and found.dtype == np.bool_
    share = antiparallel_probability(up, down)[:, 0]
    # 512 samples of half a correlation time are about 125 independent ones: 250,000 in all, so
    # that five deviations are 0.005; the first samples alone are 2,000.
    np.testing.assert_allclose(found.mean(axis=(1, 2)), share, atol=0.005)
    np.testing.assert_allclose(found[..., 0].mean(axis=1), share, atol=5 * 0.5 / np.sqrt(2000))


def test_records_forget_exponentially(records):
    up, down, found = records
    centred = found - antiparallel_probability(up, down)[..., None]
    for lag in (1, 2, 4):
        product = (centred[..., :-lag] * centred[..., lag:]).mean(axis=(1, 2))
        share = product / (centred**2).mean(axis=(1, 2))
        tau = correlation_time(up, down)[:, 0]
        np.testing.assert_allclose(share, np.exp(-lag * 0.125e-6 / tau), atol=0.01)


def test_transitions_are_exact_for_any_interval():
    # From the two-state master equation: P(AP -> AP) = p + (1 - p) exp(-dt / tau), here over
    # three correlation times, p = 0.25: 0.25 + 0.75 * 0.049787.
    found = sample_telegraph(
        np.full(1000, 1e6), 3e6, interval=0.75e-6, samples=400, generator=np.random.default_rng(3)
    )
    stayed = found[:, 1:][found[:, :-1]].mean()
    # 100,000 transitions: five deviations.
    assert stayed == pytest.approx(0.287340, abs=5 * 0.45 / np.sqrt(1e5))
    left = found[:, 1:][~found[:, :-1]].mean()
    assert left == pytest.approx(0.25 * (1 - 0.049787), abs=5 * 0.43 / np.sqrt(3e5))


def test_records_have_the_spectrum():
    interval = 0.05e-6
    found = sample_telegraph(
        np.full(200, 1e6), 3e6, interval=interval, samples=8192, generator=np.random.default_rng(4)
    )
    frequency, density = welch(
        6e3 * found, 1 / interval, window="hann", nperseg=1024, detrend="constant", axis=-1
    )
    inside = (frequency > 60e3) & (frequency < 1.5e6)
    expected = noise_density(frequency[inside], 6e3, 1e6, 3e6)
    ratio = density.mean(axis=0)[inside] / expected
    # 3,000 segments: 2 % a point. Sampling folds the tail back: some 5 % at the upper end.
    assert ratio.mean() == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(ratio, 1.0, atol=0.15)


def test_averages_of_records():
    found = sample_telegraph(
        np.full(20_000, 1e6), 1e6, interval=0.01e-6, samples=100, generator=np.random.default_rng(5)
    )
    # The mean over 1 us, two correlation times: five deviations of the variance of 20,000.
    expected = averaged_variance(1e-6, 1.0, 1e6, 1e6)
    assert found.mean(axis=-1).var() == pytest.approx(expected, rel=0.05)


def test_p_bits():
    inputs = np.repeat([-1.0, 0.0, 0.5], 100_000).reshape(3, -1)
    found = update_p_bits(inputs, np.random.default_rng(6))
    assert set(np.unique(found)) == {-1, 1} and found.dtype == np.int8
    # tanh(-1), 0, tanh(0.5); five deviations of 100,000.
    np.testing.assert_allclose(found.mean(axis=1), [-0.761594, 0.0, 0.462117], atol=0.016)


def test_equal_generators_give_equal_records():
    known = {"interval": 0.3e-6, "samples": 12}
    pair = [
        sample_telegraph(1e6, 1e6, generator=np.random.default_rng(2026), **known) for _ in "ab"
    ]
    assert pair[0].shape == (12,)
    np.testing.assert_array_equal(*pair)


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: telegraph_rates(-1.0),
            "telegraph_rates: thermal_stability must be a number at least 0, not -1.0",
        ),
        (
            lambda: telegraph_rates(5.0, [0.0, 1.0]),
            "telegraph_rates: bias must be numbers above -1 and below 1, not 1.0",
        ),
        (
            lambda: telegraph_rates(5.0, 0.0, 0.0),
            "telegraph_rates: attempt_time must be a number of s above 0, not 0.0",
        ),
        (
            lambda: antiparallel_probability(0.0, 1.0),
            "antiparallel_probability: to_antiparallel must be a number of 1/s above 0, not 0.0",
        ),
        (
            lambda: antiparallel_probability(1.0, 0.0),
            "antiparallel_probability: to_parallel must be a number of 1/s above 0, not 0.0",
        ),
        (
            lambda: correlation_time(-1.0, 1.0),
            "correlation_time: to_antiparallel must be a number of 1/s above 0, not -1.0",
        ),
        (
            lambda: noise_density(-1.0, 1.0, 1.0, 1.0),
            "noise_density: frequency must be a number of Hz at least 0, not -1.0",
        ),
        (
            lambda: noise_density(1.0, float("nan"), 1.0, 1.0),
            "noise_density: step must be a finite number, not nan",
        ),
        (
            lambda: noise_density(1.0, 1.0, 1.0, 0.0),
            "noise_density: to_parallel must be a number of 1/s above 0, not 0.0",
        ),
        (
            lambda: averaged_variance(-1.0, 1.0, 1.0, 1.0),
            "averaged_variance: window must be a number of s at least 0, not -1.0",
        ),
        (
            lambda: averaged_variance(1.0, float("inf"), 1.0, 1.0),
            "averaged_variance: step must be a finite number, not inf",
        ),
        (
            lambda: averaged_variance(1.0, 1.0, 0.0, 1.0),
            "averaged_variance: to_antiparallel must be a number of 1/s above 0, not 0.0",
        ),
        (
            lambda: update_p_bits(float("nan"), RANDOM),
            "update_p_bits: inputs must be a finite number, not nan",
        ),
        (
            lambda: update_p_bits(0.0, 1),
            "update_p_bits: generator must be a numpy.random.Generator, not 1; "
            "numpy.random.default_rng(seed) makes one",
        ),
        (
            lambda: sample_telegraph(1.0, 1.0, interval=1.0, samples=1, generator=7),
            "sample_telegraph: generator must be a numpy.random.Generator, not 7; "
            "numpy.random.default_rng(seed) makes one",
        ),
        (
            lambda: sample_telegraph(0.0, 1.0, interval=1.0, samples=1, generator=RANDOM),
            "sample_telegraph: to_antiparallel must be a number of 1/s above 0, not 0.0",
        ),
        (
            lambda: sample_telegraph(1.0, 1.0, interval=0.0, samples=1, generator=RANDOM),
            "sample_telegraph: interval must be a number of s above 0, not 0.0",
        ),
        (
            lambda: sample_telegraph(1.0, 1.0, interval=1.0, samples=0, generator=RANDOM),
            "sample_telegraph: samples must be an integer in 1..16777216, not 0",
        ),
        (
            lambda: sample_telegraph(
                np.ones(1 << 10), 1.0, interval=1.0, samples=1 << 17, generator=RANDOM
            ),
            "sample_telegraph: samples must leave at most 2**26 values, not 134217728; sample "
            "fewer devices at a time",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
