"""Writing a level with pulses and reads between them: how many it takes, how close it comes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real, check_reals
from .step_model import StepModel

__all__ = ["WriteResult", "write_conductance", "write_error"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WriteResult:
    """What became of devices that were written.

    Attributes
    ----------
    conductance : array, siemens
        After the last pulse.
    error : array, siemens
        Conductance less target.
    pulses : array of integers
        Pulses that each device got.
    within : array of bool
        Devices whose last read was within the tolerance.
    """

    conductance: Reals
    error: Reals
    pulses: NDArray[np.int64]
    within: NDArray[np.bool_]


def write_conductance(
    model: StepModel,
    start: ArrayLike,
    target: ArrayLike,
    rng: np.random.Generator,
    *,
    temperature: float,
    tolerance: float,
    most_pulses: int = 64,
    read_noise: float = 0.0,
) -> WriteResult:
    """Write devices until each reads within a tolerance of its target.

    A device is read; if it is too low it gets one increasing pulse, if too high a decreasing one.
    Pulses are all alike, so the error that can be reached is about half a step.

    Parameters
    ----------
    model : StepModel
    start, target : float or array, siemens
        One entry a device; they broadcast. Targets lie on the track.
    rng : numpy.random.Generator
    temperature : float, kelvin
    tolerance : float, siemens, above 0
    most_pulses : int, 0..10000
        After so many a device stays as it is.
    read_noise : float, siemens, at least 0
        Standard deviation of each read.
    """
    owner = "write_conductance"
    place = check_reals(owner, "start", start, "above 0", "S")
    wanted = check_reals(owner, "target", target, "above 0", "S")
    close = check_real(owner, "tolerance", tolerance, "above 0", "S")
    noise = check_real(owner, "read_noise", read_noise, "at least 0", "S")
    check_int(owner, "most_pulses", most_pulses, 0, 10_000)
    low, high = model.low_conductance, model.high_conductance
    if wanted.size and (wanted.min() < low or wanted.max() > high):
        raise ParameterError(
            f"{owner}: target must be on the track, {low:.4g}..{high:.4g} S, not "
            f"{wanted.min():.4g}..{wanted.max():.4g} S"
        )
    place, wanted = (array.copy() for array in np.broadcast_arrays(place, wanted))
    pulses = np.zeros(place.shape, dtype=np.int64)
    within = np.zeros(place.shape, dtype=bool)
    for turn in range(most_pulses + 1):
        read = place + noise * rng.standard_normal(place.shape) if noise else place
        within = within | (np.abs(read - wanted) <= close)
        if within.all() or turn == most_pulses:
            break
        push = np.where(within, 0, np.sign(wanted - read)).astype(np.int64)
        place = model.sample(place, push, rng, temperature=temperature)
        pulses += np.abs(push)
    return WriteResult(place, place - wanted, pulses, within)


def write_error(
    model: StepModel,
    levels: int,
    rng: np.random.Generator,
    *,
    temperature: float,
    tolerance: float = 0.25,
    most_pulses: int = 64,
    devices: int = 1000,
) -> float:
    """Root-mean-square error of written levels, over the distance between two levels.

    Each of the evenly spaced levels is written to many devices that start anywhere on the track.

    Parameters
    ----------
    model : StepModel
    levels : int, 2..64
    rng : numpy.random.Generator
    temperature : float, kelvin
    tolerance : float, above 0
        Of the verifying reads, in distances between levels; below about half a step it costs
        pulses and gains little.
    most_pulses : int, 0..10000
    devices : int, 1..1000000
        Simulated for each level.

    Examples
    --------
    >>> from spintron_nn.core.domain_wall import StepLaw
    >>> law = StepLaw(temperature=300, hop=5e-6, stay=0.0, extra_hops=0.0, jitter=1e-8)
    >>> error = write_error(StepModel(50e-6, 150e-6, (law,)), 4, np.random.default_rng(1),
    ...                     temperature=300)
    >>> error < 0.25
    True
    """
    share = check_real("write_error", "tolerance", tolerance, "above 0")
    count = check_int("write_error", "devices", devices, 1, 1_000_000)
    wanted = model.level_conductances(levels)
    distance = float(wanted[1] - wanted[0])
    start = rng.uniform(model.low_conductance, model.high_conductance, (count, levels))
    result = write_conductance(
        model,
        start,
        wanted,
        rng,
        temperature=temperature,
        tolerance=share * distance,
        most_pulses=most_pulses,
    )
    return float(np.sqrt(np.mean(result.error**2)) / distance)
