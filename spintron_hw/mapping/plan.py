"""A network mapped for one target: which tile holds what, folding, order, buffers and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Network
from spintron_ir.errors import NetworkError

from . import timing
from .dense import DensePlan
from .estimate import Resources, estimate
from .ports import StreamPort
from .simple import WirePlan
from .target import Target
from .window import WindowPlan

__all__ = ["OUTPUT", "Edge", "LayerPlan", "Plan"]

OUTPUT = "output:"
"""What stands before the name of an output among the sinks of an edge."""


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

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""

    def run(self, x: NDArray[np.int64], first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, length)`` of inputs ``(batch, length)``."""


@dataclass(frozen=True)
class Edge:
    """A stream from one node, or input, to the nodes and outputs that take it.

    Attributes
    ----------
    source : str
        Input or node that feeds the stream.
    lanes : int
        Elements a beat.
    sinks : tuple of str
        Nodes, then outputs, these with :data:`OUTPUT` before their name.
    depth : int
        Beats of the FIFO before each output that shares the stream with other sinks: a whole
        vector, so that outputs can be read in any order. 0 elsewhere: the layers' own buffers do.
    """

    source: str
    lanes: int
    sinks: tuple[str, ...]
    depth: int = 0


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
    def edges(self) -> dict[str, Edge]:
        """Streams by their source."""
        edges = {}
        for port in self.network.inputs:
            lanes = [self.layers[node.name].i_lanes for node in self.network.consumers(port.name)]
            edges[port.name] = self._edge(port.name, min(lanes, default=1))
        for node in self.network.nodes:
            edges[node.name] = self._edge(node.name, self.layers[node.name].o_lanes)
        return edges

    def _edge(self, source: str, lanes: int) -> Edge:
        nodes = [node.name for node in self.network.consumers(source)]
        outputs = [out for out in self.network.outputs if out.node == source]
        depth = 0
        if outputs and len(nodes) + len(outputs) > 1:
            length = int(np.prod(self.network.node(source).layer.shape))
            depth = max(-(-length // lanes), timing.FIFO_AT_SPEED)
        names = [f"{OUTPUT}{out.name}" for out in outputs]
        return Edge(source, lanes, (*nodes, *names), depth)

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
        return StreamPort(name, role, source, length, type_, self.edges[source].lanes)

    @cached_property
    def interval(self) -> int:
        """Cycles between frames in steady state, with input always offered and output taken.

        A line buffer and a matrix at every position right behind it are reckoned together, since
        either may wait for the other. All other layers are taken each by itself.
        """
        intervals = [layer.interval for layer in self.layers.values()]
        for name, layer in self.layers.items():
            behind = self._positions_behind(name)
            if behind and isinstance(layer, WindowPlan):
                intervals.append(layer.interval_into(behind.gate))
        return max(intervals)

    def _positions_behind(self, name: str) -> DensePlan | None:
        """The dense layer that takes the windows of a layer as they come, and nothing else does."""
        sinks = self.edges[name].sinks
        layer = self.layers.get(sinks[0])
        if len(sinks) > 1 or not isinstance(layer, DensePlan) or layer.layer.positions is None:
            return None
        return layer if layer.i_lanes == self.edges[name].lanes else None

    @cached_property
    def latency(self) -> int:
        """Cycles from the first input beat of a first frame to its last output beat, inclusive."""
        times: dict[str, NDArray[np.int64]] = {}
        for port in self.network.inputs:
            beats = -(-int(np.prod(port.shape)) // self.edges[port.name].lanes)
            times[port.name] = np.arange(beats)
        for node in self.network.nodes:
            source = node.inputs[0]
            arrive = self._adapted(times[source], source, node.name)
            layer, behind = self.layers[node.name], self._positions_behind(node.name)
            if behind and isinstance(layer, WindowPlan):
                times[node.name] = layer.output_times(arrive, behind.gate())
            else:
                times[node.name] = layer.output_times(arrive)
        ends = [
            int(times[output.node][-1]) + (timing.FIFO if self.edges[output.node].depth else 0)
            for output in self.network.outputs
        ]
        return 1 + max(ends)

    def _adapted(self, times: NDArray[np.int64], source: str, node: str) -> NDArray[np.int64]:
        """Times behind the width adapter between two layers, where there is one."""
        layer = self.layers[node]
        i_lanes, o_lanes = self.edges[source].lanes, layer.i_lanes
        if i_lanes == o_lanes or isinstance(layer, WirePlan):
            return times
        length = int(np.prod(layer.layer.in_shape))
        beats = np.arange(-(-length // o_lanes))
        last = np.minimum((beats + 1) * o_lanes, length) - 1  # the element that completes each
        return timing.paced(times[last // i_lanes] + timing.ADAPTER)

    @cached_property
    def resources(self) -> Resources:
        """Estimated resources on the target."""
        return estimate(self.layers.values(), self.target)

    def run(self, x: Any, first_frame: int = 0) -> Any:
        """Outputs as :meth:`spintron_ir.Network.run` gives them, computed tile by tile."""
        if isinstance(x, Mapping):
            given = x
        else:
            given = {self.network.inputs[0].name: x}
        known = {
            name: np.asarray(values).reshape(len(values), -1) for name, values in given.items()
        }
        if set(known) != {port.name for port in self.network.inputs}:
            raise NetworkError(f"Plan: inputs must be those of the network, not {sorted(known)}")
        for node in self.network.nodes:
            values = known[node.inputs[0]]
            known[node.name] = self.layers[node.name].run(values, first_frame)
        outputs = {
            output.name: known[output.node].reshape(-1, *self.network.node(output.node).layer.shape)
            for output in self.network.outputs
        }
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))
