"""Plans of layers that look at whole vectors, one element a cycle: softmax, and the k largest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Softmax, TopK
from spintron_ir.errors import check_int
from spintron_ir.layers.softmax import ROUNDS, SUM_SHIFT

from . import timing

__all__ = ["NEWTON", "TOP_K", "SoftmaxPlan", "TopKPlan", "settled", "softmax_latency"]

TOP_K = 1
"""Cycles from the last element of a vector to the first of its largest."""

NORMALISE = SUM_SHIFT - 1
"""Places by which a sum of exponentials is shifted at most."""

NEWTON = 5
"""Cycles of a round of Newton's method."""


def settled() -> int:
    """Cycles of a softmax from the last element that is asked for to the reciprocal of the sum."""
    return 3 + NORMALISE + 3 + NEWTON * ROUNDS + 1


def softmax_latency(length: int) -> int:
    """Cycles from the last element of a vector to its first share."""
    return length + settled() + 6


@dataclass(frozen=True, eq=False, kw_only=True)
class _VectorPlan:
    """A layer on the vectors along the last axis, one element a cycle.

    Parameters
    ----------
    node : str
        Name of the node.
    layer : Layer
        What it computes.
    i_lanes, o_lanes : int, 1
        Elements a beat.
    """

    node: str
    layer: Any
    i_lanes: int = 1
    o_lanes: int = 1

    def __post_init__(self) -> None:
        for name in ("i_lanes", "o_lanes"):
            check_int(type(self).__name__, name, getattr(self, name), 1, 1)

    @property
    def length(self) -> int:
        """Elements of a vector."""
        return self.layer.in_shape[-1]

    @property
    def vectors(self) -> int:
        """Vectors of a frame."""
        return math.prod(self.layer.in_shape[:-1])

    def run(self, x: NDArray[np.int64], first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, length)`` of inputs ``(batch, length)``."""
        return self.layer.run(x.reshape(len(x), *self.layer.in_shape)).reshape(len(x), -1)


class TopKPlan(_VectorPlan):
    """The largest of each vector, sorted while they come."""

    layer: TopK

    @property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        return self.vectors * self.length

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        ends = times.reshape(self.vectors, self.length)[:, -1:]
        return (ends + TOP_K + np.arange(self.layer.k)).reshape(-1)


class SoftmaxPlan(_VectorPlan):
    """Shares of each vector, which is held until the last of them is given."""

    layer: Softmax

    @property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        return self.vectors * (2 * self.length - 1 + softmax_latency(self.length))

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        return self.passage((times,), 1)[1]

    def passage(
        self, times: Sequence[NDArray[np.int64]], frames: int
    ) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Cycles in which each input beat is taken, and in which each output beat leaves.

        Parameters
        ----------
        times : sequence of one array of int
            Cycles from which on each beat is offered.
        frames : int
            How many frames these are.
        """
        places, begin = np.arange(self.length), 0
        taken, left = [], []
        for offered in times[0].reshape(frames * self.vectors, self.length):
            taken.append(timing.paced(np.maximum(offered, begin)))
            left.append(taken[-1][-1] + softmax_latency(self.length) + places)
            begin = int(left[-1][-1]) + 1
        return [np.concatenate(taken)], np.concatenate(left)
