"""What a write leaves behind, and write-verify."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import check_int

from ..checks import check_real
from .fields import check_fields

__all__ = ["Programming", "program"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Programming:
    """Error of a write; distances are ``(G_P - G_AP) / (levels - 1)``.

    A write first erases the device to antiparallel. Its pulse takes with the probability
    ``1 - write_error``, and then leaves the conductance ``error`` distances times a standard normal
    number beside the level; nothing lies beyond parallel or antiparallel.

    Parameters
    ----------
    error : float, at least 0
        Standard deviation of what a write leaves, in distances between levels: how well a wall
        is placed. A binary junction has none, but a write error.
    tolerance : float above 0, or None
        With a number, write-verify: erase and write again until the device is within so many
        distances of its level, or the pulses are used up. The last write stays.
    pulses : int, 1..1000
        Writes that a device gets at most.
    write_error : float, 0..1
        Probability that a pulse leaves the device antiparallel.

    Source
    ------
    Write-verify of multi-level cells: Merced-Grafals et al., Nanotechnology 27, 365202 (2016).
    Formulas of write error rates: ``docs/physics.md``.
    """

    error: float = 0.0
    tolerance: float | None = None
    pulses: int = 16
    write_error: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self, {"error": ("at least 0", ""), "write_error": ("in 0..1", "")})
        if self.tolerance is not None:
            tolerance = check_real("Programming", "tolerance", self.tolerance, "above 0")
            object.__setattr__(self, "tolerance", tolerance)
        pulses = check_int("Programming", "pulses", self.pulses, 1, 1000)
        object.__setattr__(self, "pulses", pulses)

    @property
    def on(self) -> bool:
        """Whether writes leave anything but the level."""
        return self.error > 0 or self.write_error > 0


def program(
    programming: Programming, random: np.random.Generator, target: Reals, distance: float
) -> tuple[Reals, NDArray[np.int64]]:
    """Write all devices.

    Parameters
    ----------
    random : Generator
        Random numbers.
    target : array, 0..1
        Conductance wanted, as a share of ``G_P - G_AP`` above antiparallel.
    distance : float
        Distance between levels in the same unit.

    Returns
    -------
    share : array of the same shape
        What the devices hold.
    pulses : int array
        Pulses that each took.
    """
    wanted = np.asarray(target, dtype=np.float64)
    held = np.zeros(wanted.size)
    pulses = np.zeros(wanted.size, dtype=np.int64)
    left = np.arange(wanted.size)
    flat = wanted.ravel()
    rounds = 1 if programming.tolerance is None else programming.pulses
    for _ in range(rounds):
        error = programming.error * distance * random.standard_normal(left.size)
        takes = random.random(left.size) >= programming.write_error
        held[left] = np.where(takes, np.clip(flat[left] + error, 0.0, 1.0), 0.0)
        pulses[left] += 1
        if programming.tolerance is not None:
            # The last bits of a float must not decide where the tolerance is met exactly.
            allowed = programming.tolerance * distance * (1 + 1e-9)
            left = left[np.abs(held[left] - flat[left]) > allowed]
            if not left.size:
                break
    return held.reshape(wanted.shape), pulses.reshape(wanted.shape)
