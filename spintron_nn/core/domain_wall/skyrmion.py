"""A cell that counts skyrmions: its resistance rises by the same amount with each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real, check_reals

__all__ = ["SkyrmionCell"]

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SkyrmionCell:
    """Skyrmions that come and go independently below one contact that reads them.

    A creating pulse adds a number of them with a Poisson distribution, a deleting pulse removes
    each one with a fixed probability, and heat removes each with a fixed rate. They do not repel
    each other and all count alike; that holds while they are far apart, and :py:`capacity` says
    where it ends.

    Parameters
    ----------
    capacity : int, 1..63
        Most skyrmions that the cell holds; a pulse beyond it adds none.
    resistance_empty : float, ohm, above 0
    resistance_step : float, ohm, above 0
        ``R = R_0 + n dR`` for n skyrmions.
    created : float, at least 0
        Mean number that a creating pulse adds.
    deleted : float, 0..1
        Probability with which a deleting pulse removes each one.
    lifetime : float, s, above 0
        Mean life of a skyrmion at the temperature of use.

    Source
    ------
    Song et al., Nature Electronics 3, 148 (2020): skyrmion synapse, resistance by count.

    Examples
    --------
    >>> cell = SkyrmionCell(capacity=3, resistance_empty=1.5e6, resistance_step=0.6e6)
    >>> cell.resistance(np.array([0, 3])).tolist()
    [1500000.0, 3300000.0]
    """

    capacity: int
    resistance_empty: float
    resistance_step: float
    created: float = 1.0
    deleted: float = 0.5
    lifetime: float = 1e8

    def __post_init__(self) -> None:
        check_int("SkyrmionCell", "capacity", self.capacity, 1, 63)
        for name, rule, unit in (
            ("resistance_empty", "above 0", "ohm"),
            ("resistance_step", "above 0", "ohm"),
            ("created", "at least 0", ""),
            ("deleted", "in 0..1", ""),
            ("lifetime", "above 0", "s"),
        ):
            number = check_real("SkyrmionCell", name, getattr(self, name), rule, unit)
            object.__setattr__(self, name, number)

    @property
    def conductances(self) -> Reals:
        """Conductance of each count, the fullest first and so rising, (capacity + 1,), siemens."""
        return np.asarray(1 / self.resistance(np.arange(self.capacity, -1, -1)))

    @property
    def level_fractions(self) -> tuple[float, ...]:
        """Conductances as a share of their range, from 0 to 1; denser at low conductance."""
        first, last = self.conductances[[0, -1]]
        return tuple(((self.conductances - first) / (last - first)).tolist())

    def resistance(self, count: ArrayLike) -> Reals:
        """Resistance for some numbers of skyrmions, ohm."""
        found = self._counts("count", count).astype(np.float64)
        return self.resistance_empty + found * self.resistance_step

    def create(self, count: ArrayLike, pulses: ArrayLike, rng: np.random.Generator) -> Counts:
        """Skyrmions of cells after some creating pulses; counts and pulses broadcast."""
        before = self._counts("count", count)
        added = rng.poisson(self.created * self._pulses(pulses) * np.ones(before.shape))
        return np.minimum(before + added, self.capacity).astype(np.int64)

    def delete(self, count: ArrayLike, pulses: ArrayLike, rng: np.random.Generator) -> Counts:
        """Skyrmions of cells after some deleting pulses; counts and pulses broadcast."""
        before = self._counts("count", count)
        return rng.binomial(before, (1 - self.deleted) ** self._pulses(pulses)).astype(np.int64)

    def wait(self, count: ArrayLike, time: ArrayLike, rng: np.random.Generator) -> Counts:
        """Skyrmions that are left after some time in seconds; counts and times broadcast."""
        before = self._counts("count", count)
        passed = check_reals("SkyrmionCell.wait", "time", time, "at least 0", "s")
        return rng.binomial(before, np.exp(-passed / self.lifetime)).astype(np.int64)

    def _counts(self, name: str, value: ArrayLike) -> Counts:
        found = np.asarray(value)
        whole = np.issubdtype(found.dtype, np.integer)
        if not whole or (found.size and (found.min() < 0 or found.max() > self.capacity)):
            shown = f"{found.min()}..{found.max()}" if whole else found.dtype
            raise ParameterError(
                f"SkyrmionCell: {name} must be integers in 0..{self.capacity}, not {shown}"
            )
        return found.astype(np.int64)

    def _pulses(self, value: ArrayLike) -> Counts:
        found = np.asarray(value)
        if not np.issubdtype(found.dtype, np.integer) or (found.size and found.min() < 0):
            raise ParameterError(
                f"SkyrmionCell: pulses must be integers of at least 0, not {value!r}"
            )
        return found.astype(np.int64)
