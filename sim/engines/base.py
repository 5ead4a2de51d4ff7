"""The one interface of all simulators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from spintron_hw.build.verilog import Design
from spintron_ir.errors import ToolError

from .trace import Beats, Job, Trace, collect, make_job

__all__ = ["Engine", "Step"]

Step = tuple[Mapping[str, Beats], int]
"""New beats of every stream, and the clock edges so far."""


class Engine(ABC):
    """A simulator that runs a design on frames and notes what passes on every stream.

    All engines send and take in the same cycles, so that their traces are equal, cycles included.
    A run starts at reset, waits for ``design.warm_up`` cycles, and ends when every output and tap
    has carried all its beats.

    Attributes
    ----------
    name : str
        Name by which :func:`sim.engines.get_engine` finds it.
    """

    name: ClassVar[str]

    @abstractmethod
    def unavailable(self) -> str | None:
        """Return why the engine cannot run here and how to install it, or :py:`None`."""

    @abstractmethod
    def _simulate(self, job: Job) -> Iterator[Step]:
        """Run :py:`job` piece by piece."""

    def run(
        self,
        design: Design,
        inputs: Mapping[str, ArrayLike],
        *,
        max_cycles: int | None = None,
        stall: float = 0.0,
        seed: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> Trace:
        """Run :py:`design` on :py:`inputs` and return everything that passed.

        Parameters
        ----------
        design : Design
            What to simulate.
        inputs : dict of str to integers of shape ``(frames, length)``
            Elements by name of the input stream.
        max_cycles : int, optional
            Cycles after reset to give up at. A run without any transfer for long ends in any case.
        stall : float, 0..0.99
            Probability that a stream waits in a cycle. At 0, inputs are offered as early as they
            can be and outputs are always ready.
        seed : int, 0..2**64-1
            Of the stalls.
        progress : callable, optional
            Called with the number of frames done, now and then.

        Returns
        -------
        Trace
            Of all frames.

        Raises
        ------
        MismatchError
            If the design hangs, or sends more than it should.
        ParameterError
            If the inputs do not suit the design.
        ToolError
            If a program that the engine needs is missing or fails.
        """
        traces = list(
            self.blocks(
                design,
                inputs,
                max_cycles=max_cycles,
                stall=stall,
                seed=seed,
                progress=progress,
            )
        )
        return Trace(
            values=_joined([trace.values for trace in traces]),
            cycles=_joined([trace.cycles for trace in traces]),
            total_cycles=traces[-1].total_cycles,
        )

    def blocks(
        self,
        design: Design,
        inputs: Mapping[str, ArrayLike],
        *,
        max_cycles: int | None = None,
        stall: float = 0.0,
        seed: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[Trace]:
        """Like :meth:`run`, one run, but return traces of successive frames as they are done.

        Fast engines give many, so that a long run takes no more memory than a short one.
        """
        job = make_job(design, inputs, max_cycles=max_cycles, stall=stall, seed=seed)
        reason = self.unavailable()
        if reason is not None:
            raise ToolError(f"simulation engine {self.name} cannot run here: {reason}")
        rest: dict[str, Beats] = {}
        done = 0
        for beats, cycles in self._simulate(job):
            if rest:
                beats = {name: rest[name] + new for name, new in beats.items()}
            trace, rest = collect(job, beats, done, cycles)
            done += trace.frames
            if progress is not None:
                progress(done)
            if trace.frames:
                yield trace


def _joined(parts: list[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenate arrays of the same name."""
    if len(parts) == 1:
        return dict(parts[0])
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
