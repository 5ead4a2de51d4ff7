# amaranth: UnusedElaboratable=no
# The requantiser inside is made with the cell, before that is known to be used.
"""Requantisation through a table that all columns share."""

from typing import Any

import numpy as np
from amaranth import Cat, Module
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError
from spintron_ir.requantise import Table
from spintron_ir.types import IntType

from ..stream import connect_streams, shape_of, vector
from .requantise_mulshift import RequantiseMulShift

__all__ = ["RequantiseTable"]


class RequantiseTable(wiring.Component):
    """Requantises each accumulator to a code, and looks the result up in a table.

    A :class:`~spintron_hw.cells.requantise_mulshift.RequantiseMulShift` and behind it a ROM with
    a read port for each lane, of ``2 ** requantise.code.type.bits`` entries.

    Timing
    ------
    One beat each cycle; a vector takes :attr:`interval` = ``ceil(cols / lanes)`` beats. A beat is
    offered :attr:`latency` cycles after it was taken: one more than the requantiser inside.
    Backpressure on :py:`o` stalls :py:`i` in the same cycle, once the stages in between are full.

    Parameters
    ----------
    acc : IntType, at most 48 bits
        Type of an accumulator, bias not included.
    requantise : spintron_ir.requantise.Table
        Multiplier and shift of each column, and the table.
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

    def __init__(self, *, acc: IntType, requantise: Table, bias: ArrayLike, lanes: int):
        if not isinstance(requantise, Table):
            raise ParameterError(f"RequantiseTable: requantise must be a Table, not {requantise!r}")
        self.requantise, self.type = requantise, requantise.type
        self._coder = RequantiseMulShift(
            acc=acc, requantise=requantise.code, bias=bias, lanes=lanes
        )
        self.acc, self.bias = self._coder.acc, self._coder.bias
        self.lanes, self.cols = self._coder.lanes, self._coder.cols
        self.latency = self._coder.latency + 1
        self.interval = self._coder.interval
        super().__init__(
            {
                "i": In(stream.Signature(vector(acc, lanes))),
                "o": Out(stream.Signature(vector(self.type, lanes))),
            }
        )

    def compute(self, acc: ArrayLike) -> NDArray[np.int64]:
        """Results for the first beats after reset, ``(beats, lanes)``, as the contract has them."""
        low = self.requantise.code.type.low
        return contract.lookup(self._coder.compute(acc), table=self.requantise.table, low=low)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.coder = coder = self._coder
        connect_streams(m, self.i, coder.i)
        code = self.requantise.code.type
        m.submodules.table = table = memory.Memory(
            shape=shape_of(self.type), depth=1 << code.bits, init=self.requantise.table.tolist()
        )
        m.d.comb += coder.o.ready.eq(~self.o.valid | self.o.ready)
        with m.If(coder.o.ready):
            m.d.sync += self.o.valid.eq(coder.o.valid)
        for lane in range(self.lanes):
            port = table.read_port()
            # Counted from the lowest code, a two's complement code is itself with its sign turned.
            bits = coder.o.payload[lane]
            m.d.comb += [
                port.addr.eq(Cat(bits[:-1], bits[-1] ^ code.signed)),
                port.en.eq(coder.o.ready),
                self.o.payload[lane].eq(port.data),
            ]
        return m
