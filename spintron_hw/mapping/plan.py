"""A network mapped for one target: which tile holds what, folding, order, buffers and cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType, Network
from spintron_ir.errors import NetworkError

from .estimate import Resources, estimate, estimate_fifo
from .order import Order
from .ports import StreamPort
from .schedule import (
    OUTPUT,
    Feed,
    Schedule,
    feeds_of,
    holds_up,
    passage,
    positions_behind,
    run,
)
from .target import Target
from .window import WindowPlan

__all__ = ["OUTPUT", "Edge", "LayerPlan", "Plan"]

FRAMES = (4, 8, 16, 32, 64)
"""Frames that are followed until they pass alike; where the last do not, an interval is longer."""


class LayerPlan(Protocol):
    """One node mapped."""

    @property
    def node(self) -> str:
        """Name of the node."""

    @property
    def layer(self) -> Any:
        """The layer of the node."""

    @property
    def i_lanes(self) -> int:
        """Elements a beat of the input stream."""

    @property
    def o_lanes(self) -> int:
        """Elements a beat of the output stream."""

    @property
    def interval(self) -> int:
        """Least number of cycles between frames."""

    @property
    def output_times(self) -> Callable[..., NDArray[np.int64]]:
        """Cycle of each output beat of a first frame, given those of the beats of each input."""

    @property
    def run(self) -> Callable[..., NDArray[np.int64]]:
        """Outputs ``(batch, length)`` of inputs, each ``(batch, its length)``."""


@dataclass(frozen=True)
class Edge:
    """A stream from one node, or input, to the nodes and outputs that take it.

    Attributes
    ----------
    source : str
        Input or node that feeds the stream.
    lanes : int
        Elements a beat.
    feeds : tuple of Feed
        Where it goes: to nodes, then to outputs, with the FIFOs on the way.
    """

    source: str
    lanes: int
    feeds: tuple[Feed, ...]

    @property
    def sinks(self) -> tuple[str, ...]:
        """Nodes, then outputs, these with :data:`OUTPUT` before their name."""
        return tuple(feed.sink for feed in self.feeds)


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A network mapped for one target.

    Parameters
    ----------
    network : Network
        What is computed.
    target : Target
        What it is mapped for.
    layers : dict of str to LayerPlan
        Plan of every node, in the order of the network.
    """

    network: Network
    target: Target
    layers: Mapping[str, LayerPlan]

    @cached_property
    def lanes(self) -> dict[str, int]:
        """Elements a beat of the stream behind every input and node."""
        feeds = feeds_of(self.network, self.layers)
        inputs = {
            port.name: min((feed.lanes for feed in feeds[port.name]), default=1)
            for port in self.network.inputs
        }
        return inputs | {name: layer.o_lanes for name, layer in self.layers.items()}

    @cached_property
    def edges(self) -> dict[str, Edge]:
        """Streams by their source."""
        feeds = self.schedule[1].feeds
        return {
            source: Edge(source, lanes, tuple(feed for feed in feeds if feed.source == source))
            for source, lanes in self.lanes.items()
        }

    @cached_property
    def feeds(self) -> dict[tuple[str, int], Feed]:
        """The stream into each input of a node, and output, by name and number of the input."""
        return {(feed.sink, feed.slot): feed for feed in self.schedule[1].feeds}

    @property
    def streams(self) -> tuple[StreamPort, ...]:
        """Streams at the edge of the accelerator: inputs, outputs, then a tap for every node."""
        inputs = [
            self._port(f"i_{port.name}", "input", port.name, port.shape, port.type)
            for port in self.network.inputs
        ]
        outputs = [
            self._node_port(f"o_{output.name}", "output", output.node)
            for output in self.network.outputs
        ]
        taps = [
            self._node_port(f"tap_{node.name}", "tap", node.name) for node in self.network.nodes
        ]
        return (*inputs, *outputs, *taps)

    def _node_port(self, name: str, role: str, node: str) -> StreamPort:
        layer = self.network.node(node).layer
        return self._port(name, role, node, layer.shape, layer.type)

    def _port(self, name: str, role: str, source: str, shape: Any, type_: Any) -> StreamPort:
        length = int(np.prod(shape))
        return StreamPort(name, role, source, length, type_, self.lanes[source])

    @property
    def interval(self) -> int:
        """Cycles between frames in steady state, with input always offered and output taken.

        A line buffer and a matrix at every position right behind it are reckoned together, since
        either may wait for the other. All other layers are taken each by itself. Where streams
        branch the accelerator takes frames at this distance, and no closer: the least, not below
        that of the slowest layer, at which all frames pass alike.
        """
        return self.schedule[0]

    @property
    def latency(self) -> int:
        """Cycles from the first input beat of a first frame to its last output beat, inclusive."""
        return self.schedule[1].latency

    @cached_property
    def branches(self) -> bool:
        """Whether streams part or meet, or a layer holds up the one before it.

        Otherwise the layers are a chain that needs no storage between them.
        """
        feeds = feeds_of(self.network, self.layers)
        chain = len(self.network.inputs) == 1 and all(len(each) == 1 for each in feeds.values())
        return not chain or any(map(holds_up, self.layers.values()))

    @cached_property
    def schedule(self) -> tuple[int, Schedule]:
        """The interval, and frames at this distance as they pass."""
        interval, graph = self._slowest(), (self.network, self.layers, self.lanes)
        if not self.branches:
            return interval, run(*graph, interval, 1, {})
        stored = Order(*graph, passage).stored
        while True:
            for frames in FRAMES:
                found = run(*graph, interval, frames, stored)
                if found.periodic:
                    return interval, found
            interval += 1 + interval // 64

    def _slowest(self) -> int:
        """Interval of the slowest layer."""
        intervals = [layer.interval for layer in self.layers.values()]
        feeds = feeds_of(self.network, self.layers)
        for name, layer in self.layers.items():
            behind = positions_behind(name, feeds[name], self.layers)
            if behind and isinstance(layer, WindowPlan):
                intervals.append(layer.interval_into(behind.gate))
        return max(intervals)

    @cached_property
    def resources(self) -> Resources:
        """Estimated resources on the target."""
        total = estimate(self.layers.values(), self.target)
        for feed in self.schedule[1].feeds:
            source = self.network_type(feed.source)
            for depth, lanes in (
                (feed.depth, self.lanes[feed.source]),
                (feed.depth_behind, feed.lanes),
            ):
                total += estimate_fifo(depth, lanes * source.bits, self.target)
        return total

    def network_type(self, source: str) -> IntType:
        """Type of the values of an input or a node."""
        for port in self.network.inputs:
            if port.name == source:
                return port.type
        return self.network.node(source).layer.type

    def run(self, x: Any, first_frame: int = 0) -> Any:
        """Outputs as :meth:`spintron_ir.Network.run` gives them, computed tile by tile."""
        names = {port.name for port in self.network.inputs}
        given = x if isinstance(x, Mapping) or len(names) > 1 else {next(iter(names)): x}
        if not isinstance(given, Mapping) or set(given) != names:
            found = sorted(given) if isinstance(given, Mapping) else "one array"
            raise NetworkError(f"Plan: inputs must be those of the network, not {found}")
        known = {
            name: np.asarray(values).reshape(len(values), -1) for name, values in given.items()
        }
        for node in self.network.nodes:
            inputs = [known[source] for source in node.inputs]
            known[node.name] = self.layers[node.name].run(*inputs, first_frame=first_frame)
        outputs = {
            output.name: known[output.node].reshape(-1, *self.network.node(output.node).layer.shape)
            for output in self.network.outputs
        }
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))
