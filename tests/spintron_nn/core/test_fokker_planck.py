"""Fokker-Planck, against equilibria, Brown's eigenvalue and Butler's tail."""

import re
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import linalg
from scipy.special import eval_legendre, roots_legendre

from spintron_ir import ParameterError
from spintron_nn.core.fokker_planck import FokkerPlanck

NUMBERS = {"thermal_stability": 60.0, "anisotropy_field": 0.3, "damping": 0.02}


def model(**changed):
    return FokkerPlanck(**NUMBERS | changed)


def test_time_unit():
    # 1.0004 / (0.02 * 1.760860e11 * 0.3) = 0.94688 ns.
    assert model().time_unit == pytest.approx(0.94688e-9, rel=1e-4)


@pytest.mark.parametrize(
    "changed",
    [
        {"thermal_stability": 5.0},
        {"thermal_stability": 5.0, "field_ratio": 0.2, "current_ratio": -0.4},
        {"thermal_stability": 5.0, "current_ratio": 0.5, "torque_asymmetry": 0.36},
    ],
    ids=str,
)
def test_equilibrium(changed):
    fokker_planck = model(**changed)
    x, widths = fokker_planck.positions, np.diff(fokker_planck.faces)
    bend = changed.get("torque_asymmetry", 0.0)
    i, h = changed.get("current_ratio", 0.0), changed.get("field_ratio", 0.0)
    torque = np.log(1 + bend * x) / bend if bend else x
    expected = np.exp(5 * (x**2 + 2 * h * x + 2 * i * torque)) * widths
    expected /= expected.sum()
    assert np.allclose(fokker_planck.equilibrium(), expected, rtol=1e-12)
    # It stays, and everything else ends there.
    later = fokker_planck.evolve(expected, 1e-9)
    assert np.allclose(later, expected, rtol=1e-9)
    later = fokker_planck.evolve(fokker_planck.well(up=True), 1e-6)
    assert np.allclose(later, expected, rtol=1e-8)


def test_well():
    # <1 - x> of one well is 1 / (2 Delta), times 1 + 1 / Delta in the next order.
    fokker_planck = model()
    up, down = fokker_planck.well(up=True), fokker_planck.well()
    assert ((1 - fokker_planck.positions) * up).sum() == pytest.approx(1.0167 / 120, rel=5e-3)
    assert np.allclose(up[::-1], down, rtol=1e-12) and down[96:].sum() == 0


def legendre_eigenvalue(thermal_stability, functions=60):
    """The lowest one above 0 in a basis of polynomials, per T, by the Rayleigh quotient."""
    nodes, weights = roots_legendre(400)
    weights = weights * np.exp(thermal_stability * (nodes**2 - 1))
    values = np.array([eval_legendre(n, nodes) for n in range(functions)])
    slopes = np.array(
        [np.polynomial.legendre.Legendre.basis(n).deriv()(nodes) for n in range(functions)]
    )
    stiffness = (slopes * weights * (1 - nodes**2)) @ slopes.T / (2 * thermal_stability)
    mass = (values * weights) @ values.T
    return linalg.eigh(stiffness, mass, eigvals_only=True, subset_by_index=[1, 1])[0]


@pytest.mark.parametrize("thermal_stability", [0.1, 2.0, 6.0])
def test_relaxation_rate_of_low_barriers(thermal_stability):
    fokker_planck = model(thermal_stability=thermal_stability, cells=512)
    found = fokker_planck.relaxation_rate() * fokker_planck.time_unit
    assert found == pytest.approx(legendre_eigenvalue(thermal_stability), rel=1e-3)


@pytest.mark.parametrize("thermal_stability", [20.0, 60.0, 100.0])
def test_relaxation_rate_is_twice_browns(thermal_stability):
    # Gamma = (a g B_k / (1 + a**2)) sqrt(Delta / pi) exp(-Delta) (1 - 1 / Delta).
    fokker_planck = model(thermal_stability=thermal_stability, cells=1024)
    gamma = np.sqrt(thermal_stability / np.pi) * np.exp(-thermal_stability)
    gamma *= 1 - 1 / thermal_stability
    found = fokker_planck.relaxation_rate() * fokker_planck.time_unit
    assert found / (2 * gamma) == pytest.approx(1, abs=1.5 / thermal_stability**2 + 2e-3)


@pytest.mark.parametrize(
    ("thermal_stability", "current_ratio", "within"),
    [(60.0, 1.5, 0.05), (60.0, 2.0, 0.02), (60.0, 3.0, 0.02), (300.0, 2.0, 0.005)],
)
def test_tail_falls_as_butlers(thermal_stability, current_ratio, within):
    # By 2 (i - 1) per T where Delta (i - 1) is large.
    fokker_planck = model(
        thermal_stability=thermal_stability, current_ratio=current_ratio, cells=256
    )
    late = np.array([14.0, 15.0]) / (current_ratio - 1)
    left = fokker_planck.remaining(late * fokker_planck.time_unit)
    assert 1e-14 < left[1] < 1e-10
    slope = np.log(left[1] / left[0]) / (late[1] - late[0])
    assert slope == pytest.approx(-2 * (current_ratio - 1), rel=within)


