"""Tests of spintron_nn.training.devices.conditions."""

import math

import numpy as np
import pytest
from scipy.stats import kstest

from spintron_ir import ParameterError
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import Ageing
from spintron_nn.training.devices import Conditions

CONFIG = MTJConfig(ageing={"time": 5.0, "temperature": 40.0, "drift": 0.01})


def test_without_ranges_the_technology_stays_as_it_is():
    assert Conditions().points(CONFIG) == (CONFIG.ageing,)


def test_a_range_without_width_is_one_condition():
    (only,) = Conditions(temperature=(85, 85), time=(100, 100)).points(CONFIG)
    assert only.temperature == 85 and only.time == pytest.approx(100) and only.drift == 0.01


def test_first_condition_by_hand():
    # The plastic number p: 0.5 + 1/p = 1.25488, 0.5 + 1/p**2 = 1.06984.
    first = Conditions(temperature=(0, 100), time=(1, 1e10)).points(CONFIG)[0]
    assert first.temperature == pytest.approx(25.488, abs=1e-3)
    assert math.log10(first.time) == pytest.approx(0.6984, abs=1e-4)


def test_conditions_fill_both_ranges_evenly():
    points = Conditions(temperature=(-40, 125), time=(1e-3, 1e8)).points(CONFIG)
    warm = np.array([point.temperature for point in points])
    decades = np.log10([point.time for point in points])
    assert len(points) == len(set(warm)) == len(set(decades)) == 64
    # Far more even than random numbers, whose largest distance would be about 0.1.
    assert kstest(warm, "uniform", (-40, 165)).statistic < 0.05
    assert kstest(decades, "uniform", (-3, 11)).statistic < 0.05
    assert abs(np.corrcoef(warm, decades)[0, 1]) < 0.1
    places = np.floor((warm + 40) / 165 * 4) * 4 + np.floor((decades + 3) / 11 * 4)
    assert np.bincount(places.astype(int), minlength=16).min() >= 3


def test_one_range_alone_leaves_the_other_quantity():
    assert {point.time for point in Conditions(temperature=(0, 85)).points(CONFIG)} == {5.0}
    assert {point.temperature for point in Conditions(time=(1, 2)).points(CONFIG)} == {40.0}


@pytest.mark.parametrize(
    ("name", "unit", "given"),
    [
        ("temperature", "Celsius", (85, 0)),
        ("temperature", "Celsius", 85),
        ("temperature", "Celsius", (0, 20, 85)),
        ("time", "s", (1, math.inf)),
        ("time", "s", ("a", "b")),
    ],
)
def test_refuses_what_is_no_range(name, unit, given):
    message = f"Conditions: {name} must be a lowest and a highest value in {unit}, not {given!r}"
    with pytest.raises(ParameterError) as caught:
        Conditions(**{name: given})
    assert str(caught.value) == message


def test_refuses_a_time_without_logarithm():
    message = (
        r"^Conditions: time must begin above 0 s, not at 0; its logarithm is drawn, so begin at "
        r"1 s, say$"
    )
    with pytest.raises(ParameterError, match=message):
        Conditions(time=(0, 10))


def test_refuses_where_the_technology_has_no_device():
    with pytest.raises(
        ParameterError,
        match=r"^Ageing: temperature must be above -273.15 Celsius, not -300$",
    ):
        Conditions(temperature=(-300, 25)).points(MTJConfig())
    technology = MTJConfig(ageing=Ageing(drift=-0.1))
    with pytest.raises(
        ParameterError,
        match=r"^Ageing: drift must leave some conductance, a factor above 0, not -0\.1 after "
        r"1e\+11 s; give a drift nearer to 0$",
    ):
        Conditions(time=(1, 1e11)).points(technology)
