"""Tests of spintron_nn.core.technology.fit: what was put into made tables comes out again."""

import re

import numpy as np
import pytest
from scipy.stats import norm

from spintron_ir import ParameterError
from spintron_nn.core.technology.fit import (
    fit_bias,
    fit_resistances,
    fit_switching,
    fit_thermal_switching,
)

NAMES = ("transport.resistance_low", "transport.tmr", "spread.resistance", "spread.tmr")


def devices(count, rng, correlation=0.0):
    first, second = rng.standard_normal((2, count))
    second = correlation * first + np.sqrt(1 - correlation**2) * second
    low = 5e3 * np.exp(0.1 * first)
    return low, low * (1 + 1.2 * np.exp(0.05 * second))


def test_resistances():
    low, high = devices(20000, np.random.default_rng(1), 0.6)
    found = {one.name: one for one in fit_resistances(low, high)}
    truth = dict(zip(NAMES, (5e3, 1.2, 0.1, 0.05))) | {"spread.resistance_tmr": 0.6}
    assert found.keys() == truth.keys()
    for name, value in truth.items():
        assert abs(found[name].value - value) < 4 * found[name].uncertainty
        assert found[name].uncertainty < 0.02 * max(abs(value), 0.5)


def test_the_uncertainty_is_one_standard_deviation():
    rng = np.random.default_rng(2)
    fits = [fit_resistances(*devices(300, rng, 0.6)) for _ in range(300)]
    for index in range(5):
        values = np.array([fit[index].value for fit in fits])
        stated = np.median([fit[index].uncertainty for fit in fits])
        assert values.std() == pytest.approx(stated, rel=0.25)


def test_broken_devices_do_not_count():
    low, high = devices(2000, np.random.default_rng(3))
    low[:40], high[:40] = 10.0, 11.0
    found = fit_resistances(low, high)
    assert found[2].value == pytest.approx(0.1, rel=0.1)


def test_bias_of_the_industrial_curve():
    # TMR(0) 1.235 and TMR(0.3 V) 0.990 by the maker; the Lorentzian is only near it.
    volt = np.linspace(-0.3, 0.3, 31)
    ratio = 1 / (0.1729 * volt**2 + 0.1315 * np.abs(volt) + 0.4475)
    tmr, half = fit_bias(volt, 11e3, 11e3 * ratio)
    assert tmr.value == pytest.approx(1.235, rel=0.06)
    assert half.value == pytest.approx(0.6, rel=0.1)
    assert tmr.note == "-0.3 to 0.3 V"


def test_the_uncertainty_of_a_bias_fit():
    rng, volt = np.random.default_rng(4), np.linspace(0, 0.6, 25)
    clean = 5e3 * (1 + 1.2 / (1 + (volt / 0.5) ** 2))
    fits = [fit_bias(volt, 5e3, clean + 30 * rng.standard_normal(volt.size)) for _ in range(200)]
    for index, truth in enumerate((1.2, 0.5)):
        values = np.array([fit[index].value for fit in fits])
        assert values.mean() == pytest.approx(truth, rel=0.01)
        stated = np.median([fit[index].uncertainty for fit in fits])
        assert values.std() == pytest.approx(stated, rel=0.25)


def test_switching_with_trials():
    rng, volt = np.random.default_rng(5), np.linspace(0.2, 0.4, 15)
    truth = norm.cdf(np.log(volt / 0.3) / 0.12)
    fits = [
        fit_switching(volt, rng.binomial(200, truth) / 200, np.full(15, 200)) for _ in range(200)
    ]
    for index, wanted in enumerate((0.3, 0.12)):
        values = np.array([fit[index].value for fit in fits])
        assert values.mean() == pytest.approx(wanted, rel=0.03)
        stated = np.median([fit[index].uncertainty for fit in fits])
        assert values.std() == pytest.approx(stated, rel=0.3)


def test_thermal_switching():
    volt, pulse = (axis.ravel() for axis in np.meshgrid([0.3, 0.35, 0.4, 0.45], [1e-7, 1e-5, 1e-3]))
    # By hand: Delta 40, V_c 0.6 V; at 0.4 V tau is 1 ns exp(40/3) = 0.617 ms.
    share = -np.expm1(-pulse / (1e-9 * np.exp(40 * (1 - volt / 0.6))))
    assert share[(volt == 0.4) & (pulse == 1e-3)] == pytest.approx(1 - np.exp(-1 / 0.617), rel=2e-3)
    barrier, critical = fit_thermal_switching(volt, pulse, share)
    assert barrier.value == pytest.approx(40, rel=1e-4)
    assert critical.value == pytest.approx(0.6, rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fit_resistances([1.0, 2.0], [2.0, 3.0]),
            "fit_resistances: resistance_p, resistance_ap must be equally long columns "
            "of at least 3 numbers, not (2,), (2,)",
        ),
        (
            lambda: fit_resistances([1.0, 2.0, 3.0], [2.0, 1.0, 4.0]),
            "fit_resistances: resistance_ap must be above resistance_p in every device, "
            "and 1 of 3 are not; leave shorted devices out, or exchange the columns",
        ),
        (
            lambda: fit_resistances([1.0, 0.0, 3.0], [2.0, 1.0, 4.0]),
            "fit_resistances: resistance_p must be numbers of ohm above 0, not 0.0",
        ),
        (
            lambda: fit_bias([0.1, 0.1, -0.1], 1e3, [2e3, 2e3, 2e3]),
            "fit_bias: the table must have several magnitudes of voltage, and "
            "resistance_ap above resistance_p at each; leave out the points beyond "
            "breakdown",
        ),
        (
            lambda: fit_bias([0.1, 0.2, 0.3], 1e3, [2e3, 2e3]),
            "fit_bias: voltage, resistance_p, resistance_ap must be equally long columns "
            "of at least 3 numbers, not (3,), (3,), (2,)",
        ),
        (
            lambda: fit_switching([0.1, 0.2, 0.3], [0.6, 0.8, 1.0]),
            "fit_switching: probability must lie on both sides of 0.5, not in 0.6..1; "
            "measure more voltages",
        ),
        (
            lambda: fit_switching([0.1, 0.2, 0.3], [0.0, 0.5, 1.5]),
            "fit_switching: probability must be numbers in 0..1, not 1.5",
        ),
        (
            lambda: fit_switching([0.1, 0.2, 0.3], [0, 0.5, 1], [1, 1]),
            "fit_switching: trials, probability must be equally long columns of at least "
            "1 numbers, not (2,), (3,)",
        ),
        (
            lambda: fit_thermal_switching([0.1, 0.2, 0.3, 0.4], [1e-8] * 4, [0, 0.2, 0.6, 1]),
            "fit_thermal_switching: the table must have two pulse lengths and two "
            "voltages at least; one pulse length alone gives no stability",
        ),
    ],
    ids=range(9),
)
def test_refusals(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
