"""Layers in which branches meet: a join with its requantiser, and a concatenation."""

from __future__ import annotations

import math
from typing import Any

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

from ..cells.concat import StreamConcat
from ..cells.join import StreamJoin
from ..mapping.join import ConcatPlan, JoinPlan
from ..stream import connect_streams, vector
from .chain import chain
from .quantise import requantiser

__all__ = ["JoinLayer", "concat_layer"]


class JoinLayer(wiring.Component):
    """The hardware of a :class:`~spintron_hw.mapping.join.JoinPlan`.

    Parameters
    ----------
    plan : JoinPlan
        The layer and its lanes.

    Members
    -------
    i_0, i_1, … : In(stream.Signature(vector(plan.layer.inputs[n], plan.i_lanes)))
        The inputs.
    o : Out(stream.Signature(vector(plan.layer.type, plan.o_lanes)))
        Output vectors.
    """

    def __init__(self, plan: JoinPlan):
        self.plan = plan
        self.cell = StreamJoin(join=plan.layer, lanes=plan.i_lanes)
        members: dict[str, Any] = {
            name: member for name, member in self.cell.signature.members.items() if name != "o"
        }
        output = Out(stream.Signature(vector(plan.layer.type, plan.o_lanes)))
        super().__init__(members | {"o": output})

    @property
    def inputs(self) -> list[stream.Interface]:
        """The input streams, in order."""
        return [getattr(self, f"i_{n}") for n in range(len(self.plan.layer.inputs))]

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        layer, lanes = self.plan.layer, self.plan.i_lanes
        m.submodules.join = self.cell
        for source, sink in zip(self.inputs, self.cell.inputs, strict=True):
            connect_streams(m, wiring.flipped(source), sink)
        result: Any = self.cell.o
        if layer.requantise is not None:
            length = math.prod(layer.in_shape)
            cell = requantiser(layer.requantise, layer.total.type, length, lanes)
            result = chain(m, result, [("requantise", cell)])
        connect_streams(m, result, wiring.flipped(self.o))
        return m


def concat_layer(plan: ConcatPlan) -> StreamConcat:
    """Return the cell of a concatenation."""
    return StreamConcat(types=plan.layer.inputs, counts=plan.counts, lanes=plan.i_lanes)
