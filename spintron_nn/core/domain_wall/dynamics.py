"""A moving wall: the one-dimensional model of its place and the angle inside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real, check_reals
from ..constants import BOHR_MAGNETON, BOLTZMANN, CHARGE, GYRO, HBAR

__all__ = [
    "WallDynamics",
    "WallPath",
    "dmi_field",
    "spin_drift_velocity",
    "spin_orbit_field",
    "walker_field",
]

Reals = NDArray[np.float64]

LARGEST_TURN = 0.2
"""Radians by which the angle may turn in one step of time."""


def walker_field(damping: ArrayLike, anisotropy_field: ArrayLike) -> Reals:
    """Field above which the wall's angle turns round and round, ``a B_K / 2``, tesla.

    Parameters
    ----------
    damping : float or array, above 0
    anisotropy_field : float or array, T
        In-plane anisotropy of the wall, as in :class:`WallDynamics`.

    Source
    ------
    Schryer and Walker, J. Appl. Phys. 45, 5406 (1974).
    """
    factor = check_reals("walker_field", "damping", damping, "above 0")
    field = check_reals("walker_field", "anisotropy_field", anisotropy_field, unit="T")
    return factor * np.abs(field) / 2


def spin_drift_velocity(
    current_density: ArrayLike, polarisation: ArrayLike, magnetisation: ArrayLike
) -> Reals:
    """Velocity ``u = mu_B P J / (e Ms)`` of the spin-transfer torque, m/s.

    Parameters
    ----------
    current_density : float or array, A/m2
        Along the track; positive where electrons drift to larger positions.
    polarisation : float or array, 0..1
    magnetisation : float or array, A/m, above 0

    Source
    ------
    Thiaville et al., Europhys. Lett. 69, 990 (2005).

    Examples
    --------
    >>> round(float(spin_drift_velocity(1e12, 0.5, 8e5)), 2)
    36.18
    """
    owner = "spin_drift_velocity"
    density = check_reals(owner, "current_density", current_density, unit="A/m2")
    share = check_reals(owner, "polarisation", polarisation, "in 0..1")
    moment = check_reals(owner, "magnetisation", magnetisation, "above 0", "A/m")
    return BOHR_MAGNETON * share * density / (CHARGE * moment)


def spin_orbit_field(
    current_density: ArrayLike,
    spin_hall_angle: ArrayLike,
    magnetisation: ArrayLike,
    thickness: ArrayLike,
) -> Reals:
    """Damping-like field ``hbar theta J / (2 e Ms t)`` of a heavy-metal layer, tesla.

    Parameters
    ----------
    current_density : float or array, A/m2
        In the heavy metal.
    spin_hall_angle : float or array
        Signed; the effective one of a layer of finite thickness.
    magnetisation : float or array, A/m, above 0
    thickness : float or array, m, above 0
        Of the magnetic layer.

    Source
    ------
    Thiaville et al., Europhys. Lett. 100, 57002 (2012).
    """
    owner = "spin_orbit_field"
    density = check_reals(owner, "current_density", current_density, unit="A/m2")
    angle = check_reals(owner, "spin_hall_angle", spin_hall_angle)
    moment = check_reals(owner, "magnetisation", magnetisation, "above 0", "A/m")
    layer = check_reals(owner, "thickness", thickness, "above 0", "m")
    return HBAR * angle * density / (2 * CHARGE * moment * layer)


def dmi_field(dmi: ArrayLike, magnetisation: ArrayLike, width: ArrayLike) -> Reals:
    """Field ``D / (Ms delta)`` of the interfacial exchange of Dzyaloshinskii and Moriya, tesla.

    Parameters
    ----------
    dmi : float or array, J/m2
        Signed.
    magnetisation : float or array, A/m, above 0
    width : float or array, m, above 0
        Width parameter of the wall.

    Source
    ------
    Thiaville et al., Europhys. Lett. 100, 57002 (2012).
    """
    energy = check_reals("dmi_field", "dmi", dmi, unit="J/m2")
    moment = check_reals("dmi_field", "magnetisation", magnetisation, "above 0", "A/m")
    length = check_reals("dmi_field", "width", width, "above 0", "m")
    return energy / (moment * length)


@dataclass(frozen=True, eq=False)
class WallPath:
    """Where walls went.

    Attributes
    ----------
    time : (records + 1,) array, second
    position : (records + 1, *walls) array, metre
    angle : (records + 1, *walls) array, radian
    """

    time: Reals
    position: Reals
    angle: Reals


@dataclass(frozen=True)
class WallDynamics:
    """One-dimensional model of walls in a narrow track: position q and in-plane angle phi.

    ``(1 + a^2) q' = delta (A + a B)`` and ``(1 + a^2) phi' = B - a A``, with
    ``A = g [(B_K / 2) sin 2 phi - (pi / 2) B_D sin phi] + u / delta`` and
    ``B = g [B_z + B_pin(q) + (pi / 2) B_SL cos phi] + b u / delta``; a is the damping, b the
    non-adiabaticity, g the gyromagnetic ratio. With a temperature, independent random fields act
    in A and B, so large that energies have Boltzmann's distribution: a field in B does the work
    ``2 Ms S`` for each tesla and metre, one in A ``2 Ms S delta`` for each tesla and radian, where
    S is the cross-section.

    The wall keeps its width and stays straight: tracks much wider than some ten wall widths, and
    fields far above Walker's, need micromagnetics.

    Parameters
    ----------
    damping : float, above 0
    width : float, m, above 0
        Width parameter of the wall.
    anisotropy_field : float, T
        In-plane anisotropy B_K: above 0 the angles 0 and pi (Neel walls) are easy, below 0 those
        at right angles to them (Bloch walls).
    dmi_field : float, T
        B_D; above 0 the angle pi is favoured, below 0 the angle 0.
    nonadiabaticity : float
        b of the spin-transfer torque.
    magnetisation : float, A/m, above 0
        For thermal motion only.
    cross_section : float, m2, above 0
        Width of the track times the thickness of the magnet; for thermal motion only.
    pinning_field : callable or None
        From an array of positions in metre to tesla of the same shape, as
        :meth:`NotchTrack.pinning_field`.

    Source
    ------
    Schryer and Walker, J. Appl. Phys. 45, 5406 (1974); Thiaville et al., Europhys. Lett. 69, 990
    (2005) and 100, 57002 (2012).

    Examples
    --------
    >>> wall = WallDynamics(damping=0.02, width=10e-9, anisotropy_field=0.1)
    >>> path = wall.run(0.0, 0.0, duration=50e-9, time_step=1e-11, field=0.5e-3)
    >>> round(float(wall.velocity(path)), 1)  # gyromagnetic ratio * width * field / damping
    44.0
    """

    damping: float
    width: float
    anisotropy_field: float
    dmi_field: float = 0.0
    nonadiabaticity: float = 0.0
    magnetisation: float = 1e6
    cross_section: float = 50e-18
    pinning_field: Callable[[Reals], Reals] | None = None

    def __post_init__(self) -> None:
        for name, rule, unit in (
            ("damping", "above 0", ""),
            ("width", "above 0", "m"),
            ("anisotropy_field", "finite", "T"),
            ("dmi_field", "finite", "T"),
            ("nonadiabaticity", "finite", ""),
            ("magnetisation", "above 0", "A/m"),
            ("cross_section", "above 0", "m2"),
        ):
            number = check_real("WallDynamics", name, getattr(self, name), rule, unit)
            object.__setattr__(self, name, number)
        if self.pinning_field is not None and not callable(self.pinning_field):
            raise ParameterError(
                "WallDynamics: pinning_field must be None or take positions and return tesla, "
                f"not {self.pinning_field!r}"
            )

    def rates(
        self,
        position: Reals,
        angle: Reals,
        *,
        field: ArrayLike = 0.0,
        spin_orbit_field: ArrayLike = 0.0,
        drift_velocity: ArrayLike = 0.0,
        turning_field: ArrayLike = 0.0,
    ) -> tuple[Reals, Reals]:
        """Velocity of walls in m/s and of their angles in rad/s; everything broadcasts.

        ``turning_field`` is a field in A, the thermal one: it turns the wall's angle into motion.
        """
        sine, cosine = np.sin(angle), np.cos(angle)
        drift = np.asarray(drift_velocity) / self.width
        inner = self.anisotropy_field * sine * cosine - math.pi / 2 * self.dmi_field * sine
        outer = np.asarray(field) + math.pi / 2 * np.asarray(spin_orbit_field) * cosine
        if self.pinning_field is not None:
            outer = outer + self.pinning_field(position)
        first = GYRO * (inner + np.asarray(turning_field)) + drift
        second = GYRO * outer + self.nonadiabaticity * drift
        share = 1 / (1 + self.damping**2)
        return (
            np.asarray(share * self.width * (first + self.damping * second)),
            np.asarray(share * (second - self.damping * first)),
        )

    def run(
        self,
        position: ArrayLike,
        angle: ArrayLike,
        *,
        duration: float,
        time_step: float,
        field: ArrayLike = 0.0,
        spin_orbit_field: ArrayLike = 0.0,
        drift_velocity: ArrayLike = 0.0,
        temperature: float = 0.0,
        rng: np.random.Generator | None = None,
        records: int = 100,
    ) -> WallPath:
        """Follow many walls at once under constant drives.

        Without temperature by the method of Runge and Kutta of fourth order, with it by Heun's.

        Parameters
        ----------
        position, angle : float or array, m and rad
            Where the walls start; these and the drives broadcast to one entry a wall.
        duration, time_step : float, s, above 0
        field : float or array, T
            Out of plane.
        spin_orbit_field : float or array, T
            From :func:`spin_orbit_field`.
        drift_velocity : float or array, m/s
            From :func:`spin_drift_velocity`.
        temperature : float, K, at least 0
        rng : numpy.random.Generator
            Needed above 0 K.
        records : int, 1..100000
            Times that are kept, evenly spaced; there are at least as many steps.

        Raises
        ------
        ParameterError
            If the time step is too long for the fields.
        """
        owner = "WallDynamics.run"
        length = check_real(owner, "duration", duration, "above 0", "s")
        wanted = check_real(owner, "time_step", time_step, "above 0", "s")
        kelvin = check_real(owner, "temperature", temperature, "at least 0", "kelvin")
        check_int(owner, "records", records, 1, 100_000)
        given = (position, angle, field, spin_orbit_field, drift_velocity)
        start, turned, drives = _checked(owner, given)
        if kelvin > 0 and not isinstance(rng, np.random.Generator):
            raise ParameterError(
                f"{owner}: rng must be a numpy.random.Generator above 0 K, not {rng!r}; give "
                "numpy.random.default_rng(seed)"
            )
        each = math.ceil(length / records / wanted * (1 - 1e-9))
        step = length / (records * each)
        self._check_step(step, drives)
        thermal = self.thermal_field(kelvin, step)
        places, angles = [start.copy()], [turned.copy()]
        state = (places[0], angles[0])
        for _ in range(records):
            for _ in range(each):
                if rng is None or kelvin == 0:
                    state = self._runge_kutta(state, step, drives)
                else:
                    noise = thermal * rng.standard_normal((2, *start.shape))
                    state = self._heun(state, step, drives, noise)
            places.append(state[0])
            angles.append(state[1])
        time = np.linspace(0, length, records + 1)
        return WallPath(time, np.array(places), np.array(angles))

    def thermal_field(self, temperature: float, time_step: float) -> float:
        """Standard deviation of each random field over one step of time, tesla.

        ``sqrt(a k T / (g Ms delta S dt))``: the friction ``2 a Ms S / (g delta)`` of the wall
        asks for it if energies are to have Boltzmann's distribution.
        """
        moment = self.magnetisation * self.width * self.cross_section
        return math.sqrt(self.damping * BOLTZMANN * temperature / (GYRO * moment * time_step))

    def velocity(self, path: WallPath, skip: float = 0.5) -> Reals:
        """Mean velocity of each wall after a share of its path was skipped, m/s."""
        share = check_real("WallDynamics.velocity", "skip", skip, "in 0..1")
        first = min(int(share * (len(path.time) - 1)), len(path.time) - 2)
        way = path.position[-1] - path.position[first]
        return np.asarray(way / (path.time[-1] - path.time[first]))

    def _check_step(self, step: float, drives: dict[str, Reals]) -> None:
        fields = abs(self.anisotropy_field) / 2 + math.pi / 2 * abs(self.dmi_field)
        fields += float(np.abs(drives["field"]).max(initial=0))
        fields += math.pi / 2 * float(np.abs(drives["spin_orbit_field"]).max(initial=0))
        turn = GYRO * fields + float(np.abs(drives["drift_velocity"]).max(initial=0)) / self.width
        if turn * step > LARGEST_TURN:
            raise ParameterError(
                f"WallDynamics.run: time_step must be at most {LARGEST_TURN / turn:.2g} s for "
                f"these fields, not {step:.2g} s; the angle would turn too far in one step"
            )

    def _runge_kutta(
        self, state: tuple[Reals, Reals], step: float, drives: dict[str, Reals]
    ) -> tuple[Reals, Reals]:
        place, angle = state
        one = self.rates(place, angle, **drives)
        two = self.rates(place + step / 2 * one[0], angle + step / 2 * one[1], **drives)
        three = self.rates(place + step / 2 * two[0], angle + step / 2 * two[1], **drives)
        four = self.rates(place + step * three[0], angle + step * three[1], **drives)
        moved, turned = (
            step / 6 * (a + 2 * b + 2 * c + d) for a, b, c, d in zip(one, two, three, four)
        )
        return place + moved, angle + turned

    def _heun(
        self, state: tuple[Reals, Reals], step: float, drives: dict[str, Reals], noise: Reals
    ) -> tuple[Reals, Reals]:
        drives = drives | {"field": drives["field"] + noise[0], "turning_field": noise[1]}
        place, angle = state
        one = self.rates(place, angle, **drives)
        two = self.rates(place + step * one[0], angle + step * one[1], **drives)
        return place + step / 2 * (one[0] + two[0]), angle + step / 2 * (one[1] + two[1])


def _checked(owner: str, given: tuple[ArrayLike, ...]) -> tuple[Reals, Reals, dict[str, Reals]]:
    """Start and angle with one entry a wall, and the drives, all numbers."""
    names = ("position", "angle", "field", "spin_orbit_field", "drift_velocity")
    units = ("m", "rad", "T", "T", "m/s")
    found = [
        check_reals(owner, name, value, unit=unit) for name, value, unit in zip(names, given, units)
    ]
    start, turned, *_ = np.broadcast_arrays(*found)
    return start, turned, dict(zip(names[2:], found[2:]))