def test_refinement_of_a_tail():
    # Second order: every doubling leaves a quarter of the error, at 1e-12.
    time = 15.5 * model().time_unit
    tails = [model(current_ratio=2.0, cells=cells).remaining(time) for cells in (64, 128, 256, 512)]
    assert tails[-1] == pytest.approx(1.3e-12, rel=0.05)
    steps = np.diff(tails)
    assert np.allclose(steps[:-1] / steps[1:], 4, rtol=0.1)
    default = model(current_ratio=2.0).remaining(time)
    assert default == pytest.approx(tails[-1] + steps[-1] / 3, rel=5e-3)


def walked(fokker_planck, time):
    """The same walk between cells, summed in decimal arithmetic of 40 digits."""
    with localcontext() as context:
        context.prec = 40
        up, down = ([Decimal(float(rate)) for rate in rates] for rates in fokker_planck._rates())
        rise, fall = [*up, Decimal(0)], [Decimal(0), *down]
        fastest = max(map(sum, zip(rise, fall)))
        term = total = [Decimal(float(mass)) for mass in fokker_planck.well()]
        for order in range(1, 2000):
            step = Decimal(time) / order
            moved = [
                step * (fastest - one - other) * mass for one, other, mass in zip(rise, fall, term)
            ]
            for cell in range(len(up)):
                moved[cell + 1] += step * up[cell] * term[cell]
                moved[cell] += step * down[cell] * term[cell + 1]
            term, total = moved, [one + other for one, other in zip(total, moved)]
        return [float(mass * (-fastest * Decimal(time)).exp()) for mass in total]


def test_every_digit_of_a_tail():
    fokker_planck = model(current_ratio=2.0, cells=16)
    exact = walked(fokker_planck, 17.3)
    found = fokker_planck.evolve(fokker_planck.well(), 17.3 * fokker_planck.time_unit)
    assert min(exact) < 1e-14 and max(exact) > 0.1
    assert np.allclose(found, exact, rtol=1e-11, atol=0)


def test_read_disturb():
    # A weak current: the share that has crossed grows by the rate of leaving the well over the
    # lowered ridge. At Ic0 / 4 the rate is the whole relaxation rate, as nothing comes back.
    fokker_planck = model(thermal_stability=60.0, current_ratio=0.25)
    times = np.array([1e-7, 2e-7])
    crossed = fokker_planck.crossed(times)
    rate = np.diff(crossed)[0] / np.diff(times)[0]
    assert 1e-15 < crossed[0] < 1e-10
    assert rate == pytest.approx(fokker_planck.relaxation_rate(), rel=1e-4)
    # Kramers: exp(-Delta (1 - i)**2) (1 - i) (1 - i**2) sqrt(Delta / pi) per T, for a high ridge.
    kramers = (
        np.exp(-60 * 0.75**2) * 0.75 * (1 - 0.25**2) * np.sqrt(60 / np.pi) / fokker_planck.time_unit
    )
    assert rate == pytest.approx(kramers, rel=0.06)


def test_retention_over_ten_years():
    # Both wells fill as (1 - exp(-rate * t)) / 2; Delta 40 at 1 s, 1 year and 10 years.
    fokker_planck = model(thermal_stability=40.0)
    times = np.array([1.0, 3.156e7, 3.156e8])
    expected = -np.expm1(-fokker_planck.relaxation_rate() * times) / 2
    assert expected[0] < 1e-6 and 0.4 < expected[2] < 0.5
    assert np.allclose(fokker_planck.crossed(times), expected, rtol=1e-6)
    assert np.allclose(fokker_planck.remaining(times), 1 - expected, rtol=1e-6)


def test_probability_is_kept_and_positive():
    fokker_planck = model(current_ratio=2.0)
    masses = fokker_planck.evolve(fokker_planck.well(), np.linspace(0, 2e-8, 7))
    assert masses.shape == (7, 192) and masses.min() >= 0
    assert np.allclose(masses.sum(-1), 1, rtol=1e-10)
    both = fokker_planck.remaining(5e-9) + fokker_planck.crossed(5e-9)
    assert both == pytest.approx(1, rel=1e-10)
    assert model(current_ratio=-2.0).remaining(5e-9) == pytest.approx(1)
    mirrored = model(current_ratio=-2.0).remaining(5e-9, up=True)
    assert mirrored == pytest.approx(fokker_planck.remaining(5e-9), rel=1e-9)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"thermal_stability": 0}, "thermal_stability must be a number above 0, not 0"),
        ({"anisotropy_field": -1}, "anisotropy_field must be a number of T above 0, not -1"),
        ({"damping": 0}, "damping must be a number above 0 and at most 1, not 0"),
        ({"current_ratio": "2"}, "current_ratio must be a finite number, not '2'"),
        (
            {"torque_asymmetry": 1.0},
            "torque_asymmetry must be between -1 and 1, not 1.0; the efficiency would have a pole",
        ),
        ({"cells": 8}, "cells must be an integer in 16..2048, not 8"),
        ({"cells": 99}, "cells must be even, not 99; a face lies on the ridge"),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^FokkerPlanck: {re.escape(message)}$"):
        model(**changed)


def test_refuses_to_evolve():
    owner = "^FokkerPlanck.evolve: "
    with pytest.raises(ParameterError, match=owner + r"masses must have the shape \(192,\), one "):
        model().evolve(np.ones(3), 1e-9)
    message = "time must be a number of s at least 0, not -1.0$"
    with pytest.raises(ParameterError, match=owner + message):
        model().evolve(model().well(), -1.0)
    message = (
        "FokkerPlanck.relaxation_rate: the logarithm of the equilibrium density must span at most "
        "700, not 960; take a smaller thermal_stability or current_ratio"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        model(current_ratio=4.0).relaxation_rate()
