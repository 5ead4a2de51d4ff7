"""A domain-wall synapse: a track of notches below one junction, read as a multi-level resistor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real
from .pinning import NotchTrack
from .wall import levels_that_fit, notch_positions, wall_conductance

if TYPE_CHECKING:
    from ..mtj_models import MTJConfig

__all__ = ["DomainWallDevice"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DomainWallDevice:
    """A wall held at one of several notches; its place sets the conductance of the junction.

    Level k has its notch at ``x_k = (k + 1/2) L / n``, so the outer levels lie half a distance
    inside the ends, and their conductances within those of the uniform junction.

    Parameters
    ----------
    track_length : float, m, above 0
    domain_width : float, m, above 0
        Track that each level needs: at least the extent of a wall, pi times its width parameter.
    levels : int, 2..64
        Notches; :py:`levels * domain_width` must fit on the track.
    resistance_low, resistance_high : float, ohm, above 0
        Of the junction with the whole free layer parallel and antiparallel.

    Source
    ------
    Sengupta, Shim and Roy, IEEE Trans. Biomed. Circuits Syst. 10, 1152 (2016); Leonard et al.,
    Adv. Electron. Mater. 8, 2200563 (2022).

    Examples
    --------
    >>> device = DomainWallDevice(track_length=200e-9, domain_width=20e-9, levels=4)
    >>> [round(value * 1e9, 1) for value in device.conductances.tolist()]  # nanosiemens
    [348.5, 439.4, 530.3, 621.2]
    >>> device.mtj_config(cell_bits=8).levels
    4
    """

    track_length: float
    domain_width: float
    levels: int
    resistance_low: float = 1.5e6
    resistance_high: float = 3.3e6

    def __post_init__(self) -> None:
        for name, unit in (
            ("track_length", "m"),
            ("domain_width", "m"),
            ("resistance_low", "ohm"),
            ("resistance_high", "ohm"),
        ):
            number = check_real("DomainWallDevice", name, getattr(self, name), "above 0", unit)
            object.__setattr__(self, name, number)
        check_int("DomainWallDevice", "levels", self.levels, 2, 64)
        if self.resistance_high <= self.resistance_low:
            raise ParameterError(
                "DomainWallDevice: resistance_high must be above resistance_low, not "
                f"{self.resistance_high:g} and {self.resistance_low:g} ohm; the antiparallel "
                "state is the one of high resistance"
            )
        room = levels_that_fit(self.track_length, self.domain_width)
        if room < self.levels:
            way_out = f"ask for at most {room}, or " if room >= 2 else ""
            raise ParameterError(
                f"DomainWallDevice: {self.levels} levels of {self.domain_width * 1e9:g} nm must "
                f"fit on the track, and {self.track_length * 1e9:g} nm hold {room}; {way_out}"
                f"make the track at least {self.levels * self.domain_width * 1e9:g} nm long"
            )

    @property
    def positions(self) -> Reals:
        """Place of the wall at each level, (levels,), metre."""
        return notch_positions(self.track_length, self.levels)

    @property
    def conductances(self) -> Reals:
        """Conductance of each level, (levels,), siemens, rising."""
        return wall_conductance(
            self.positions,
            self.track_length,
            conductance_parallel=1 / self.resistance_low,
            conductance_antiparallel=1 / self.resistance_high,
        )

    @property
    def level_fractions(self) -> tuple[float, ...]:
        """Conductance of each level as a share of the range of levels, from 0 to 1; even here."""
        first, last = self.conductances[[0, -1]]
        shares = (self.conductances - first) / (last - first)
        return tuple(shares.tolist())

    def notches(
        self,
        *,
        pinning_energy: float,
        notch_width: float,
        magnetisation: float = 1e6,
        cross_section: float = 50e-18,
    ) -> NotchTrack:
        """The track as the wall feels it: :class:`NotchTrack` with this length and these levels."""
        return NotchTrack(
            self.track_length,
            self.levels,
            pinning_energy,
            notch_width,
            magnetisation=magnetisation,
            cross_section=cross_section,
        )

    def mtj_config(self, **changes: Any) -> MTJConfig:
        """The device as a technology for networks; keywords change any field of it.

        The resistances are those of the outer levels.

        Raises
        ------
        ParameterError
            If the levels are no power of two, as the weights of a network need.
        """
        from ..mtj_models import LEVELS, MTJConfig

        if self.levels not in LEVELS:
            lower = max(level for level in LEVELS if level < self.levels)
            upper = min(level for level in LEVELS if level > self.levels)
            raise ParameterError(
                f"DomainWallDevice.mtj_config: levels must be one of {', '.join(map(str, LEVELS))}"
                f" for a network's weights, not {self.levels}; make a device of {lower} levels on "
                f"the same track, or of {upper} on one of "
                f"{upper * self.domain_width * 1e9:g} nm or more"
            )
        conductances = self.conductances.tolist()
        values: dict[str, Any] = {
            "resistance_low": 1 / conductances[-1],
            "resistance_high": 1 / conductances[0],
            "levels": self.levels,
        }
        return MTJConfig(**(values | changes))
