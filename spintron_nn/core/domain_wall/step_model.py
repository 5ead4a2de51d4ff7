"""How far one pulse moves a wall: hops between places of rest, with few parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, ndtr, xlogy

from spintron_ir.errors import ParameterError, check_choice, check_int

from ..checks import check_real, check_reals
from .step_table import DIRECTIONS

__all__ = ["StepLaw", "StepModel"]

Reals = NDArray[np.float64]

MOST_HOPS = 24
"""Hops of one pulse that are counted; with 6 more on average, one pulse in 1e8 does more."""

SELDOM = 1e-12
"""Probability of a number of hops below which it is left out."""

DEVIATIONS = np.linspace(-6, 6, 97)


@dataclass(frozen=True)
class StepLaw:
    """Distribution of the conductance step of one pulse at one temperature.

    A pulse leaves the wall where it is with the probability ``stay``; otherwise the wall hops once
    and then a further number of times that has a Poisson distribution of mean ``extra_hops``.
    Each rest position has a normal spread ``jitter``. Near an end of the track the wall is pushed
    inwards by ``push * exp(-distance / end_reach)``, all as conductances: a step toward the end is
    shorter by this, a step away from it is scaled so that its mean is longer by this.

    Parameters
    ----------
    temperature : float, kelvin, at least 0
    hop : float, siemens, above 0
        Change of conductance by one hop.
    stay : float, 0..1, below 1
        Probability that a pulse moves nothing.
    extra_hops : float, 0..6
        Mean number of hops beyond the first.
    jitter : float, siemens, above 0
        Standard deviation of the place in which the wall comes to rest.
    low_push, high_push : float, siemens, at least 0
        Change of the mean step at the end of low or high conductance, away from it.
    end_reach : float, siemens, above 0
        Distance from the end over which the push falls by a factor e.

    Examples
    --------
    >>> law = StepLaw(temperature=300, hop=3e-6, stay=0.0, extra_hops=0.5, jitter=1e-7)
    >>> round(law.mean * 1e6, 9)
    4.5
    """

    temperature: float
    hop: float
    stay: float
    extra_hops: float
    jitter: float
    low_push: float = 0.0
    high_push: float = 0.0
    end_reach: float = 1e-6

    def __post_init__(self) -> None:
        for name, rule, unit in (
            ("temperature", "at least 0", "kelvin"),
            ("hop", "above 0", "S"),
            ("stay", "in 0..1", ""),
            ("extra_hops", "at least 0", ""),
            ("jitter", "above 0", "S"),
            ("low_push", "at least 0", "S"),
            ("high_push", "at least 0", "S"),
            ("end_reach", "above 0", "S"),
        ):
            number = check_real("StepLaw", name, getattr(self, name), rule, unit)
            object.__setattr__(self, name, number)
        if self.stay == 1:
            raise ParameterError("StepLaw: stay must be below 1, or no pulse ever moves the wall")
        if self.extra_hops > 6:
            raise ParameterError(
                f"StepLaw: extra_hops must be at most 6, not {self.extra_hops:g}; a step of so "
                "many hops is a continuous one: give a larger hop"
            )

    @property
    def mean(self) -> float:
        """Mean step away from the ends, siemens."""
        return self.hop * (1 - self.stay) * (1 + self.extra_hops)

    @property
    def deviation(self) -> float:
        """Standard deviation of a step away from the ends, siemens."""
        move = 1 - self.stay
        second = move * ((1 + self.extra_hops) ** 2 + self.extra_hops)
        count = second - (move * (1 + self.extra_hops)) ** 2
        return float(np.sqrt(self.hop**2 * count + self.jitter**2))

    @cached_property
    def _curve(self) -> tuple[Reals, Reals]:
        """Cumulative probability, and the step that it belongs to, for interpolation."""
        count = np.arange(MOST_HOPS)
        log_chance = xlogy(count[:-1], self.extra_hops) - self.extra_hops - gammaln(count[1:])
        weight = np.append(self.stay, (1 - self.stay) * np.exp(log_chance))
        count, weight = count[weight > SELDOM], weight[weight > SELDOM]
        # Points lie where a hop's probability changes, however narrow the jitter is.
        step = np.sort((count[:, None] * self.hop + self.jitter * DEVIATIONS).ravel())
        share = ndtr((step[:, None] - count * self.hop) / self.jitter) @ weight
        return np.maximum.accumulate(share / weight.sum()), step

    def forward(self, probability: Reals) -> Reals:
        """Quantile of a step in the direction of the pulse, away from the ends, siemens."""
        return np.interp(probability, *self._curve)


NUMBERS = tuple(field.name for field in fields(StepLaw))


@dataclass(frozen=True)
class StepModel:
    """Conductance steps of one device between the temperatures at which it was measured.

    Between two laws the step of a given probability is interpolated linearly in the square root of
    the temperature, as a thermal displacement grows; outside of them nothing is known and the
    model refuses. Steps of both directions are mirror images; successive steps are independent.

    Parameters
    ----------
    low_conductance, high_conductance : float, siemens
        Ends of the track.
    laws : tuple of StepLaw
        One for each temperature, rising.

    Examples
    --------
    >>> law = StepLaw(temperature=300, hop=3e-6, stay=0.1, extra_hops=0.5, jitter=5e-7)
    >>> model = StepModel(60e-6, 160e-6, (law,))
    >>> model == StepModel.from_dict(model.as_dict())
    True
    >>> rng = np.random.default_rng(1)
    >>> after = model.sample(np.full(4, 100e-6), 3, rng, temperature=300)
    >>> bool((after > 100e-6).all())
    True
    """

    low_conductance: float
    high_conductance: float
    laws: tuple[StepLaw, ...]

    def __post_init__(self) -> None:
        for name in ("low_conductance", "high_conductance"):
            number = check_real("StepModel", name, getattr(self, name), "above 0", "S")
            object.__setattr__(self, name, number)
        if self.high_conductance <= self.low_conductance:
            raise ParameterError(
                "StepModel: high_conductance must be above low_conductance, not "
                f"{self.high_conductance:g} and {self.low_conductance:g} S"
            )
        laws = self.laws if isinstance(self.laws, tuple) else ()
        if not laws or not all(isinstance(law, StepLaw) for law in laws):
            raise ParameterError(
                f"StepModel: laws must be a tuple of at least one StepLaw, not {self.laws!r}"
            )
        found = [law.temperature for law in laws]
        if found != sorted(set(found)):
            raise ParameterError(
                f"StepModel: the temperatures of laws must rise, not {found}; sort the laws"
            )

    @property
    def temperatures(self) -> tuple[float, ...]:
        """Temperatures of the laws, kelvin."""
        return tuple(law.temperature for law in self.laws)

    def as_dict(self) -> dict[str, float | list[float]]:
        """The model as plain numbers: two ends, and one list for each parameter of the laws."""
        values: dict[str, float | list[float]] = {
            "low_conductance": self.low_conductance,
            "high_conductance": self.high_conductance,
        }
        return values | {name: [getattr(law, name) for law in self.laws] for name in NUMBERS}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StepModel:
        """Make a model of what :meth:`as_dict` gave, or of a card's numbers; all are checked."""
        wanted = ("low_conductance", "high_conductance", *NUMBERS)
        if not isinstance(values, Mapping) or set(values) != set(wanted):
            given = sorted(map(str, values)) if isinstance(values, Mapping) else repr(values)
            raise ParameterError(
                f"StepModel.from_dict: the names must be {', '.join(wanted)}, not {given}"
            )
        columns = [values[name] for name in NUMBERS]
        whole = all(isinstance(column, (list, tuple)) for column in columns)
        lengths = {len(column) for column in columns} if whole else set()
        if len(lengths) != 1:
            raise ParameterError(
                f"StepModel.from_dict: {', '.join(NUMBERS)} must be lists of one length, one "
                "number a temperature"
            )
        laws = tuple(StepLaw(*row) for row in zip(*columns))
        return cls(values["low_conductance"], values["high_conductance"], laws)

    def _bracket(self, temperature: float) -> tuple[StepLaw, StepLaw, float]:
        """The laws on both sides of a temperature, and the share of the warmer one."""
        kelvin = check_real("StepModel", "temperature", temperature, "at least 0", "kelvin")
        first, last = self.temperatures[0], self.temperatures[-1]
        if not first <= kelvin <= last:
            known = f"{first:g}" if first == last else f"{first:g}..{last:g}"
            raise ParameterError(
                f"StepModel: temperature must be in what was measured, {known} K, not "
                f"{kelvin:g} K; fit a table of another temperature as well"
            )
        index = max(int(np.searchsorted(self.temperatures, kelvin, side="right")) - 1, 0)
        below, above = self.laws[index], self.laws[min(index + 1, len(self.laws) - 1)]
        if below is above:
            return below, above, 0.0
        cold, warm = np.sqrt(below.temperature), np.sqrt(above.temperature)
        return below, above, float((np.sqrt(kelvin) - cold) / (warm - cold))

    def _step(self, chance: Reals, conductance: Reals, temperature: float, sign: Any) -> Reals:
        below, above, share = self._bracket(temperature)
        toward = np.where(sign > 0, chance, 1 - chance)
        found = np.zeros(np.broadcast_shapes(toward.shape, conductance.shape))
        from_low = np.maximum(conductance - self.low_conductance, 0)
        from_high = np.maximum(self.high_conductance - conductance, 0)
        for law, part in ((below, 1 - share), (above, share)):
            if part:
                low = law.low_push * np.exp(-from_low / law.end_reach)
                high = law.high_push * np.exp(-from_high / law.end_reach)
                behind, ahead = np.where(sign > 0, low, high), np.where(sign > 0, high, low)
                step = law.forward(toward) * (1 + behind / law.mean) - ahead
                found += part * sign * step
        return found

    def quantile(
        self, probability: ArrayLike, conductance: ArrayLike, temperature: float, direction: str
    ) -> Reals:
        """Change of conductance by one pulse that is not exceeded with a probability, siemens.

        Parameters
        ----------
        probability : float or array, in 0..1
            Broadcasts with the conductance.
        conductance : float or array, siemens
            Before the pulse.
        temperature : float, kelvin
            Within the temperatures of the laws.
        direction : str, "increasing" or "decreasing"
        """
        chance = check_reals("StepModel.quantile", "probability", probability, "in 0..1")
        place = check_reals("StepModel.quantile", "conductance", conductance, "above 0", "S")
        check_choice("StepModel.quantile", "direction", direction, DIRECTIONS)
        return self._step(chance, place, temperature, 1 if direction == DIRECTIONS[0] else -1)

    def sample(
        self,
        conductance: ArrayLike,
        pulses: ArrayLike,
        rng: np.random.Generator,
        *,
        temperature: float,
    ) -> Reals:
        """Conductance of devices after some pulses, siemens, within the ends of the track.

        Parameters
        ----------
        conductance : array, siemens
            Before the pulses, one entry a device.
        pulses : integer or array of integers
            Pulses for each device, negative ones to decrease; broadcasts with the conductance.
        rng : numpy.random.Generator
        temperature : float, kelvin
            Within the temperatures of the laws.
        """
        place = check_reals("StepModel.sample", "conductance", conductance, "above 0", "S")
        count = np.asarray(pulses)
        if not np.issubdtype(count.dtype, np.integer):
            raise ParameterError(
                f"StepModel.sample: pulses must be integers, not {count.dtype}; negative ones "
                "decrease the conductance"
            )
        place, count = (array.copy() for array in np.broadcast_arrays(place, count))
        for turn in range(int(np.abs(count).max(initial=0))):
            moving = np.abs(count) > turn
            change = self._step(
                rng.random(place.shape), place, temperature, np.where(count < 0, -1, 1)
            )
            place = np.where(moving, place + change, place)
            place = np.where(
                moving, np.clip(place, self.low_conductance, self.high_conductance), place
            )
        return place

    def level_conductances(self, levels: int) -> Reals:
        """Conductances of evenly spaced levels from one end of the track to the other, siemens."""
        check_int("StepModel.level_conductances", "levels", levels, 2, 64)
        return np.linspace(self.low_conductance, self.high_conductance, levels)
