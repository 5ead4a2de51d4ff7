"""Exact threshold of a perpendicular layer under both spin-orbit torques."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError

from ..checks import Reals, check_reals

__all__ = ["instability_field"]

GRID = 200
"""Steady states looked at on the way from the easy axis into the plane."""

HALVINGS = 50
"""Steps of each bisection; the last is below the rounding of a double."""


def instability_field(
    anisotropy_field: ArrayLike,
    in_plane_field: ArrayLike = 0.0,
    field_like_ratio: ArrayLike = 0.0,
    damping: ArrayLike = 0.02,
) -> Reals:
    """Damping-like field at which a perpendicular state is lost.

    The steady state under the torques tilts further with the current. It is lost where it no
    longer exists (no field-like torque: ``Bk / 2`` without a field) or where precession about it
    grows instead of decaying. The latter happens when the field-like torque's field opposes the
    spins, ``b < 0``, and then far below: ``Bk sqrt(a / |b|)`` for small damping ``a`` and no field,
    exactly ``Bk u / (1 + u**2)`` with ``u**2 = 2 a / (a (1 + b**2) - 2 b)`` if ``u < 1``.

    Which state follows is another question: without a field along the current it is chance.
    The current density is that for which :func:`spin_orbit_field` gives this field.

    Parameters
    ----------
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.
    in_plane_field : array, T, at least 0 and below the anisotropy field
        Field along the current, in the direction that helps.
    field_like_ratio : array
        Field-like over damping-like efficiency, positive where the field points along the spins.
    damping : array, above 0
        Gilbert damping; it matters only with a field-like torque.

    Returns
    -------
    array, T

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Steady states and their linear stability, worked out in docs/physics.md, in the setting of
    Taniguchi, Mitani and Hayashi, Phys. Rev. B 92, 024428 (2015) (arXiv:1503.01478), whose powers
    of the damping it gives. Without field-like torque: Liu et al., Phys. Rev. Lett. 109, 096602
    (2012). The tests hold it against the equation of motion.

    Examples
    --------
    >>> print(np.round(instability_field(0.3, [0.0, 0.03]), 4))
    [0.15   0.1292]
    >>> print(np.round(instability_field(0.3, 0.0, [-2.0, 2.0], 0.02), 4))  # u = 0.098773
    [0.0293 0.12  ]
    """
    owner = "instability_field"
    easy = check_reals(owner, "anisotropy_field", anisotropy_field, "above 0", "T")
    field = check_reals(owner, "in_plane_field", in_plane_field, "at least 0", "T")
    ratio = check_reals(owner, "field_like_ratio", field_like_ratio)
    loss = check_reals(owner, "damping", damping, "above 0")
    assist = field / easy
    if (assist >= 1).any():
        raise ParameterError(
            f"{owner}: in_plane_field must be below the anisotropy field, not "
            f"{float(assist.max()):.4g} times it; it turns the layer into the plane by itself"
        )
    scale, assist, ratio, loss = np.broadcast_arrays(easy, assist, ratio, loss)
    start = np.arcsin(assist)
    grid = np.linspace(0, 1, GRID + 1).reshape(-1, *([1] * start.ndim))
    lost = _lost(start + grid[1:] * (np.pi / 2 - start), assist, ratio, loss)
    first = np.argmax(lost, axis=0)
    step = (np.pi / 2 - start) / GRID
    low, high = start + first * step, start + (first + 1) * step
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        beyond = _lost(middle, assist, ratio, loss)
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return scale * _steady(low, assist, ratio)[0]


def _steady(tilt: Reals, assist: Reals, ratio: Reals) -> tuple[Reals, Reals, Reals]:
    """Steady state at a tilt in the plane of field and axis, in units of the anisotropy field.

    Returns the damping-like field that holds it there, its component along the spins, and the
    length of the rest.
    """
    sine, cosine = np.sin(tilt), np.cos(tilt)
    low, high = np.zeros_like(tilt), np.ones_like(tilt)
    for _ in range(HALVINGS):
        along = (low + high) / 2
        rest = np.sqrt(1 - along**2)
        excess = along * (assist * sine + rest * cosine**2)
        excess = excess - np.abs(ratio) * cosine * (rest * sine - assist)
        low, high = np.where(excess > 0, low, along), np.where(excess > 0, along, high)
    rest = np.sqrt(1 - low**2)
    torque = cosine * (sine - assist / np.maximum(rest, 1e-12))
    return torque, np.sign(ratio) * low, rest


def _lost(tilt: Reals, assist: Reals, ratio: Reals, loss: Reals) -> NDArray[np.bool_]:
    """Whether the steady state at a tilt is the last one, or unstable."""
    torque, along, rest = _steady(tilt, assist, ratio)
    further, _, _ = _steady(tilt + 1e-7, assist, ratio)
    axis = rest * np.cos(tilt)
    # Minus the divergence of the flow at the steady state: what damping and torque take away.
    decay = 3 * axis**2 - 1 + 2 * assist * rest * np.sin(tilt) + 2 * ratio * torque * along
    decay = loss * decay + 2 * torque * along
    return (further <= torque) | (decay <= 0) | (rest < 1e-6)
