"""Notches that hold a wall: their field, retention, and how pulses move walls between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real, check_reals
from ..constants import BOLTZMANN
from .wall import notch_positions

__all__ = [
    "NotchTrack",
    "depinning_time",
    "hop_probability",
    "pulses_moved",
    "retention_time",
]

Reals = NDArray[np.float64]

ATTEMPT_TIME = 1e-9
"""Time between two attempts to leave a notch, second; the usual round number."""


def retention_time(
    pinning_energy: ArrayLike, temperature: ArrayLike, attempt_time: float = ATTEMPT_TIME
) -> Reals:
    """Mean time that a wall stays in a notch, ``tau0 exp(E_pin / (k T))``, second.

    Parameters
    ----------
    pinning_energy : float or array, J, at least 0
    temperature : float or array, K, above 0
    attempt_time : float, s, above 0

    Source
    ------
    Neel, Ann. Geophys. 5, 99 (1949); Brown, Phys. Rev. 130, 1677 (1963).

    Examples
    --------
    >>> years = retention_time(40.3 * 1.380649e-23 * 300, 300) / 31557600
    >>> round(float(years), 1)
    10.1
    """
    return depinning_time(pinning_energy, temperature, attempt_time=attempt_time)


def depinning_time(
    pinning_energy: ArrayLike,
    temperature: ArrayLike,
    *,
    current_ratio: ArrayLike = 0.0,
    attempt_time: float = ATTEMPT_TIME,
) -> Reals:
    """Mean time until a driven wall leaves its notch, second.

    ``tau0 exp(E_pin / (k T) (1 - J / J_dp)^2)``, and ``tau0`` at and above the depinning current,
    where the barrier is gone: travelling takes over and this formula ends.

    Parameters
    ----------
    pinning_energy : float or array, J, at least 0
    temperature : float or array, K, above 0
    current_ratio : float or array, at least 0
        Current over the depinning current at 0 K.
    attempt_time : float, s, above 0
    """
    owner = "depinning_time"
    energy = check_reals(owner, "pinning_energy", pinning_energy, "at least 0", "J")
    kelvin = check_reals(owner, "temperature", temperature, "above 0", "kelvin")
    ratio = check_reals(owner, "current_ratio", current_ratio, "at least 0")
    attempt = check_real(owner, "attempt_time", attempt_time, "above 0", "s")
    barrier = energy / (BOLTZMANN * kelvin) * np.maximum(1 - ratio, 0) ** 2
    # Beyond e^700 a time has no meaning, and a float no number.
    return attempt * np.exp(np.minimum(barrier, 700))


def hop_probability(pulse_width: ArrayLike, depinning: ArrayLike) -> Reals:
    """Probability that a pulse moves a wall out of its notch, ``1 - exp(-t_p / tau)``.

    Parameters
    ----------
    pulse_width : float or array, s, at least 0
    depinning : float or array, s, above 0
        From :func:`depinning_time`.
    """
    time = check_reals("hop_probability", "pulse_width", pulse_width, "at least 0", "s")
    mean = check_reals("hop_probability", "depinning", depinning, "above 0", "s")
    return -np.expm1(-time / mean)


def pulses_moved(
    start: ArrayLike,
    pulses: ArrayLike,
    probability: float,
    *,
    levels: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Notch in which walls stand after some pulses, each of which moves one notch or none.

    The hops of n pulses have a binomial distribution, of mean ``n p`` and variance
    ``n p (1 - p)``; the ends of the track stop the wall.

    Parameters
    ----------
    start : integer or array, 0..levels - 1
    pulses : integer or array
        Negative ones move the wall back; broadcasts with the start.
    probability : float, 0..1
        From :func:`hop_probability`.
    levels : int, 1..4096
        Notches of the track.
    rng : numpy.random.Generator
    """
    chance = check_real("pulses_moved", "probability", probability, "in 0..1")
    count = check_int("pulses_moved", "levels", levels, 1, 4096)
    first, given = np.broadcast_arrays(np.asarray(start), np.asarray(pulses))
    for name, value in (("start", first), ("pulses", given)):
        if not np.issubdtype(value.dtype, np.integer):
            raise ParameterError(f"pulses_moved: {name} must be integers, not {value.dtype}")
    if first.size and (first.min() < 0 or first.max() >= count):
        raise ParameterError(
            f"pulses_moved: start must be in 0..{count - 1}, not {first.min()}..{first.max()}"
        )
    hops = np.sign(given) * rng.binomial(np.abs(given), chance)
    return np.clip(first + hops, 0, count - 1).astype(np.int64)


