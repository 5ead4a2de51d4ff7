"""Temperatures and ages that chips are read at."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spintron_ir.errors import ParameterError
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import Ageing

__all__ = ["Conditions"]

POINTS = 64
"""Conditions that stand for a range."""

PLASTIC = 1.32471795724474602596
"""Root of ``x**3 = x + 1``."""


@dataclass(frozen=True)
class Conditions:
    """Ranges that the temperature and the age of a chip are drawn from.

    A chip has one of 64 conditions, which lie evenly in both ranges at once: no two of them share
    a temperature or a time. One range alone, or one of no width, works the same.

    Parameters
    ----------
    temperature : (low, high) or None, Celsius
        Temperature while a chip waits and while it is read, uniform; None: that of the technology.
    time : (low, high) or None, s, above 0
        Time since a chip was written, uniform in its logarithm; None: that of the technology.

    Source
    ------
    Multiples of ``1 / p`` and ``1 / p**2``, ``p`` the plastic number, modulo 1: the additive
    sequence of two dimensions in Roberts, "The unreasonable effectiveness of quasirandom
    sequences", 2018.

    Examples
    --------
    >>> Conditions(temperature=(0, 85)).temperature
    (0.0, 85.0)
    """

    temperature: tuple[float, float] | None = None
    time: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name, unit in (("temperature", "Celsius"), ("time", "s")):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _range(name, given, unit))
        if self.time is not None and self.time[0] <= 0:
            raise ParameterError(
                f"Conditions: time must begin above 0 s, not at {self.time[0]:g}; its logarithm is "
                "drawn, so begin at 1 s, say"
            )

    def points(self, config: MTJConfig) -> tuple[Ageing, ...]:
        """Conditions that chips of a technology are drawn from, all equally likely.

        Raises
        ------
        ParameterError
            If the technology has no device at one of them.
        """
        corners = [
            self._ageing(config.ageing, *place) for place in ((0, 0), (0, 1), (1, 0), (1, 1))
        ]
        if all(corner == corners[0] for corner in corners):
            return (corners[0],)
        places = (0.5 + np.arange(1, POINTS + 1)[:, None] / PLASTIC ** np.arange(1, 3)) % 1
        return tuple(self._ageing(config.ageing, *place) for place in places.tolist())

    def _ageing(self, ageing: Ageing, across: float, along: float) -> Ageing:
        """Return the conditions at a place in both ranges, 0 to 1."""
        changed: dict[str, Any] = {}
        if self.temperature is not None:
            low, high = self.temperature
            changed["temperature"] = low + across * (high - low)
        if self.time is not None:
            low, high = (math.log(time) for time in self.time)
            changed["time"] = math.exp(low + along * (high - low))
        return replace(ageing, **changed)


def _range(name: str, given: Any, unit: str) -> tuple[float, float]:
    try:
        low, high = (float(number) for number in given)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ParameterError(
            f"Conditions: {name} must be a lowest and a highest value in {unit}, not {given!r}"
        )
    return low, high
