"""Tests of spintron_nn.core.domain_wall.step_model."""

import re

import numpy as np
import pytest
from scipy.stats import norm

from spintron_ir import ParameterError
from spintron_nn.core.domain_wall import StepLaw, StepModel

COLD = StepLaw(temperature=0, hop=6e-6, stay=0, extra_hops=0, jitter=1e-8)
WARM = StepLaw(temperature=300, hop=3e-6, stay=0.1, extra_hops=0.5, jitter=2e-7)
MODEL = StepModel(60e-6, 160e-6, (COLD, WARM))
ONE = StepModel(60e-6, 160e-6, (WARM,))


def test_moments_by_hand():
    # 0.9 of the pulses make 1 + Poisson(0.5) hops: mean 1.35, second moment 0.9 (2.25 + 0.5).
    assert WARM.mean == pytest.approx(3e-6 * 1.35)
    assert WARM.deviation == pytest.approx(np.sqrt(9e-12 * (2.475 - 1.35**2) + 4e-14))


def test_quantiles_of_a_normal_step():
    share = np.array([0.01, 0.16, 0.5, 0.84, 0.99])
    found = MODEL.quantile(share, 1e-4, 0, "increasing")
    np.testing.assert_allclose(found, 6e-6 + 1e-8 * norm.ppf(share), rtol=1e-5)
    down = MODEL.quantile(share, 1e-4, 0, "decreasing")
    np.testing.assert_allclose(down, -6e-6 + 1e-8 * norm.ppf(share), rtol=1e-5)


def test_quantiles_of_hops():
    # 0.1 stays; 0.9 exp(-0.5) = 0.5459 one hop, 0.2729 two, 0.0682 three: the middles of these.
    share = np.array([0.05, 0.1 + 0.5459 / 2, 0.6459 + 0.2729 / 2, 0.9188 + 0.0682 / 2])
    found = ONE.quantile(share, 1e-4, 300, "increasing")
    np.testing.assert_allclose(found, [0, 3e-6, 6e-6, 9e-6], atol=1e-9)


def test_samples_follow_an_independent_draw():
    # The same law drawn as it is told, not through its quantiles.
    rng = np.random.default_rng(3)
    hops = (rng.random(200_000) >= 0.1) * (1 + rng.poisson(0.5, 200_000))
    expected = 3e-6 * hops + 2e-7 * rng.standard_normal(200_000)
    found = ONE.sample(np.full(200_000, 1e-4), 1, rng, temperature=300) - 1e-4
    levels = [0.05, 0.16, 0.5, 0.84, 0.95]
    np.testing.assert_allclose(np.quantile(found, levels), np.quantile(expected, levels), atol=3e-8)
    assert found.mean() == pytest.approx(WARM.mean, abs=5 * WARM.deviation / np.sqrt(2e5))


def test_many_pulses_add_up_and_stop_at_the_ends():
    rng = np.random.default_rng(4)
    found = ONE.sample(np.full(50_000, 70e-6), 9, rng, temperature=300) - 70e-6
    assert found.mean() == pytest.approx(9 * WARM.mean, rel=5e-3)
    assert found.std() == pytest.approx(3 * WARM.deviation, rel=2e-2)
    ends = ONE.sample([80e-6, 80e-6, 80e-6], [100, -100, 0], rng, temperature=300)
    assert ends[1:].tolist() == [60e-6, 80e-6]
    assert ends[0] > 150e-6


def test_the_square_root_of_the_temperature():
    # sqrt(75 / 300) = 1/2: midway between the laws.
    share = np.array([0.1, 0.5, 0.9])
    halfway = MODEL.quantile(share, 1e-4, 75, "increasing")
    ends = [MODEL.quantile(share, 1e-4, kelvin, "increasing") for kelvin in (0, 300)]
    np.testing.assert_allclose(halfway, (ends[0] + ends[1]) / 2)


def test_ends_push_inwards():
    law = StepLaw(300, 3e-6, 0, 0, 1e-9, low_push=1e-6, high_push=2e-6, end_reach=4e-6)
    model = StepModel(60e-6, 160e-6, (law,))
    place = np.array([60e-6, 156e-6, 160e-6])
    up = model.quantile(0.5, place, 300, "increasing")
    down = model.quantile(0.5, place, 300, "decreasing")
    e = np.exp(-1)
    np.testing.assert_allclose(up, [4e-6, 3e-6 - 2e-6 * e, 1e-6], rtol=1e-4)
    np.testing.assert_allclose(down, [-2e-6, -3e-6 - 2e-6 * e, -5e-6], rtol=1e-4)


def test_levels():
    np.testing.assert_allclose(
        MODEL.level_conductances(5), np.array([60, 85, 110, 135, 160]) * 1e-6
    )


def test_plain_numbers():
    values = MODEL.as_dict()
    assert values["hop"] == [6e-6, 3e-6]
    assert StepModel.from_dict(values) == MODEL


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ONE.quantile(0.5, 1e-4, 400, "increasing"),
            "StepModel: temperature must be in what was measured, 300 K, not 400 K; fit a table "
            "of another temperature as well",
        ),
        (
            lambda: MODEL.sample(1e-4, 1, np.random.default_rng(0), temperature=301),
            "StepModel: temperature must be in what was measured, 0..300 K, not 301 K; fit a "
            "table of another temperature as well",
        ),
        (
            lambda: MODEL.sample(1e-4, 0.5, np.random.default_rng(0), temperature=300),
            "StepModel.sample: pulses must be integers, not float64; negative ones decrease the "
            "conductance",
        ),
        (
            lambda: StepModel(2e-6, 1e-6, (WARM,)),
            "StepModel: high_conductance must be above low_conductance, not 1e-06 and 2e-06 S",
        ),
        (
            lambda: StepModel(1e-6, 2e-6, ()),
            "StepModel: laws must be a tuple of at least one StepLaw, not ()",
        ),
        (
            lambda: StepModel(1e-6, 2e-6, (WARM, COLD)),
            "StepModel: the temperatures of laws must rise, not [300.0, 0.0]; sort the laws",
        ),
        (
            lambda: StepLaw(300, 1e-6, 0, 7, 1e-7),
            "StepLaw: extra_hops must be at most 6, not 7; a step of so many hops is a "
            "continuous one: give a larger hop",
        ),
        (
            lambda: StepLaw(300, 1e-6, 1.0, 0, 1e-7),
            "StepLaw: stay must be below 1, or no pulse ever moves the wall",
        ),
        (
            lambda: StepModel.from_dict({"hop": [1]}),
            "StepModel.from_dict: the names must be low_conductance, high_conductance, "
            "temperature, hop, stay, extra_hops, jitter, low_push, high_push, end_reach, not "
            "['hop']",
        ),
        (
            lambda: StepModel.from_dict(MODEL.as_dict() | {"hop": [1e-6]}),
            "StepModel.from_dict: temperature, hop, stay, extra_hops, jitter, low_push, "
            "high_push, end_reach must be lists of one length, one number a temperature",
        ),
        (
            lambda: StepModel.from_dict(ONE.as_dict() | {"hop": ["much"]}),
            "StepLaw: hop must be a number of S above 0, not 'much'",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
