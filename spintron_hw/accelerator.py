"""The accelerator: a plan as hardware, instances and wires without arithmetic of its own."""

from __future__ import annotations

import math
from typing import Any

from amaranth import Module, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import check_bool

from .cells.fifo import StreamFIFO
from .cells.fork import StreamFork
from .cells.noise_source import NoiseSource
from .cells.pacer import StreamPacer
from .layers import component_of
from .layers.chain import chain
from .layers.dense import DenseLayer, adapter
from .mapping.join import ConcatPlan, JoinPlan
from .mapping.plan import OUTPUT, Plan
from .mapping.ports import StreamPort
from .stream import connect_streams, vector

__all__ = ["Accelerator"]


class Accelerator(wiring.Component):
    """A whole network: one component a layer, joined by streams.

    Timing
    ------
    :attr:`Plan.latency` cycles from the first input beat of a first frame to its last output beat,
    :attr:`Plan.interval` cycles between frames. Inputs are not taken in the first
    :attr:`warm_up` cycles after reset.

    Parameters
    ----------
    plan : Plan
        What is built.
    taps : bool
        Whether the streams between layers can be watched from outside.

    Members
    -------
    i_NAME : In(stream.Signature(vector(type, lanes)))
        One for each input of the network.
    o_NAME : Out(stream.Signature(vector(type, lanes)))
        One for each output.
    w_NODE : In(stream.Signature({bank, address, data}))
        Writes of codes at run time; one for each folded dense layer.
    tap_NODE_valid, tap_NODE_ready, tap_NODE_payload : Out
        The stream behind each node, where :py:`taps`.

    Attributes
    ----------
    streams : tuple of StreamPort
        Inputs, outputs and taps, with lengths, types and lanes.
    writes : dict of str to DensePlan
        Plans of the layers whose codes can be written, by the name of the port.
    """

    def __init__(self, plan: Plan, *, taps: bool = False):
        self.plan = plan
        self.taps = check_bool("Accelerator", "taps", taps)
        self.layers: dict[str, Any] = {
            name: component_of(layer) for name, layer in plan.layers.items()
        }
        self.writes = {
            f"w_{name}": plan.layers[name]
            for name, layer in self.layers.items()
            if isinstance(layer, DenseLayer) and "w" in layer.signature.members
        }
        noisy = any(getattr(layer.layer, "noise", None) for layer in plan.layers.values())
        self.warm_up = NoiseSource.warm_up if noisy else 0
        members: dict[str, Any] = {}
        for port in self.streams:
            if port.role == "tap":
                members |= {
                    f"{port.name}_valid": Out(1),
                    f"{port.name}_ready": Out(1),
                    f"{port.name}_payload": Out(unsigned(port.width)),
                }
                continue
            flow = In if port.role == "input" else Out
            members[port.name] = flow(stream.Signature(vector(port.type, port.lanes)))
        for name, layer_plan in self.writes.items():
            members[name] = self.layers[layer_plan.node].signature.members["w"]
        super().__init__(members)

    @property
    def streams(self) -> tuple[StreamPort, ...]:
        """Inputs and outputs, and taps where there are."""
        return tuple(port for port in self.plan.streams if self.taps or port.role != "tap")

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        branches: dict[tuple[str, int], Any] = {}
        for port in self.plan.network.inputs:
            branches |= self._branches(m, port.name, self._input(m, port.name))
        for node in self.plan.network.nodes:
            sources = [branches.pop((node.name, slot)) for slot in range(len(node.inputs))]
            result = self._layer(m, node.name, sources)
            if self.taps:
                m.d.comb += [
                    getattr(self, f"tap_{node.name}_valid").eq(result.valid),
                    getattr(self, f"tap_{node.name}_ready").eq(result.ready),
                    getattr(self, f"tap_{node.name}_payload").eq(Value.cast(result.payload)),
                ]
            branches |= self._branches(m, node.name, result)
        for output in self.plan.network.outputs:
            port = getattr(self, f"o_{output.name}")
            connect_streams(m, branches.pop((f"{OUTPUT}{output.name}", 0)), wiring.flipped(port))
        return m

    def _input(self, m: Module, name: str) -> Any:
        """Input stream, held back until the noise generators run, and at its pace for branches."""
        port = getattr(self, f"i_{name}")
        source = wiring.flipped(port)
        if self.warm_up:
            left = Signal(range(self.warm_up + 1), init=self.warm_up, name=f"warm_up_{name}")
            warm = left == 0
            with m.If(~warm):
                m.d.sync += left.eq(left - 1)
            source = port.signature.flip().create(path=("warm", name))
            m.d.comb += [
                source.payload.eq(port.payload),
                source.valid.eq(port.valid & warm),
                port.ready.eq(source.ready & warm),
            ]
        beats = next(each.beats for each in self.streams if each.name == f"i_{name}")
        if not self.plan.branches or self.plan.interval <= beats:
            return source
        shape = source.payload.shape()
        pacer = StreamPacer(shape=shape, beats=beats, interval=self.plan.interval)
        return chain(m, source, [(f"{name}_pacer", pacer)])

    def _layer(self, m: Module, name: str, sources: list[Any]) -> Any:
        """Add a layer; return its stream."""
        layer = self.layers[name]
        fed = [self._fed(m, name, slot, source) for slot, source in enumerate(sources)]
        if layer is None:
            return fed[0]
        m.submodules[name] = layer
        meets = isinstance(self.plan.layers[name], (JoinPlan, ConcatPlan))
        for source, sink in zip(fed, layer.inputs if meets else [layer.i], strict=True):
            connect_streams(m, source, sink)
        if f"w_{name}" in self.writes:
            port = getattr(self, f"w_{name}")
            m.d.comb += [
                layer.w.payload.eq(port.payload),
                layer.w.valid.eq(port.valid),
                port.ready.eq(layer.w.ready),
            ]
        return layer.o

    def _fed(self, m: Module, name: str, slot: int, source: Any) -> Any:
        """What one input of a layer takes: adapted where it has other lanes, and queued at need."""
        plan = self.plan.layers[name]
        lanes, (shape, type_) = source.payload.shape().length, plan.layer.in_ports[slot]
        tail = f"_{slot}" if slot else ""
        cells = adapter(f"{name}_lanes{tail}", type_, math.prod(shape), lanes, plan.i_lanes)
        depth = self.plan.feeds[name, slot].depth_behind
        if depth:
            queue = StreamFIFO(shape=vector(type_, plan.i_lanes), depth=depth)
            cells = [*cells, (f"{name}_queue{tail}", queue)]
        return chain(m, source, cells)

    def _branches(self, m: Module, name: str, source: Any) -> dict[tuple[str, int], Any]:
        """One stream for each layer and output that takes the result of :py:`name`, by sink."""
        feeds = self.plan.edges[name].feeds
        shape = source.payload.shape()
        ways = [source]
        if len(feeds) > 1:
            fork = StreamFork(shape=shape, ways=len(feeds))
            m.submodules[f"{name}_fork"] = fork
            connect_streams(m, source, fork.i)
            ways = fork.outputs
        branches = {}
        for way, (feed, branch) in enumerate(zip(feeds, ways, strict=True)):
            if feed.depth:
                queue = StreamFIFO(shape=shape, depth=feed.depth)
                branch = chain(m, branch, [(f"{name}_fifo_{way}", queue)])
            branches[feed.sink, feed.slot] = branch
        return branches
