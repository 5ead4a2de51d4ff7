"""The magnetic tunnel junction of a technology, read as a programmable resistor."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from spintron_ir.errors import ParameterError, check_int

__all__ = ["MTJConfig"]

HEADROOM_SIGMAS = 4.0
"""Devices up to this many standard deviations above nominal keep an exact conductance code."""

LEVELS = (2, 4, 8, 16, 32, 64)


def _check_real(name: str, value: Any, allowed: str, ok: Callable[[float], bool]) -> float:
    """Return :py:`value` as a float if it is a finite number that :py:`ok` takes."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    number = float(value) if is_number else math.nan
    if not math.isfinite(number) or not ok(number):
        raise ParameterError(f"MTJConfig: {name} must be {allowed}, not {value!r}")
    return number


@dataclass(frozen=True)
class MTJConfig:
    """One device technology: resistances, spread and faults of its cells.

    A device of :py:`levels` levels has the conductances
    ``G_i = G_AP + i / (levels - 1) * (G_P - G_AP)``, ``i = 0 .. levels - 1``: two for a binary
    junction, more for a domain wall in the free layer, whose position divides the area between
    both states, so that the conductance is linear in it. Each device of a chip has its own factor
    ``exp(-resistance_variation * n)`` on the conductance, ``n`` standard normal.

    A chip reads conductances as integer codes, ``floor(G / conductance_step + 0.5)``. The step
    divides the distance between two levels into :attr:`level_codes` equal parts, as many as leave
    room for devices of four standard deviations above nominal; so nominal weights are exact.

    The default is a junction of TMR 120 % (the published set below) with a barrier thick enough for
    megohms. Kilohm junctions cannot be summed: 128 rows at 0.1 V and 7.5 kOhm are 1.7 mA a column,
    at 1.5 MOhm 8.5 uA. Spin-orbit writing does not pass the barrier, so it allows that.

    Parameters
    ----------
    resistance_high : float, ohm
        Antiparallel resistance.
    resistance_low : float, ohm
        Parallel resistance, below :py:`resistance_high`.
    switching_voltage : float, V
        Voltage that writes the device; reads stay below it.
    cell_area : float, mm2
        Area of one cell with its access devices (40e-9 is 0.04 um2).
    resistance_variation : float, 0..1
        Standard deviation of ``ln R`` from device to device; 0.1 is 10 %.
    stuck_p, stuck_ap : float, 0..1, with a sum of at most 1
        Probability that a device stays parallel (largest conductance) or antiparallel whatever is
        written.
    levels : int, one of 2, 4, 8, 16, 32, 64
        Conductances a device can be set to.
    cell_bits : int, 2..12
        Bits of a conductance code.
    read_noise : float, at least 0
        Standard deviation of the noise of one column read, over ``G_P - G_AP`` of one device at
        full read voltage; fresh for each read.

    Source
    ------
    TMR: UT-Austin stochastic MTJ parameter set (R_P 5 kOhm at 9.8 ohm um2, TMR 1.2). Megohm
    resistance-area products for summing: Doevenspeck et al., VLSI Technology 2020. Linear
    conductance of a wall: Sengupta and Roy, domain-wall synapse.

    Examples
    --------
    >>> mtj = MTJConfig(resistance_high=10e3, resistance_low=5e3, switching_voltage=0.3,
    ...                 cell_area=40e-9)
    >>> mtj.tmr
    1.0
    >>> MTJConfig().level_codes
    22
    """

    resistance_high: float = 3.3e6
    resistance_low: float = 1.5e6
    switching_voltage: float = 0.3
    cell_area: float = 40e-9
    resistance_variation: float = 0.1
    stuck_p: float = 0.0
    stuck_ap: float = 0.0
    levels: int = 2
    cell_bits: int = 6
    read_noise: float = 0.0

    def __post_init__(self) -> None:
        for name, allowed, ok in (
            ("resistance_high", "a number of ohm above 0", lambda v: v > 0),
            ("resistance_low", "a number of ohm above 0", lambda v: v > 0),
            ("switching_voltage", "a number of volt above 0", lambda v: v > 0),
            ("cell_area", "an area in mm2 above 0", lambda v: v > 0),
            ("resistance_variation", "a number in 0..1", lambda v: 0 <= v <= 1),
            ("stuck_p", "a probability in 0..1", lambda v: 0 <= v <= 1),
            ("stuck_ap", "a probability in 0..1", lambda v: 0 <= v <= 1),
            ("read_noise", "a number of at least 0", lambda v: v >= 0),
        ):
            object.__setattr__(self, name, _check_real(name, getattr(self, name), allowed, ok))
        check_int("MTJConfig", "cell_bits", self.cell_bits, 2, 12)
        if isinstance(self.levels, bool) or self.levels not in LEVELS:
            choices = ", ".join(str(level) for level in LEVELS)
            raise ParameterError(f"MTJConfig: levels must be one of {choices}, not {self.levels!r}")
        if self.resistance_high <= self.resistance_low:
            raise ParameterError(
                "MTJConfig: resistance_high must be above resistance_low, not "
                f"{self.resistance_high:g} and {self.resistance_low:g} ohm; the antiparallel "
                "state is the one of high resistance"
            )
        if self.stuck_p + self.stuck_ap > 1:
            raise ParameterError(
                "MTJConfig: stuck_p + stuck_ap must be at most 1, not "
                f"{self.stuck_p + self.stuck_ap:g}"
            )
        if self._spacing(self.cell_bits) < 1:
            enough = [bits for bits in range(2, 13) if self._spacing(bits) >= 1]
            way_out = (
                f"give cell_bits={enough[0]}"
                if enough
                else "use fewer levels, a larger TMR or a smaller resistance_variation"
            )
            raise ParameterError(
                f"MTJConfig: cell_bits must tell {self.levels} levels apart, and {self.cell_bits} "
                f"bits are too few for a TMR of {self.tmr:.3g} with a variation of "
                f"{self.resistance_variation:g}; {way_out}"
            )

    def _spacing(self, cell_bits: int) -> int:
        """Codes between two levels that keep the headroom; even where there are two or more."""
        largest = self.conductance_p * math.exp(HEADROOM_SIGMAS * self.resistance_variation)
        difference = self.conductance_p - self.conductance_ap
        codes = int(((1 << cell_bits) - 1) * difference / largest / (self.levels - 1))
        # An even spacing puts the middle of the range, the reference column, on a code.
        return codes - codes % 2 if codes > 1 else codes

    @property
    def tmr(self) -> float:
        """Tunnel magnetoresistance ratio ``(R_AP - R_P) / R_P``; 1.2 is 120 %."""
        return (self.resistance_high - self.resistance_low) / self.resistance_low

    @property
    def conductance_p(self) -> float:
        """Conductance of the parallel state, siemens: the largest of a nominal device."""
        return 1 / self.resistance_low

    @property
    def conductance_ap(self) -> float:
        """Conductance of the antiparallel state, siemens."""
        return 1 / self.resistance_high

    @property
    def level_codes(self) -> int:
        """Conductance codes from one level of a nominal device to the next."""
        return self._spacing(self.cell_bits)

    @property
    def range_codes(self) -> int:
        """Conductance codes from the antiparallel to the parallel state of a nominal device."""
        return self.level_codes * (self.levels - 1)

    @property
    def conductance_step(self) -> float:
        """Conductance of one code, siemens; one step for a whole network."""
        return (self.conductance_p - self.conductance_ap) / self.range_codes

    @property
    def level_bits(self) -> int:
        """Weight bits that one device, or one pair, holds."""
        return self.levels.bit_length() - 1
