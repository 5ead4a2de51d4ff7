"""Emitted hardware against the golden model, on every output and on every stream between layers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_hw.build.verilog import Design
from spintron_hw.mapping.ports import StreamPort
from spintron_ir.errors import MismatchError, ParameterError

from .engines import Engine, Trace, get_engine

__all__ = ["Divergence", "Golden", "VerifyReport", "verify"]

_FRAMES = 1024
"""Frames of which the golden model computes all layers at once."""


class Golden(Protocol):
    """What :func:`verify` needs of a network."""

    def trace(self, x: Any, first_frame: int = 0) -> dict[str, NDArray[np.int64]]:
        """Results of every node, by name, for inputs by name."""


@dataclass(frozen=True)
class Divergence:
    """The place where hardware and golden model first differ.

    Attributes
    ----------
    layer : str
        Node of the network that gave the value.
    stream : str
        Stream on which it was seen.
    index : (int, int)
        Frame, and element within the output of the layer, in row-major order.
    cycle : int
        Clock edge of the transfer; the first edge after reset is 0.
    expected, got : int
        What the golden model says, and what the hardware sent.
    """

    layer: str
    stream: str
    index: tuple[int, int]
    cycle: int
    expected: int
    got: int

    def __str__(self) -> str:
        frame, element = self.index
        return (
            f"layer {self.layer} (stream {self.stream}), frame {frame}, element {element}, "
            f"cycle {self.cycle}: expected {self.expected}, got {self.got}"
        )


@dataclass(frozen=True)
class VerifyReport:
    """What :func:`verify` found.

    Attributes
    ----------
    engine : str
        Name of the simulator.
    vectors : int
        Frames that were compared.
    streams : tuple of str
        Streams that were compared: outputs and taps.
    values : int
        Values that were compared, over all of these.
    mismatches : int
        How many of them differ.
    first : Divergence or None
        The earliest difference; of those in one cycle, the one in the earliest layer.
    latency : int
        Cycles from the first input beat of the first frame to its last output beat, both included.
    interval : int, float or None
        Cycles between the last output beats of successive frames, over the second half of the
        frames; an int where all are equal, else their mean. None for fewer than 3 frames. This and
        :attr:`latency` are those of the plan only where there are no stalls.
    total_cycles : int
        Clock edges of the whole run.
    seconds : float, s
        Time that simulation and comparison took.
    outputs : dict of str to int64 array ``(frames, length)``
        What the hardware sent, by output of the network.
    """

    engine: str
    vectors: int
    streams: tuple[str, ...]
    values: int
    mismatches: int
    first: Divergence | None
    latency: int
    interval: int | float | None
    total_cycles: int
    seconds: float
    outputs: Mapping[str, NDArray[np.int64]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def ok(self) -> bool:
        """Whether every value is equal."""
        return self.mismatches == 0

    def check(self) -> None:
        """Do nothing if every value is equal.

        Raises
        ------
        MismatchError
            Otherwise, with the first difference.
        """
        if self.first is not None:
            raise MismatchError(
                f"{self.engine}: hardware and golden model must be equal, but {self.mismatches} of "
                f"{self.values} values differ, first at {self.first}"
            )


def verify(
    design: Design,
    network: Golden,
    x: ArrayLike | Mapping[str, ArrayLike],
    engine: Engine | str = "cxxrtl",
    *,
    stall: float = 0.0,
    seed: int = 0,
    max_cycles: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Run :py:`design` on :py:`x` and compare every output and tap with :py:`network`.

    Parameters
    ----------
    design : Design
        What to simulate, from :func:`spintron_hw.build.verilog.design_of`.
    network : Network
        The golden model.
    x : integers of shape ``(frames, *shape)``, or dict of such by input of the network
        What to send. Frame 0 is the first after reset.
    engine : Engine or str
        The simulator, or its name.
    stall, seed, max_cycles, progress
        As for :meth:`sim.engines.Engine.run`.

    Returns
    -------
    VerifyReport
        Also where values differ; see :meth:`VerifyReport.check`.

    Raises
    ------
    MismatchError
        If the design hangs or sends more than it should, so that there is nothing to compare.
    ParameterError
        If the inputs do not suit the design.
    ToolError
        If the engine is not there, or fails.
    """
    engine = get_engine(engine) if isinstance(engine, str) else engine
    given = _given(design, x)
    inputs = {
        stream.name: given[stream.node].reshape(len(given[stream.node]), -1)
        for stream in design.of_role("input")
    }
    comparison = _Comparison(design)
    start = time.perf_counter()
    traces = engine.blocks(
        design, inputs, max_cycles=max_cycles, stall=stall, seed=seed, progress=progress
    )
    for trace in traces:
        for first, last in _pieces(trace):
            golden = network.trace(
                {name: values[first:last] for name, values in given.items()}, first_frame=first
            )
            comparison.add(trace, first, last, golden)
    return comparison.report(engine.name, time.perf_counter() - start)


