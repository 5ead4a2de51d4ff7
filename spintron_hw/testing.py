"""The bench: runs a component with streams in Amaranth's simulator, and checks how it behaves.

For the cells here and for those that users write. A component is driven through every input
stream and drained through every output stream that its signature names; payloads are plain
Python: an integer for a scalar, a list for an array, a dict for a struct, nested at will.

Every run, whatever it is for, has a limit of cycles and watches the rules of
:mod:`amaranth.lib.stream` on each output: an offer stays until it is taken, and does not change.

Examples
--------
>>> from spintron_hw.cells.fifo import StreamFIFO
>>> from spintron_hw.stream import vector
>>> from spintron_ir.types import IntType
>>> fifo = StreamFIFO(shape=vector(IntType(4, signed=True), 2), depth=4)
>>> run_stream(fifo, [[1, -2], [3, -4]])
[[1, -2], [3, -4]]
>>> first_latency(fifo, [[1, -2]]) == fifo.latency
True
>>> check_cell(fifo, [[1, -2], [3, -4]], [[1, -2], [3, -4]])
"""

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from amaranth import ClockDomain, Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from spintron_ir.errors import ParameterError

from .payload import pack, payload, plain, unpack

__all__ = ["check_cell", "first_latency", "measured_interval", "payload", "run_stream"]

Beats = Iterable[Any] | dict[str, Iterable[Any]]


def run_stream(
    dut: wiring.Component,
    inputs: Beats,
    *,
    outputs: int | dict[str, int] | None = None,
    stall: float = 0.4,
    seed: int = 0,
    max_cycles: int = 10_000,
    vcd: str | None = None,
) -> Any:
    """Send :py:`inputs` through :py:`dut`, stalling at random on all sides; return the outputs.

    The same seed gives the same run. Ends when every input was taken and all awaited outputs came.

    Parameters
    ----------
    dut : wiring.Component
        A component with stream members. It may be run any number of times.
    inputs : iterable, or dict from name to iterable
        Payloads for stream ``i``, or for each stream named. Streams not named offer nothing.
        NumPy arrays do as well as lists.
    outputs : int, dict from name to int, optional
        How many payloads to wait for on stream ``o``, or on each stream named. As many as there
        are inputs unless given. Payloads beyond these are taken and forgotten, as are those of
        streams not named.
    stall : float, 0..1
        Probability that a source offers nothing, or a sink is not ready, in a cycle. 0 is full
        speed.
    seed : int
        Seed of the stalls.
    max_cycles : int
        Cycles after which the run is given up.
    vcd : str, optional
        Path of a file for the waveforms.

    Returns
    -------
    list, or dict from name to list
        Payloads of ``o``; a dict where :py:`outputs` is one.

    Raises
    ------
    AssertionError
        If an output stream breaks the stream rules.
    ParameterError
        If :py:`dut` has no stream of a name, or an input does not fit its payload.
    TimeoutError
        If the run did not end within :py:`max_cycles`.
    """
    bench = _Bench(dut, inputs, stall, seed)
    if outputs is None:
        outputs = len(bench.ports["i"].queue) if "i" in bench.ports else 0
    awaited = outputs if isinstance(outputs, dict) else {"o": outputs}
    sinks = {name: bench.find(name, source=False) for name in awaited}

    def done() -> bool:
        return bench.all_taken() and all(len(sinks[n].taken) >= awaited[n] for n in awaited)

    bench.run(done, max_cycles, vcd=vcd)
    got = {n: [beat for _, beat in sinks[n].taken[: awaited[n]]] for n in awaited}
    return got if isinstance(outputs, dict) else got["o"]


