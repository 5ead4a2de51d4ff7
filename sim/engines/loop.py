"""One test loop, cycle by cycle, for the simulators that are driven from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from spintron_hw.mapping.ports import StreamPort
from spintron_ir.errors import MismatchError

from .stalls import stall_key, stall_threshold, stalls
from .trace import DRAIN, Beats, Job, stuck, surplus

__all__ = ["Loop", "Port"]

_LOOKAHEAD = 4096
"""Cycles of stalls decided at once."""


class Port:
    """One stream within a :class:`Loop`.

    Attributes
    ----------
    stream : StreamPort
        What passes.
    active : bool
        Whether the bench offers (input) or is ready (output) in this cycle.
    payload : int
        What an input offers.
    """

    def __init__(self, job: Job, index: int, stream: StreamPort) -> None:
        self.stream = stream
        self.active = False
        self.payload = 0
        self.total = job.expected(stream)
        self.cycles: list[int] = []
        self.taken: list[int] = []
        self.flags = (False, False)
        self._stalls = _stall_sequence(job, index)
        self._beats: Iterator[bytes] = iter(())
        if stream.role == "input":
            words = stream.pack(job.inputs[stream.name]).astype("<u4")
            self._beats = (row.tobytes() for row in words)

    def plan(self, warm: bool) -> bool:
        """Decide :attr:`active` for the next cycle; return whether :attr:`payload` is new."""
        stalled = next(self._stalls)
        if self.stream.role != "input":
            self.active = not stalled
        elif not self.active and warm and not stalled and len(self.cycles) < self.total:
            self.active = True
            self.payload = int.from_bytes(next(self._beats), "little")
            return True
        return False

    def observe(self, cycle: int, valid: bool, ready: bool, payload: int) -> bool:
        """Note what stood on the stream at a clock edge; return whether a beat passed."""
        self.flags = (valid, ready)
        if not (valid and ready):
            return False
        self.cycles.append(cycle)
        if self.stream.role == "input":
            self.active = False
        else:
            self.taken.append(payload)
        return True

    def beats(self) -> Beats:
        """Return all beats that passed."""
        octets = b"".join(beat.to_bytes(4 * self.stream.words, "little") for beat in self.taken)
        words = np.frombuffer(octets, "<u4").astype(np.uint32)
        return Beats(words.reshape(-1, self.stream.words), np.array(self.cycles, np.int64))


class Loop:
    """Decides in each cycle what the bench sends and takes, and notes what passed.

    A simulator calls :meth:`plan`, sets its signals by :attr:`ports`, samples the streams just
    before the clock edge and gives them to :meth:`observe`; until :attr:`over`.
    """

    def __init__(self, job: Job) -> None:
        self.ports = {
            stream.name: Port(job, index, stream) for index, stream in enumerate(job.design.streams)
        }
        self.cycle = 0
        self.total_cycles = 0
        self._job = job
        self._error: MismatchError | None = None
        self._left = sum(port.total for port in self.ports.values() if port.stream.role != "input")
        self._last = 0
        self._deadline = 0

    @property
    def over(self) -> bool:
        """Whether nothing more is to be simulated."""
        return self._error is not None or (not self._left and self.cycle >= self._deadline)

    @property
    def error(self) -> MismatchError | None:
        """What went wrong, if anything did."""
        return self._error

    def plan(self) -> list[Port]:
        """Decide what the ports do in the next cycle; return the inputs with a new payload."""
        warm = self.cycle >= self._job.design.warm_up
        return [port for port in self.ports.values() if port.plan(warm)]

    def observe(self, samples: Mapping[str, tuple[bool, bool, int]]) -> None:
        """Take ``(valid, ready, payload)`` of every stream, as they were at this clock edge."""
        for name, sample in samples.items():
            port = self.ports[name]
            if port.observe(self.cycle, *sample):
                self._last = self.cycle
                if len(port.cycles) > port.total:
                    self._error = surplus(self._job, name)
                elif port.stream.role != "input":
                    self._left -= 1
        self.cycle += 1
        if not self._left:
            if not self._deadline:
                self.total_cycles, self._deadline = self.cycle, self.cycle + DRAIN
        elif self.cycle >= self._job.max_cycles or self.cycle - self._last > self._job.quiet:
            self._error = stuck(
                self._job,
                self.cycle,
                {name: len(port.cycles) for name, port in self.ports.items()},
                {name: port.flags for name, port in self.ports.items()},
            )

    def beats(self) -> dict[str, Beats]:
        """Return all beats of every stream.

        Raises
        ------
        MismatchError
            If the run went wrong.
        """
        if self._error is not None:
            raise self._error
        return {name: port.beats() for name, port in self.ports.items()}


def _stall_sequence(job: Job, index: int) -> Iterator[bool]:
    """Whether stream number :py:`index` stalls, cycle by cycle, without end."""
    key, threshold, cycle = stall_key(job.seed, index), stall_threshold(job.stall), 0
    while True:
        yield from stalls(key, threshold, cycle, _LOOKAHEAD).tolist()
        cycle += _LOOKAHEAD
