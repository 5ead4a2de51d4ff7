"""Chips drawn afresh: what the pairs of devices of a matrix differ by on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_ir.errors import ParameterError, check_int
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.converters import sample_converters
from spintron_nn.core.sampling.faults import cut_off
from spintron_nn.core.sampling.spread import correlated_field
from spintron_nn.core.sampling.telegraph import column_variance
from spintron_nn.core.sampling.wires import delivered

from .conditions import Conditions
from .pick import picked
from .population import Populations

__all__ = ["Converters", "DeviceSampler", "Dies"]

Reals = NDArray[np.float64]

WORDS = -(1 << 63), (1 << 63) - 1
"""Numbers of 64 bits, as torch draws them."""


@dataclass(frozen=True, eq=False)
class Dies:
    """What all devices of a chip share, for some chips.

    Attributes
    ----------
    condition : int64 array of shape ``(samples,)``
        Index of the population that the devices of each chip are picked from.
    factor : float32 array of shape ``(samples,)``
        Factor on all conductances of each chip: offsets of its die and its wafer.
    unit : float32 Tensor of shape ``(samples, 1, 1, 1)``
        Even levels of a code of each chip, with that factor.
    temperature, time : arrays of shape ``(samples,)``, Celsius and s
        Conditions of each chip.
    """

    condition: NDArray[np.int64]
    factor: NDArray[np.float32]
    unit: Tensor
    temperature: Reals
    time: Reals

    @property
    def samples(self) -> int:
        """Number of chips."""
        return len(self.condition)


@dataclass(frozen=True, eq=False)
class Converters:
    """Errors of converters, as :class:`~spintron_nn.core.sampling.converters.SampledConverters`.

    Attributes
    ----------
    offset : Tensor of shape ``(samples, *shape)``, least significant bits
        Offset of each converter.
    gain : Tensor of shape ``(samples, *shape)``
        Gain of each over its nominal gain.
    transitions : Tensor of shape ``(samples, *shape, 2**bits - 1)`` or None, least significant bits
        Error of each transition, on top of both.
    sense_offset : Tensor of shape ``(samples, *shape)``, even levels
        Offset of each sense amplifier.
    """

    offset: Tensor
    gain: Tensor
    transitions: Tensor | None
    sense_offset: Tensor


class DeviceSampler:
    """Pairs of devices of chips of a technology.

    Each weight of each chip picks a pair of its level by random bits from a population that
    :mod:`spintron_nn.core.sampling` drew once (:class:`.population.Populations`). What devices have
    in common is drawn for each chip and put on top as a factor: offsets of its die and its wafer
    (each chip is from a wafer of its own), and a correlated field. Broken lines are drawn whole.
    Wires deliver the share that they leave of an array whose devices are all half-way between the
    lowest and the highest level; the share depends on the place in the array alone.

    A factor scales codes that are rounded already, also those of shorts. Read noise is not in
    the devices: :meth:`read_noise`. Populations follow from the technology, the conditions and the
    seed, everything else from the generator that is given.

    Parameters
    ----------
    config : MTJConfig
        Technology.
    tile : int, at least 1
        Rows, and columns, of a physical array, on which wires and broken lines act.
    conditions : Conditions or None
        Temperatures and ages of the chips; None: as the technology says.
    seed : int, 0..2**64-1
        Seed of the populations.

    Attributes
    ----------
    noisy : bool
        Whether a read has noise.

    Examples
    --------
    >>> sampler = DeviceSampler(MTJConfig(resistance_variation=0.0), tile=128)
    >>> random = torch.Generator().manual_seed(1)
    >>> sampler.differences(torch.tensor([[[0, 1]]]), sampler.dies(1, random), random).tolist()
    [[[[-1.0, 1.0]]]]
    """

    def __init__(
        self,
        config: MTJConfig,
        *,
        tile: int,
        conditions: Conditions | None = None,
        seed: int = 0,
    ) -> None:
        self.config = config
        self.tile = check_int("DeviceSampler", "tile", tile, 1, 1 << 16)
        check_int("DeviceSampler", "seed", seed, 0, (1 << 64) - 1)
        self.conditions = (conditions or Conditions()).points(config)
        self.noisy = config.read_noise > 0 or config.telegraph.on
        self.populations = Populations(config, self.conditions, seed)
        self._level_codes = config.level_codes
        self._temperatures = np.array([ageing.temperature for ageing in self.conditions])
        self._times = np.array([ageing.time for ageing in self.conditions])
        self._source = np.random.SFC64(0)
        self._state: Any = {
            "bit_generator": "SFC64",
            "state": {"state": np.array([0, 0, 0, 1], dtype=np.uint64)},
            "has_uint32": 0,
            "uinteger": 0,
        }
        self._shares: dict[tuple[int, int], NDArray[np.float32]] = {}
        wires, spread = config.wires, config.spread
        self._wired = any((wires.word, wires.bit, wires.driver, wires.sense))
        self._alike = len(self.conditions) == 1 and spread.die == spread.wafer == 0
        self._dies: Dies | None = None

    def dies(self, samples: int, random: torch.Generator) -> Dies:
        """Draw chips: what all devices of each share.

        Parameters
        ----------
        samples : int, at least 1
            Number of chips.
        random : Generator
            Random numbers.
        """
        check_int("DeviceSampler", "samples", samples, 1, 1 << 20)
        if self._alike and self._dies is not None and self._dies.samples == samples:
            return self._dies
        spread = self.config.spread
        condition, offset = np.zeros(samples, dtype=np.int64), np.zeros(samples)
        if not self._alike:
            numbers = np.random.Generator(self._bits(random))
            condition = numbers.integers(0, len(self.conditions), samples)
            die, wafer = numbers.standard_normal((2, samples))
            offset = spread.die * die + spread.wafer * wafer
        factor = np.exp(-offset).astype(np.float32)
        unit = torch.from_numpy((factor / self._level_codes).astype(np.float32))
        self._dies = Dies(
            condition,
            factor,
            unit.view(-1, 1, 1, 1),
            self._temperatures[condition],
            self._times[condition],
        )
        return self._dies

    def differences(self, levels: Tensor, dies: Dies, random: torch.Generator) -> Tensor:
        """Draw the pairs of a matrix on each chip; return what they conduct, with sign.

        Parameters
        ----------
        levels : integer Tensor of shape ``(slices, rows, cols)``, ``0 .. levels - 1``
            Level of the positive device of each pair; that of the negative one is
            ``levels - 1`` less it. int32 is fastest. Every slice lies on arrays of its own.
        dies : Dies
            The chips.
        random : Generator
            Random numbers.

        Returns
        -------
        float32 Tensor of shape ``(samples, slices, rows, cols)``, even levels
            Codes of the positive device less those of the negative one, over
            :attr:`MTJConfig.level_codes`; ``2 level - (levels - 1)`` of a nominal pair of even
            levels.

        Raises
        ------
        ParameterError
            If levels are no integers, out of range, or not of three axes.
        """
        codes, unit = self.codes(self._checked(levels), dies, random)
        return codes.float().mul_(unit)

    def codes(self, levels: Tensor, dies: Dies, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw the pairs of a matrix on each chip, as :meth:`differences`, as whole codes.

        Parameters
        ----------
        levels : int8 or int16 Tensor of shape ``(slices, rows, cols)``, ``0 .. levels - 1``
            As for :meth:`differences`; they are not looked at.
        dies, random
            As for :meth:`differences`.

        Returns
        -------
        codes : int8 or int16 Tensor of shape ``(samples, slices, rows, cols)``
            Codes of the positive device less those of the negative one.
        unit : float32 Tensor of shape ``(samples, 1, 1, 1)`` or ``(samples, 1, rows, cols)``
            Even levels of one code: the first where it is the same all over a chip.
        """
        tables, seed = self.populations, _seed(random)
        tables.need(dies.condition)
        if tables.codes is None:
            codes = picked(tables.differences, levels, dies.condition, seed)
        else:
            # Positive and negative devices lie on arrays of their own, and so on their own lines.
            both = [picked(table, levels, dies.condition, seed) for table in tables.codes]
            codes = torch.stack(both, 2)
            numbers = np.random.Generator(self._bits(random))
            cut, _ = cut_off(self.config.faults, numbers, tuple(codes.shape), self.tile)
            positive, negative = codes.masked_fill(torch.from_numpy(cut), 0).unbind(2)
            codes = positive - negative
        unit = dies.unit
        if self._wired or self.config.spread.correlated > 0:
            common = np.asarray(self._common(levels.shape[1:], dies, random), dtype=np.float32)
            unit = unit * torch.from_numpy(common)
        return codes.to(levels.device), unit.to(levels.device)

    def read_noise(
        self, levels: Tensor, dies: Dies, dac_bits: int, rows: int, random: torch.Generator
    ) -> Tensor | float:
        """Standard deviation of one read of a column of pairs.

        With telegraph noise each pair picks its variance from the population, as in
        :meth:`differences` but apart from it, and a column has the sum over its rows, all driven.

        Parameters
        ----------
        levels, dies, random
            As for :meth:`differences`.
        dac_bits : int, 1..16
            Bits of an input chunk: a device at full read voltage counts ``2**dac_bits - 1`` times.
        rows : int, at least 1
            Rows of an array.

        Returns
        -------
        float, or Tensor of shape ``(samples, slices, arrays of rows, cols)``, even levels
            Of the product of chunks and :meth:`differences`. A number where all columns have the
            same; 0 without noise.
        """
        config = self.config
        full = (1 << check_int("DeviceSampler", "dac_bits", dac_bits, 1, 16)) - 1
        check_int("DeviceSampler", "rows", rows, 1, 1 << 16)
        amplifier = config.read_noise * (config.levels - 1)
        tables = self.populations
        if tables.variances is None:
            return amplifier * full
        held = self._checked(levels)
        tables.need(dies.condition)
        found = picked(tables.variances, held, dies.condition, _seed(random)).numpy()
        factor = dies.factor[:, None, None, None] / config.level_codes
        variance = column_variance(found * (factor * self._share(held.shape[1:])) ** 2, rows)
        deviation = full * np.sqrt(amplifier**2 + variance)
        return torch.from_numpy(deviation.astype(np.float32)).to(levels.device)

    def converters(
        self, samples: int, shape: tuple[int, ...], bits: int, random: torch.Generator
    ) -> Converters | None:
        """Draw the errors of the converters of one matrix on each chip; None without errors.

        Parameters
        ----------
        samples : int
            Number of chips.
        shape : tuple of int
            Converters of a chip.
        bits : int, 1..16
            Bits of a code.
        random : Generator
            Random numbers.
        """
        check_int("DeviceSampler", "bits", bits, 1, 16)
        spread, codes = self.config.converters, self.config.range_codes
        if not spread.on:
            return None
        numbers = np.random.Generator(self._bits(random))
        found = sample_converters(spread, numbers, (samples, *shape), bits, codes)
        moved = found.transitions
        return Converters(
            torch.from_numpy(found.offset).float(),
            torch.from_numpy(found.gain).float(),
            None if moved is None else torch.from_numpy(moved).float(),
            torch.from_numpy(found.sense_offset / self.config.level_codes).float(),
        )

    def _bits(self, random: torch.Generator) -> np.random.SFC64:
        """Fast random bits, started by one draw of a generator; the ones before are over."""
        # All of its state but a counter: making a new one costs more than a small matrix draws.
        words = torch.randint(*WORDS, (3,), generator=random, device=random.device)
        self._state["state"]["state"][:3] = words.cpu().numpy().view(np.uint64)
        self._source.state = self._state
        return self._source

    def _checked(self, levels: Tensor) -> Tensor:
        """Levels as int8."""
        if levels.is_floating_point() or levels.dtype == torch.bool or levels.ndim != 3:
            raise ParameterError(
                "DeviceSampler: levels must be integers of shape (slices, rows, cols), not "
                f"{levels.dtype} of shape {tuple(levels.shape)}"
            )
        held = levels.detach().cpu().contiguous().numpy()
        # One look at each: what is below 0 is very large without a sign.
        if held.size and held.view(f"u{held.itemsize}").max() >= self.config.levels:
            raise ParameterError(
                f"DeviceSampler: levels must be in 0..{self.config.levels - 1}, not "
                f"{held.min()}..{held.max()}"
            )
        return levels.to(torch.int8)

    def _common(
        self, size: tuple[int, ...], dies: Dies, random: torch.Generator
    ) -> Reals | NDArray[np.float32] | float:
        """Return the factor of each place that the devices of a cell share."""
        spread = self.config.spread
        factor = self._share(size)
        if spread.correlated > 0:
            rows, cols = size
            fields = correlated_field(
                np.random.Generator(self._bits(random)),
                rows,
                cols,
                spread.correlation_length,
                (dies.samples, 1),
            )
            deviation = self.config.resistance_variation * spread.correlated**0.5
            factor = factor * np.exp(-deviation * fields)
        return factor

    def _share(self, size: tuple[int, ...]) -> NDArray[np.float32] | float:
        """Return what wires deliver of a device at each place, ``(rows, cols)``."""
        if not self._wired:
            return 1.0
        wires = self.config.wires
        rows, cols = size
        if (rows, cols) not in self._shares:
            middle = (self.config.conductance_p + self.config.conductance_ap) / 2
            found, _ = delivered(wires, np.full((rows, cols), middle), None, self.tile)
            # Access devices are in the population.
            share = found * (1 + middle * wires.access) / middle
            self._shares[rows, cols] = share.astype(np.float32)
        return self._shares[rows, cols]


def _seed(random: torch.Generator) -> int:
    """A number of 64 bits."""
    word = torch.randint(*WORDS, (), generator=random, device=random.device)
    return int(word) & ((1 << 64) - 1)
