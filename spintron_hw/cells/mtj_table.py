"""MTJ emulation lookup table: the currents of a few rows of junctions, worked out beforehand."""

from typing import Any

import numpy as np
from amaranth import Module, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.arith import as_int
from spintron_ir.errors import ParameterError

from ..checks import check_table
from ..stream import vector
from ..terms import signed_type

__all__ = ["MTJTable"]


class MTJTable(wiring.Component):
    """The column currents of a group of rows, for every choice of rows that are driven.

    Bit ``r`` of the input drives row ``r``; a column carries the sum of the codes of its driven
    rows. All sums are constants, looked up in logic: with 4 rows one LUT4 for each output bit. The
    table is a read-only memory with an output register, kept out of block RAM, since of all forms
    that was measured it elaborates and simulates fastest and maps to the same logic.

    Timing
    ------
    One beat each cycle (:attr:`interval` = 1), offered 1 cycle (:attr:`latency`) after it was
    taken. Backpressure on :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    codes : array of int, 16 bits signed, shape ``(rows, cols)``
        Conductance codes of 1 to 8 rows.

    Members
    -------
    i : In(stream.Signature(unsigned(rows)))
        Driven rows.
    o : Out(stream.Signature(vector(type, cols)))
        Currents, in the order of the columns.

    Attributes
    ----------
    type : IntType
        The narrowest signed type that holds every current.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If the codes have another shape or a code is out of range.
    """

    latency = 1
    interval = 1

    def __init__(self, *, codes: ArrayLike):
        self.codes = check_table("MTJTable", "codes", codes, -(1 << 15), (1 << 15) - 1)
        self.rows, self.cols = self.codes.shape
        if self.rows > 8:
            raise ParameterError(
                f"MTJTable: codes must have 1..8 rows, not {self.rows}; use an UnrolledTile"
            )
        sums = self.compute(np.arange(1 << self.rows))
        self.type = signed_type(int(sums.min()), int(sums.max()))
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(self.rows))),
                "o": Out(stream.Signature(vector(self.type, self.cols))),
            }
        )

    def compute(self, selections: ArrayLike) -> NDArray[np.int64]:
        """Currents of shape ``(beats, cols)`` for row choices :py:`selections`, ``(beats,)``."""
        return (as_int(selections)[:, None] >> np.arange(self.rows) & 1) @ self.codes

    def elaborate(self, platform: Any) -> Module:
        m = Module()

        lanes = self.compute(np.arange(1 << self.rows)).tolist()
        bits, mask = self.type.bits, (1 << self.type.bits) - 1
        m.submodules.table = table = Memory(
            shape=unsigned(bits * self.cols),
            depth=1 << self.rows,
            init=[
                sum((code & mask) << col * bits for col, code in enumerate(row)) for row in lanes
            ],
            attrs={"rom_style": "logic", "ram_style": "logic"},
        )
        port = table.read_port()
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            port.addr.eq(self.i.payload),
            port.en.eq(self.i.ready),
            Value.cast(self.o.payload).eq(port.data),
        ]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)

        return m
