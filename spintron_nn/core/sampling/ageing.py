"""What time and temperature do to a device: lost states, drift, a smaller TMR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError

from ..constants import CELSIUS
from .fields import check_fields

__all__ = ["Ageing", "lose_states"]

Reals = NDArray[np.float64]

REFERENCE = 25.0
"""Temperature, Celsius, at which a technology states its resistances and its thermal stability."""


@dataclass(frozen=True)
class Ageing:
    """Age and temperature at which the chip is read.

    Retention: a device leaves its state at the rate ``1 / tau``,
    ``tau = attempt_time * exp(Delta (25 C) / T)``, so after :py:`time` it is in the other of two
    states with the probability ``(1 - exp(-2 time / tau)) / 2``. A device of more levels has moved
    one notch up or down with the same probability; that is right to first order, for times well
    below ``tau``.

    Drift: conductance times ``1 + drift * log10(1 + time / 1 s)``.

    Temperature: the mean of ``G_P`` and ``G_AP`` stays, their difference goes with the square of
    the polarisation ``1 - b T**1.5``, taken relative to 25 Celsius.

    Parameters
    ----------
    time : float, s, at least 0
        Time since the chip was written.
    temperature : float, Celsius
        Temperature while it waits and while it is read.
    thermal_stability : float, above 0
        Energy barrier over the thermal energy at 25 Celsius; 40.3 is ten years.
    thermal_stability_spread : float, at least 0
        Standard deviation of the barrier from device to device, relative; normal.
    attempt_time : float, s, above 0
        Time between two attempts to cross the barrier.
    drift : float
        Relative change of conductance with each tenfold time.
    polarisation_slope : float, K**-1.5, at least 0
        Coefficient ``b``: 2e-5 to 9e-5 for CoFeB and MgO.

    Source
    ------
    Retention: Neel, Ann. Geophys. 5, 99 (1949); Brown, Phys. Rev. 130, 1677 (1963).
    Polarisation: Shang et al., Phys. Rev. B 58, R2917 (1998).
    """

    time: float = 0.0
    temperature: float = REFERENCE
    thermal_stability: float = 60.0
    thermal_stability_spread: float = 0.0
    attempt_time: float = 1e-9
    drift: float = 0.0
    polarisation_slope: float = 2e-5

    def __post_init__(self) -> None:
        check_fields(
            self,
            {
                "time": ("at least 0", "s"),
                "temperature": ("finite", "Celsius"),
                "thermal_stability": ("above 0", ""),
                "thermal_stability_spread": ("at least 0", ""),
                "attempt_time": ("above 0", "s"),
                "drift": ("finite", ""),
                "polarisation_slope": ("at least 0", ""),
            },
        )
        if self.temperature <= -CELSIUS:
            raise ParameterError(
                f"Ageing: temperature must be above {-CELSIUS} Celsius, not {self.temperature:g}"
            )
        hottest = max(self.temperature, REFERENCE) + CELSIUS
        if self.polarisation_slope * hottest**1.5 >= 1:
            raise ParameterError(
                "Ageing: polarisation_slope must leave some polarisation at "
                f"{hottest - CELSIUS:g} Celsius, below {hottest**-1.5:.3g}, not "
                f"{self.polarisation_slope:g}"
            )
        if self.drift_factor <= 0:
            raise ParameterError(
                "Ageing: drift must leave some conductance, a factor above 0, not "
                f"{self.drift_factor:.3g} after {self.time:g} s; give a drift nearer to 0"
            )

    @property
    def on(self) -> bool:
        """Whether the chip is older than just written, or not at 25 Celsius."""
        return self.time > 0 or self.temperature != REFERENCE

    @property
    def drift_factor(self) -> float:
        """Conductance over that of a chip just written."""
        return 1 + self.drift * float(np.log10(1 + self.time))

    @property
    def contrast(self) -> float:
        """``G_P - G_AP`` over that at 25 Celsius."""
        if self.temperature == REFERENCE:
            return 1.0
        at, before = (
            1 - self.polarisation_slope * (celsius + CELSIUS) ** 1.5
            for celsius in (self.temperature, REFERENCE)
        )
        return (at / before) ** 2

    def loss_probability(self, normal: ArrayLike = 0.0) -> Reals:
        """Probability that a device is not in its state any more.

        Parameters
        ----------
        normal : array
            A standard normal number for each device, its place in the spread of barriers.

        Examples
        --------
        >>> round(float(Ageing(time=3.156e7, thermal_stability=40.3).loss_probability()), 3)
        0.09
        """
        barrier = self.thermal_stability * (
            1 + self.thermal_stability_spread * np.asarray(normal, dtype=np.float64)
        )
        scale = (REFERENCE + CELSIUS) / (self.temperature + CELSIUS)
        # Beyond 700 the exponential overflows, long after nothing can happen any more.
        exponent = np.minimum(np.maximum(barrier, 0.0) * scale, 700.0)
        return -np.expm1(-2 * self.time / (self.attempt_time * np.exp(exponent))) / 2


def lose_states(
    ageing: Ageing,
    random: np.random.Generator,
    levels: NDArray[np.integer],
    fractions: Reals,
) -> Reals:
    """Change of the share of ``G_P - G_AP`` that each device holds, by lost retention.

    Parameters
    ----------
    random : Generator
        Random numbers.
    levels : integer array
        Level that each device holds.
    fractions : array of shape ``(count,)``
        Share of each level.
    """
    normal = random.standard_normal(levels.shape)
    draw = random.random(levels.shape)
    up = random.random(levels.shape) < 0.5
    top = len(fractions) - 1
    # At an end of the track there is one neighbour only.
    up = np.where(levels == 0, True, np.where(levels == top, False, up))
    neighbour = levels + np.where(up, 1, -1)
    lost = draw < ageing.loss_probability(normal)
    return np.where(lost, fractions[neighbour] - fractions[levels], 0.0)
