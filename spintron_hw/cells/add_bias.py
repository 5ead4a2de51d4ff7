"""The end of a layer that hands its accumulators on as they are."""

from typing import Any

import numpy as np
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.arith import as_int
from spintron_ir.errors import check_int
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..pipeline import Pipeline
from ..stream import vector
from .constants import by_beat, schedule, scheduled_constants

__all__ = ["AddBias"]


class AddBias(wiring.Component):
    """Adds the bias of its column to each accumulator of a layer.

    Timing
    ------
    One beat each cycle, offered :attr:`latency` = 1 cycle after it was taken; a vector takes
    :attr:`interval` = ``ceil(cols / lanes)`` beats. Backpressure on :py:`o` stalls :py:`i` in the
    same cycle.

    Parameters
    ----------
    acc : IntType, at most 63 bits
        Type of an accumulator, bias not included.
    bias : array of int, 48 bits signed, shape ``(cols,)``
        Bias of each column.
    type : IntType, at most 64 bits
        Type of the result, which must hold every sum that can occur.
    lanes : int, 1..65536
        Columns in a beat.

    Members
    -------
    i : In(stream.Signature(vector(acc, lanes)))
        Accumulators.
    o : Out(stream.Signature(vector(type, lanes)))
        Results.

    Attributes
    ----------
    cols : int
        Elements of a vector.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = 1

    def __init__(self, *, acc: IntType, bias: ArrayLike, type: IntType, lanes: int):
        self.acc = check_type("AddBias", "acc", acc, 63)
        self.bias = check_table("AddBias", "bias", bias, -(1 << 47), (1 << 47) - 1, (None,))
        self.type = check_type("AddBias", "type", type, 64)
        self.lanes = check_int("AddBias", "lanes", lanes, 1, 1 << 16)
        self.cols = len(self.bias)
        self.interval = -(-self.cols // self.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(vector(acc, lanes))),
                "o": Out(stream.Signature(vector(type, lanes))),
            }
        )

    def compute(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Results for the first beats after reset, ``(beats, lanes)``; unused lanes get no bias."""
        acc = as_int(acc)
        return acc + schedule(by_beat(self.bias, self.lanes), len(acc))

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency)
        biases = scheduled_constants(m, by_beat(self.bias, self.lanes), pipe.taken[0])
        for lane, bias in enumerate(biases):
            pipe.finish(self.o.payload[lane], self.i.payload[lane] + bias)
        return m
