"""The magnetic tunnel junction of a technology, read as a programmable resistor."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from spintron_ir.errors import ParameterError, check_int

from .checks import check_real, check_reals
from .sampling.ageing import Ageing
from .sampling.converters import ConverterSpread
from .sampling.effects import effects_of, only_these
from .sampling.faults import Faults
from .sampling.fields import made_from
from .sampling.programming import Programming
from .sampling.spread import Spread
from .sampling.telegraph import Telegraph
from .sampling.wires import Wires

__all__ = ["MTJConfig"]

HEADROOM_SIGMAS = 4.0
"""Devices up to this many standard deviations above nominal keep an exact conductance code."""

LEVELS = (2, 4, 8, 16, 32, 64)

NUMBERS = {
    "resistance_high": ("above 0", "ohm"),
    "resistance_low": ("above 0", "ohm"),
    "switching_voltage": ("above 0", "volt"),
    "cell_area": ("above 0", "mm2"),
    "resistance_variation": ("in 0..1", ""),
    "stuck_p": ("in 0..1", ""),
    "stuck_ap": ("in 0..1", ""),
    "read_noise": ("at least 0", ""),
    "read_voltage": ("above 0", "V"),
    "bias_half": ("above 0", "V"),
    "write_resistance": ("above 0", "ohm"),
    "write_pulse": ("above 0", "s"),
}
"""What each real field must be, and its unit."""

PARTS = {
    "spread": Spread,
    "faults": Faults,
    "programming": Programming,
    "ageing": Ageing,
    "telegraph": Telegraph,
    "wires": Wires,
    "converters": ConverterSpread,
}
"""Groups of effects, each in a file of spintron_nn.core.sampling."""


@dataclass(frozen=True)
class MTJConfig:
    """One device technology: resistances, spread and faults of its cells.

    A device of :py:`levels` levels has the conductances
    ``G_i = G_AP + i / (levels - 1) * (G_P - G_AP)``, ``i = 0 .. levels - 1``: two for a binary
    junction, more for a domain wall in the free layer, whose position divides the area between
    both states, so that the conductance is linear in it. Levels that are not evenly spaced are
    given as :py:`level_fractions`; their codes are rounded. Each device of a chip has its own
    factor ``exp(-resistance_variation * n)`` on the conductance, ``n`` standard normal.

    A chip reads conductances as integer codes, ``floor(G / conductance_step + 0.5)``. The step
    divides the distance between two levels into :attr:`level_codes` equal parts, as many as leave
    room for devices of four standard deviations above nominal; so nominal weights of even levels
    are exact.

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
    level_fractions : tuple of float, or None
        Conductance of each level as a share of ``G_P - G_AP``, rising from 0 to 1; None: even.
    read_voltage : float, V, above 0
        Voltage on a device at full read.
    bias_half : float, V, above 0, or None
        Voltage at which the TMR has halved, ``TMR / (1 + (V / bias_half)**2)``; None: it does not
        depend on the voltage. Resistances are those at no voltage; codes are those of the read
        voltage, and what other voltages make of them is a figure of a conversion.
    write_resistance, write_pulse : float, ohm and s, above 0
        Path of the write current, and length of a pulse: one switching costs
        ``switching_voltage**2 * write_pulse / write_resistance``.
    spread, faults, programming, ageing, telegraph, wires, converters
        Everything else that goes wrong, each a class of ``spintron_nn.core.sampling`` or a
        dictionary of its fields; the defaults do nothing.

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
    level_fractions: tuple[float, ...] | None = None
    read_voltage: float = 0.1
    bias_half: float | None = None
    write_resistance: float = 500.0
    write_pulse: float = 1e-9
    spread: Spread = Spread()
    faults: Faults = Faults()
    programming: Programming = Programming()
    ageing: Ageing = Ageing()
    telegraph: Telegraph = Telegraph()
    wires: Wires = Wires()
    converters: ConverterSpread = ConverterSpread()

    def __post_init__(self) -> None:
        for name, (rule, unit) in NUMBERS.items():
            value = getattr(self, name)
            if name != "bias_half" or value is not None:
                object.__setattr__(self, name, check_real("MTJConfig", name, value, rule, unit))
        for name, kind in PARTS.items():
            object.__setattr__(self, name, made_from(kind, getattr(self, name)))
        bits = check_int("MTJConfig", "cell_bits", self.cell_bits, 2, 12)
        object.__setattr__(self, "cell_bits", bits)
        if isinstance(self.levels, bool) or self.levels not in LEVELS:
            choices = ", ".join(str(level) for level in LEVELS)
            raise ParameterError(f"MTJConfig: levels must be one of {choices}, not {self.levels!r}")
        object.__setattr__(self, "levels", int(self.levels))
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
        self._check_fractions()
        if not self._tells_apart(self.cell_bits):
            enough = [bits for bits in range(2, 13) if self._tells_apart(bits)]
            way_out = (
                f"give cell_bits={enough[0]}"
                if enough
                else "use fewer levels, a larger TMR or a smaller resistance_variation"
            )
            raise ParameterError(
                f"MTJConfig: cell_bits must tell {self.levels} levels apart, and {self.cell_bits} "
                f"bits are too few for a TMR of {self.read_tmr:.3g} with a variation of "
                f"{self.resistance_variation:g}; {way_out}"
            )

    def _check_fractions(self) -> None:
        """Make a tuple of the level fractions if they rise from 0 to 1."""
        if self.level_fractions is None:
            return
        try:
            found = tuple(float(share) for share in self.level_fractions)
        except (TypeError, ValueError):
            found = ()
        rising = all(low < high for low, high in zip(found, found[1:]))
        if len(found) != self.levels or not rising or found[0] != 0 or found[-1] != 1:
            raise ParameterError(
                f"MTJConfig: level_fractions must be {self.levels} numbers that rise from 0 to 1, "
                f"not {self.level_fractions!r}; give one for each level, or None for even ones"
            )
        object.__setattr__(self, "level_fractions", found)

    def _spacing(self, cell_bits: int) -> int:
        """Codes between two levels that keep the headroom; even where there are two or more."""
        deviation = math.hypot(self.resistance_variation, self.spread.die, self.spread.wafer)
        largest = self.conductance_p * math.exp(HEADROOM_SIGMAS * deviation)
        difference = self.conductance_p - self.conductance_ap
        codes = int(((1 << cell_bits) - 1) * difference / largest / (self.levels - 1))
        # An even spacing puts the middle of the range, the reference column, on a code.
        return codes - codes % 2 if codes > 1 else codes

    def _tells_apart(self, cell_bits: int) -> bool:
        spacing = self._spacing(cell_bits)
        codes = self._codes(spacing * (self.levels - 1)) if spacing else (0, 0)
        return all(low < high for low, high in zip(codes, codes[1:]))

    def _codes(self, range_codes: int) -> tuple[int, ...]:
        """Codes of the nominal levels where the range has so many."""
        low = range_codes / self.read_tmr  # G_AP over G_P - G_AP is 1 / TMR
        # Even levels lie a whole number of codes apart but the last bit of a float need not:
        # the tiny offset keeps them on one side of a rounding edge.
        return tuple(math.floor(low + share * range_codes + 0.5 + 1e-9) for share in self.fractions)

    @property
    def tmr(self) -> float:
        """Tunnel magnetoresistance ratio ``(R_AP - R_P) / R_P``; 1.2 is 120 %."""
        return (self.resistance_high - self.resistance_low) / self.resistance_low

    @property
    def read_tmr(self) -> float:
        """Magnetoresistance ratio at the read voltage."""
        if self.bias_half is None:
            return self.tmr
        return self.tmr / (1 + (self.read_voltage / self.bias_half) ** 2)

    @property
    def conductance_p(self) -> float:
        """Conductance of the parallel state, siemens: the largest of a nominal device."""
        return 1 / self.resistance_low

    @property
    def conductance_ap(self) -> float:
        """Conductance of the antiparallel state at the read voltage, siemens."""
        if self.bias_half is None:
            return 1 / self.resistance_high
        return self.conductance_p / (1 + self.read_tmr)

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

    @property
    def fractions(self) -> tuple[float, ...]:
        """Conductance of each level as a share of ``G_P - G_AP``, 0 to 1, also where even."""
        if self.level_fractions is not None:
            return self.level_fractions
        return tuple(level / (self.levels - 1) for level in range(self.levels))

    @property
    def nominal_codes(self) -> tuple[int, ...]:
        """Code of each level of a nominal device."""
        return self._codes(self.range_codes)

    @property
    def level_offsets(self) -> tuple[int, ...]:
        """Codes of each level above the antiparallel one; multiples of :attr:`level_codes` if even.

        Of uneven levels each is rounded: a pair is exact in its codes, which are the nearest to
        the conductances.
        """
        codes = self.nominal_codes
        return tuple(code - codes[0] for code in codes)

    @property
    def switching_energy(self) -> float:
        """Energy of one switching, joule."""
        return self.switching_voltage**2 * self.write_pulse / self.write_resistance

    def estimate_switching_energy(self, weight_changes: Any) -> Any:
        """Energy of changing weights that are held by pairs of devices.

        A change over the full weight range moves both devices of a pair through all levels, which
        is ``2 (levels - 1)`` switchings; smaller changes cost in proportion.

        Parameters
        ----------
        weight_changes : array, torch tensor, or a sequence of either
            Changes, in units of the full weight range.

        Returns
        -------
        float, or a torch tensor that can be differentiated, joule
            Of all changes together.

        Examples
        --------
        >>> MTJConfig().estimate_switching_energy([0.5, -0.5])
        3.6e-13
        """
        if isinstance(weight_changes, (list, tuple)):
            return sum(self.estimate_switching_energy(part) for part in weight_changes)
        if not hasattr(weight_changes, "detach"):
            weight_changes = check_reals("MTJConfig", "weight_changes", weight_changes)
        total = abs(weight_changes).sum()
        energy = total * (2 * (self.levels - 1) * self.switching_energy)
        return energy if hasattr(energy, "detach") else float(energy)

    def effects(self) -> tuple[str, ...]:
        """Names of the effects that are on; :data:`~spintron_nn.core.sampling.effects.EFFECTS`.

        Examples
        --------
        >>> MTJConfig(read_noise=0.1, wires={"word": 1.0}).effects()
        ('resistance', 'read_noise', 'wires')
        """
        return effects_of(self)

    def only(self, *names: str) -> MTJConfig:
        """Copy with these effects left as they are and all others off.

        Raises
        ------
        ParameterError
            If there is no effect of a name.

        Examples
        --------
        >>> MTJConfig(stuck_p=0.01, read_noise=0.1).only("stuck").effects()
        ('stuck',)
        """
        return only_these(self, names)

    def as_dict(self) -> dict[str, Any]:
        """Plain values of all fields, for JSON."""
        made = asdict(self)
        if self.level_fractions is not None:
            made["level_fractions"] = list(self.level_fractions)
        return made

    @cached_property
    def text(self) -> str:
        """What :meth:`as_dict` gives as JSON, with its names in order."""
        return json.dumps(self.as_dict(), sort_keys=True)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MTJConfig:
        """Technology of plain values; what is absent has its default.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is refused.

        Examples
        --------
        >>> MTJConfig.from_dict(MTJConfig(levels=4).as_dict()) == MTJConfig(levels=4)
        True
        """
        return made_from(cls, values)
