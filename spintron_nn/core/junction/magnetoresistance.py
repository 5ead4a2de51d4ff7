"""Tunnel magnetoresistance: from polarisation, over voltage, over temperature."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import Reals, check_reals

__all__ = [
    "industrial_tmr",
    "julliere_tmr",
    "polarisation_at_temperature",
    "polarisation_from_tmr",
    "tmr_at_temperature",
    "tmr_at_voltage",
]

INDUSTRIAL_LIMIT = 0.3
"""Largest read voltage that the industrial fit is stated for, V."""


def julliere_tmr(polarisation: ArrayLike, other: ArrayLike | None = None) -> Reals:
    """Magnetoresistance of two electrodes, ``2 P1 P2 / (1 - P1 P2)``.

    Parameters
    ----------
    polarisation : array, at least 0 and below 1
        Spin polarisation of the tunnelling electrons of one electrode.
    other : array, at least 0 and below 1, optional
        That of the other electrode; the same where left out.

    Returns
    -------
    array
        ``(R_AP - R_P) / R_P``.

    Raises
    ------
    ParameterError
        If a polarisation is out of range; at 1 the ratio diverges.

    Source
    ------
    Julliere, Phys. Lett. A 54, 225 (1975).

    Examples
    --------
    >>> print(f"{julliere_tmr(0.6):.4f}")  # 2 * 0.36 / 0.64
    1.1250
    """
    rule = "at least 0 and below 1"
    first = check_reals("julliere_tmr", "polarisation", polarisation, rule)
    second = first if other is None else check_reals("julliere_tmr", "other", other, rule)
    return 2 * first * second / (1 - first * second)


def polarisation_from_tmr(tmr: ArrayLike) -> Reals:
    """Polarisation of two equal electrodes that gives :py:`tmr`, ``sqrt(TMR / (TMR + 2))``.

    Parameters
    ----------
    tmr : array, at least 0
        Magnetoresistance ratio.

    Returns
    -------
    array, at least 0 and below 1

    Raises
    ------
    ParameterError
        If the ratio is negative.

    Source
    ------
    Julliere's formula, solved for the polarisation.

    Examples
    --------
    >>> print(f"{polarisation_from_tmr(1.125):.4f}")
    0.6000
    """
    ratio = check_reals("polarisation_from_tmr", "tmr", tmr, "at least 0")
    return np.sqrt(ratio / (ratio + 2))


def tmr_at_voltage(tmr: ArrayLike, voltage: ArrayLike, half_voltage: ArrayLike) -> Reals:
    """Magnetoresistance under bias, ``TMR / (1 + (V / V_h)**2)``.

    Good to about ``1.5 V_h``. Measured curves fall off more linearly near zero and
    asymmetrically; :func:`industrial_tmr` is one that does the first.

    Parameters
    ----------
    tmr : array, at least 0
        Ratio at zero bias.
    voltage : array, V
        Voltage over the junction, of either sign.
    half_voltage : array, V, above 0
        Voltage at which the ratio halves; 0.4 to 0.6 V for MgO.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    The usual compact-model form, as in the published OpenNVRAM parameter set (V_h 0.5 V).

    Examples
    --------
    >>> print(f"{tmr_at_voltage(1.2, 0.5, 0.5):.3f}")
    0.600
    """
    owner = "tmr_at_voltage"
    ratio = check_reals(owner, "tmr", tmr, "at least 0")
    bias = check_reals(owner, "voltage", voltage, "finite", "V")
    half = check_reals(owner, "half_voltage", half_voltage, "above 0", "V")
    return ratio / (1 + (bias / half) ** 2)


def industrial_tmr(voltage: ArrayLike) -> Reals:
    """Magnetoresistance of one fabricated spin-orbit junction as fitted by its maker.

    ``R_AP / R_P = 1 / (0.1729 V**2 + 0.1315 |V| + 0.4475)``.

    Parameters
    ----------
    voltage : array, V, within -0.3..0.3
        Read voltage; the model is stated for reads below 0.3 V.

    Returns
    -------
    array
        ``R_AP / R_P - 1``.

    Raises
    ------
    ParameterError
        If the voltage lies outside the range of the fit.

    Source
    ------
    Hikstor industrial SOT-MTJ compact model, 2024: R_P 11 kOhm, TMR 123 %.

    Examples
    --------
    >>> print(np.round(industrial_tmr([0.0, 0.3]), 3))  # 1/0.4475 - 1, 1/0.502511 - 1
    [1.235 0.99 ]
    """
    bias = np.abs(check_reals("industrial_tmr", "voltage", voltage, "finite", "V"))
    if (bias > INDUSTRIAL_LIMIT).any():
        raise ParameterError(
            f"industrial_tmr: voltage must be within -{INDUSTRIAL_LIMIT}..{INDUSTRIAL_LIMIT} V, "
            f"not {float(bias.max())!r} V; the fit is stated for reads only, take "
            "tmr_at_voltage beyond"
        )
    return 1 / (0.1729 * bias**2 + 0.1315 * bias + 0.4475) - 1


def polarisation_at_temperature(
    polarisation: ArrayLike, temperature: ArrayLike, coefficient: ArrayLike
) -> Reals:
    """Polarisation of an electrode at a temperature, ``P0 (1 - b T**1.5)``.

    Parameters
    ----------
    polarisation : array, at least 0 and below 1
        Polarisation at 0 K.
    temperature : array, K, at least 0
        Temperature; the law is Bloch's, for temperatures well below the Curie point.
    coefficient : array, 1/K**1.5, at least 0
        Spin-wave coefficient ``b``: 2e-5 to 9e-5.

    Returns
    -------
    array, at least 0 and below 1

    Raises
    ------
    ParameterError
        If an argument is out of range, or the law would make the polarisation negative.

    Source
    ------
    Shang et al., Phys. Rev. B 58, R2917 (1998); coefficient 8.9e-5 in OpenNVRAM's set.

    Examples
    --------
    >>> print(f"{polarisation_at_temperature(0.6, 300, 2e-5):.4f}")  # 300**1.5 = 5196.2
    0.5376
    """
    owner = "polarisation_at_temperature"
    zero = check_reals(owner, "polarisation", polarisation, "at least 0 and below 1")
    kelvin = check_reals(owner, "temperature", temperature, "at least 0", "K")
    slope = check_reals(owner, "coefficient", coefficient, "at least 0", "1/K**1.5")
    share = 1 - slope * kelvin**1.5
    if (share < 0).any():
        raise ParameterError(
            f"{owner}: coefficient * temperature**1.5 must be at most 1, not "
            f"{float(1 - share.min()):.3g}; the law holds well below the Curie point, give a "
            "lower temperature"
        )
    return zero * share


def tmr_at_temperature(tmr: ArrayLike, temperature: ArrayLike, coefficient: ArrayLike) -> Reals:
    """Magnetoresistance at a temperature, of two equal electrodes.

    :func:`julliere_tmr` of :func:`polarisation_at_temperature`. Spin-independent leakage through
    the barrier is left out.

    Parameters
    ----------
    tmr : array, at least 0
        Ratio at 0 K.
    temperature : array, K, at least 0
        Temperature.
    coefficient : array, 1/K**1.5, at least 0
        As in :func:`polarisation_at_temperature`.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Shang et al., Phys. Rev. B 58, R2917 (1998).

    Examples
    --------
    >>> print(f"{tmr_at_temperature(1.125, 300, 2e-5):.3f}")  # 2 * 0.5376**2 / (1 - 0.5376**2)
    0.813
    """
    zero = polarisation_from_tmr(check_reals("tmr_at_temperature", "tmr", tmr, "at least 0"))
    return julliere_tmr(polarisation_at_temperature(zero, temperature, coefficient))
