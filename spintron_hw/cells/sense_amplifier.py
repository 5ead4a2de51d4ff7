"""The sense amplifiers under the columns of a crossbar tile: converters of one bit."""

from typing import Any

import numpy as np
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import check_bool, check_int
from spintron_ir.types import IntType

from ..arith import sense
from ..checks import check_table, check_type
from ..pipeline import Pipeline
from ..stream import vector
from .constants import schedule, scheduled_constants

__all__ = ["SenseAmplifier"]


class SenseAmplifier(wiring.Component):
    """One comparator for each column of a tile.

    Decides by :func:`spintron_ir.arith.sense` whether a level reaches its threshold. With the
    threshold of :func:`spintron_ir.arith.sense_threshold` this is a one-bit
    :class:`~spintron_hw.cells.column_adc.ColumnADC`, whatever its gain, offset and step, at the
    price of a comparison.

    Timing
    ------
    One beat each cycle, offered :attr:`latency` = 1 cycle after it was taken. Backpressure on
    :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    level : IntType, at most 40 bits
        Type of a level.
    signed : bool
        Whether a code is one bit of two's complement: 0 where the threshold is reached, else -1.
        Otherwise it is 1 where reached, else 0.
    threshold : array of int, 48 bits signed, shape ``(steps, lanes)``
        Threshold of each comparator.
    repeat : int, 1..65536
        Beats for each step; after the last step comes the first.

    Members
    -------
    i : In(stream.Signature(vector(level, lanes)))
        Column levels.
    o : Out(stream.Signature(vector(IntType(1, signed), lanes)))
        Codes, in the order of the columns.

    Attributes
    ----------
    code : IntType
        Type of a code.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = 1
    interval = 1

    def __init__(self, *, level: IntType, signed: bool, threshold: ArrayLike, repeat: int = 1):
        self.level = check_type("SenseAmplifier", "level", level, 40)
        self.signed = check_bool("SenseAmplifier", "signed", signed)
        limit = 1 << 47
        self.threshold = check_table("SenseAmplifier", "threshold", threshold, -limit, limit - 1)
        self.repeat = check_int("SenseAmplifier", "repeat", repeat, 1, 1 << 16)
        self.lanes = self.threshold.shape[1]
        self.code = IntType(1, self.signed)
        super().__init__(
            {
                "i": In(stream.Signature(vector(self.level, self.lanes))),
                "o": Out(stream.Signature(vector(self.code, self.lanes))),
            }
        )

    def compute(self, levels: ArrayLike) -> NDArray[np.int64]:
        """Codes for the first beats after reset, ``(beats, lanes)``, as the contract has them."""
        threshold = schedule(self.threshold, len(np.asarray(levels)), self.repeat)
        return contract.sense(levels, threshold, self.signed)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency)
        # A threshold outside the levels needs no more bits than one just outside.
        near = np.clip(self.threshold, self.level.low, self.level.high + 1)
        thresholds = scheduled_constants(m, near, pipe.taken[0], repeat=self.repeat)
        for lane, threshold in enumerate(thresholds):
            code = sense(self.i.payload[lane], threshold, self.signed)
            pipe.finish(self.o.payload[lane], code)
        return m
