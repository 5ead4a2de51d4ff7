"""Tests of spintron_nn.core.junction.demagnetisation."""

import re

import numpy as np
import pytest
from scipy.special import j1

from spintron_ir import ParameterError
from spintron_nn.core.junction import cylinder_factor, elliptic_factors


def factors_by_quadrature(length, width, thickness):
    """Self-energy of uniformly magnetised elliptic plates in Fourier space, by brute force."""
    reach = np.concatenate([np.linspace(1e-6, 60, 6001), np.geomspace(60, 1e5, 30_001)[1:]])
    angles = (np.arange(64) + 0.5) * np.pi / 2 / 64
    weight = j1(reach) ** 2 / reach
    wave = np.hypot(2 * np.cos(angles) / length, 2 * np.sin(angles) / width)
    product = reach[:, None] * wave * thickness
    share = -np.expm1(-product) / product
    plane = np.trapezoid(weight[:, None] * (1 - share), reach, axis=0)
    along = 2 * np.trapezoid(weight[:, None] * share, reach, axis=0).mean()
    x = 2 * ((2 * np.cos(angles) / length / wave) ** 2 * plane).mean()
    y = 2 * ((2 * np.sin(angles) / width / wave) ** 2 * plane).mean()
    return x, y, along


def test_published_values():
    # Chen, Brug and Goldfarb 1991, magnetometric, susceptibility 0; by length over diameter.
    ratios = np.array([0.01, 0.1, 1.0])
    np.testing.assert_allclose(cylinder_factor(1.0, ratios), [0.9650, 0.7967, 0.3116], atol=5e-5)


def test_limits():
    assert cylinder_factor(1.0, 1e-4) == pytest.approx(1.0, abs=1e-3)
    # A long rod: 4 / (3 pi q) - 1 / (8 q**2).
    assert cylinder_factor(1.0, 20.0) == pytest.approx(4 / (60 * np.pi) - 1 / 3200, rel=1e-3)
    assert (np.diff(cylinder_factor(1.0, np.geomspace(1e-4, 1e3, 300))) < 0).all()


@pytest.mark.parametrize("size", [(100.0, 50.0, 2.0), (50.0, 50.0, 1.1), (60.0, 30.0, 30.0)])
def test_against_quadrature(size):
    np.testing.assert_allclose(elliptic_factors(*size), factors_by_quadrature(*size), atol=3e-4)


def test_a_circle_is_an_ellipse():
    thickness = np.array([1e-9, 5e-9, 50e-9])
    x, y, z = elliptic_factors(50e-9, 50e-9, thickness)
    np.testing.assert_allclose(z, cylinder_factor(50e-9, thickness), rtol=1e-9)
    np.testing.assert_allclose(x, (1 - z) / 2, rtol=1e-9)
    np.testing.assert_allclose(y, x, rtol=1e-9)


def test_axes_may_be_swapped():
    x, y, z = elliptic_factors(100e-9, 50e-9, 2e-9)
    np.testing.assert_allclose(elliptic_factors(50e-9, 100e-9, 2e-9), (y, x, z), rtol=1e-12)
    assert x < y < z
    assert x + y + z == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cylinder_factor(0.0, 1.0),
            "cylinder_factor: diameter must be a number of m above 0, not 0.0",
        ),
        (
            lambda: cylinder_factor(1.0, 0.0),
            "cylinder_factor: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: elliptic_factors(0.0, 1.0, 1.0),
            "elliptic_factors: length must be a number of m above 0, not 0.0",
        ),
        (
            lambda: elliptic_factors(1.0, -1.0, 1.0),
            "elliptic_factors: width must be a number of m above 0, not -1.0",
        ),
        (
            lambda: elliptic_factors(1.0, 1.0, 0.0),
            "elliptic_factors: thickness must be a number of m above 0, not 0.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
