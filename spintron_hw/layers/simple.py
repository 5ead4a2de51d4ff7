"""Layers that are a single cell."""

from __future__ import annotations

from amaranth.lib import wiring

from ..cells.argmax import ArgMax
from ..mapping.simple import ArgmaxPlan, CellPlan

__all__ = ["argmax_layer", "cell_layer"]


def argmax_layer(plan: ArgmaxPlan) -> wiring.Component:
    """Return the cell of an argmax layer."""
    return ArgMax(input=plan.layer.input, length=plan.layer.length, lanes=plan.i_lanes)


def cell_layer(plan: CellPlan) -> wiring.Component:
    """Return a new instance of the cell of a layer from outside this package."""
    return plan.layer.make()
