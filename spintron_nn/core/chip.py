"""One sampled die: a technology and a seed turned into a definite conductance for every device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError, check_bool, check_int

from .mtj_models import MTJConfig

__all__ = ["Chip", "SampledArray"]


@dataclass(frozen=True, eq=False)
class SampledArray:
    """Conductance codes of the devices of one array, after all that went wrong with them.

    Attributes
    ----------
    codes : uint16 array
        Conductance codes, of the shape of the levels asked for.
    stuck : int
        Devices that do not take what is written.
    saturated : int
        Devices whose conductance exceeds the largest code and reads as that code.
    """

    codes: NDArray[np.uint16]
    stuck: int
    saturated: int


@dataclass(frozen=True)
class Chip:
    """One die of a technology.

    Every array of the die is found by its name: its devices depend on the seed and on that name
    alone, not on what was sampled before.

    Parameters
    ----------
    config : MTJConfig
        Technology.
    seed : int, 0..2**64-1
        Which die.
    ideal : bool
        Every device nominal: no variation, no stuck device, no noise; the seed has no effect.

    Examples
    --------
    >>> chip = Chip(MTJConfig(resistance_variation=0.0), seed=1)
    >>> chip.sample("fc1", np.array([0, 1])).codes.tolist()
    [28, 62]
    """

    config: MTJConfig
    seed: int = 0
    ideal: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.config, MTJConfig):
            raise ParameterError(f"Chip: config must be an MTJConfig, not {self.config!r}")
        object.__setattr__(self, "seed", check_int("Chip", "seed", self.seed, 0, (1 << 64) - 1))
        check_bool("Chip", "ideal", self.ideal)

    def generator(self, name: str) -> np.random.Generator:
        """Return the random numbers that belong to :py:`name` on this die."""
        digest = hashlib.sha256(name.encode()).digest()
        words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
        key = [self.seed & 0xFFFFFFFF, self.seed >> 32, *words]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))

    def noise_seed(self, name: str) -> int:
        """Return the seed of the read noise of the array :py:`name`, 64 bits."""
        return int(self.generator(f"noise/{name}").integers(0, (1 << 64) - 1, dtype=np.uint64))

    def conductances(
        self, name: str, levels: NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Write :py:`levels` to the array :py:`name`; return what its devices conduct.

        Parameters
        ----------
        name : str
            Name of the array.
        levels : integer array
            Level of every device, ``0 .. levels - 1``.

        Returns
        -------
        conductance : array, siemens
            Conductance of every device.
        stuck : array of bool
            Devices that did not take the level.
        """
        levels = np.asarray(levels)
        top = self.config.levels - 1
        if not np.issubdtype(levels.dtype, np.integer):
            raise ParameterError(f"Chip: levels must be integers, not {levels.dtype}")
        if levels.size and (levels.min() < 0 or levels.max() > top):
            raise ParameterError(
                f"Chip: levels must be in 0..{top}, not {levels.min()}..{levels.max()}"
            )
        low, high = self.config.conductance_ap, self.config.conductance_p
        if self.ideal:
            return low + levels / top * (high - low), np.zeros(levels.shape, dtype=bool)
        random = self.generator(name)
        normal = random.standard_normal(levels.shape)
        draw = random.random(levels.shape)
        stuck_p = draw < self.config.stuck_p
        stuck_ap = ~stuck_p & (draw < self.config.stuck_p + self.config.stuck_ap)
        written = np.where(stuck_p, top, np.where(stuck_ap, 0, levels))
        nominal = low + written / top * (high - low)
        return nominal * np.exp(-self.config.resistance_variation * normal), stuck_p | stuck_ap

    def sample(self, name: str, levels: NDArray[np.integer]) -> SampledArray:
        """Write :py:`levels` to the array :py:`name`; return the codes its devices read as."""
        conductance, stuck = self.conductances(name, levels)
        return self._coded(conductance, int(stuck.sum()))

    def sample_reference(self, name: str, shape: tuple[int, ...]) -> SampledArray:
        """Codes of reference cells: an antiparallel and a parallel device at half read voltage.

        Each stands for the middle of the range, ``(G_AP + G_P) / 2`` where nominal.
        """
        levels = np.zeros((2, *shape), dtype=np.int64)
        levels[1] = self.config.levels - 1
        conductance, stuck = self.conductances(name, levels)
        return self._coded(conductance.mean(axis=0), int(stuck.sum()))

    def _coded(self, conductance: NDArray[np.float64], stuck: int) -> SampledArray:
        """Round to codes, counting those beyond the largest."""
        # Nominal levels lie a whole number of codes apart but the last bit of a float need not:
        # the tiny offset keeps them on one side of a rounding edge.
        codes = np.floor(conductance / self.config.conductance_step + (0.5 + 1e-9)).astype(np.int64)
        largest = (1 << self.config.cell_bits) - 1
        saturated = int((codes > largest).sum())
        return SampledArray(np.minimum(codes, largest).astype(np.uint16), stuck, saturated)