class _Comparison:
    """Adds up what successive traces show."""

    def __init__(self, design: Design) -> None:
        # What passes between layers comes before what leaves, where both are in one cycle.
        self._streams = (*design.of_role("tap"), *design.of_role("output"))
        self._design = design
        self._first: tuple[int, int, Divergence] | None = None
        self._values = self._mismatches = self._total_cycles = 0
        self._start = 0
        self._ends: list[NDArray[np.int64]] = []
        self._outputs: dict[str, list[NDArray[np.int64]]] = {}

    def add(
        self, trace: Trace, first: int, last: int, golden: Mapping[str, NDArray[np.int64]]
    ) -> None:
        """Compare frames :py:`first` to :py:`last` of a trace, which starts at its own number."""
        rows = slice(first - trace.first_frame, last - trace.first_frame)
        if first == 0:
            inputs = [trace.cycles[stream.name] for stream in self._design.of_role("input")]
            self._start = min(int(cycles[0, 0]) for cycles in inputs)
        for order, stream in enumerate(self._streams):
            expected = golden[stream.node].reshape(last - first, stream.length)
            got, cycles = trace.values[stream.name][rows], trace.cycles[stream.name][rows]
            self._values += got.size
            if stream.role == "output":
                self._outputs.setdefault(stream.name.removeprefix("o_"), []).append(got)
            if not np.array_equal(expected, got):
                self._differ(order, stream, first, expected, got, cycles)
        ends = [trace.cycles[stream.name][rows, -1] for stream in self._design.of_role("output")]
        self._ends.append(np.max(ends, axis=0))
        self._total_cycles = trace.total_cycles

    def _differ(
        self,
        order: int,
        stream: StreamPort,
        first: int,
        expected: NDArray[np.int64],
        got: NDArray[np.int64],
        cycles: NDArray[np.int64],
    ) -> None:
        frames, elements = np.nonzero(expected != got)
        self._mismatches += len(frames)
        frame, element = int(frames[0]), int(elements[0])  # a stream carries them in this order
        cycle = int(cycles[frame, element // stream.lanes])
        if self._first is None or (cycle, order) < self._first[:2]:
            found = Divergence(
                layer=stream.node,
                stream=stream.name,
                index=(first + frame, element),
                cycle=cycle,
                expected=int(expected[frame, element]),
                got=int(got[frame, element]),
            )
            self._first = (cycle, order, found)

    def report(self, engine: str, seconds: float) -> VerifyReport:
        """Return the result of all that was added."""
        ends = np.concatenate(self._ends)
        return VerifyReport(
            engine=engine,
            vectors=len(ends),
            streams=tuple(stream.name for stream in self._streams),
            values=self._values,
            mismatches=self._mismatches,
            first=None if self._first is None else self._first[2],
            latency=int(ends[0]) - self._start + 1,
            interval=_interval(ends),
            total_cycles=self._total_cycles,
            seconds=seconds,
            outputs={name: np.concatenate(parts) for name, parts in self._outputs.items()},
        )


def _interval(ends: NDArray[np.int64]) -> int | float | None:
    """Return the steady interval of frames that end at these cycles."""
    if len(ends) < 3:
        return None
    steps = np.diff(ends[(len(ends) - 1) // 2 :])
    return int(steps[0]) if (steps == steps[0]).all() else float(steps.mean())


def _pieces(trace: Trace) -> Iterator[tuple[int, int]]:
    """Cut the frames of a trace into pieces for the golden model."""
    stop = trace.first_frame + trace.frames
    for first in range(trace.first_frame, stop, _FRAMES):
        yield first, min(first + _FRAMES, stop)


def _given(design: Design, x: ArrayLike | Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Return the inputs by name of the network's input."""
    names = [stream.node for stream in design.of_role("input")]
    if not isinstance(x, Mapping):
        if len(names) != 1:
            raise ParameterError(
                f"{design.name}: inputs must be given by name for {', '.join(names)}, "
                "not as one array"
            )
        x = {names[0]: x}
    if sorted(x) != sorted(names):
        raise ParameterError(
            f"{design.name}: inputs must be given for {', '.join(names)}, "
            f"not for {', '.join(map(str, sorted(x))) or 'none'}"
        )
    arrays = {name: np.asarray(values) for name, values in x.items()}
    for name, values in arrays.items():
        if values.ndim < 2 or not len(values):
            raise ParameterError(
                f"{design.name}: input {name} must have frames along its first axis, at least one, "
                f"not shape {values.shape}"
            )
    return arrays
