"""What a simulation is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_hw.build.verilog import Design
from spintron_hw.mapping.ports import StreamPort
from spintron_ir.errors import MismatchError, ParameterError, check_int

from .stalls import check_stall

__all__ = [
    "DRAIN",
    "RESET_CYCLES",
    "Beats",
    "Job",
    "Trace",
    "collect",
    "make_job",
    "stuck",
    "surplus",
]

DRAIN = 64
"""Cycles that a simulation runs on after the last awaited beat, to see that no other comes."""

RESET_CYCLES = 2
"""Clock edges under reset before cycle 0."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What passed on every stream of a design, for some successive frames.

    Attributes
    ----------
    values : dict of str to int64 array of shape ``(frames, length)``
        Elements by name of the stream; inputs are those given.
    cycles : dict of str to int64 array of shape ``(frames, beats)``
        Clock edge at which each beat was transferred; the first edge after reset is 0.
    total_cycles : int
        Clock edges up to the last of these transfers.
    first_frame : int
        Number of the first of these frames.
    """

    values: Mapping[str, NDArray[np.int64]]
    cycles: Mapping[str, NDArray[np.int64]]
    total_cycles: int
    first_frame: int = 0

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(next(iter(self.values.values())))


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats that passed on one stream, in their order: payload words, and the cycle of each.

    Inputs need no words, for it is known what was sent.
    """

    words: NDArray[np.uint32]
    cycles: NDArray[np.int64]

    def __add__(self, other: Beats) -> Beats:
        return Beats(
            np.concatenate([self.words, other.words]), np.concatenate([self.cycles, other.cycles])
        )

    def split(self, beats: int) -> tuple[Beats, Beats]:
        """Return the first :py:`beats` beats, and the others."""
        return (
            replace(self, words=self.words[:beats], cycles=self.cycles[:beats]),
            replace(self, words=self.words[beats:], cycles=self.cycles[beats:]),
        )


@dataclass(frozen=True, eq=False)
class Job:
    """One simulation, checked: what to send and when to give up.

    Attributes
    ----------
    inputs : dict of str to integer array of shape ``(frames, length)``
        Elements by name of the input stream.
    frames : int
        How many there are.
    max_cycles, quiet : int
        The simulation gives up after this many cycles, or after so many without any transfer.
    """

    design: Design
    inputs: Mapping[str, np.ndarray]
    frames: int
    max_cycles: int
    quiet: int
    stall: float
    seed: int

    def expected(self, stream: StreamPort) -> int:
        """Beats that pass on :py:`stream` in all."""
        return self.frames * stream.beats


def make_job(
    design: Design,
    inputs: Mapping[str, ArrayLike],
    *,
    max_cycles: int | None,
    stall: float,
    seed: int,
) -> Job:
    """Check what :meth:`Engine.run` was given.

    Raises
    ------
    ParameterError
        If the inputs are not those of the design, or a number is out of range.
    """
    arrays = {name: np.asarray(values) for name, values in inputs.items()}
    names = [stream.name for stream in design.of_role("input")]
    if sorted(arrays) != sorted(names):
        raise ParameterError(
            f"{design.name}: inputs must be given for {', '.join(names)}, "
            f"not for {', '.join(sorted(arrays)) or 'none'}"
        )
    frames = {len(values) if values.ndim else 0 for values in arrays.values()}
    if len(frames) != 1 or not min(frames):
        raise ParameterError(
            f"{design.name}: every input must have the same number of frames, at least 1, "
            f"not {', '.join(map(str, sorted(frames)))}"
        )
    for stream in design.of_role("input"):
        stream.check(arrays[stream.name])
    limit = (1 << 62) if max_cycles is None else max_cycles
    return Job(
        design=design,
        inputs=arrays,
        frames=frames.pop(),
        max_cycles=check_int("Engine.run", "max_cycles", limit, 1, 1 << 62),
        quiet=100_000 if design.latency is None else 10_000 + 2 * design.latency,
        stall=check_stall(stall),
        seed=check_int("Engine.run", "seed", seed, 0, (1 << 64) - 1),
    )


def collect(
    job: Job, beats: Mapping[str, Beats], first_frame: int, total_cycles: int
) -> tuple[Trace, dict[str, Beats]]:
    """Return the frames that are complete on every stream, and the beats of those that are not."""
    streams = job.design.streams
    frames = min(len(beats[stream.name].cycles) // stream.beats for stream in streams)
    values, cycles, rest = {}, {}, {}
    for stream in streams:
        whole, rest[stream.name] = beats[stream.name].split(frames * stream.beats)
        cycles[stream.name] = whole.cycles.reshape(frames, stream.beats)
        if stream.role == "input":
            given = job.inputs[stream.name][first_frame : first_frame + frames]
            values[stream.name] = given.astype(np.int64)
        else:
            values[stream.name] = stream.unpack(whole.words)
    return Trace(values, cycles, total_cycles, first_frame), rest


def stuck(
    job: Job, cycle: int, counts: Mapping[str, int], flags: Mapping[str, tuple[bool, bool]]
) -> MismatchError:
    """Return the error of a simulation that does not end: which stream waits, and for what.

    Parameters
    ----------
    counts : dict of str to int
        Beats that passed on each stream.
    flags : dict of str to (valid, ready)
        The state of each stream in the last cycle.
    """
    told = []
    for stream in job.design.streams:
        valid, ready = flags[stream.name]
        beats, total = counts[stream.name], job.expected(stream)
        if beats >= total:
            state = "done"
        elif valid and ready:
            state = "in transfer"
        elif valid:
            state = "offered, not taken"
        else:
            state = "nothing offered"
        told.append(f"{stream.name} {beats} of {total} beats ({state})")
    frames = "1 frame" if job.frames == 1 else f"{job.frames} frames"
    why = (
        f"within max_cycles = {job.max_cycles} cycles, but did not"
        if cycle >= job.max_cycles
        else f"without a pause of {job.quiet} cycles, but did not up to cycle {cycle}"
    )
    return MismatchError(f"{job.design.name}: {frames} must pass {why}: {'; '.join(told)}")


def surplus(job: Job, name: str) -> MismatchError:
    """Return the error of a design that sends more than it was asked."""
    stream = next(stream for stream in job.design.streams if stream.name == name)
    return MismatchError(
        f"{job.design.name}: stream {name} must carry {job.expected(stream)} beats for "
        f"{job.frames} frames, but another one came"
    )
