"""Layers in gateware: one component a layer kind, composed of cells."""

from __future__ import annotations

from typing import Any

from amaranth.lib import wiring

from ..mapping.dense import DensePlan
from ..mapping.gather import GatherPlan
from ..mapping.join import ConcatPlan, JoinPlan
from ..mapping.plan import LayerPlan
from ..mapping.simple import ArgmaxPlan, CellPlan, PoolPlan, QuantisePlan, WirePlan
from ..mapping.vectors import SoftmaxPlan, TopKPlan
from ..mapping.window import WindowPlan
from .dense import DenseLayer
from .gather import gather_layer
from .join import JoinLayer, concat_layer
from .quantise import quantise_layer
from .simple import (
    argmax_layer,
    cell_layer,
    pool_layer,
    softmax_layer,
    top_k_layer,
    window_layer,
)

__all__ = ["DenseLayer", "component_of"]

_MAKERS: dict[type, Any] = {
    DensePlan: DenseLayer,
    ArgmaxPlan: argmax_layer,
    CellPlan: cell_layer,
    ConcatPlan: concat_layer,
    JoinPlan: JoinLayer,
    GatherPlan: gather_layer,
    PoolPlan: pool_layer,
    QuantisePlan: quantise_layer,
    SoftmaxPlan: softmax_layer,
    TopKPlan: top_k_layer,
    WindowPlan: window_layer,
    WirePlan: lambda plan: None,
}


def component_of(plan: LayerPlan) -> wiring.Component | None:
    """Component with streams ``i``, or ``i_0`` and so on, and ``o``; None where a wire does."""
    return _MAKERS[type(plan)](plan)
