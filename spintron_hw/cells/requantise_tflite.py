"""Requantisation as TensorFlow Lite defines it: two roundings, bit for bit."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.requantise import TFLite
from spintron_ir.types import IntType

from ..arith import clip, doubled_high, saturate
from ..checks import check_table, check_type
from ..mapping.timing import biased, tflite_latency, tflite_multipliers
from ..pipeline import Pipeline
from ..stream import vector
from .constants import by_beat, schedule, scheduled_constants
from .requantise_mulshift import pipelined_product

__all__ = ["RequantiseTFLite"]


class RequantiseTFLite(wiring.Component):
    """Adds the bias to each accumulator of a layer and requantises the sum.

    The result is that of :func:`spintron_ir.arith.tflite`, with the multiplier and shift of the
    column. A left shift makes the multiplier wider. Right shifts that differ are brought to the
    largest by shifting left after the first rounding, which changes no result.

    Timing
    ------
    One beat each cycle; a vector takes :attr:`interval` = ``ceil(cols / lanes)`` beats. A beat is
    offered :attr:`latency` cycles after it was taken: one cycle each for the bias, the products and
    the two roundings, one for every two levels of the tree that adds the products where a factor is
    wider than 18 bits, and one to bring right shifts together where they differ. Backpressure on
    :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    acc : IntType, at most 48 bits
        Type of an accumulator, bias not included.
    requantise : spintron_ir.requantise.TFLite
        Multiplier and shift of each column, zero point, limits and type of the result.
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

    def __init__(self, *, acc: IntType, requantise: TFLite, bias: ArrayLike, lanes: int):
        self.acc = check_type("RequantiseTFLite", "acc", acc, 48)
        if not isinstance(requantise, TFLite):
            raise ParameterError(
                f"RequantiseTFLite: requantise must be a TFLite, not {requantise!r}"
            )
        self.requantise = requantise
        self.cols, self.type = requantise.cols, requantise.type
        limit = 1 << 47
        self.bias = check_table("RequantiseTFLite", "bias", bias, -limit, limit - 1, (self.cols,))
        self.lanes = check_int("RequantiseTFLite", "lanes", lanes, 1, 1 << 16)
        self._sum = biased(self.acc, self.bias)
        self.latency = tflite_latency(self.acc, requantise, self.bias)
        self.interval = -(-self.cols // self.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(vector(acc, lanes))),
                "o": Out(stream.Signature(vector(self.type, lanes))),
            }
        )

    def compute(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Results for the first beats after reset, ``(beats, lanes)``, as the contract has them.

        Unused lanes count as columns of bias, multiplier and shift 0.
        """
        acc, rq = contract.as_int(acc), self.requantise
        bias, multiplier, shift = (
            schedule(by_beat(table, self.lanes), len(acc)).astype(np.int64)
            for table in (self.bias, rq.multiplier, rq.shift)
        )
        return contract.tflite(
            acc + bias,
            multiplier=multiplier,
            shift=shift,
            zero_point=rq.zero_point,
            low=rq.low,
            high=rq.high,
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        rq, lanes = self.requantise, self.lanes
        pipe = Pipeline(m, self.i, self.o, self.latency)
        most = int(rq.right.max())
        up = most - rq.right  # from a channel's own right shift to the largest
        align = int(up.max()) > 0
        before = self.latency - 1 - align  # registers up to the first rounding
        biases = scheduled_constants(m, by_beat(self.bias, lanes), pipe.taken[0], name="bias")
        wide = np.array(tflite_multipliers(rq))
        multipliers = scheduled_constants(m, by_beat(wide, lanes), pipe.taken[1], name="multiplier")
        ups = scheduled_constants(m, by_beat(up, lanes), pipe.taken[before], name="up")
        for lane, (bias, multiplier) in enumerate(zip(biases, multipliers)):
            total = pipe.register((self.i.payload[lane] + bias)[: self._sum.bits])
            total = Value.cast(total.as_signed() if self._sum.signed else total)
            product = pipelined_product(pipe, total, multiplier, before - 2)
            value: Value = pipe.register(doubled_high(product))
            if align:
                value = pipe.register(_shifted(value, ups[lane], int(up.max())))
            code = _rounded(value, most, rq.zero_point)
            code = saturate(code, self.type.bits, self.type.signed)
            pipe.finish(self.o.payload[lane], clip(code, rq.low, rq.high))
        return m


def _shifted(value: Value, up: Value, most: int) -> Value:
    """The value shifted left by :py:`up`, at most :py:`most`, no wider than that takes."""
    if isinstance(up, Const):
        return value.shift_left(up.value)
    moved = (value << up)[: len(value) + most]
    return moved.as_signed() if value.shape().signed else moved


def _rounded(value: Value, shift: int, zero_point: int) -> Value:
    """The zero point and :func:`spintron_ir.arith.round_shift_away` of the value, in one adder."""
    if shift == 0:
        return value + zero_point
    half = (zero_point << shift) + (1 << (shift - 1))
    negative = value[-1] if value.shape().signed else Const(0, 1)
    return (value + Mux(negative, half - 1, half)).shift_right(shift)
