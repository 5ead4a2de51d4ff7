"""Write errors and read disturbs of a perpendicular layer without Monte Carlo: Fokker-Planck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import exprel

from spintron_ir.errors import ParameterError, check_int
from spintron_nn.core.checks import check_real, check_reals
from spintron_nn.core.constants import GYRO

__all__ = ["FokkerPlanck"]

Reals = NDArray[np.float64]

SMALLEST = 1e-150
"""Transition probabilities below it are 0, so that no product is a slow denormal number."""

TERMS = 9
"""Of the series for the shortest step, in which a state is left with a probability of 1/16."""


@dataclass(frozen=True, kw_only=True)
class FokkerPlanck:
    """Probability of ``x = m_z`` under an axial field and a spin-transfer torque along z.

    ``dp/dT = d/dx { (1 - x**2) [ -(x + h + i / (1 + s x)) p + dp/dx / (2 Delta) ] }`` with
    ``T = a g B_k t / (1 + a**2)``, ``h`` the field over ``B_k`` and ``i`` the current over the
    critical one. The drift is that of a potential, so the equilibrium is known:
    ``exp[Delta (x**2 + 2 h x + 2 i ln(1 + s x) / s)]``.

    Finite volumes with Scharfetter-Gummel fluxes keep that equilibrium exactly. They are a random
    walk between cells, and its transition probabilities over a time are found by squaring those
    over a short one. All of that adds and multiplies numbers that are not negative, so nothing
    cancels, and a probability of 1e-15 is as accurate, relatively, as one of 0.5.

    Parameters
    ----------
    thermal_stability : float, above 0
        ``Delta``.
    anisotropy_field : float, T, above 0
        ``B_k = mu0 Hk``.
    damping : float, above 0 and at most 1
    current_ratio : float
        ``i``, the current over the critical current; positive favours +z.
    field_ratio : float
        ``h``, the axial field over ``B_k``; positive favours +z.
    torque_asymmetry : float, between -1 and 1
        ``s``: the torque's efficiency is proportional to ``1 / (1 + s x)``, and :py:`i` is that
        of ``s = 0``.
    cells : int, 16..2048, even
        Of the grid, so that a face lies on the ridge; errors fall with the square of the number.

    Raises
    ------
    ParameterError
        Where a parameter is out of range.

    Source
    ------
    Brown, Phys. Rev. 130, 1677 (1963); with spin torque: Butler et al., IEEE Trans. Magn. 48, 4684
    (2012). Fluxes: Scharfetter and Gummel, IEEE Trans. Electron Devices 16, 64 (1969).

    Examples
    --------
    >>> write = FokkerPlanck(thermal_stability=60, anisotropy_field=0.3, damping=0.02,
    ...                      current_ratio=2.0)
    >>> [f"{rate:.1e}" for rate in write.remaining([0.0, 5e-9, 15e-9])]
    ['1.0e+00', '1.2e-03', '6.6e-13']
    """

    thermal_stability: float
    anisotropy_field: float
    damping: float
    current_ratio: float = 0.0
    field_ratio: float = 0.0
    torque_asymmetry: float = 0.0
    cells: int = 192

    def __post_init__(self) -> None:
        owner = "FokkerPlanck"
        check_real(owner, "thermal_stability", self.thermal_stability, "above 0")
        check_real(owner, "anisotropy_field", self.anisotropy_field, "above 0", "T")
        check_real(owner, "damping", self.damping, "above 0 and at most 1")
        for name in ("current_ratio", "field_ratio", "torque_asymmetry"):
            check_real(owner, name, getattr(self, name))
        if abs(self.torque_asymmetry) >= 1:
            raise ParameterError(
                f"{owner}: torque_asymmetry must be between -1 and 1, not "
                f"{self.torque_asymmetry!r}; the efficiency would have a pole"
            )
        if check_int(owner, "cells", self.cells, 16, 2048) % 2:
            raise ParameterError(
                f"{owner}: cells must be even, not {self.cells}; a face lies on the ridge"
            )

    @property
    def time_unit(self) -> float:
        """Seconds of one ``T``: ``(1 + a**2) / (a g B_k)``."""
        return (1 + self.damping**2) / (self.damping * GYRO * self.anisotropy_field)

    @property
    def faces(self) -> Reals:
        """Borders of the cells from -1 to 1, shape (cells + 1,); even in the polar angle."""
        return -np.cos(np.linspace(0, np.pi, self.cells + 1))

    @property
    def positions(self) -> Reals:
        """Middles of the cells, shape (cells,)."""
        faces = self.faces
        return np.asarray((faces[1:] + faces[:-1]) / 2)

    def _log_density(self, x: Reals) -> Reals:
        """``2 Delta`` times the potential, turned round: logarithm of the equilibrium density."""
        bend = self.torque_asymmetry
        torque = np.log1p(bend * x) / bend if bend else x
        drift = x**2 / 2 + self.field_ratio * x + self.current_ratio * torque
        return np.asarray(2 * self.thermal_stability * drift)

    def equilibrium(self) -> Reals:
        """Probability of each cell after a very long time, shape (cells,)."""
        exponent = self._log_density(self.positions)
        mass = np.exp(exponent - exponent.max()) * np.diff(self.faces)
        return np.asarray(mass / mass.sum())

    def well(self, *, up: bool = False) -> Reals:
        """Probability of each cell in equilibrium without a drive in one well, shape (cells,)."""
        x = self.positions
        mass = np.exp(self.thermal_stability * (x**2 - 1)) * np.diff(self.faces)
        mass[(x < 0) if up else (x > 0)] = 0
        return np.asarray(mass / mass.sum())

    def _rates(self) -> tuple[Reals, Reals]:
        """Rates per ``T`` up and down through each inner face, shape (cells - 1,)."""
        faces, x = self.faces, self.positions
        widths = np.diff(faces)
        rise = np.diff(self._log_density(x))
        flow = (1 - faces[1:-1] ** 2) / (2 * self.thermal_stability * np.diff(x))
        return flow / (exprel(-rise) * widths[:-1]), flow / (exprel(rise) * widths[1:])

    def evolve(self, masses: Any, time: Any) -> Reals:
        r"""Probabilities of the cells after the drive has acted for a time.

        Parameters
        ----------
        masses : array, shape (cells,), at least 0
            At the start; their sum is kept.
        time : float or array, s, at least 0

        Returns
        -------
        array, shape (\*time.shape, cells)

        Raises
        ------
        ParameterError
            Where a mass or a time is below 0, or there is another number of masses.
        """
        owner = "FokkerPlanck.evolve"
        start = check_reals(owner, "masses", masses, "at least 0")
        if start.shape != (self.cells,):
            raise ParameterError(
                f"{owner}: masses must have the shape ({self.cells},), one for each cell, not "
                f"{start.shape}"
            )
        times = check_reals(owner, "time", time, "at least 0", "s") / self.time_unit
        up, down = self._rates()
        leaving = np.append(up, 0) + np.append(0, down)
        step = 1 / (16 * leaving.max())
        whole = np.floor(times.ravel() / step)
        columns = np.repeat(start[:, None], whole.size, axis=1)
        columns = _short(up, down, columns, times.ravel() - whole * step)
        power = _short(up, down, np.eye(self.cells), np.full(self.cells, step))
        while whole.any():
            odd = whole % 2 == 1
            if odd.any():
                columns[:, odd] = power @ columns[:, odd]
            whole = np.floor(whole / 2)
            if whole.any():
                power[power < SMALLEST] = 0
                power = power @ power
                # Rounding of the sums would double with each squaring: 10 years are 60 of them.
                power /= power.sum(0)
        return np.asarray(columns.T.reshape(*times.shape, self.cells))

    def remaining(self, time: Any, *, up: bool = False) -> Reals:
        """Probability that a layer is still on its side of the ridge: the write error rate.

        Parameters
        ----------
        time : float or array, s, at least 0
            Length of the pulse; before it, the layer is in equilibrium in one well.
        up : bool
            That well is the one around +z.

        Returns
        -------
        array, shape as :py:`time`
        """
        return self._share(time, up, up)

    def crossed(self, time: Any, *, up: bool = False) -> Reals:
        """Probability that a layer has left its side: the read disturb of a weak current.

        Parameters
        ----------
        time, up
            As for :meth:`remaining`.

        Returns
        -------
        array, shape as :py:`time`
        """
        return self._share(time, up, not up)

    def _share(self, time: Any, up: bool, end_up: bool) -> Reals:
        masses = self.evolve(self.well(up=up), time)
        half = self.cells // 2
        return np.asarray((masses[..., half:] if end_up else masses[..., :half]).sum(-1))

    def relaxation_rate(self) -> float:
        """Lowest eigenvalue above 0, 1/s: the sum of the rates of leaving both wells.

        The fluxes through the faces decay by the same rates, and the inverse of their generator is
        two sums, so the eigenvalue is accurate however small it is.

        Returns
        -------
        float

        Raises
        ------
        ParameterError
            Where the equilibrium spans more than ``exp(700)``, the range of a float.
        """
        span = float(np.ptp(self._log_density(self.positions)))
        if span > 700:
            raise ParameterError(
                "FokkerPlanck.relaxation_rate: the logarithm of the equilibrium density must span "
                f"at most 700, not {span:.0f}; take a smaller thermal_stability or current_ratio"
            )
        up, _ = self._rates()
        mass = self.equilibrium()
        flow = up * mass[:-1]
        flux = np.sqrt(flow)
        before = 0.0
        for _ in range(200):
            level = np.append(0, np.cumsum(flux / flow))
            level -= (level * mass).sum() / mass.sum()
            # From the end where fewer terms have been added; both ends carry no flux.
            left, right = -np.cumsum(level * mass)[:-1], np.cumsum((level * mass)[::-1])[-2::-1]
            following = np.where(level[:-1] < 0, left, right)
            rate = float(np.linalg.norm(flux) / np.linalg.norm(following))
            flux = following / np.linalg.norm(following)
            if abs(rate - before) <= 1e-13 * rate:
                break
            before = rate
        return rate / self.time_unit


def _short(up: Reals, down: Reals, columns: Reals, times: Reals) -> Reals:
    """Advance columns by times so short that a state is left at most once in 16.

    With the fastest rate ``q``, ``exp(W t) = exp(-q t) sum (q t)**k / k! (1 + W / q)**k``.
    """
    leaving = np.append(up, 0) + np.append(0, down)
    fastest = leaving.max()
    stay, rise, fall = 1 - leaving / fastest, up / fastest, down / fastest
    stay[leaving.argmax()] = 0
    term, total = columns, columns.copy()
    for order in range(1, TERMS + 1):
        moved = stay[:, None] * term
        moved[1:] += rise[:, None] * term[:-1]
        moved[:-1] += fall[:, None] * term[1:]
        term = moved * (fastest * times / order)
        total += term
    return np.asarray(total * np.exp(-fastest * times))