def check_cell(
    dut: wiring.Component,
    inputs: Beats,
    expected: Any,
    *,
    seeds: Sequence[int] = (0, 1),
    stall: float = 0.4,
    max_cycles: int = 10_000,
) -> None:
    """Check that :py:`dut` answers :py:`inputs` with exactly :py:`expected`, however it is stalled.

    Runs once at full speed, then once for each seed with random stalls, and watches for a while
    that nothing comes after the last answer.

    Parameters
    ----------
    dut : wiring.Component
        A component with stream members.
    inputs : iterable, or dict from name to iterable
        As for :func:`run_stream`.
    expected : iterable, or dict from name to iterable
        All payloads of stream ``o``, or of each stream named. None stands for anything, where a
        cell leaves open what an unused lane carries.
    seeds : sequence of int
        One stalled run each.
    stall : float, 0..1
        Probability of a stall in those runs.
    max_cycles : int
        Cycles after which a run is given up.

    Raises
    ------
    AssertionError
        If a payload differs, one too many comes, or an output breaks the stream rules. The
        message names component, stream, beat and both payloads.
    TimeoutError
        If a payload is missing.
    """
    wanted = {n: plain(v) for n, v in _named(expected, "o").items()}
    inputs = {n: plain(v) for n, v in _named(inputs, "i").items()}
    for run_stall, seed in [(0.0, 0)] + [(stall, seed) for seed in seeds]:
        bench = _Bench(dut, inputs, run_stall, seed)
        sinks = {name: bench.find(name, source=False) for name in wanted}

        def done(bench: _Bench = bench, sinks: dict[str, _Port] = sinks) -> bool:
            return bench.all_taken() and all(len(sinks[n].taken) >= len(wanted[n]) for n in wanted)

        bench.run(done, max_cycles, settle=20)
        how = f"{type(dut).__name__} (stall {run_stall}, seed {seed})"
        for name, port in sinks.items():
            _compare(f"{how}: {name}", [beat for _, beat in port.taken], wanted[name])


def first_latency(
    dut: wiring.Component, payloads: Iterable[Any], *, max_cycles: int = 10_000
) -> int:
    """Cycles from the transfer of the last of :py:`payloads` to the offer of the first answer.

    The outputs are never ready: a producer that waits for ready before it offers is against the
    rules, and times out here. An answer that is offered in the cycle after the transfer has
    latency 1.

    Raises
    ------
    TimeoutError
        If a payload is not taken, or none is offered, within :py:`max_cycles`.
    """
    bench = _Bench(dut, payloads, 0.0, 0)
    port, source = bench.find("o", source=False), bench.find("i", source=True)
    bench.run(lambda: bench.all_taken() and bool(port.offers), max_cycles, never_ready=True)
    return port.offers[0] - source.taken[-1][0]


def measured_interval(
    dut: wiring.Component,
    payloads_per_vector: Iterable[Any],
    vectors: int = 6,
    *,
    max_cycles: int = 100_000,
) -> int:
    """Cycles from one vector to the next at full speed, once everything in the way is full.

    Sends the beats of one vector :py:`vectors` times and takes the distance in time of the last
    beats of the last two; give more vectors where :py:`dut` can store many.
    """
    beats = plain(payloads_per_vector)
    bench = _Bench(dut, beats * vectors, 0.0, 0)
    source = bench.find("i", source=True)
    bench.run(bench.all_taken, max_cycles)
    return source.taken[-1][0] - source.taken[-1 - len(beats)][0]


class _Port:
    """One stream of the component under test, with all that passed through it."""

    def __init__(self, name: str, port: stream.Interface, source: bool, always: tuple[bool, bool]):
        self.name, self.source = name, source
        self.valid, self.ready, self.bits = port.valid, port.ready, Value.cast(port.payload)
        self.shape = port.signature.members["payload"].shape
        self.always_valid, self.always_ready = always
        self.queue: list[int] = []
        self.taken: list[tuple[int, Any]] = []
        self.offers: list[int] = []
        self.held: int | None = None

    def set(self, ctx: Any, go: bool) -> None:
        """Before a cycle: offer the next payload, or be ready, if :py:`go`."""
        if not self.source:
            if not self.always_ready:
                ctx.set(self.ready, go)
        elif self.held is None:
            go = go and len(self.taken) < len(self.queue)
            if go:
                self.held = self.queue[len(self.taken)]
                ctx.set(self.bits, self.held)
            if not self.always_valid:
                ctx.set(self.valid, go)

    def see(self, cycle: int, valid: int, ready: int, bits: int) -> None:
        """After a cycle: record a transfer, and check the rules of an output."""
        if self.source:
            if valid and ready and self.held is not None:
                self.taken.append((cycle, bits))
                self.held = None
            return
        if self.held is not None and not valid:
            raise AssertionError(f"stream {self.name}: valid fell before the transfer")
        if self.held is not None and bits != self.held:
            raise AssertionError(
                f"stream {self.name}: payload changed before the transfer, from "
                f"{unpack(self.shape, self.held)} to {unpack(self.shape, bits)}"
            )
        if valid:
            self.offers.append(cycle)
        if valid and ready:
            self.taken.append((cycle, unpack(self.shape, bits)))
        self.held = bits if valid and not ready else None


