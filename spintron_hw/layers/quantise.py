"""A layer that quantises single values: the threshold cell of a dense layer, on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cells.requantise_thresholds import RequantiseThresholds
from ..mapping.simple import QuantisePlan

__all__ = ["quantise_layer"]


def quantise_layer(plan: QuantisePlan) -> RequantiseThresholds:
    """Return the cell of a quantising layer.

    Thresholds that all values share are given to every lane, where they are constants.
    """
    layer, lanes = plan.layer, plan.i_lanes
    shared = layer.requantise
    if shared.cols == 1:
        shared = replace(
            shared,
            thresholds=np.repeat(shared.thresholds, lanes, axis=0),
            sign=np.repeat(shared.sign, lanes),
        )
    bias = np.zeros(shared.cols, dtype=np.int64)
    return RequantiseThresholds(acc=layer.input, requantise=shared, bias=bias, lanes=lanes)
