"""How long a state lasts: dwell time, retention, read disturb."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import Reals, check_reals
from ..constants import GYRO

__all__ = [
    "activation_volume",
    "dwell_time",
    "failure_probability",
    "read_disturb",
    "required_stability",
    "stability_in_field",
    "stability_with_current",
    "switching_rate",
]


BARRIER_LIMIT = 700.0
"""Largest barrier over thermal energy of which the exponential is finite."""


def dwell_time(thermal_stability: ArrayLike, attempt_time: ArrayLike = 1e-9) -> Reals:
    """Mean time in one state, ``tau0 exp(Delta)``, the engineer's form.

    Parameters
    ----------
    thermal_stability : array, at least 0 and at most 700
        Barrier over thermal energy.
    attempt_time : array, s, above 0
        ``tau0``; 1 ns by convention. :func:`switching_rate` derives it from the layer.

    Returns
    -------
    array, s

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Neel, Ann. Geophys. 5, 99 (1949).

    Examples
    --------
    >>> years = dwell_time(40.3) / (365.25 * 24 * 3600)
    >>> print(f"{years:.1f}")  # exp(40.3) = 3.177e17
    10.1
    """
    owner = "dwell_time"
    barrier = _barrier(owner, thermal_stability)
    return check_reals(owner, "attempt_time", attempt_time, "above 0", "s") * np.exp(barrier)


def switching_rate(
    thermal_stability: ArrayLike,
    damping: ArrayLike,
    anisotropy_field: ArrayLike,
    field: ArrayLike = 0.0,
    next_order: bool = False,
) -> Reals:
    """Rate of leaving one state, with Brown's prefactor.

    ``Gamma = a g Bk / (1 + a**2) sqrt(Delta / pi) (1 - h**2) (1 + h) exp(-Delta (1 + h)**2)``
    with the field along the easy axis ``h = B / Bk``, positive where it holds the state. The
    formula is the limit of a high barrier: 26 % too fast at Delta 5 and 12 % at 10. At zero field
    the next order multiplies it by ``1 - 1 / Delta``, which leaves 2 % from Delta 5 on.

    Parameters
    ----------
    thermal_stability : array, at least 1 and at most 700
        Barrier over thermal energy at zero field; from 3 on the formula means something.
    damping : array, above 0
        Gilbert damping.
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.
    field : array, T
        Field along the magnetisation, smaller than the anisotropy field.
    next_order : bool
        Include the next order in ``1 / Delta``; for zero field only.

    Returns
    -------
    array, 1/s

    Raises
    ------
    ParameterError
        If an argument is out of range, the field removes the barrier, or the next order is asked
        for in a field.

    Source
    ------
    Brown, Phys. Rev. 130, 1677 (1963).

    Examples
    --------
    >>> print(f"{switching_rate(5.0, 0.01, 0.3):.3g}")  # 5.2826e8 * sqrt(5 / pi) * exp(-5)
    4.49e+06
    """
    owner = "switching_rate"
    barrier = _barrier(owner, thermal_stability, "at least 1")
    loss = check_reals(owner, "damping", damping, "above 0")
    easy = check_reals(owner, "anisotropy_field", anisotropy_field, "above 0", "T")
    ratio = _field_ratio(owner, field, easy)
    attempt = loss * GYRO * easy / (1 + loss**2) * np.sqrt(barrier / np.pi)
    rate = attempt * (1 - ratio**2) * (1 + ratio) * np.exp(-barrier * (1 + ratio) ** 2)
    if not next_order:
        return rate
    if (ratio != 0).any():
        raise ParameterError(f"{owner}: next_order must be False in a field; it is known at 0 T")
    return rate * (1 - 1 / barrier)


def stability_in_field(
    thermal_stability: ArrayLike, field: ArrayLike, anisotropy_field: ArrayLike
) -> Reals:
    """Barrier in a field along the easy axis, ``Delta (1 + B / Bk)**2``.

    Parameters
    ----------
    thermal_stability : array, at least 0
        Barrier at zero field, over thermal energy.
    field : array, T
        Field along the magnetisation: positive raises the barrier. Smaller than the anisotropy
        field.
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        If an argument is out of range, or the field removes the barrier.

    Source
    ------
    Stoner and Wohlfarth, Phil. Trans. R. Soc. A 240, 599 (1948).

    Examples
    --------
    >>> print(f"{stability_in_field(60.0, -0.03, 0.3):.1f}")  # 60 * 0.9**2
    48.6
    """
    owner = "stability_in_field"
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 0")
    easy = check_reals(owner, "anisotropy_field", anisotropy_field, "above 0", "T")
    return barrier * (1 + _field_ratio(owner, field, easy)) ** 2


def stability_with_current(
    thermal_stability: ArrayLike, current_ratio: ArrayLike, exponent: ArrayLike = 2.0
) -> Reals:
    """Barrier under a current below the critical one, ``Delta (1 - I / Ic0)**n``.

    Parameters
    ----------
    thermal_stability : array, at least 0
        Barrier without current, over thermal energy.
    current_ratio : array, below 1
        Current over the critical current; negative where it holds the state.
    exponent : array, at least 1
        2 for one moment with a perpendicular easy axis, where it is exact; 1 for in-plane layers.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        If an argument is out of range. From the critical current on there is no barrier.

    Source
    ------
    Exponent 2: Taniguchi and Imamura, Phys. Rev. B 83, 054432 (2011): in the Fokker-Planck equation
    of an axial moment the current acts as a field. Exponent 1: Koch, Katine and Sun, Phys. Rev.
    Lett. 92, 088302 (2004).

    Examples
    --------
    >>> print(f"{stability_with_current(60.0, 0.5):.1f}")
    15.0
    """
    owner = "stability_with_current"
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 0")
    ratio = check_reals(owner, "current_ratio", current_ratio, "below 1")
    return barrier * (1 - ratio) ** check_reals(owner, "exponent", exponent, "at least 1")


def failure_probability(time: ArrayLike, dwell_time: ArrayLike, devices: ArrayLike = 1.0) -> Reals:
    """Probability that at least one of some devices has flipped, ``1 - exp(-N t / tau)``.

    Small probabilities keep all their digits.

    Parameters
    ----------
    time : array, s, at least 0
        Time stored.
    dwell_time : array, s, above 0
        Mean time in the state.
    devices : array, at least 1
        Equal devices; 1 for one.

    Returns
    -------
    array, in 0..1

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    A Poisson process; as in Apalkov, Dieny and Slaughter, Proc. IEEE 104, 1796 (2016).

    Examples
    --------
    >>> print(f"{failure_probability(1.0, 1e20):.3g}")
    1e-20
    """
    owner = "failure_probability"
    stored = check_reals(owner, "time", time, "at least 0", "s")
    mean = check_reals(owner, "dwell_time", dwell_time, "above 0", "s")
    return -np.expm1(-check_reals(owner, "devices", devices, "at least 1") * stored / mean)


def required_stability(
    devices: ArrayLike, time: ArrayLike, probability: ArrayLike, attempt_time: ArrayLike = 1e-9
) -> Reals:
    """Stability that keeps an array for a time, ``ln(N t / (tau0 (-ln(1 - p))))``.

    Parameters
    ----------
    devices : array, at least 1
        Devices of the array.
    time : array, s, above 0
        Time to be kept.
    probability : array, above 0 and below 1
        Allowed probability that any of them flips.
    attempt_time : array, s, above 0
        As in :func:`dwell_time`.

    Returns
    -------
    array
        Negative where any device will do.

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    :func:`failure_probability` of :func:`dwell_time`, solved.

    Examples
    --------
    >>> ten_years = 10 * 365.25 * 24 * 3600
    >>> print(f"{required_stability(1e6, ten_years, 1e-6):.1f}")  # ln(3.156e29)
    67.9
    """
    owner = "required_stability"
    count = check_reals(owner, "devices", devices, "at least 1")
    stored = check_reals(owner, "time", time, "above 0", "s")
    allowed = check_reals(owner, "probability", probability, "above 0 and below 1")
    attempt = check_reals(owner, "attempt_time", attempt_time, "above 0", "s")
    return np.log(count * stored / attempt) - np.log(-np.log1p(-allowed))


def read_disturb(
    thermal_stability: ArrayLike,
    current_ratio: ArrayLike,
    pulse: ArrayLike,
    exponent: ArrayLike = 2.0,
    attempt_time: ArrayLike = 1e-9,
) -> Reals:
    """Probability that one read pulse flips the device.

    ``1 - exp(-t / tau)`` with the barrier that the read current leaves.

    Parameters
    ----------
    thermal_stability : array, at least 0 and at most 700
        Barrier without current.
    current_ratio : array, below 1
        Read current over the critical current, positive where it writes the other state.
    pulse : array, s, at least 0
        Length of the read.
    exponent, attempt_time : array
        As in :func:`stability_with_current` and :func:`dwell_time`.

    Returns
    -------
    array, in 0..1

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Butler et al., IEEE Trans. Magn. 48, 4684 (2012), in the engineer's prefactor.

    Examples
    --------
    >>> print(f"{read_disturb(60.0, 0.2, 1e-8):.3g}")  # 10 * exp(-38.4)
    2.1e-16
    """
    barrier = _barrier("read_disturb", thermal_stability)
    lowered = stability_with_current(barrier, current_ratio, exponent)
    # A current that holds the state may raise the barrier beyond what an exponential takes.
    return failure_probability(pulse, dwell_time(np.minimum(lowered, BARRIER_LIMIT), attempt_time))


def activation_volume(
    diameter: ArrayLike, thickness: ArrayLike, activation_diameter: ArrayLike = 35e-9
) -> Reals:
    """Volume that starts a reversal: of the pillar, or of a nucleus where that is smaller.

    Measured stability does not grow above 40 nm and is about half of what the whole pillar would
    have: a 40 nm pillar of 1.3 nm CoFeB shows 43 where one moment would show 87.

    Parameters
    ----------
    diameter, thickness : array, m, above 0
        Of the free layer.
    activation_diameter : array, m, above 0
        Diameter of the nucleus, 30 to 40 nm for CoFeB on MgO. A value above the diameter means one
        moment.

    Returns
    -------
    array, m3

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Sato et al., Appl. Phys. Lett. 99, 042501 (2011) and arXiv:1208.5828: stability constant from
    44 to 81 nm, as a nucleus explains. The 40 nm pillar: Ikeda et al., Nature Materials 9, 721
    (2010).

    Examples
    --------
    >>> print(f"{activation_volume(50e-9, 1.1e-9) / activation_volume(50e-9, 1.1e-9, 1.0):.2f}")
    0.49
    """
    owner = "activation_volume"
    across = check_reals(owner, "diameter", diameter, "above 0", "m")
    nucleus = check_reals(owner, "activation_diameter", activation_diameter, "above 0", "m")
    height = check_reals(owner, "thickness", thickness, "above 0", "m")
    return np.pi / 4 * np.minimum(across, nucleus) ** 2 * height


def _barrier(owner: str, value: ArrayLike, rule: str = "at least 0") -> Reals:
    """Check a barrier, of which the exponential must be finite."""
    barrier = check_reals(owner, "thermal_stability", value, rule)
    if (barrier > BARRIER_LIMIT).any():
        raise ParameterError(
            f"{owner}: thermal_stability must be at most 700, not {float(barrier.max())!r}; it is "
            "a ratio of energies, not an energy"
        )
    return barrier


def _field_ratio(owner: str, field: ArrayLike, easy: Reals) -> Reals:
    """Field over anisotropy field, refused where one of the two states is gone."""
    ratio = check_reals(owner, "field", field, "finite", "T") / easy
    if (np.abs(ratio) >= 1).any():
        raise ParameterError(
            f"{owner}: field must be smaller than the anisotropy field, not "
            f"{float(np.abs(ratio).max()):.4g} times it; only one state is left there"
        )
    return ratio
