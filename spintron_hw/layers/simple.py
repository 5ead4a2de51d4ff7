"""Layers that are a single cell."""

from __future__ import annotations

from amaranth.lib import wiring

from ..cells.argmax import ArgMax
from ..cells.channel_pool import ChannelPool
from ..cells.line_buffer import LineBuffer
from ..cells.softmax_unit import SoftmaxUnit
from ..cells.top_k_sorter import TopKSorter
from ..mapping.simple import ArgmaxPlan, CellPlan, PoolPlan
from ..mapping.vectors import SoftmaxPlan, TopKPlan
from ..mapping.window import WindowPlan

__all__ = [
    "argmax_layer",
    "cell_layer",
    "pool_layer",
    "softmax_layer",
    "top_k_layer",
    "window_layer",
]


def argmax_layer(plan: ArgmaxPlan) -> wiring.Component:
    """Return the cell of an argmax layer."""
    return ArgMax(input=plan.layer.input, length=plan.layer.length, lanes=plan.i_lanes)


def cell_layer(plan: CellPlan) -> wiring.Component:
    """Return a new instance of the cell of a layer from outside this package."""
    return plan.layer.make()


def pool_layer(plan: PoolPlan) -> wiring.Component:
    """Return the cell of a pool."""
    layer = plan.layer
    return ChannelPool(
        input=layer.input,
        places=layer.places,
        channels=layer.channels,
        lanes=plan.i_lanes,
        mode=layer.mode,
    )


def softmax_layer(plan: SoftmaxPlan) -> wiring.Component:
    """Return the cell of a softmax."""
    return SoftmaxUnit(layer=plan.layer)


def top_k_layer(plan: TopKPlan) -> wiring.Component:
    """Return the cell of the k largest."""
    layer = plan.layer
    return TopKSorter(input=layer.input, length=plan.length, k=layer.k, values=layer.values)


def window_layer(plan: WindowPlan) -> wiring.Component:
    """Return the line buffer of a window layer."""
    return LineBuffer(window=plan.layer, lanes=plan.i_lanes)
