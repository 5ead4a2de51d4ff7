"""Spin-orbit torque: spin Hall angle, effective fields, threshold and write energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import Reals, check_reals
from ..constants import CHARGE, HBAR

__all__ = [
    "least_assist_field",
    "spin_hall_angle",
    "spin_orbit_field",
    "threshold_current_density",
    "track_resistance",
    "track_share",
    "write_energy",
]


def spin_hall_angle(bulk: ArrayLike, thickness: ArrayLike, diffusion_length: ArrayLike) -> Reals:
    """Spin Hall angle of a thin track, ``theta (1 - sech(t / lambda))``.

    Parameters
    ----------
    bulk : array
        Angle of a thick track, of either sign: beta-W -0.3, Pt 0.1.
    thickness : array, m, above 0
        Thickness of the track.
    diffusion_length : array, m, above 0
        Spin diffusion length; 1 to 4 nm in heavy metals.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        If a length is not above 0.

    Source
    ------
    Liu et al., Phys. Rev. Lett. 106, 036601 (2011).

    Examples
    --------
    >>> print(f"{spin_hall_angle(0.73, 3.5e-9, 3.5e-9):.4f}")  # 0.73 * (1 - 1 / 1.54308)
    0.2569
    """
    owner = "spin_hall_angle"
    angle = check_reals(owner, "bulk", bulk)
    depth = check_reals(owner, "thickness", thickness, "above 0", "m")
    ratio = depth / check_reals(owner, "diffusion_length", diffusion_length, "above 0", "m")
    decay = np.exp(-ratio)
    return angle * (1 - 2 * decay / (1 + decay**2))


def track_share(
    thickness: ArrayLike,
    resistivity: ArrayLike,
    layer_thickness: ArrayLike,
    layer_resistivity: ArrayLike,
) -> Reals:
    """Share of the current that flows in the heavy metal, beside a shunting layer.

    Two sheets in parallel: ``(t / rho) / (t / rho + t_F / rho_F)``.

    Parameters
    ----------
    thickness, layer_thickness : array, m, above 0
        Of the track, and of the layers on it.
    resistivity, layer_resistivity : array, ohm m, above 0
        Of both; 1 uohm cm is 1e-8 ohm m.

    Returns
    -------
    array, 0..1

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Ohm's law.

    Examples
    --------
    >>> print(f"{track_share(4e-9, 2e-6, 1e-9, 1.7e-6):.3f}")  # 2 / (2 + 0.588) mS
    0.773
    """
    owner = "track_share"
    track = check_reals(owner, "thickness", thickness, "above 0", "m")
    track = track / check_reals(owner, "resistivity", resistivity, "above 0", "ohm m")
    layer = check_reals(owner, "layer_thickness", layer_thickness, "above 0", "m")
    layer = layer / check_reals(owner, "layer_resistivity", layer_resistivity, "above 0", "ohm m")
    return track / (track + layer)


def track_resistance(
    resistivity: ArrayLike, length: ArrayLike, width: ArrayLike, thickness: ArrayLike
) -> Reals:
    """Resistance of a track, ``rho l / (w t)``.

    Parameters
    ----------
    resistivity : array, ohm m, above 0
        Of the track.
    length, width, thickness : array, m, above 0
        Of the track; the current flows along the length.

    Returns
    -------
    array, ohm

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Ohm's law. The example is a published compact model: 55 x 55 x 4 nm, 200 uohm cm, 500 ohm.

    Examples
    --------
    >>> print(f"{track_resistance(2e-6, 55e-9, 55e-9, 4e-9):.0f}")
    500
    """
    owner = "track_resistance"
    ratio = check_reals(owner, "resistivity", resistivity, "above 0", "ohm m")
    ratio = ratio * check_reals(owner, "length", length, "above 0", "m")
    ratio = ratio / check_reals(owner, "width", width, "above 0", "m")
    return ratio / check_reals(owner, "thickness", thickness, "above 0", "m")


def spin_orbit_field(
    current_density: ArrayLike, angle: ArrayLike, magnetisation: ArrayLike, thickness: ArrayLike
) -> Reals:
    """Effective field of a torque, ``hbar theta J / (2 e Ms t)``.

    With the damping-like efficiency (the spin Hall angle) it is the damping-like field, with the
    field-like efficiency the field-like one.

    Parameters
    ----------
    current_density : array, A/m2
        In the heavy metal.
    angle : array
        Efficiency of the torque, charge to spin.
    magnetisation : array, A/m, above 0
        Saturation magnetisation of the free layer.
    thickness : array, m, above 0
        Thickness of the free layer.

    Returns
    -------
    array, T

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Liu et al., Phys. Rev. Lett. 109, 096602 (2012).

    Examples
    --------
    >>> print(f"{spin_orbit_field(1e12, 0.3, 1e6, 1e-9):.4f}")  # 3.29106e-16 * 0.3e12 / 1e-3
    0.0987
    """
    owner = "spin_orbit_field"
    flow = check_reals(owner, "current_density", current_density, "finite", "A/m2")
    share = check_reals(owner, "angle", angle)
    sheet = _sheet_moment(owner, magnetisation, thickness)
    return HBAR * share * flow / (2 * CHARGE * sheet)


def threshold_current_density(
    anisotropy_field: ArrayLike,
    in_plane_field: ArrayLike,
    angle: ArrayLike,
    magnetisation: ArrayLike,
    thickness: ArrayLike,
) -> Reals:
    """Current density that switches a perpendicular layer, damping-like torque only.

    ``Jc = (2 e / hbar) (Ms t / theta) (Bk / 2 - Bx / sqrt(2))``: first order in the field along
    the current, 0.3 % low at a tenth of the anisotropy field and 4 % at three tenths. Exact, and
    with a field-like torque: :func:`instability_field`. For one moment: above some 40 nm domain
    walls switch at less.

    Parameters
    ----------
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.
    in_plane_field : array, T
        Field along the current, positive where it helps; below ``Bk / 2``.
    angle : array, above 0
        Magnitude of the spin Hall angle.
    magnetisation : array, A/m, above 0
        Saturation magnetisation of the free layer.
    thickness : array, m, above 0
        Thickness of the free layer.

    Returns
    -------
    array, A/m2

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Lee, Lee, Min and Lee, Appl. Phys. Lett. 102, 112410 (2013); arXiv:1210.3442.

    Examples
    --------
    >>> print(f"{threshold_current_density(0.3, 0.03, 0.3, 1e6, 1e-9):.3g}")
    1.3e+12
    """
    owner = "threshold_current_density"
    easy = check_reals(owner, "anisotropy_field", anisotropy_field, "above 0", "T")
    field = check_reals(owner, "in_plane_field", in_plane_field, "finite", "T")
    if (2 * field >= easy).any():
        raise ParameterError(
            f"{owner}: in_plane_field must be below half the anisotropy field, not "
            f"{float((field / easy).max()):.4g} times it; take instability_field, which is exact"
        )
    share = check_reals(owner, "angle", angle, "above 0")
    sheet = _sheet_moment(owner, magnetisation, thickness)
    return 2 * CHARGE / HBAR * sheet / share * (easy / 2 - field / np.sqrt(2))


def write_energy(current: ArrayLike, resistance: ArrayLike, pulse: ArrayLike) -> Reals:
    """Heat of one write pulse through the track, ``I**2 R t``.

    Parameters
    ----------
    current : array, A
        Through the track.
    resistance : array, ohm, above 0
        Of the track with its leads and transistors, as far as they shall count.
    pulse : array, s, at least 0
        Length of the pulse.

    Returns
    -------
    array, J

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Joule's law.

    Examples
    --------
    >>> current = 1.30e12 * 60e-9 * 4e-9  # 312 uA in a 60 nm x 4 nm track
    >>> print(f"{write_energy(current, 500.0, 1e-9):.3g}")
    4.87e-14
    """
    owner = "write_energy"
    flow = check_reals(owner, "current", current, "finite", "A")
    load = check_reals(owner, "resistance", resistance, "above 0", "ohm")
    return flow**2 * load * check_reals(owner, "pulse", pulse, "at least 0", "s")


def least_assist_field(anisotropy_field: ArrayLike, share: ArrayLike = 0.15) -> Reals:
    """In-plane bias along the current that makes switching deterministic, ``0.15 mu0 Hk``.

    Without an outer field it must come from a magnet in the hard mask, an exchange bias or the
    stray field of a layer.

    Parameters
    ----------
    anisotropy_field : array, T, above 0
        ``mu0 Hk``.
    share : array, in 0..1
        Share of the anisotropy field.

    Returns
    -------
    array, T

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Taniguchi, arXiv:1911.07961: for one moment that keeps the state after the pulse.

    Examples
    --------
    >>> print(f"{least_assist_field(0.3):.3f}")
    0.045
    """
    owner = "least_assist_field"
    easy = check_reals(owner, "anisotropy_field", anisotropy_field, "above 0", "T")
    return easy * check_reals(owner, "share", share, "in 0..1")


def _sheet_moment(owner: str, magnetisation: ArrayLike, thickness: ArrayLike) -> Reals:
    """Moment of the layer over its area, A."""
    moment = check_reals(owner, "magnetisation", magnetisation, "above 0", "A/m")
    return moment * check_reals(owner, "thickness", thickness, "above 0", "m")
