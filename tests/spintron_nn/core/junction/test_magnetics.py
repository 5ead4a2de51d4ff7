"""Tests of spintron_nn.core.junction.magnetics."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    activation_volume,
    anisotropy_field,
    cylinder_factor,
    effective_anisotropy,
    interface_anisotropy,
    saturation_magnetisation,
    thermal_stability,
)


def test_the_published_free_layer():
    # UT-Austin set, by hand: 1.0056e-3 / 1.1e-9 = 914,182; mu0 Ms**2 / 2 = 904,779 times 0.9682 is
    # 876,007; so 38,175 J/m3, 2 * 38,175 / 1.2e6 = 63.6 mT, over 4.14195e-21 J and 2.1598e-24 m3.
    energy = effective_anisotropy(1.0056e-3, 1.1e-9, 1.2e6, 0.9682)
    assert energy == pytest.approx(3.82e4, rel=0.002)
    assert anisotropy_field(energy, 1.2e6) == pytest.approx(63.7e-3, rel=0.002)
    volume = np.pi / 4 * 50e-9**2 * 1.1e-9
    assert thermal_stability(energy, volume, 300.0) == pytest.approx(19.94, rel=0.002)


def test_a_nucleus_instead_of_the_pillar():
    # Ikeda 2010, 40 nm and 1.3 nm: K_b 2.245e5, K_i 1.286e-3, Ms 1.257e6. One moment would have
    # 87; measured was 43. A nucleus of 28 nm explains it.
    factor = cylinder_factor(40e-9, 1.3e-9)
    energy = effective_anisotropy(1.286e-3, 1.3e-9, 1.257e6, 1.0, 2.245e5)
    film = thermal_stability(energy, activation_volume(40e-9, 1.3e-9, 1.0), 300.0)
    assert film == pytest.approx(87, rel=0.03)
    nucleus = thermal_stability(energy, activation_volume(40e-9, 1.3e-9, 28e-9), 300.0)
    assert nucleus == pytest.approx(43, rel=0.03)
    # The pillar's shape adds to it.
    assert effective_anisotropy(1.286e-3, 1.3e-9, 1.257e6, (3 * factor - 1) / 2, 2.245e5) > energy


def test_thick_layers_lie_in_the_plane():
    thickness = np.linspace(0.8e-9, 2e-9, 20)
    energy = effective_anisotropy(1.3e-3, thickness, 1.2e6)
    assert energy[0] > 0 > energy[-1] and (np.diff(energy) < 0).all()


def test_temperature():
    # (300 / 1120)**1.5 = 0.138631.
    assert saturation_magnetisation(1.2e6, 300.0) == pytest.approx(1.033643e6, rel=1e-5)
    warm = saturation_magnetisation(1.2e6, np.linspace(0, 1100, 30))
    assert warm[0] == 1.2e6 and (np.diff(warm) < 0).all() and warm[-1] > 0
    # 0.861369**2.2 = exp(2.2 * -0.149232).
    assert interface_anisotropy(1e-3, 0.861369) == pytest.approx(0.720152e-3, rel=1e-4)
    np.testing.assert_array_equal(interface_anisotropy(1e-3, [0.0, 1.0], 3.0), [0.0, 1e-3])


def test_formulas_broadcast():
    energy = effective_anisotropy(
        1.3e-3, np.array([[1.0e-9], [1.1e-9]]), np.array([1e6, 1.1e6, 1.2e6])
    )
    assert thermal_stability(energy, 1e-24, 300.0).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: saturation_magnetisation(0.0, 300.0),
            "saturation_magnetisation: at_zero must be a number of A/m above 0, not 0.0",
        ),
        (
            lambda: saturation_magnetisation(1e6, -1.0),
            "saturation_magnetisation: temperature must be a number of K at least 0, not -1.0",
        ),
        (
            lambda: saturation_magnetisation(1e6, 300.0, 0.0),
            "saturation_magnetisation: curie_temperature must be a number of K above 0, not 0.0",
        ),
        (
            lambda: saturation_magnetisation(1e6, [300.0, 1400.0]),
            "saturation_magnetisation: temperature must be below the Curie temperature, not 1.25 "
            "times it; the layer is no magnet there",
        ),
        (
            lambda: interface_anisotropy(float("nan"), 1.0),
            "interface_anisotropy: at_zero must be a finite number of J/m2, not nan",
        ),
        (
            lambda: interface_anisotropy(1e-3, 1.1),
            "interface_anisotropy: magnetisation_share must be a number in 0..1, not 1.1",
        ),
        (
            lambda: interface_anisotropy(1e-3, 1.0, 0.0),
            "interface_anisotropy: exponent must be a number above 0, not 0.0",
        ),
        (
            lambda: effective_anisotropy(float("inf"), 1e-9, 1e6),
            "effective_anisotropy: interface must be a finite number of J/m2, not inf",
        ),
        (
            lambda: effective_anisotropy(1e-3, 0.0, 1e6),
            "effective_anisotropy: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: effective_anisotropy(1e-3, 1e-9, 0.0),
            "effective_anisotropy: magnetisation must be a number of A/m above 0, not 0.0",
        ),
        (
            lambda: effective_anisotropy(1e-3, 1e-9, 1e6, float("nan")),
            "effective_anisotropy: factor_difference must be a finite number, not nan",
        ),
        (
            lambda: effective_anisotropy(1e-3, 1e-9, 1e6, 1.0, float("nan")),
            "effective_anisotropy: bulk must be a finite number of J/m3, not nan",
        ),
        (
            lambda: anisotropy_field(float("nan"), 1e6),
            "anisotropy_field: anisotropy must be a finite number of J/m3, not nan",
        ),
        (
            lambda: anisotropy_field(1e5, 0.0),
            "anisotropy_field: magnetisation must be a number of A/m above 0, not 0.0",
        ),
        (
            lambda: thermal_stability([1e5, -1e4], 1e-24, 300.0),
            "thermal_stability: anisotropy must be numbers of J/m3 above 0, not -10000.0",
        ),
        (
            lambda: thermal_stability(1e5, 0.0, 300.0),
            "thermal_stability: volume must be a number of m3 above 0, not 0.0",
        ),
        (
            lambda: thermal_stability(1e5, 1e-24, 0.0),
            "thermal_stability: temperature must be a number of K above 0, not 0.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
