"""When which beat passes every stream of a plan, and what FIFOs that takes.

Why these depths suffice is told in ``docs/decisions/0015-joins.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Network

from . import timing
from .dense import DensePlan, Gate
from .simple import WirePlan
from .window import WindowPlan

__all__ = [
    "OUTPUT",
    "Feed",
    "Schedule",
    "adapted",
    "feeds_of",
    "holds_up",
    "passage",
    "positions_behind",
    "queue_depth",
    "run",
]

OUTPUT = "output:"
"""What stands before the name of an output among the sinks of an edge."""

Times = NDArray[np.int64]


@dataclass(frozen=True)
class Feed:
    """A stream from a node, or input, to one input of a node, or to an output.

    Attributes
    ----------
    source, sink : str
        Ends of the stream; outputs with :data:`OUTPUT` before their name.
    slot : int
        Number of the input of the sink.
    lanes : int
        Elements a beat that the sink takes.
    depth : int
        Beats of a FIFO at the source; 0 for none.
    depth_behind : int
        Beats of a FIFO at the sink, behind an adapter of lanes; 0 for none.
    """

    source: str
    sink: str
    slot: int
    lanes: int
    depth: int = 0
    depth_behind: int = 0


@dataclass(frozen=True, eq=False)
class Schedule:
    """Some frames at a fixed distance, each beat passed on as early as it can be.

    Attributes
    ----------
    feeds : tuple of Feed
        All streams, with the depths that the schedule takes.
    left : dict of str to array of int, shape ``(frames * beats,)``
        Cycles in which beats leave each input and node.
    periodic : bool
        The last frames pass every stream alike, so that all frames to come do.
    latency : int
        Cycles from the first input beat of the first frame to its last output beat, inclusive.
    """

    feeds: tuple[Feed, ...]
    left: Mapping[str, Times]
    periodic: bool
    latency: int


def feeds_of(network: Network, layers: Mapping[str, Any]) -> dict[str, tuple[Feed, ...]]:
    """Streams by their source, without FIFOs: those to nodes in their order, then to outputs."""
    found: dict[str, list[Feed]] = {port.name: [] for port in network.inputs}
    for node in network.nodes:
        found[node.name] = []
        for slot, source in enumerate(node.inputs):
            found[source].append(Feed(source, node.name, slot, layers[node.name].i_lanes))
    for output in network.outputs:
        lanes = layers[output.node].o_lanes
        found[output.node].append(Feed(output.node, f"{OUTPUT}{output.name}", 0, lanes))
    return {source: tuple(feeds) for source, feeds in found.items()}


def passage(
    plan: Any, times: Sequence[Times], frames: int, gate: Gate | None = None
) -> tuple[list[Times], Times]:
    """Cycles in which the beats of each input are taken, and in which those of the output leave.

    A plan of whose layer more is to be known than that it takes every beat at once has a method
    ``passage`` with the same arguments and result.

    Parameters
    ----------
    plan : LayerPlan
        Of the layer that they pass; its outputs are taken at once.
    times : sequence of arrays of int
        Cycles from which on each beat of each input is offered.
    frames : int
        How many frames these are.
    gate : Gate, optional
        Of the dense layer right behind a line buffer.
    """
    if hasattr(plan, "passage"):
        taken, left = plan.passage(times, frames)
        return list(taken), left
    (offered,) = times
    if isinstance(plan, WindowPlan):
        one, left = plan.times(offered, frames, gate)
        return [one], left
    if isinstance(plan, DensePlan):
        one = _taken(plan.gate(), offered.reshape(frames * plan.positions, -1))
        gate = plan.gate()
        rows = [plan.output_times(row, gate) for row in one.reshape(frames, -1)]
        return [one], np.concatenate(rows)
    rows = [plan.output_times(row) for row in offered.reshape(frames, -1)]
    return [offered], np.concatenate(rows)


def _taken(gate: Gate, offered: Times) -> Times:
    """Cycles in which a dense layer takes the beats of one vector after the other."""
    taken, last = np.empty_like(offered), -1
    for vector, times in enumerate(offered):
        taken[vector] = timing.paced(np.maximum(times, max(gate.open, last + 1)))
        last = int(taken[vector, -1])
        gate.take(last)
    return taken.reshape(-1)


def holds_up(plan: Any) -> bool:
    """Whether a layer makes beats wait for which it has no room, so that a FIFO is needed."""
    return getattr(plan, "holds_up", False)


def adapted(
    times: Times, frames: int, length: int, i_lanes: int, o_lanes: int
) -> tuple[Times, Times]:
    """Cycles in which a width adapter takes beats offered at :py:`times`, and gives its own.

    Parameters
    ----------
    times : array of int
        Of all frames.
    frames, length : int
        How many frames, and elements of each.
    i_lanes, o_lanes : int
        Elements a beat on either side.
    """
    beats = np.arange(-(-length // o_lanes))
    last = np.minimum((beats + 1) * o_lanes, length) - 1  # the element that completes each
    needed = last // i_lanes
    offered = times.reshape(frames, -1)
    given = timing.paced((offered[:, needed] + timing.ADAPTER).reshape(-1))
    if o_lanes > i_lanes:
        return times, given
    ends = np.flatnonzero(np.diff(needed, append=needed[-1] + 1))  # last parts of each beat
    free = given.reshape(frames, -1)[:, ends].reshape(-1)
    taken = times.copy()
    taken[1:] = np.maximum(times[1:], free[:-1])
    return taken, given


def queue_depth(written: Times, taken: Times) -> int:
    """Least depth of a FIFO that takes beats and gives them in these cycles.

    A payload passes on to the FIFO's output register 1 cycle after it was written, or as soon as
    the one before is taken.

    >>> queue_depth(np.array([0, 1, 2, 3]), np.array([2, 3, 4, 5]))
    3
    >>> queue_depth(np.array([0, 1, 2, 3]), np.array([9, 10, 11, 12]))
    4
    """
    moved = written + 1
    moved[1:] = np.maximum(moved[1:], taken[:-1])
    inside = np.arange(len(written)) - np.searchsorted(moved, written)
    return max(timing.FIFO_AT_SPEED, int(inside.max()) + 2)


def run(
    network: Network,
    layers: Mapping[str, Any],
    lanes: Mapping[str, int],
    period: int,
    frames: int,
    stored: Mapping[tuple[str, int], int],
) -> Schedule:
    """Schedule of :py:`frames` frames, offered :py:`period` cycles apart.

    Parameters
    ----------
    network : Network
        The graph.
    layers : dict of str to LayerPlan
        Plan of every node.
    lanes : dict of str to int
        Elements a beat of the stream behind every input and node.
    period, frames : int
        Cycles from frame to frame, and how many there are.
    stored : dict of (str, int) to int
        Beats that each input of a node must store in any case, by node and number of the input.
    """
    return _Run(network, layers, lanes, period, frames, stored).schedule()


@dataclass
class _Run:
    """The schedule while it is reckoned, node by node."""

    network: Network
    layers: Mapping[str, Any]
    lanes: Mapping[str, int]
    period: int
    frames: int
    stored: Mapping[tuple[str, int], int]
    left: dict[str, Times] = field(default_factory=dict)
    done: dict[tuple[str, int], Feed] = field(default_factory=dict)
    passed: list[Times] = field(default_factory=list)

    def schedule(self) -> Schedule:
        """Go through all nodes, then look at the outputs."""
        self.feeds = feeds_of(self.network, self.layers)
        starts = self.period * np.arange(self.frames)[:, None]
        for port in self.network.inputs:
            beats = -(-math.prod(port.shape) // self.lanes[port.name])
            self.left[port.name] = (starts + np.arange(beats)).reshape(-1)
        self.plain, self.patient = self._kinds()
        for node in self.network.nodes:
            feeds = [
                next(f for f in self.feeds[source] if (f.sink, f.slot) == (node.name, slot))
                for slot, source in enumerate(node.inputs)
            ]
            self.left[node.name] = self._node(node.name, feeds)
        latency = 1 + max(self._output(output) for output in self.network.outputs)
        streams = [*self.left.values(), *self.passed]
        done = tuple(self.done[f.sink, f.slot] for fs in self.feeds.values() for f in fs)
        return Schedule(done, self.left, all(map(self._settled, streams)), latency)

    def _kinds(self) -> tuple[dict[str, bool], dict[str, bool]]:
        """Streams in chains from an input, without branches; of these, inputs as they are.

        What a layer in a chain waits for holds up no other, and an input can wait at will.
        """
        plain = {port.name: len(self.feeds[port.name]) == 1 for port in self.network.inputs}
        patient = dict(plain)
        for node in self.network.nodes:
            first = node.inputs[0]
            chained = len(node.inputs) == 1 and len(self.feeds[node.name]) == 1
            plain[node.name] = chained and plain[first]
            wire = isinstance(self.layers[node.name], WirePlan)
            patient[node.name] = chained and wire and patient[first]
        return plain, patient

    def _settled(self, times: Times) -> bool:
        """Whether the last frames differ by the period only."""
        moved = times.reshape(self.frames, -1) - self.period * np.arange(self.frames)[:, None]
        return self.frames > 3 and bool((moved[-3:] == moved[-1]).all())

    def _node(self, name: str, feeds: list[Feed]) -> Times:
        """Let the beats pass a node; note its feeds with their depths."""
        plan = self.layers[name]
        alone = len(feeds) == 1 and self.plain[feeds[0].source] and not holds_up(plan)
        offered = []
        for slot, feed in enumerate(feeds):
            feeds[slot], times = self._adapted(feed, plan, not alone)
            offered.append(times)
        gate = self._gate(name)
        queued = {
            slot
            for slot, feed in enumerate(feeds)
            if self.stored.get((name, slot)) and not self._patient(feed)
        }
        while True:
            there = [t + timing.FIFO * (slot in queued) for slot, t in enumerate(offered)]
            taken, left = passage(plan, there, self.frames, gate() if gate else None)
            late = {
                slot
                for slot, feed in enumerate(feeds)
                if slot not in queued
                and not self._patient(feed)
                and (taken[slot] != there[slot]).any()
            }
            if alone or not late:
                break
            queued |= late
        for slot, feed in enumerate(feeds):
            if slot in queued:
                depth = self._depth(offered[slot], taken[slot])
                depth = max(depth, self.stored.get((name, slot), 0))
                behind = feed.lanes != self.lanes[feed.source]
                feed = replace(feed, depth_behind=depth) if behind else replace(feed, depth=depth)
            self.done[name, slot] = feed
        self.passed += taken
        return left

    def _patient(self, feed: Feed) -> bool:
        """Whether what waits at the end of a feed is an input, which can."""
        return self.patient[feed.source] and feed.lanes == self.lanes[feed.source]

    def _adapted(self, feed: Feed, plan: Any, decouple: bool) -> tuple[Feed, Times]:
        """Let the beats of a feed pass its width adapter, if there is one."""
        times, lanes = self.left[feed.source], self.lanes[feed.source]
        if lanes == feed.lanes:
            return feed, times
        length = math.prod(plan.layer.in_ports[feed.slot][0])
        taken, given = adapted(times, self.frames, length, lanes, feed.lanes)
        if not decouple or (taken == times).all():
            return feed, given
        taken, given = adapted(times + timing.FIFO, self.frames, length, lanes, feed.lanes)
        self.passed.append(taken)
        return replace(feed, depth=self._depth(times, taken)), given

    def _depth(self, written: Times, taken: Times) -> int:
        """Depth of a FIFO, with frames like the last for as long as that one is in it."""
        beats = len(written) // self.frames
        more = -(-int(taken[-1] - written[-beats]) // self.period) + 1
        later = self.period * np.arange(1, more + 1)[:, None]
        last = [np.append(times, times[-beats:] + later) for times in (written, taken)]
        return queue_depth(*last)

    def _gate(self, name: str) -> Any:
        """What makes gates of the dense layer right behind a line buffer."""
        behind = positions_behind(name, self.feeds[name], self.layers)
        return behind.gate if behind and isinstance(self.layers[name], WindowPlan) else None

    def _output(self, output: Any) -> int:
        """Cycle of the last beat of an output in the first frame; notes its depth.

        Where there are other outputs it can hold a whole frame, so that they can be read in any
        order; a single beat is held by the layer, unless others share it.
        """
        (feed,) = (f for f in self.feeds[output.node] if f.sink == f"{OUTPUT}{output.name}")
        beats = len(self.left[output.node]) // self.frames
        shared = len(self.feeds[output.node]) > 1
        depth = 0
        if shared or (len(self.network.outputs) > 1 and beats > 1):
            depth = max(beats, timing.FIFO_AT_SPEED)
        self.done[feed.sink, 0] = replace(feed, depth=depth)
        return int(self.left[output.node][beats - 1]) + (timing.FIFO if depth else 0)


def positions_behind(
    name: str, feeds: Sequence[Feed], layers: Mapping[str, Any]
) -> DensePlan | None:
    """The dense layer that takes the vectors of a layer as they come, and nothing else does."""
    layer = layers.get(feeds[0].sink)
    if len(feeds) > 1 or not isinstance(layer, DensePlan) or layer.layer.positions is None:
        return None
    return layer if layer.i_lanes == layers[name].o_lanes else None
