"""The accelerator: a plan as hardware, instances and wires without arithmetic of its own."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_ir.errors import check_bool

from .cells.fifo import StreamFIFO
from .cells.fork import StreamFork
from .cells.noise_source import NoiseSource
from .layers import component_of
from .layers.chain import chain
from .layers.dense import DenseLayer, adapter
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
        sources = {port.name: self._input(m, port.name) for port in self.plan.network.inputs}
        branches = {}
        for name, source in sources.items():
            branches[name] = self._branches(m, name, source)
        for node in self.plan.network.nodes:
            result = self._layer(m, node.name, branches[node.inputs[0]].pop(0))
            if self.taps:
                m.d.comb += [
                    getattr(self, f"tap_{node.name}_valid").eq(result.valid),
                    getattr(self, f"tap_{node.name}_ready").eq(result.ready),
                    getattr(self, f"tap_{node.name}_payload").eq(Value.cast(result.payload)),
                ]
            branches[node.name] = self._branches(m, node.name, result)
        for output in self.plan.network.outputs:
            port = getattr(self, f"o_{output.name}")
            connect_streams(m, branches[output.node].pop(0), wiring.flipped(port))
        return m

    def _input(self, m: Module, name: str) -> Any:
        """Input stream, held back until the noise generators run."""
        port = getattr(self, f"i_{name}")
        if not self.warm_up:
            return wiring.flipped(port)
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
        return source

    def _layer(self, m: Module, name: str, source: Any) -> Any:
        """Add a layer, with an adapter before it where it takes another number of lanes."""
        plan, layer = self.plan.layers[name], self.layers[name]
        if layer is None:
            return source
        shape = source.payload.shape()
        length = 1
        for size in plan.layer.in_shape:
            length *= size
        cells = adapter(f"{name}_lanes", plan.layer.in_type, length, shape.length, plan.i_lanes)
        result = chain(m, source, [*cells, (name, layer)])
        if f"w_{name}" in self.writes:
            port = getattr(self, f"w_{name}")
            m.d.comb += [
                layer.w.payload.eq(port.payload),
                layer.w.valid.eq(port.valid),
                port.ready.eq(layer.w.ready),
            ]
        return result

    def _branches(self, m: Module, name: str, source: Any) -> list[Any]:
        """One stream for each layer and output that takes the result of :py:`name`."""
        edge = self.plan.edges[name]
        shape = source.payload.shape()
        ways = len(edge.sinks)
        if ways == 1:
            return [source]
        fork = StreamFork(shape=shape, ways=ways)
        m.submodules[f"{name}_fork"] = fork
        connect_streams(m, source, fork.i)
        branches = [getattr(fork, f"o_{way}") for way in range(ways)]
        for way, sink in enumerate(edge.sinks):
            if sink.startswith(OUTPUT) and edge.depth:
                fifo = StreamFIFO(shape=shape, depth=edge.depth)
                branches[way] = chain(m, branches[way], [(f"{name}_fifo_{way}", fifo)])
        return branches