@dataclass(frozen=True)
class NotchTrack:
    """Notches at ``x_k = (k + 1/2) L / n``, each a Gaussian well for the wall.

    ``E(q) = -E_pin sum_k exp(-(q - x_k)^2 / (2 w^2))``. The energy to leave is ``E_pin`` as long
    as wells do not overlap, so the notch's width is held to a quarter of the distance of two.

    Parameters
    ----------
    track_length : float, m, above 0
    levels : int, 1..4096
    pinning_energy : float, J, at least 0
    notch_width : float, m, above 0
        w; not below the wall's width parameter, which rounds every well.
    magnetisation : float, A/m, above 0
    cross_section : float, m2, above 0
        Width of the track times thickness of the magnet.

    Examples
    --------
    >>> track = NotchTrack(200e-9, 4, 2e-19, 10e-9, magnetisation=1e6, cross_section=50e-18)
    >>> round(track.depinning_field * 1e3, 1)  # millitesla
    121.3
    """

    track_length: float
    levels: int
    pinning_energy: float
    notch_width: float
    magnetisation: float = 1e6
    cross_section: float = 50e-18

    def __post_init__(self) -> None:
        for name, rule, unit in (
            ("track_length", "above 0", "m"),
            ("pinning_energy", "at least 0", "J"),
            ("notch_width", "above 0", "m"),
            ("magnetisation", "above 0", "A/m"),
            ("cross_section", "above 0", "m2"),
        ):
            number = check_real("NotchTrack", name, getattr(self, name), rule, unit)
            object.__setattr__(self, name, number)
        check_int("NotchTrack", "levels", self.levels, 1, 4096)
        distance = self.track_length / self.levels
        if self.notch_width > distance / 4 * (1 + 1e-12):
            raise ParameterError(
                "NotchTrack: notch_width must be at most a quarter of the distance of notches, "
                f"{distance / 4:.3g} m, not {self.notch_width:.3g} m; use fewer levels or a "
                f"track of {4 * self.notch_width * self.levels:.3g} m"
            )

    @property
    def positions(self) -> Reals:
        """Centres of the notches, metre."""
        return notch_positions(self.track_length, self.levels)

    @property
    def depinning_field(self) -> float:
        """Field that pulls a wall out at 0 K, tesla: the steepest slope of a well."""
        slope = self.pinning_energy * math.exp(-0.5) / self.notch_width
        return slope / (2 * self.magnetisation * self.cross_section)

    def energy(self, position: ArrayLike) -> Reals:
        """Energy of a wall at some places, joule."""
        away = self._away(position)
        return -self.pinning_energy * np.exp(-(away**2) / 2).sum(axis=-1)

    def pinning_field(self, position: ArrayLike) -> Reals:
        """Field ``-(dE/dq) / (2 Ms S)`` that acts on a wall at some places, tesla."""
        away = self._away(position)
        force = (away * np.exp(-(away**2) / 2)).sum(axis=-1)
        force = -self.pinning_energy / self.notch_width * force
        return force / (2 * self.magnetisation * self.cross_section)

    def _away(self, position: ArrayLike) -> Reals:
        place = np.asarray(position, dtype=np.float64)
        return (place[..., None] - self.positions) / self.notch_width
