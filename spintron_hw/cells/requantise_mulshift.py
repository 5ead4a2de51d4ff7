"""Requantisation by a multiplier, a rounding shift and saturation."""

from typing import Any

import numpy as np
from amaranth import Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.requantise import MulShift
from spintron_ir.types import IntType

from ..arith import round_shift, saturate
from ..checks import check_table, check_type
from ..mapping.timing import LIMB, biased, common_shift, mulshift_latency, tree_stages
from ..pipeline import Pipeline
from ..stream import vector
from .constants import by_beat, schedule, scheduled_constants

__all__ = ["RequantiseMulShift", "pipelined_product"]


class RequantiseMulShift(wiring.Component):
    """Adds the bias to each accumulator of a layer and requantises the sum.

    The result is that of :func:`spintron_ir.arith.mulshift`, with the multiplier and shift of the
    column. Shifts that differ are brought to the largest by making the multipliers wider, which
    changes no result and needs no shifter.

    Timing
    ------
    One beat each cycle; a vector takes :attr:`interval` = ``ceil(cols / lanes)`` beats. A beat is
    offered :attr:`latency` cycles after it was taken: one cycle each for the bias, the products
    and the rounding, and one for every two levels of the tree that adds the products where a
    factor is wider than 18 bits. Backpressure on :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    acc : IntType, at most 48 bits
        Type of an accumulator, bias not included.
    requantise : spintron_ir.requantise.MulShift
        Multiplier and shift of each column, zero point and type of the result.
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

    def __init__(self, *, acc: IntType, requantise: MulShift, bias: ArrayLike, lanes: int):
        self.acc = check_type("RequantiseMulShift", "acc", acc, 48)
        if not isinstance(requantise, MulShift):
            raise ParameterError(
                f"RequantiseMulShift: requantise must be a MulShift, not {requantise!r}"
            )
        self.requantise = requantise
        self.cols, self.type = requantise.cols, requantise.type
        limit = 1 << 47
        self.bias = check_table("RequantiseMulShift", "bias", bias, -limit, limit - 1, (self.cols,))
        self.lanes = check_int("RequantiseMulShift", "lanes", lanes, 1, 1 << 16)
        self._multiplier, self._shift = common_shift(requantise)
        self._sum = biased(self.acc, self.bias)
        self.latency = mulshift_latency(self.acc, requantise, self.bias)
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
        acc = contract.as_int(acc)
        bias, multiplier, shift = (
            schedule(by_beat(table, self.lanes), len(acc)).astype(np.int64)
            for table in (self.bias, self.requantise.multiplier, self.requantise.shift)
        )
        return contract.mulshift(
            acc + bias,
            multiplier=multiplier,
            shift=shift,
            zero_point=self.requantise.zero_point,
            bits=self.type.bits,
            signed=self.type.signed,
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency)
        biases = scheduled_constants(m, by_beat(self.bias, self.lanes), pipe.taken[0], name="bias")
        wide = np.array(self._multiplier, dtype=object)
        multipliers = scheduled_constants(
            m, by_beat(wide, self.lanes), pipe.taken[1], name="multiplier"
        )
        for lane, (bias, multiplier) in enumerate(zip(biases, multipliers)):
            total = pipe.register((self.i.payload[lane] + bias)[: self._sum.bits])
            total = Value.cast(total.as_signed() if self._sum.signed else total)
            product = pipelined_product(pipe, total, multiplier, self.latency - 2)
            code = round_shift(product, self._shift) + self.requantise.zero_point
            pipe.finish(self.o.payload[lane], saturate(code, self.type.bits, self.type.signed))
        return m


def pipelined_product(pipe: Pipeline, x: Value, y: Value, stages: int) -> Value:
    """Product of two values after :py:`stages` registers, at least as many as its limbs need."""
    products = [
        (pipe.register((a * b).shift_left(place_a + place_b)),)
        for place_a, a in _cut(x)
        for place_b, b in _cut(y)
    ]
    (product,) = pipe.tree(products, lambda a, b: (a[0] + b[0],))
    for _ in range(1 + tree_stages(len(products)), stages):
        product = pipe.register(product)
    return product


def _cut(value: Value, place: int = 0) -> list[tuple[int, Value]]:
    """Parts of a value that fit a multiplier, each with its place."""
    signed = value.shape().signed
    if len(value) <= LIMB + signed:
        return [(place, value)]
    rest = value[LIMB:].as_signed() if signed else value[LIMB:]
    return [(place, value[:LIMB]), *_cut(rest, place + LIMB)]
