"""Area, resistances and the conductance of a junction at any angle."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..checks import Reals, check_reals

__all__ = ["angular_conductance", "antiparallel_resistance", "parallel_resistance", "pillar_area"]


def pillar_area(diameter: ArrayLike, width: ArrayLike | None = None) -> Reals:
    """Area of a round or elliptic pillar, ``pi D W / 4``.

    Parameters
    ----------
    diameter : array, m, above 0
        Diameter, or one axis of the ellipse (its full length).
    width : array, m, above 0, optional
        The other axis; as :py:`diameter` where left out.

    Returns
    -------
    array, m2

    Raises
    ------
    ParameterError
        If an axis is not above 0.

    Source
    ------
    Geometry.

    Examples
    --------
    >>> print(f"{pillar_area(50e-9):.4g}")  # pi * 50**2 / 4 = 1963 nm2
    1.963e-15
    """
    long = check_reals("pillar_area", "diameter", diameter, "above 0", "m")
    other = long if width is None else check_reals("pillar_area", "width", width, "above 0", "m")
    return np.pi / 4 * long * other


def parallel_resistance(resistance_area: ArrayLike, area: ArrayLike) -> Reals:
    """Resistance of the parallel state, the resistance-area product over the area.

    Parameters
    ----------
    resistance_area : array, ohm m2, above 0
        Resistance-area product; 1 ohm um2 is 1e-12 ohm m2.
    area : array, m2, above 0
        Area of the junction, of any shape.

    Returns
    -------
    array, ohm

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Definition. The example is the UT-Austin stochastic junction: 9.818 ohm um2 and 50 nm, with a
    published resistance of 5 kOhm.

    Examples
    --------
    >>> print(f"{parallel_resistance(9.818e-12, pillar_area(50e-9)):.1f}")
    5000.3
    """
    owner = "parallel_resistance"
    product = check_reals(owner, "resistance_area", resistance_area, "above 0", "ohm m2")
    return product / check_reals(owner, "area", area, "above 0", "m2")


def antiparallel_resistance(resistance: ArrayLike, tmr: ArrayLike) -> Reals:
    """Resistance of the antiparallel state, ``R_P (1 + TMR)``.

    Parameters
    ----------
    resistance : array, ohm, above 0
        Parallel resistance.
    tmr : array, at least 0
        Tunnel magnetoresistance ratio; 1.2 is 120 %.

    Returns
    -------
    array, ohm

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Definition of the ratio, ``(R_AP - R_P) / R_P``.

    Examples
    --------
    >>> print(f"{antiparallel_resistance(5e3, 1.2):.0f}")
    11000
    """
    owner = "antiparallel_resistance"
    parallel = check_reals(owner, "resistance", resistance, "above 0", "ohm")
    return parallel * (1 + check_reals(owner, "tmr", tmr, "at least 0"))


def angular_conductance(parallel: ArrayLike, antiparallel: ArrayLike, angle: ArrayLike) -> Reals:
    """Conductance with any angle between the two layers.

    ``G = G_P (1 + cos angle) / 2 + G_AP (1 - cos angle) / 2``: linear in the cosine, so its mean
    over all directions is the mean of both states.

    Parameters
    ----------
    parallel, antiparallel : array, S, at least 0
        Conductance of the two states.
    angle : array, rad
        Angle between the magnetisations.

    Returns
    -------
    array, S

    Raises
    ------
    ParameterError
        If a conductance is negative.

    Source
    ------
    Slonczewski, Phys. Rev. B 39, 6995 (1989).

    Examples
    --------
    >>> print(f"{angular_conductance(200e-6, 100e-6, np.pi / 2):.3g}")
    0.00015
    """
    owner = "angular_conductance"
    high = check_reals(owner, "parallel", parallel, "at least 0", "S")
    low = check_reals(owner, "antiparallel", antiparallel, "at least 0", "S")
    cosine = np.cos(check_reals(owner, "angle", angle, "finite", "rad"))
    return high * (1 + cosine) / 2 + low * (1 - cosine) / 2
