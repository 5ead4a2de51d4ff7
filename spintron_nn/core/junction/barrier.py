"""The tunnel barrier: resistance-area product over thickness, conductance over voltage.

Heights are given in volt, energy over elementary charge, so that 0.4 V is 0.4 eV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import Reals, check_reals
from ..constants import CHARGE, ELECTRON_MASS, HBAR

__all__ = ["barrier_conductance", "resistance_area"]


def resistance_area(
    thickness: ArrayLike,
    height: ArrayLike,
    calibration: ArrayLike = 1.0,
    effective_mass: ArrayLike = 1.0,
) -> Reals:
    """Resistance-area product of a rectangular barrier near zero bias.

    ``RA = c d / (sqrt(2 m e phi) (e / h)**2) exp(2 d sqrt(2 m e phi) / hbar)``, with the thickness
    ``d``, the height ``phi``, the mass ``m`` and the calibration ``c``. With ``d`` in angstrom and
    ``phi`` in electronvolt the exponent is the well-known ``1.025 d sqrt(phi)``.

    The slope over thickness is the law's strength. Its absolute value is not: free electrons know
    nothing of the symmetry filtering of MgO, so calibrate on one measured junction.

    Parameters
    ----------
    thickness : array, m, above 0
        Thickness of the barrier; at least 0.7 nm for the law to hold.
    height : array, V, above 0
        Height over the Fermi level; about 0.4 V for thin MgO.
    calibration : array, above 0
        Factor that brings one measured junction onto the law.
    effective_mass : array, above 0
        Mass in the barrier over the electron's.

    Returns
    -------
    array, ohm m2

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Simmons, J. Appl. Phys. 34, 1793 (1963), with the prefactor of Brinkman, Dynes and Rowell,
    J. Appl. Phys. 41, 1915 (1970): G/A = 3.16e10 sqrt(phi) / d exp(-1.025 d sqrt(phi)) in S/cm2.

    Examples
    --------
    >>> thin, thick = resistance_area([1.0e-9, 1.1e-9], 0.4)
    >>> print(f"{thick / thin:.3f}")  # 1.1 * exp(1.0246 * 1 * 0.63246) = 1.1 * 1.9117
    2.103
    """
    owner = "resistance_area"
    width = check_reals(owner, "thickness", thickness, "above 0", "m")
    barrier = check_reals(owner, "height", height, "above 0", "V")
    factor = check_reals(owner, "calibration", calibration, "above 0")
    mass = ELECTRON_MASS * check_reals(owner, "effective_mass", effective_mass, "above 0")
    momentum = np.sqrt(2 * mass * CHARGE * barrier)
    planck = 2 * np.pi * HBAR
    return (
        factor * width / (momentum * (CHARGE / planck) ** 2) * np.exp(2 * width * momentum / HBAR)
    )


def barrier_conductance(
    voltage: ArrayLike,
    thickness: ArrayLike,
    height: ArrayLike,
    asymmetry: ArrayLike = 0.0,
    effective_mass: ArrayLike = 1.0,
) -> Reals:
    """Differential conductance of a trapezoidal barrier under bias, over that at zero bias.

    ``G(V) / G(0) = 1 - A0 s / (16 phi**1.5) V + 9 A0**2 / (128 phi) V**2`` with
    ``A0 = 4 d sqrt(2 m e) / (3 hbar)``, the height ``phi`` and its difference ``s``
    between the two sides. Even in the voltage where the barrier is symmetric. The spin-dependent
    part of a junction, its falling magnetoresistance, comes on top.

    Parameters
    ----------
    voltage : array, V
        Bias, smaller than the height; positive where electrons go from the first side to the
        second. The change of conductance is right within 6 % up to a tenth of the height, and a
        fifth too small at a fifth of it (1.5 to 2 nm, against quadrature).
    thickness : array, m, above 0
        Thickness; the expansion wants at least 1 nm.
    height : array, V, above 0
        Mean height of the barrier.
    asymmetry : array, V
        Height on the second side less that on the first.
    effective_mass : array, above 0
        Mass in the barrier over the electron's.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        If an argument is out of range, or the bias reaches the height of the barrier.

    Source
    ------
    Brinkman, Dynes and Rowell, J. Appl. Phys. 41, 1915 (1970).

    Examples
    --------
    >>> print(f"{barrier_conductance(0.1, 1e-9, 0.4):.4f}")  # A0 = 6.8309: 1 + 8.2021 * 0.01
    1.0820
    """
    owner = "barrier_conductance"
    bias = check_reals(owner, "voltage", voltage, "finite", "V")
    width = check_reals(owner, "thickness", thickness, "above 0", "m")
    barrier = check_reals(owner, "height", height, "above 0", "V")
    difference = check_reals(owner, "asymmetry", asymmetry, "finite", "V")
    mass = ELECTRON_MASS * check_reals(owner, "effective_mass", effective_mass, "above 0")
    ratio = np.abs(bias) / barrier
    if (ratio >= 1).any():
        raise ParameterError(
            f"{owner}: voltage must be smaller than the height of the barrier, not "
            f"{float(ratio.max()):.3g} times it; the expansion ends where field emission begins"
        )
    scale = 4 * width * np.sqrt(2 * mass * CHARGE) / (3 * HBAR)
    linear = scale * difference / (16 * barrier**1.5)
    return 1 - linear * bias + 9 * scale**2 / (128 * barrier) * bias**2
