"""Demagnetising factors of a round or elliptic pillar, magnetised uniformly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ellipe, ellipk, ellipkm1, hyp2f1

from ..checks import Reals, check_reals

__all__ = ["cylinder_factor", "elliptic_factors"]

NODES = 64
"""Points of the Gauss-Legendre rule over a quarter turn; 1e-12 for axes up to 3 to 1."""


def cylinder_factor(diameter: ArrayLike, thickness: ArrayLike) -> Reals:
    """Factor ``N_z`` along the axis of a round pillar; ``N_x = N_y = (1 - N_z) / 2``.

    With ``q = thickness / diameter`` and ``m = 1 / (1 + q**2)``,
    ``N_z = 1 + 4 / (3 pi q) (1 - sqrt(1 + q**2) ((1 - q**2) E(m) + q**2 K(m)))``,
    with complete elliptic integrals of parameter ``m``. It is the mean over the volume
    (magnetometric). Good to 1e-9 for ``q`` in 1e-4..1e3.

    Parameters
    ----------
    diameter, thickness : array, m, above 0
        Of the free layer.

    Returns
    -------
    array, 0..1

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Circular limit of Beleggia et al., J. Phys. D 38, 3333 (2005); tabulated for susceptibility 0 by
    Chen, Brug and Goldfarb, IEEE Trans. Magn. 27, 3601 (1991).

    Examples
    --------
    >>> print(f"{cylinder_factor(1.0, 1.0):.4f}")  # as tabulated
    0.3116
    """
    owner = "cylinder_factor"
    across = check_reals(owner, "diameter", diameter, "above 0", "m")
    q = check_reals(owner, "thickness", thickness, "above 0", "m") / across
    squared = q * q
    # The complement of m, exactly: ellipk of an m next to 1 would lose the thin films.
    first = ellipkm1(squared / (1 + squared))
    second = ellipe(1 / (1 + squared))
    bracket = 1 - np.sqrt(1 + squared) * ((1 - squared) * second + squared * first)
    return 1 + 4 / (3 * np.pi * q) * bracket


def elliptic_factors(
    length: ArrayLike, width: ArrayLike, thickness: ArrayLike
) -> tuple[Reals, Reals, Reals]:
    """Factors ``N_x``, ``N_y``, ``N_z`` of an elliptic pillar; they add up to 1.

    Parameters
    ----------
    length, width : array, m, above 0
        Full axes of the ellipse along x and y, in either order, up to 10 to 1.
    thickness : array, m, above 0
        Along z.

    Returns
    -------
    tuple of three arrays, 0..1

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Beleggia, De Graef, Millev, Goode and Rowlands, J. Phys. D 38, 3333 (2005): a single integral
    over the azimuth, taken here by quadrature.

    Examples
    --------
    >>> print(*(f"{factor:.4f}" for factor in elliptic_factors(100e-9, 50e-9, 2e-9)))
    0.0235 0.0617 0.9148
    """
    owner = "elliptic_factors"
    x = check_reals(owner, "length", length, "above 0", "m")
    y = check_reals(owner, "width", width, "above 0", "m")
    x, y, z = np.broadcast_arrays(x, y, check_reals(owner, "thickness", thickness, "above 0", "m"))
    long, short = np.maximum(x, y), np.minimum(x, y)
    ratio, squared = z / short, 1 - (short / long) ** 2
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    cosine = np.cos(np.pi / 4 * (nodes + 1)) ** 2
    radius = 1 - squared[..., None] * cosine
    shape = hyp2f1(-0.5, 0.5, 2.0, -1 / (ratio[..., None] ** 2 * radius))
    along = 1 + 8 * ellipk(squared) / (3 * np.pi**2 * ratio) - shape @ weights / 2
    # ((1 - squared) K - E) / squared of the paper is 0/0 for a circle; as an integral it is not.
    inner = -np.pi / 4 * (((1 - cosine) / np.sqrt(radius)) @ weights)
    major = 8 / (3 * np.pi**2 * ratio) * inner
    major = major + (1 - squared) * ((cosine / radius * shape) @ weights) / 2
    other = 1 - along - major
    return np.where(x >= y, major, other), np.where(x >= y, other, major), along
