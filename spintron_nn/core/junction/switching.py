"""Spin-transfer switching: critical current and mean switching time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import Reals, check_reals
from ..constants import BOHR_MAGNETON, BOLTZMANN, CHARGE, GYRO, HBAR

__all__ = [
    "critical_current",
    "critical_current_from_field",
    "spin_torque_efficiency",
    "switching_time",
    "switching_time_from_current",
]


def spin_torque_efficiency(polarisation: ArrayLike, angle: ArrayLike = 0.0) -> Reals:
    """Spin angular momentum a tunnelling electron leaves, ``P / (1 + P**2 cos angle)``.

    Parameters
    ----------
    polarisation : array, at least 0 and below 1
        Polarisation of the electrodes.
    angle : array, rad
        Angle between the layers.

    Returns
    -------
    array
        Over half a quantum of angular momentum.

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Slonczewski, Phys. Rev. B 71, 024411 (2005).

    Examples
    --------
    >>> print(f"{spin_torque_efficiency(0.6):.4f}")  # 0.6 / 1.36
    0.4412
    """
    owner = "spin_torque_efficiency"
    share = check_reals(owner, "polarisation", polarisation, "at least 0 and below 1")
    return share / (1 + share**2 * np.cos(check_reals(owner, "angle", angle, "finite", "rad")))


def critical_current(
    damping: ArrayLike, efficiency: ArrayLike, thermal_stability: ArrayLike, temperature: ArrayLike
) -> Reals:
    """Current at which the damping is cancelled, ``4 e a kB T Delta / (hbar eta)``.

    For a perpendicular easy axis and one moment. :py:`thermal_stability` is that of the whole
    volume: where a nucleus starts the reversal, the measured one is too small.

    Parameters
    ----------
    damping : array, above 0
        Gilbert damping.
    efficiency : array, above 0 and at most 1
        Spin-torque efficiency.
    thermal_stability : array, above 0
        Barrier over thermal energy.
    temperature : array, K, above 0
        Temperature at which the stability holds.

    Returns
    -------
    array, A

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Sun, Phys. Rev. B 62, 570 (2000).

    Examples
    --------
    >>> print(f"{critical_current(0.01, 0.6, 60.0, 300.0):.4g}")
    2.517e-05
    """
    owner = "critical_current"
    loss = check_reals(owner, "damping", damping, "above 0")
    share = check_reals(owner, "efficiency", efficiency, "above 0 and at most 1")
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "above 0")
    thermal = BOLTZMANN * check_reals(owner, "temperature", temperature, "above 0", "K")
    return 4 * CHARGE * loss * thermal * barrier / (HBAR * share)


def critical_current_from_field(
    damping: ArrayLike,
    efficiency: ArrayLike,
    magnetisation: ArrayLike,
    anisotropy_field: ArrayLike,
    volume: ArrayLike,
) -> Reals:
    """The same current from the layer, ``2 e a Ms Bk V / (hbar eta)``.

    Parameters
    ----------
    damping : array, above 0
        Gilbert damping.
    efficiency : array, above 0 and at most 1
        Spin-torque efficiency.
    magnetisation : array, A/m, above 0
        Saturation magnetisation.
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.
    volume : array, m3, above 0
        Of the whole free layer.

    Returns
    -------
    array, A

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Sun, Phys. Rev. B 62, 570 (2000).

    Examples
    --------
    >>> print(f"{critical_current_from_field(0.01, 0.6, 1e6, 0.3, 1.65678e-24):.4g}")
    2.517e-05
    """
    owner = "critical_current_from_field"
    loss = check_reals(owner, "damping", damping, "above 0")
    share = check_reals(owner, "efficiency", efficiency, "above 0 and at most 1")
    moment = check_reals(owner, "magnetisation", magnetisation, "above 0", "A/m")
    easy = check_reals(owner, "anisotropy_field", anisotropy_field, "above 0", "T")
    size = check_reals(owner, "volume", volume, "above 0", "m3")
    return 2 * CHARGE * loss * moment * easy * size / (HBAR * share)


def switching_time(
    current_ratio: ArrayLike,
    thermal_stability: ArrayLike,
    damping: ArrayLike,
    anisotropy_field: ArrayLike,
) -> Reals:
    """Mean switching time above the critical current, from a thermal initial angle.

    ``tau = (C + ln(pi**2 Delta / 4)) (1 + a**2) / (2 (i - 1) a g Bk)``, with Euler's constant
    ``C`` and ``i = I / Ic0``. From about ``i = 1.2`` on; it diverges at 1, where heat takes over.

    Parameters
    ----------
    current_ratio : array, above 1
        Current over the critical current.
    thermal_stability : array, at least 1
        Barrier over thermal energy: it sets the initial angle.
    damping : array, above 0
        Gilbert damping.
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.

    Returns
    -------
    array, s

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Sun, Phys. Rev. B 62, 570 (2000), with the thermal mean of Worledge et al., Appl. Phys. Lett.
    98, 022501 (2011).

    Examples
    --------
    >>> print(f"{switching_time(2.0, 40.0, 0.02, 0.3):.3g}")  # 5.1692 / 2.1122e9
    2.45e-09
    """
    owner = "switching_time"
    ratio = check_reals(owner, "current_ratio", current_ratio, "above 1")
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 1")
    return _logarithm(barrier) / (2 * (ratio - 1) * damping_rate(owner, damping, anisotropy_field))


def switching_time_from_current(
    current: ArrayLike,
    critical_current: ArrayLike,
    thermal_stability: ArrayLike,
    efficiency: ArrayLike,
    magnetisation: ArrayLike,
    volume: ArrayLike,
) -> Reals:
    """The same time as a count of the electrons' moments.

    ``1 / tau = 2 / (C + ln(pi**2 Delta / 4)) mu_B eta (I - Ic0) / (e Ms V)``. It leaves out
    ``1 + a**2`` and takes 2 for the g-factor: 0.1 % beside :func:`switching_time`.

    Parameters
    ----------
    current, critical_current : array, A, above 0
        Current, above the critical one.
    thermal_stability : array, at least 1
        Barrier over thermal energy.
    efficiency : array, above 0 and at most 1
        Spin-torque efficiency.
    magnetisation : array, A/m, above 0
        Saturation magnetisation.
    volume : array, m3, above 0
        Of the free layer.

    Returns
    -------
    array, s

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    As :func:`switching_time`.

    Examples
    --------
    >>> print(f"{switching_time_from_current(50e-6, 25e-6, 40.0, 0.6, 1e6, 1e-24):.3g}")
    2.98e-09
    """
    owner = "switching_time_from_current"
    flow = check_reals(owner, "current", current, "above 0", "A")
    critical = check_reals(owner, "critical_current", critical_current, "above 0", "A")
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 1")
    share = check_reals(owner, "efficiency", efficiency, "above 0 and at most 1")
    moment = check_reals(owner, "magnetisation", magnetisation, "above 0", "A/m")
    moment = moment * check_reals(owner, "volume", volume, "above 0", "m3")
    if (flow <= critical).any():
        raise ParameterError(
            f"{owner}: current must be above the critical current, not "
            f"{float((flow / critical).min()):.4g} times it; take switching_probability below"
        )
    return _logarithm(barrier) * CHARGE * moment / (2 * BOHR_MAGNETON * share * (flow - critical))


def damping_rate(owner: str, damping: ArrayLike, anisotropy_field: ArrayLike) -> Reals:
    """Rate at which a small angle decays without current, 1/s."""
    loss = check_reals(owner, "damping", damping, "above 0")
    easy = check_reals(owner, "anisotropy_field", anisotropy_field, "above 0", "T")
    return loss * GYRO * easy / (1 + loss**2)


def _logarithm(thermal_stability: Reals) -> Reals:
    """How many time constants an angle grows from its thermal value to the equator, twice."""
    return np.euler_gamma + np.log(np.pi**2 / 4 * thermal_stability)
