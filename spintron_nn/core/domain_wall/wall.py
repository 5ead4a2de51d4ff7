"""A domain wall at rest: its width, its energy, and what the device conducts for its place."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real, check_reals

__all__ = [
    "levels_that_fit",
    "notch_positions",
    "wall_conductance",
    "wall_energy",
    "wall_extent",
    "wall_width",
]

Reals = NDArray[np.float64]

LONGEST = 1e-2
"""A track longer than this, in metres, is a slip of units."""


def wall_width(exchange_stiffness: ArrayLike, anisotropy: ArrayLike) -> Reals:
    """Width parameter of a wall, ``delta = sqrt(A / K_eff)``, metre.

    The magnetisation turns as ``m_z = tanh(x / delta)``.

    Parameters
    ----------
    exchange_stiffness : float or array, J/m, above 0
    anisotropy : float or array, J/m3, above 0
        Effective uniaxial anisotropy, less the demagnetising part.

    Source
    ------
    Bloch, Z. Phys. 74, 295 (1932); Hubert and Schaefer, Magnetic Domains, 3.6.1.

    Examples
    --------
    >>> round(float(wall_width(15e-12, 2.2e5)) * 1e9, 2)
    8.26
    """
    stiffness, energy = _materials("wall_width", exchange_stiffness, anisotropy)
    return np.sqrt(stiffness / energy)


def wall_extent(width: ArrayLike) -> Reals:
    """Length of track that a wall takes up, ``pi delta``, metre.

    The definition is Lilley's: where the steepest slope of the angle meets both domains.

    Parameters
    ----------
    width : float or array, m, above 0
        Width parameter delta.

    Source
    ------
    Lilley, Phil. Mag. 41, 792 (1950).
    """
    return math.pi * check_reals("wall_extent", "width", width, "above 0", "m")


def wall_energy(exchange_stiffness: ArrayLike, anisotropy: ArrayLike) -> Reals:
    """Energy of a Bloch wall for each area, ``4 sqrt(A K_eff)``, J/m2.

    Parameters
    ----------
    exchange_stiffness : float or array, J/m, above 0
    anisotropy : float or array, J/m3, above 0

    Source
    ------
    Hubert and Schaefer, Magnetic Domains, 3.6.1.
    """
    stiffness, energy = _materials("wall_energy", exchange_stiffness, anisotropy)
    return 4 * np.sqrt(stiffness * energy)


def _materials(owner: str, stiffness: ArrayLike, anisotropy: ArrayLike) -> tuple[Reals, Reals]:
    return (
        check_reals(owner, "exchange_stiffness", stiffness, "above 0", "J/m"),
        check_reals(owner, "anisotropy", anisotropy, "above 0", "J/m3"),
    )


def levels_that_fit(track_length: float, extent: float) -> int:
    """Places along a track that a wall of some extent can take without sharing ground.

    Parameters
    ----------
    track_length : float, m, above 0
    extent : float, m, above 0
        Length that the wall takes up: :func:`wall_extent`, or the distance of notches.

    Examples
    --------
    >>> levels_that_fit(200e-9, 26e-9)
    7
    """
    length = check_real("levels_that_fit", "track_length", track_length, "above 0", "m")
    piece = check_real("levels_that_fit", "extent", extent, "above 0", "m")
    if length > LONGEST:
        raise ParameterError(
            f"levels_that_fit: track_length must be at most {LONGEST:g} m, not {length:g} m; "
            "lengths are in metres, 200 nm is 200e-9"
        )
    # A quotient of decimal lengths may miss a whole number by the last bit.
    return int(length / piece * (1 + 1e-12))


def notch_positions(track_length: float, levels: int) -> Reals:
    """Places ``x_k = (k + 1/2) L / n`` of the notches that hold the levels, metre.

    Parameters
    ----------
    track_length : float, m, above 0
    levels : int, 1..4096
    """
    length = check_real("notch_positions", "track_length", track_length, "above 0", "m")
    count = check_int("notch_positions", "levels", levels, 1, 4096)
    return (np.arange(count) + 0.5) * length / count


def wall_conductance(
    position: ArrayLike,
    track_length: float,
    *,
    conductance_parallel: float,
    conductance_antiparallel: float,
) -> Reals:
    """Conductance of a junction over the track, ``G_P x / L + G_AP (1 - x / L)``, siemens.

    Both parts of the free layer conduct side by side. The wall itself changes nothing: over its
    profile, odd about the centre, the surplus of one side is what the other lacks.

    Parameters
    ----------
    position : float or array, m, in 0..track_length
        Centre of the wall; the free layer is parallel to the reference layer up to there.
    track_length : float, m, above 0
    conductance_parallel, conductance_antiparallel : float, S, above 0

    Source
    ------
    Sengupta, Shim and Roy, IEEE Trans. Biomed. Circuits Syst. 10, 1152 (2016).
    """
    owner = "wall_conductance"
    length = check_real(owner, "track_length", track_length, "above 0", "m")
    parallel = check_real(owner, "conductance_parallel", conductance_parallel, "above 0", "S")
    antiparallel = check_real(
        owner, "conductance_antiparallel", conductance_antiparallel, "above 0", "S"
    )
    place = check_reals(owner, "position", position, "at least 0", "m")
    if (place > length * (1 + 1e-12)).any():
        raise ParameterError(
            f"{owner}: position must be on the track, 0..{length:g} m, not {place.max():g} m"
        )
    return antiparallel + (parallel - antiparallel) * (place / length)
