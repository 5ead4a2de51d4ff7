"""Voltage control of the anisotropy: what a field over the barrier does to the free layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..checks import Reals, check_reals
from ..constants import BOLTZMANN, GYRO

__all__ = [
    "anisotropy_at_voltage",
    "critical_voltage",
    "half_precession_pulse",
    "stability_at_voltage",
]


def anisotropy_at_voltage(
    interface: ArrayLike, voltage: ArrayLike, coefficient: ArrayLike, barrier_thickness: ArrayLike
) -> Reals:
    """Interface anisotropy under a voltage, ``K_i - xi V / t_ox``.

    Parameters
    ----------
    interface : array, J/m2
        Interface anisotropy without voltage.
    voltage : array, V
        Over the barrier; positive lowers the anisotropy.
    coefficient : array, J/(V m), at least 0
        ``xi``: 30 to 100 fJ/(V m) is usual, 290 the best known.
    barrier_thickness : array, m, above 0
        Thickness of the barrier.

    Returns
    -------
    array, J/m2

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Maruyama et al., Nature Nanotechnology 4, 158 (2009). Coefficients: UMN junction models.

    Examples
    --------
    >>> print(f"{anisotropy_at_voltage(1e-3, 1.0, 100e-15, 1e-9):.3g}")  # 1e-3 - 1e-4
    0.0009
    """
    owner = "anisotropy_at_voltage"
    surface = check_reals(owner, "interface", interface, "finite", "J/m2")
    return surface - _change(owner, voltage, coefficient, barrier_thickness)


def stability_at_voltage(
    thermal_stability: ArrayLike,
    voltage: ArrayLike,
    coefficient: ArrayLike,
    barrier_thickness: ArrayLike,
    area: ArrayLike,
    temperature: ArrayLike,
) -> Reals:
    """Stability under a voltage, ``Delta - xi V A / (t_ox kB T)``: a straight line.

    Parameters
    ----------
    thermal_stability : array, at least 0
        Barrier without voltage over thermal energy.
    voltage, coefficient, barrier_thickness : array
        As in :func:`anisotropy_at_voltage`.
    area : array, m2, above 0
        Area that reverses as one.
    temperature : array, K, above 0
        Temperature.

    Returns
    -------
    array
        Negative above the critical voltage: the easy axis lies in the plane.

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    :func:`anisotropy_at_voltage` times the area.

    Examples
    --------
    >>> area = np.pi / 4 * 50e-9**2
    >>> print(f"{stability_at_voltage(60.0, 1.0, 100e-15, 1e-9, area, 300.0):.2f}")  # 60 - 47.405
    12.59
    """
    owner = "stability_at_voltage"
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 0")
    change = _change(owner, voltage, coefficient, barrier_thickness)
    size = check_reals(owner, "area", area, "above 0", "m2")
    kelvin = check_reals(owner, "temperature", temperature, "above 0", "K")
    return barrier - change * size / (BOLTZMANN * kelvin)


def critical_voltage(
    anisotropy: ArrayLike,
    thickness: ArrayLike,
    coefficient: ArrayLike,
    barrier_thickness: ArrayLike,
) -> Reals:
    """Voltage at which the anisotropy vanishes, ``K_eff t t_ox / xi``.

    Parameters
    ----------
    anisotropy : array, J/m3, above 0
        Effective anisotropy without voltage.
    thickness : array, m, above 0
        Thickness of the free layer.
    coefficient : array, J/(V m), above 0
        ``xi``.
    barrier_thickness : array, m, above 0
        Thickness of the barrier.

    Returns
    -------
    array, V

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    :func:`anisotropy_at_voltage`, solved for ``K_eff = 0``.

    Examples
    --------
    >>> print(f"{critical_voltage(1e5, 1e-9, 100e-15, 1e-9):.3g}")
    1
    """
    owner = "critical_voltage"
    energy = check_reals(owner, "anisotropy", anisotropy, "above 0", "J/m3")
    energy = energy * check_reals(owner, "thickness", thickness, "above 0", "m")
    slope = check_reals(owner, "coefficient", coefficient, "above 0", "J/(V m)")
    return (
        energy * check_reals(owner, "barrier_thickness", barrier_thickness, "above 0", "m") / slope
    )


def half_precession_pulse(in_plane_field: ArrayLike) -> Reals:
    """Pulse that turns the moment by half a turn about an in-plane field, ``pi / (gamma B)``.

    At the critical voltage only that field acts, and half a turn is a toggle. Damping and a rest of
    anisotropy make the best pulse a little longer.

    Parameters
    ----------
    in_plane_field : array, T, above 0
        Field in the plane.

    Returns
    -------
    array, s

    Raises
    ------
    ParameterError
        If the field is not above 0.

    Source
    ------
    Shiota et al., Nature Materials 11, 39 (2012).

    Examples
    --------
    >>> print(f"{half_precession_pulse(0.03):.3g}")  # pi / (1.76086e11 * 0.03)
    5.95e-10
    """
    field = check_reals("half_precession_pulse", "in_plane_field", in_plane_field, "above 0", "T")
    return np.pi / (GYRO * field)


def _change(owner: str, voltage: ArrayLike, coefficient: ArrayLike, thickness: ArrayLike) -> Reals:
    """What the voltage takes from the interface anisotropy, J/m2."""
    bias = check_reals(owner, "voltage", voltage, "finite", "V")
    slope = check_reals(owner, "coefficient", coefficient, "at least 0", "J/(V m)")
    return slope * bias / check_reals(owner, "barrier_thickness", thickness, "above 0", "m")
