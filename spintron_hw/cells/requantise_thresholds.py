"""Requantisation by counting thresholds."""

from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.requantise import Thresholds
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..pipeline import Pipeline
from ..stream import shape_of, vector
from .constants import by_beat, schedule, scheduled_constants

__all__ = ["RequantiseThresholds"]


class RequantiseThresholds(wiring.Component):
    """Adds the bias to each accumulator of a layer and counts the thresholds that it reaches.

    The result is that of :func:`spintron_ir.arith.count_thresholds`. As the thresholds of a column
    rise, the count is found bit by bit, highest first: one comparison a bit, each against the
    threshold in the middle of what is left, which a ROM gives. Bias and sign are part of the
    stored thresholds, and cost nothing.

    Timing
    ------
    One beat each cycle; a vector takes :attr:`interval` = ``ceil(cols / lanes)`` beats. A beat is
    offered :attr:`latency` cycles after it was taken: ``2 * b - 1`` where the count has ``b``
    bits. Backpressure on :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    acc : IntType, at most 48 bits
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
        self.acc = check_type("RequantiseThresholds", "acc", acc, 48)
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
        self._bits = requantise.thresholds.shape[1].bit_length()
        self.latency = 2 * self._bits - 1
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
        heap = by_beat(self._heap(), self.lanes, self._never())
        middles = scheduled_constants(m, heap[:, :, 0], pipe.taken[0], name="middle")
        beats = np.arange(self.interval)[:, None]
        beat = scheduled_constants(m, beats, pipe.taken[0], name="beat")[0]

        for lane, (mask, middle) in enumerate(zip(masks, middles)):
            acc = self.i.payload[lane]
            acc = Cat(acc, acc[-1] if self.acc.signed else Const(0, 1))
            value = (acc ^ Value.cast(mask).replicate(len(acc))).as_signed()
            found, now = value >= middle, beat
            for level in range(1, self._bits):
                value, found, now = (pipe.register(part) for part in (value, found, now))
                words = heap[:, lane, (1 << level) - 1 : (2 << level) - 1]
                middle = self._read(m, pipe, words, found, now, f"level_{level}_{lane}")
                value, found, now = (pipe.register(part) for part in (value, found, now))
                found = Cat(value >= middle, found)
            pipe.finish(self.o.payload[lane], found + self.requantise.low)
        return m

    def _never(self) -> int:
        """Threshold that no accumulator reaches, negated or not."""
        return max(self.acc.high, ~self.acc.low) + 1

    def _heap(self) -> NDArray[np.int64]:
        """Thresholds of each column for ``~acc`` or ``acc``, in the order of a binary search.

        Entry 0 is the middle one; entries ``2n + 1`` and ``2n + 2`` are in the middle of what is
        left where entry ``n`` is not, and is, reached.
        """
        entries = (1 << self._bits) - 1
        never = self._never()
        sorted_rows = np.full((self.cols, entries), never, dtype=np.int64)
        limit = 1 << 60
        falls = self.requantise.sign < 0
        wanted = np.clip(self.requantise.thresholds, -limit, limit)
        # -(acc + bias) >= t  is  ~acc >= t + bias - 1
        wanted = wanted + np.where(falls, self.bias - 1, -self.bias)[:, None]
        sorted_rows[:, : wanted.shape[1]] = np.clip(wanted, -never, never)
        order = [
            ((2 * found + 1) << (self._bits - 1 - level)) - 1
            for level in range(self._bits)
            for found in range(1 << level)
        ]
        return sorted_rows[:, order]

    def _read(
        self,
        m: Module,
        pipe: Pipeline,
        words: NDArray[np.int64],
        found: Value,
        beat: Value,
        name: str,
    ) -> Value:
        """Word of this beat, ``(beats, found)``, a cycle after the bits found are known."""
        if np.all(words == words[0]):
            words, beat = words[:1], Const(0, 0)
        type = IntType.of_range(int(words.min()), int(words.max()))
        m.submodules[name] = rom = memory.Memory(
            shape=shape_of(type), depth=words.size, init=words.ravel().tolist()
        )
        port = rom.read_port()
        m.d.comb += [port.addr.eq(Cat(found, beat)), port.en.eq(pipe.enable)]
        return port.data
