"""Plans of layers with one body and nothing to choose but the lanes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Table, Thresholds
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.requantise import Requantiser

from . import timing

__all__ = ["ArgmaxPlan", "CellPlan", "PoolPlan", "QuantisePlan", "WirePlan", "spread"]


def spread(requantise: Requantiser, length: int, lanes: int) -> Requantiser:
    """The same requantiser with a channel for each lane of as many beats as it takes to repeat.

    Cells have a channel for each element of a vector. Here the vector is a frame of
    :py:`length` values, whose channels come round again and again.

    Examples
    --------
    Three channels in beats of two values come round after three beats:

    >>> from spintron_ir import IntType, MulShift
    >>> rq = MulShift(multiplier=[5, 6, 7], shift=[0] * 3, zero_point=0, type=IntType(8))
    >>> spread(rq, 12, 2).multiplier.tolist()
    [5, 6, 7, 5, 6, 7]
    """
    period = math.lcm(requantise.cols, lanes)
    beats = -(-length // lanes)
    count = length if beats % (period // lanes) else period
    return _of_channels(requantise, np.resize(np.arange(requantise.cols), count))


def _of_channels(requantise: Requantiser, channels: NDArray[np.int64]) -> Requantiser:
    if isinstance(requantise, Table):
        return replace(requantise, code=_scaled(requantise.code, channels))
    if isinstance(requantise, Thresholds):
        thresholds, sign = requantise.thresholds[channels], requantise.sign[channels]
        return replace(requantise, thresholds=thresholds, sign=sign)
    return _scaled(requantise, channels)


def _scaled(requantise: Any, channels: NDArray[np.int64]) -> Any:
    multiplier, shift = requantise.multiplier[channels], requantise.shift[channels]
    return replace(requantise, multiplier=multiplier, shift=shift)


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
    """Values requantised while they pass, one by one."""

    def output_times(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        layer, bias = self.layer, np.zeros(1, dtype=np.int64)
        return times + timing.requantiser_latency(layer.requantise, layer.input, bias)


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
