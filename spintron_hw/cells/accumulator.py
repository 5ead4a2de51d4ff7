"""The digital adder behind the converters: shift-and-add over chunks, slices and row groups."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.arith import as_int
from spintron_ir.errors import check_int
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..mapping.timing import tree_stages
from ..pipeline import Pipeline
from ..stream import vector
from .constants import schedule, scheduled_constants

__all__ = ["ShiftAddAccumulator"]


class ShiftAddAccumulator(wiring.Component):
    """Sums codes, each shifted to its place and with its sign, into the accumulators of a layer.

    A vector of accumulators is ``sum(signs[b, t] * code[b, t] << shifts[b, t])`` over
    :py:`beats` beats of :py:`terms` codes: one beat a chunk with all slices and row groups side
    by side, or any other order.

    Timing
    ------
    The sums are offered :attr:`latency` cycles after the last beat was taken: one cycle for every
    two levels of the adder tree over the terms, one where shifts change from beat to beat, and
    one to accumulate. Beats are taken each cycle (:attr:`interval` = :py:`beats` cycles a vector),
    those of the next vector too while the sums wait; what stalls :py:`i`, in the same cycle, is
    the last beat of a vector before the sums of the vector ahead of it are taken.

    Parameters
    ----------
    code : IntType, at most 40 bits
        Type of a code.
    lanes : int, 1..65536
        Accumulators side by side.
    shifts : array of int, 0..62, shape ``(beats, terms)``
        Place of each code.
    signs : array of 1, -1 and 0, shape ``(beats, terms)``
        Sign of each code; one with sign 0 is ignored.
    acc : IntType
        Type of a sum. It must hold every sum that can occur, as the ranges of the network give
        it; a partial sum may leave it.

    Members
    -------
    i : In(stream.Signature(ArrayLayout(vector(code, lanes), terms)))
        Codes.
    o : Out(stream.Signature(vector(acc, lanes)))
        Sums.

    Attributes
    ----------
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range, or the shapes of shifts and signs differ.
    """

    def __init__(
        self, *, code: IntType, lanes: int, shifts: ArrayLike, signs: ArrayLike, acc: IntType
    ):
        self.code = check_type("ShiftAddAccumulator", "code", code, 40)
        self.shifts = check_table("ShiftAddAccumulator", "shifts", shifts, 0, 62)
        self.signs = check_table("ShiftAddAccumulator", "signs", signs, -1, 1, self.shifts.shape)
        self.acc = check_type("ShiftAddAccumulator", "acc", acc, 64)
        self.beats, self.terms = self.shifts.shape
        self.lanes = check_int("ShiftAddAccumulator", "lanes", lanes, 1, 1 << 16)
        # What all terms of a beat are shifted by is left to one shifter behind the tree.
        self._common = np.where(self.signs != 0, self.shifts, 63).min(axis=1, keepdims=True) % 63
        self._shifter = bool(np.any(self._common != self._common[0]))
        self.latency = tree_stages(self.terms) + self._shifter + 1
        self.interval = self.beats
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(vector(code, lanes), self.terms))),
                "o": Out(stream.Signature(vector(acc, lanes))),
            }
        )

    def compute(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Sums for codes of shape ``(vectors * beats, terms, lanes)``."""
        codes = as_int(codes)
        weights = schedule(self.signs << self.shifts, len(codes))[..., None]
        terms = (codes * weights).sum(axis=1)
        return terms.reshape(-1, self.beats, self.lanes).sum(axis=1)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency, self.beats)
        own = np.where(self.signs != 0, self.shifts - self._common, 0)
        shifts = scheduled_constants(m, own, pipe.taken[0], name="shift")
        signs = scheduled_constants(m, self.signs, pipe.taken[0], name="sign")
        common = scheduled_constants(
            m, self._common, pipe.taken[tree_stages(self.terms)], name="common"
        )[0]

        for lane in range(self.lanes):
            terms = [
                (self._fit(_shifted(_signed(self.i.payload[t][lane], signs[t]), shifts[t])),)
                for t in range(self.terms)
            ]
            (total,) = pipe.tree(terms, lambda a, b: (self._fit(a[0] + b[0]),))
            total = self._fit(_shifted(total, common))
            if self._shifter:
                total = pipe.register(total)
            if self.beats > 1:
                held = Signal(self.acc.bits, name=f"held_{lane}", reset_less=True)
                total = self._fit(Mux(pipe.first, 0, held.as_signed()) + total)
                with m.If(pipe.taken[-1]):
                    m.d.sync += held.eq(total)
            pipe.finish(self.o.payload[lane], total)
        return m

    def _fit(self, value: Value) -> Value:
        """The value without the bits that the sum cannot have: it is exact modulo its width."""
        return value if len(value) <= self.acc.bits else value[: self.acc.bits].as_signed()


def _signed(value: Value, sign: Value) -> Value:
    """The value times a sign of 1, 0 or -1."""
    if isinstance(sign, Const):
        return Const(0) if sign.value == 0 else value if sign.value > 0 else -value
    return Mux(sign == 0, 0, Mux(sign < 0, -value, value))


def _shifted(value: Value, amount: Value) -> Value:
    """The value shifted left, no wider than needed where the amount is a constant."""
    return value.shift_left(amount.value) if isinstance(amount, Const) else value << amount
