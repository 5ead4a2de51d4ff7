"""One sampled die: a technology and a seed turned into a definite conductance for every device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError, check_bool, check_int, check_shape

from .mtj_models import MTJConfig
from .sampling.coding import SampledArray, coded, column_shares, noise_of, worst_share
from .sampling.converters import ConverterSpread, SampledConverters, sample_converters
from .sampling.devices import Devices, nominal_devices, sample_devices
from .sampling.wires import delivered

__all__ = ["Chip", "SampledArray"]

Reals = NDArray[np.float64]


def _generator(seed: int, effect: str, name: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{effect}/{name}".encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    key = [seed & 0xFFFFFFFF, seed >> 32, *words]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


@dataclass(frozen=True)
class Chip:
    """One die of a technology.

    Every effect on every array has its own random numbers, found by the seed, the name of the
    effect and that of the array: what one of them draws depends on no other, nor on what was
    sampled before.

    Parameters
    ----------
    config : MTJConfig
        Technology.
    seed : int, 0..2**64-1
        Which die.
    ideal : bool
        Every device nominal and nothing else either: no wires, no noise; the seed has no effect.
    wafer : int, 0..2**64-1
        Which wafer the die is from: dies of one wafer share its offset.

    Examples
    --------
    >>> chip = Chip(MTJConfig(resistance_variation=0.0), seed=1)
    >>> chip.sample("fc1", np.array([0, 1])).codes.tolist()
    [28, 62]
    """

    config: MTJConfig
    seed: int = 0
    ideal: bool = False
    wafer: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.config, MTJConfig):
            raise ParameterError(f"Chip: config must be an MTJConfig, not {self.config!r}")
        for name in ("seed", "wafer"):
            number = check_int("Chip", name, getattr(self, name), 0, (1 << 64) - 1)
            object.__setattr__(self, name, number)
        check_bool("Chip", "ideal", self.ideal)

    def generator(self, effect: str, name: str = "") -> np.random.Generator:
        """Return the random numbers of an effect on the array :py:`name` of this die."""
        return _generator(self.seed, effect, name)

    def noise_seed(self, name: str) -> int:
        """Return the seed of the read noise of the array :py:`name`, 64 bits."""
        return int(self.generator("noise", name).integers(0, (1 << 64) - 1, dtype=np.uint64))

    @cached_property
    def offset(self) -> float:
        """Deviation of ``ln R`` that all devices of the die share."""
        spread = self.config.spread
        if self.ideal or not (spread.die or spread.wafer):
            return 0.0
        die = spread.die * self.generator("die").standard_normal()
        return float(die + spread.wafer * _generator(self.wafer, "wafer", "").standard_normal())

    def conductances(
        self, name: str, levels: NDArray[np.integer], *, tile: int | None = None
    ) -> tuple[Reals, NDArray[np.bool_]]:
        """Write :py:`levels` to the array :py:`name`; return what its devices conduct.

        Parameters
        ----------
        name : str
            Name of the array.
        levels : integer array
            Level of every device, ``0 .. levels - 1``.
        tile : int or None
            Rows and columns of a physical array.

        Returns
        -------
        conductance : array, siemens
            Conductance of every device, without wires.
        stuck : array of bool
            Devices that did not take the level.
        """
        devices = self._devices(name, levels, tile)
        shape = np.shape(levels)
        return devices.conductance.reshape(shape), devices.stuck.reshape(shape)

    def sample(
        self,
        name: str,
        levels: NDArray[np.integer],
        *,
        tile: int | None = None,
        reference: bool = False,
        per_column: bool = False,
        driven: NDArray[np.bool_] | None = None,
    ) -> SampledArray:
        """Write :py:`levels` to the array :py:`name`; return the codes its devices read as.

        Parameters
        ----------
        name : str
            Name of the array.
        levels : integer array of shape ``(..., rows, cols)``
            Level of every device, ``0 .. levels - 1``; one axis alone is a row. Every leading
            index lies on arrays of its own.
        tile : int or None
            Rows and columns of a physical array, on which wires and broken lines act; those at
            the edges are as large as what they hold. None: one array.
        reference : bool
            Add a reference column at the end of each array, on the same word lines: for each row
            an antiparallel and a parallel device at half read voltage, which stand for
            ``(G_AP + G_P) / 2`` where nominal. Takes levels of shape ``(..., 1, rows, cols)``.
        per_column : bool
            Scale the step of each column by its delivered share, the sum of its effective
            conductances over that of its conductances. None with a reference, which columns of
            different steps would share.
        driven : bool array of shape ``(rows, cols)`` or None
            Devices whose word lines are driven when their column is read: noise of the others
            does not count, nor do they in the shares of columns. None: all.

        Raises
        ------
        ParameterError
            If levels are no integers or out of range, or an argument is refused.
        """
        if tile is not None:
            check_int("Chip", "tile", tile, 1, 1 << 16)
        devices = self._devices(name, levels, tile)
        held, config = devices.conductance, self.config
        side = self._reference(name, devices, tile, per_column) if reference else None
        found, at_side = held, None if side is None else side.conductance
        if not self.ideal and config.wires.on:
            found, at_side = delivered(config.wires, held, at_side, tile)
        steps = np.full(held.shape[-1], config.conductance_step)
        if per_column:
            mask = 1.0 if driven is None else driven
            steps *= column_shares(found * mask, held * mask)
        codes, saturated, error = coded(found, steps, config.cell_bits)
        variance = devices.variance
        if variance is not None and driven is not None:
            variance = variance * driven
        noise = noise_of(variance, found / steps, tile)
        parts, coded_side = [devices], None
        if side is not None and at_side is not None:
            parts.append(side)
            coded_side, more, _ = coded(at_side, config.conductance_step, config.cell_bits)
            coded_side = coded_side.reshape(*held.shape[:-3], *at_side.shape[-2:])
            saturated += more
            also = noise_of(side.variance, at_side / config.conductance_step, tile)
            if noise is not None and also is not None:
                # Every column of an array reads the reference along.
                blocks = np.arange(held.shape[-1]) // (held.shape[-1] if tile is None else tile)
                noise = noise + also[..., blocks]
        return SampledArray(
            codes=codes.reshape(np.shape(levels)),
            reference=coded_side,
            stuck=sum(int(np.count_nonzero(part.stuck)) for part in parts),
            open=sum(int(np.count_nonzero(part.open)) for part in parts),
            short=sum(int(np.count_nonzero(part.short)) for part in parts),
            saturated=saturated,
            pulses=sum(part.pulses for part in parts),
            steps=steps,
            wire_share=worst_share(found, held, tile),
            code_error=error,
            telegraph=noise,
        )

    def converters(self, name: str, shape: tuple[int, ...], bits: int) -> SampledConverters:
        """Errors of the converters of the array :py:`name`.

        Parameters
        ----------
        name : str
            Name of the array.
        shape : tuple of int
            Converters.
        bits : int, 1..16
            Bits of a code.
        """
        check_shape("Chip", "shape", shape)
        check_int("Chip", "bits", bits, 1, 16)
        spread = ConverterSpread() if self.ideal else self.config.converters
        random = self.generator("converters", name)
        return sample_converters(spread, random, shape, bits, self.config.range_codes)

    def _devices(
        self, name: str, levels: NDArray[np.integer], tile: int | None, **faults: float
    ) -> Devices:
        """Sample the devices of an array, which has two axes at least."""
        levels = np.asarray(levels)
        top = self.config.levels - 1
        if not np.issubdtype(levels.dtype, np.integer):
            raise ParameterError(f"Chip: levels must be integers, not {levels.dtype}")
        if levels.size and (levels.min() < 0 or levels.max() > top):
            raise ParameterError(
                f"Chip: levels must be in 0..{top}, not {levels.min()}..{levels.max()}"
            )
        levels = np.atleast_2d(levels)
        if self.ideal:
            return nominal_devices(self.config, levels)
        config = self.config
        if faults:
            config = replace(config, faults=replace(config.faults, **faults))
        return sample_devices(
            config, lambda effect: self.generator(effect, name), self.offset, levels, tile
        )

    def _reference(
        self, name: str, devices: Devices, tile: int | None, per_column: bool
    ) -> Devices:
        """Sample the reference cells at the end of each array, two devices each."""
        *lead, rows, cols = devices.conductance.shape
        if lead and lead[-1] != 1:
            raise ParameterError(
                "Chip: reference takes levels of shape (..., 1, rows, cols), one device a weight, "
                f"not {tuple(devices.conductance.shape)}"
            )
        if per_column:
            raise ParameterError(
                "Chip: per_column must be False with a reference, which columns of different "
                "steps would share; use pairs or columns of devices"
            )
        blocks = 1 if tile is None else -(-cols // tile)
        levels = np.zeros((2, *lead, rows, blocks), dtype=np.int64)
        levels[1] = self.config.levels - 1
        # Word lines are those of the array, and break there.
        both = self._devices(f"{name}/reference", levels, tile, broken_word=0.0)
        if devices.ends is not None:
            both.conductance[:, devices.ends] = 0.0
            both.open[:, devices.ends] = True
        mean = both.conductance.mean(axis=0)
        variance = None
        if both.variance is not None:
            total = (both.variance * both.conductance**2).sum(axis=0) / 4
            variance = np.divide(total, mean**2, out=np.zeros_like(mean), where=mean > 0)
        return replace(both, conductance=mean, variance=variance)
