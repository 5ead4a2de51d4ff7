"""Tests of spintron_nn.core.junction.barrier."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import barrier_conductance, resistance_area

# 2 sqrt(2 m e) / hbar in 1/(nm V**0.5), by hand from m, e and hbar.
DECAY = 10.2463


def current_of_a_barrier(voltage, thickness, height, asymmetry):
    """Current in the approximation of Wentzel, Kramers and Brillouin, by quadrature, at 0 K.

    Side 1 has its Fermi level at 0 and side 2 at -V; nm and eV; in arbitrary units.
    """
    place = (np.arange(200) + 0.5) / 200
    barrier = height - asymmetry / 2 + (asymmetry - voltage) * place
    energy = np.linspace(-3.0, 0.6, 7201)
    root = np.sqrt(np.maximum(barrier - energy[:, None], 0)).mean(axis=1)
    passing = np.exp(-DECAY * thickness * root)
    # Electrons of side 1 less those of side 2, counted over the transverse momenta.
    supply = np.maximum(-energy, 0) - np.maximum(-voltage - energy, 0)
    return np.trapezoid(supply * passing, energy)


def conductance_of_a_barrier(voltage, *barrier):
    step = 0.01
    rise = current_of_a_barrier(voltage + step, *barrier)
    return (rise - current_of_a_barrier(voltage - step, *barrier)) / (2 * step)


def test_resistance_area_against_the_printed_form():
    # Brinkman, Dynes and Rowell: G/A = 3.16e10 sqrt(phi) / d exp(-1.025 d sqrt(phi)) S/cm2 with
    # phi in eV and d in angstrom; 1 / (S/cm2) is 1e-4 ohm m2.
    for angstrom, volt in ((10, 0.4), (15, 0.4), (10, 1.0), (20, 2.0)):
        printed = 3.16e10 * np.sqrt(volt) / angstrom * np.exp(-1.025 * angstrom * np.sqrt(volt))
        found = resistance_area(angstrom * 1e-10, volt)
        assert found == pytest.approx(1e-4 / printed, rel=0.02)


def test_slope_over_thickness():
    # d ln RA / d t = 1.025 sqrt(phi) + 1 / t, in 1/angstrom: 0.64827 + 1/15.
    low, high = np.log(resistance_area([14.99e-10, 15.01e-10], 0.4))
    assert (high - low) / 0.02 == pytest.approx(1.025 * np.sqrt(0.4) + 1 / 15, rel=1e-3)


def test_calibration_and_mass():
    assert resistance_area(1e-9, 0.4, 0.01) == pytest.approx(0.01 * resistance_area(1e-9, 0.4))
    # A quarter of the mass halves exponent and prefactor: as half the thickness, but for 1 / t.
    light = resistance_area(2e-9, 0.4, 1.0, 0.25)
    assert light == pytest.approx(4 * resistance_area(1e-9, 0.4))


def test_brinkman_by_hand():
    # A0 = 4 * 1e-9 * sqrt(2 m e) / (3 hbar) = 6.83089 V**-0.5; 9 A0**2 / (128 * 0.4) = 8.20214.
    assert barrier_conductance(0.1, 1e-9, 0.4) == pytest.approx(1.0820214, rel=1e-6)
    # 6.83089 * 0.2 / (16 * 0.4**1.5) = 0.337515 a volt.
    found = barrier_conductance(0.1, 1e-9, 0.4, 0.2)
    assert found == pytest.approx(1.0820214 - 0.0337515, rel=1e-6)


def test_a_symmetric_barrier_is_even():
    voltages = np.linspace(0, 0.35, 8)
    above = barrier_conductance(voltages, 1.2e-9, 0.4)
    np.testing.assert_array_equal(above, barrier_conductance(-voltages, 1.2e-9, 0.4))
    assert above[0] == 1.0 and (np.diff(above) > 0).all()
    assert barrier_conductance(0.0, 1.2e-9, 0.4, 0.1) == 1.0


@pytest.mark.parametrize(("thickness", "height"), [(1.5, 2.0), (2.0, 2.0), (2.0, 1.0)])
@pytest.mark.parametrize(("share", "tolerance"), [(0.02, 0.005), (0.1, 0.06), (0.2, 0.25)])
def test_brinkman_against_quadrature(thickness, height, share, tolerance):
    zero = conductance_of_a_barrier(0.0, thickness, height, 0.0)
    rise = conductance_of_a_barrier(share * height, thickness, height, 0.0) / zero - 1
    found = barrier_conductance(share * height, thickness * 1e-9, height) - 1
    assert found == pytest.approx(rise, rel=tolerance)


@pytest.mark.parametrize(("thickness", "tolerance"), [(1.5, 0.15), (2.0, 0.11), (4.0, 0.05)])
def test_asymmetry_against_quadrature(thickness, tolerance):
    barrier = (thickness, 2.0, 0.4)
    above, zero, below = (conductance_of_a_barrier(bias, *barrier) for bias in (0.02, 0.0, -0.02))
    found = barrier_conductance([0.02, -0.02], thickness * 1e-9, 2.0, 0.4)
    assert found[0] - found[1] == pytest.approx((above - below) / zero, rel=tolerance)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: resistance_area(0.0, 0.4),
            "resistance_area: thickness must be a number of m above 0, not 0.0",
        ),
        (
            lambda: resistance_area(1e-9, 0.0),
            "resistance_area: height must be a number of V above 0, not 0.0",
        ),
        (
            lambda: resistance_area(1e-9, 0.4, 0.0),
            "resistance_area: calibration must be a number above 0, not 0.0",
        ),
        (
            lambda: resistance_area(1e-9, 0.4, 1.0, 0.0),
            "resistance_area: effective_mass must be a number above 0, not 0.0",
        ),
        (
            lambda: barrier_conductance(float("nan"), 1e-9, 0.4),
            "barrier_conductance: voltage must be a finite number of V, not nan",
        ),
        (
            lambda: barrier_conductance(0.1, -1e-9, 0.4),
            "barrier_conductance: thickness must be a number of m above 0, not -1e-09",
        ),
        (
            lambda: barrier_conductance(0.1, 1e-9, -0.4),
            "barrier_conductance: height must be a number of V above 0, not -0.4",
        ),
        (
            lambda: barrier_conductance(0.1, 1e-9, 0.4, float("inf")),
            "barrier_conductance: asymmetry must be a finite number of V, not inf",
        ),
        (
            lambda: barrier_conductance(0.1, 1e-9, 0.4, 0.0, 0.0),
            "barrier_conductance: effective_mass must be a number above 0, not 0.0",
        ),
        (
            lambda: barrier_conductance([0.1, -0.5], 1e-9, 0.4),
            "barrier_conductance: voltage must be smaller than the height of the barrier, not "
            "1.25 times it; the expansion ends where field emission begins",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
