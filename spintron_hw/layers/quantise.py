"""A layer that requantises single values: the requantisers of a dense layer, on their own."""

from __future__ import annotations

import numpy as np
from amaranth.lib import wiring

from spintron_ir import IntType
from spintron_ir.requantise import Requantiser

from ..mapping.simple import QuantisePlan, spread
from .dense import REQUANTISERS

__all__ = ["quantise_layer", "requantiser"]


def quantise_layer(plan: QuantisePlan) -> wiring.Component:
    """Return the cell of a quantising layer."""
    layer = plan.layer
    return requantiser(layer.requantise, layer.input, plan.length, plan.i_lanes)


def requantiser(requantise: Requantiser, acc: IntType, length: int, lanes: int) -> wiring.Component:
    """Return the cell that requantises frames of :py:`length` values of type :py:`acc`.

    Channels that all values share are given to every lane, where they are constants.
    """
    found = spread(requantise, length, lanes)
    bias = np.zeros(found.cols, dtype=np.int64)
    return REQUANTISERS[type(found)](acc=acc, requantise=found, bias=bias, lanes=lanes)
