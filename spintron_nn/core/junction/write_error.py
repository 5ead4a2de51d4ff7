"""Write error rate of a spin-transfer pulse, and the probability that a pulse switches."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import exprel

from ..checks import Reals, check_reals
from .stability import read_disturb
from .switching import damping_rate

__all__ = ["pulse_for_error_rate", "switching_probability", "write_error_rate"]


def write_error_rate(
    current_ratio: ArrayLike,
    pulse: ArrayLike,
    thermal_stability: ArrayLike,
    damping: ArrayLike,
    anisotropy_field: ArrayLike,
) -> Reals:
    """Probability that a pulse does not switch the device.

    ``1 - exp(-(pi**2 / 4) Delta (i - 1) / (i exp(2 (i - 1) T) - 1))`` with
    ``T = a g Bk t / (1 + a**2)``. The slope ``exp(-2 (i - 1) T)`` of the tail is that of the
    moment's equation of motion within 3 %; the prefactor is up to 1.6 times too large at Delta 40
    and ``i = 2``. Switching by heat alone is not in it: below the critical current, and with the
    wrong polarity, the rate is next to 1. Small rates keep all their digits.

    Parameters
    ----------
    current_ratio : array
        Current over the critical current; negative for the wrong polarity.
    pulse : array, s, at least 0
        Length of the pulse.
    thermal_stability : array, at least 1
        Barrier over thermal energy; from 20 on the formula's initial distribution holds.
    damping : array, above 0
        Gilbert damping.
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.

    Returns
    -------
    array, in 0..1

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Butler et al., IEEE Trans. Magn. 48, 4684 (2012).

    Examples
    --------
    >>> print(f"{write_error_rate(2.0, 10e-9, 40.0, 0.02, 0.3):.3g}")  # 98.7 / (2 exp(21.114))
    3.31e-08
    """
    owner = "write_error_rate"
    ratio = check_reals(owner, "current_ratio", current_ratio)
    length = check_reals(owner, "pulse", pulse, "at least 0", "s")
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 1")
    time = damping_rate(owner, damping, anisotropy_field) * length
    # (i exp(x) - 1) / (i - 1) with x = 2 (i - 1) T, written so that it is no 0/0 at i = 1.
    growth = 1 + 2 * ratio * time * exprel(np.minimum(2 * (ratio - 1) * time, 700.0))
    return -np.expm1(-(np.pi**2) / 4 * barrier / growth)


def pulse_for_error_rate(
    error_rate: ArrayLike,
    current_ratio: ArrayLike,
    thermal_stability: ArrayLike,
    damping: ArrayLike,
    anisotropy_field: ArrayLike,
) -> Reals:
    """Pulse after which :func:`write_error_rate` is :py:`error_rate`.

    Parameters
    ----------
    error_rate : array, above 0 and below 1
        Allowed rate.
    current_ratio : array, above 1
        Current over the critical current.
    thermal_stability, damping, anisotropy_field : array
        As in :func:`write_error_rate`.

    Returns
    -------
    array, s
        0 where the rate is reached at once.

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Butler et al., IEEE Trans. Magn. 48, 4684 (2012), solved for the time.

    Examples
    --------
    >>> pulse = pulse_for_error_rate(1e-9, 2.0, 40.0, 0.02, 0.3)
    >>> print(f"{pulse:.3g}", f"{write_error_rate(2.0, pulse, 40.0, 0.02, 0.3):.3g}")
    1.17e-08 1e-09
    """
    owner = "pulse_for_error_rate"
    rate = check_reals(owner, "error_rate", error_rate, "above 0 and below 1")
    ratio = check_reals(owner, "current_ratio", current_ratio, "above 1")
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 1")
    slope = 2 * (ratio - 1) * damping_rate(owner, damping, anisotropy_field)
    grown = (np.pi**2 / 4 * barrier * (ratio - 1) / -np.log1p(-rate) + 1) / ratio
    return np.log(np.maximum(grown, 1.0)) / slope


def switching_probability(
    current_ratio: ArrayLike,
    pulse: ArrayLike,
    thermal_stability: ArrayLike,
    damping: ArrayLike,
    anisotropy_field: ArrayLike,
    exponent: ArrayLike = 2.0,
    attempt_time: ArrayLike = 1e-9,
) -> Reals:
    """Probability that a pulse switches the device, at any current.

    Below the critical current by heat over the lowered barrier (:func:`read_disturb`), from it on
    by the torque (one less :func:`write_error_rate`). The two pieces do not meet smoothly: within
    a fifth of the critical current take neither, but the Fokker-Planck equation.

    Parameters
    ----------
    current_ratio : array
        Current over the critical current.
    pulse : array, s, at least 0
        Length of the pulse.
    thermal_stability : array, at least 1 and at most 700
        Barrier over thermal energy without current.
    damping, anisotropy_field : array
        As in :func:`write_error_rate`.
    exponent, attempt_time : array
        As in :func:`read_disturb`.

    Returns
    -------
    array, in 0..1

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Neel, Ann. Geophys. 5, 99 (1949), below; Butler et al., IEEE Trans. Magn. 48, 4684 (2012), from
    the critical current on.

    Examples
    --------
    >>> low, high = switching_probability([0.5, 2.0], 10e-9, 60.0, 0.02, 0.3)
    >>> print(f"{low:.3g} {1 - high:.3g}")  # 10 * exp(-15); 148.04 / (2 exp(21.114))
    3.06e-06 4.97e-08
    """
    ratio = check_reals("switching_probability", "current_ratio", current_ratio)
    driven = 1 - write_error_rate(ratio, pulse, thermal_stability, damping, anisotropy_field)
    below = np.minimum(ratio, np.nextafter(1.0, 0.0))
    heated = read_disturb(thermal_stability, below, pulse, exponent, attempt_time)
    return np.where(ratio < 1, heated, driven)