class _Bench:
    """One simulation: all streams of a component, driven from one loop over plain ticks.

    A testbench that is still inside ``until``, ``repeat`` or ``async for`` when a simulation ends
    leaves an async generator open, and Python complains; hence one loop.
    """

    def __init__(self, dut: wiring.Component, inputs: Beats, stall: float, seed: int):
        self.dut, self.stall = dut, stall
        self.ports: dict[str, _Port] = {}
        self.random = {}
        for name, member in dut.signature.members.items():
            if member.is_signature and isinstance(member.signature, stream.Signature):
                always = member.signature.always_valid, member.signature.always_ready
                self.ports[name] = _Port(name, getattr(dut, name), member.flow is In, always)
                self.random[name] = random.Random(f"{seed} {name}")
        for name, beats in _named(inputs, "i").items():
            port = self.find(name, source=True)
            port.queue = [
                pack(port.shape, beat, f"{name}[{n}]") for n, beat in enumerate(plain(beats))
            ]

    def find(self, name: str, *, source: bool) -> _Port:
        """The port called :py:`name`."""
        names = [port.name for port in self.ports.values() if port.source is source]
        if name not in names:
            raise ParameterError(
                f"{type(self.dut).__name__}: has no {'input' if source else 'output'} stream "
                f"{name!r}, only {', '.join(names) or 'none'}; name one of its streams"
            )
        return self.ports[name]

    def all_taken(self) -> bool:
        """Whether the component has taken every input."""
        return all(
            len(port.taken) == len(port.queue) for port in self.ports.values() if port.source
        )

    def run(
        self,
        done: Callable[[], bool],
        max_cycles: int,
        *,
        settle: int = 0,
        never_ready: bool = False,
        vcd: str | None = None,
    ) -> None:
        """Simulate until :py:`done`, and then :py:`settle` cycles more."""
        top = Module()
        top.domains.sync = ClockDomain()  # a component without registers brings none
        top.submodules.dut = self.dut
        sim = Simulator(top)
        sim.add_clock(1e-6)
        ports = list(self.ports.values())
        samples = [value for port in ports for value in (port.valid, port.ready, port.bits)]

        async def bench(ctx: Any) -> None:
            left = settle
            for cycle in range(max_cycles + settle):
                for port in ports:
                    go = self.random[port.name].random() >= self.stall
                    port.set(ctx, go and (port.source or not never_ready))
                _, _, *seen = await ctx.tick().sample(*samples)
                for n, port in enumerate(ports):
                    port.see(cycle, *seen[3 * n : 3 * n + 3])
                if done():
                    if not left:
                        return
                    left -= 1
            raise TimeoutError(
                f"{type(self.dut).__name__}: still waiting after {max_cycles} cycles; "
                + ", ".join(f"{port.name} had {len(port.taken)} transfers" for port in ports)
            )

        sim.add_testbench(bench)
        with nullcontext() if vcd is None else sim.write_vcd(vcd):
            sim.run()


def _named(beats: Any, name: str) -> dict[str, Any]:
    return beats if isinstance(beats, dict) else {name: beats}


def _compare(where: str, got: list[Any], wanted: list[Any]) -> None:
    for n, (beat, expected) in enumerate(zip(got, wanted, strict=False)):
        expected = _beat(expected)
        if not _agree(beat, expected):
            raise AssertionError(f"{where}[{n}] is {beat}, expected {expected}")
    if len(got) > len(wanted):
        raise AssertionError(
            f"{where} carried {len(got)} payloads, expected {len(wanted)}; the first too many is "
            f"{got[len(wanted)]}"
        )


def _agree(beat: Any, expected: Any) -> bool:
    """Whether they are equal, wherever something is expected."""
    if isinstance(expected, dict) and isinstance(beat, dict):
        return expected.keys() == beat.keys() and all(
            _agree(beat[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(beat, list):
        return len(expected) == len(beat) and all(map(_agree, beat, expected))
    return expected is None or beat == expected


def _beat(beat: Any) -> Any:
    """A payload with tuples and NumPy numbers turned into lists and ints."""
    if isinstance(beat, dict):
        return {key: _beat(value) for key, value in beat.items()}
    if hasattr(beat, "tolist"):
        return beat.tolist()
    if isinstance(beat, (list, tuple)):
        return [_beat(value) for value in beat]
    return beat if beat is None else int(beat)
