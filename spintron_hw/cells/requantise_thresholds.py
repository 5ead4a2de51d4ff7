"""Requantisation by counting thresholds."""

from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.requantise import Thresholds
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..mapping.timing import search_latency
from ..pipeline import Pipeline
from ..stream import vector
from .constants import by_beat, schedule, scheduled_constants
from .search import search

__all__ = ["RequantiseThresholds"]


class RequantiseThresholds(wiring.Component):
    """Adds the bias to each accumulator of a layer and counts the thresholds that it reaches.

    The result is that of :func:`spintron_ir.arith.count_thresholds`. As the thresholds of a column
    rise, the count is found bit by bit by :func:`spintron_hw.cells.search.search`. Bias and sign
    are part of the stored thresholds, and cost nothing.

    Timing
    ------
    One beat each cycle; a vector takes :attr:`interval` = ``ceil(cols / lanes)`` beats. A beat is
    offered :attr:`latency` cycles after it was taken: ``2 * b - 1`` where the count has ``b``
    bits. Backpressure on :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    acc : IntType, at most 62 bits
        Type of an accumulator, bias not included.
    requantise : spintron_ir.requantise.Thresholds
        Thresholds and sign of each column, and type of the result.
    bias : array of int, 48 bits signed, shape ``(cols,)``
        Bias of each column.
    lanes : int, 1..65536
        Columns in a beat.

    Members
    -------
    i : In(stream.Signature(vector(acc, lanes)))
        Accumulators.
    o : Out(stream.Signature(vector(requantise.type, lanes)))
        Results.

    Attributes
    ----------
    type : IntType
        Type of a result.
    cols : int
        Elements of a vector.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    def __init__(self, *, acc: IntType, requantise: Thresholds, bias: ArrayLike, lanes: int):
        self.acc = check_type("RequantiseThresholds", "acc", acc, 62)
        if not isinstance(requantise, Thresholds):
            raise ParameterError(
                f"RequantiseThresholds: requantise must be a Thresholds, not {requantise!r}"
            )
        self.requantise = requantise
        self.cols, self.type = requantise.cols, requantise.type
        limit = 1 << 47
        self.bias = check_table(
            "RequantiseThresholds", "bias", bias, -limit, limit - 1, (self.cols,)
        )
        self.lanes = check_int("RequantiseThresholds", "lanes", lanes, 1, 1 << 16)
        self.latency = search_latency(requantise.thresholds.shape[1])
        self.interval = -(-self.cols // self.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(vector(acc, lanes))),
                "o": Out(stream.Signature(vector(self.type, lanes))),
            }
        )

    def compute(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Results for the first beats after reset, ``(beats, lanes)``, as the contract has them.

        Unused lanes give the lowest result.
        """
        acc = contract.as_int(acc)
        rows = schedule(np.arange(self.interval * self.lanes).reshape(-1, self.lanes), len(acc))
        result = np.full(acc.shape, self.requantise.low)
        for column in range(self.cols):
            here = rows == column
            result[here] = contract.count_thresholds(
                acc[here][:, None] + self.bias[column],
                thresholds=self.requantise.thresholds[[column]],
                sign=self.requantise.sign[[column]],
                low=self.requantise.low,
            )[:, 0]
        return result

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency)
        falls = by_beat((self.requantise.sign < 0).astype(np.int64), self.lanes)
        masks = scheduled_constants(m, falls, pipe.taken[0], name="falls")
        values = []
        for lane, mask in enumerate(masks):
            acc = self.i.payload[lane]
            acc = Cat(acc, acc[-1] if self.acc.signed else Const(0, 1))
            values.append((acc ^ Value.cast(mask).replicate(len(acc))).as_signed())
        thresholds = by_beat(self._stored(), self.lanes, self._never())
        for lane, count in enumerate(search(m, pipe, values, thresholds)):
            pipe.finish(self.o.payload[lane], count + self.requantise.low)
        return m

    def _never(self) -> int:
        """Threshold that no accumulator reaches, negated or not."""
        return max(self.acc.high, ~self.acc.low) + 1

    def _stored(self) -> NDArray[np.int64]:
        """Thresholds of each column for ``~acc`` or ``acc``, filled up to one less than a power."""
        wanted = np.clip(self.requantise.thresholds, -(1 << 62), 1 << 62)
        falls = self.requantise.sign < 0
        # -(acc + bias) >= t  is  ~acc >= t + bias - 1
        wanted = wanted + np.where(falls, self.bias - 1, -self.bias)[:, None]
        never, count = self._never(), wanted.shape[1]
        more = (1 << count.bit_length()) - 1 - count
        filled = np.pad(wanted, ((0, 0), (0, more)), constant_values=never)
        return np.clip(filled, -never, never)
