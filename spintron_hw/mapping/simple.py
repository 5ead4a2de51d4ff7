"""Plans of layers with one body and nothing to choose but the lanes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError, check_int

from . import timing

__all__ = ["ArgmaxPlan", "CellPlan", "PoolPlan", "QuantisePlan", "WirePlan"]


@dataclass(frozen=True, eq=False, kw_only=True)
class _SimplePlan:
    """A layer that takes :py:`i_lanes` and gives :py:`o_lanes` elements a beat."""

    node: str
    layer: Any
    i_lanes: int
    o_lanes: int

    def __post_init__(self) -> None:
        check_int(type(self).__name__, "i_lanes", self.i_lanes, 1, self.length)

    @property
    def length(self) -> int:
        """Elements of an input vector."""
        return math.prod(self.layer.in_shape)

    @property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        return max(-(-self.length // self.i_lanes), -(-math.prod(self.layer.shape) // self.o_lanes))

    def run(self, x: NDArray[np.int64], first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, length)``."""
        values = x.reshape(len(x), *self.layer.in_shape)
        return self.layer.run(values, first_frame=first_frame).reshape(len(x), -1)


class WirePlan(_SimplePlan):
    """A layer that moves no value: the stream goes straight through."""

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        return times


class ArgmaxPlan(_SimplePlan):
    """The index of the largest value, found while the values pass."""

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        return times[-1:] + timing.argmax_latency(self.i_lanes)


class PoolPlan(_SimplePlan):
    """A value of each channel of a window, found while the window passes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer.channels % self.i_lanes or self.o_lanes != self.i_lanes:
            raise ParameterError(
                f"PoolPlan: i_lanes and o_lanes must be the same and divide the "
                f"{self.layer.channels} channels, not {self.i_lanes} and {self.o_lanes}"
            )

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        windows = times.reshape(self.layer.in_shape[0], self.layer.places, -1)
        return windows[:, -1].reshape(-1) + timing.POOL


class QuantisePlan(_SimplePlan):
    """Thresholds counted for each value while the values pass."""

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        return times + timing.search_latency(self.layer.requantise.thresholds.shape[1])


@dataclass(frozen=True, eq=False, kw_only=True)
class CellPlan(_SimplePlan):
    """A cell from outside this package; its own class declares latency and interval."""

    latency: int
    cell_interval: int

    @property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        return max(super().interval, self.cell_interval)

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        return times[-1:] + self.latency
