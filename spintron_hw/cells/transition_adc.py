"""ADCs with non-linearity: each code ends where its converter says so."""

from typing import Any

import numpy as np
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError, check_bool, check_int
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..mapping.timing import search_latency
from ..pipeline import Pipeline
from ..stream import vector
from .constants import schedule
from .search import search

__all__ = ["TransitionADC"]


class TransitionADC(wiring.Component):
    """One ADC for each column of a tile, with sampled code transition levels.

    Turns column levels, in units of one cell current, into codes by
    :func:`spintron_ir.arith.transition_code`. The code is found bit by bit by
    :func:`spintron_hw.cells.search.search`, as a successive-approximation converter finds it.
    Where a tile is used in turn for several parts of a layer, the levels change from step to step.

    Timing
    ------
    One beat each cycle. A code is offered :attr:`latency` = ``2 * bits - 1`` cycles after its
    level was taken. Backpressure on :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    level : IntType, at most 40 bits
        Type of a level.
    bits : int, 1..8
        Bits of a code.
    signed : bool
        Whether a code is two's complement.
    transitions : array of int, 32 bits signed, shape ``(steps, lanes, 2 ** bits - 1)``
        Code transition levels of each converter, none below the one before.
    repeat : int, 1..65536
        Beats for each step; after the last step comes the first.

    Members
    -------
    i : In(stream.Signature(vector(level, lanes)))
        Column levels.
    o : Out(stream.Signature(vector(IntType(bits, signed), lanes)))
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
        If a parameter is outside its range, or transitions fall.
    """

    interval = 1

    def __init__(
        self,
        *,
        level: IntType,
        bits: int,
        signed: bool,
        transitions: ArrayLike,
        repeat: int = 1,
    ):
        self.level = check_type("TransitionADC", "level", level, 40)
        self.bits = check_int("TransitionADC", "bits", bits, 1, 8)
        self.signed = check_bool("TransitionADC", "signed", signed)
        limit, count = 1 << 31, (1 << self.bits) - 1
        shape = (None, None, count)
        self.transitions = check_table(
            "TransitionADC", "transitions", transitions, -limit, limit - 1, shape
        )
        if np.any(self.transitions[..., 1:] < self.transitions[..., :-1]):
            raise ParameterError(
                "TransitionADC: transitions must not fall along the last axis; sort them"
            )
        self.repeat = check_int("TransitionADC", "repeat", repeat, 1, 1 << 16)
        self.lanes = self.transitions.shape[1]
        self.code = IntType(self.bits, self.signed)
        self.latency = search_latency(count)
        super().__init__(
            {
                "i": In(stream.Signature(vector(self.level, self.lanes))),
                "o": Out(stream.Signature(vector(self.code, self.lanes))),
            }
        )

    def compute(self, levels: ArrayLike) -> NDArray[np.int64]:
        """Codes for the first beats after reset, ``(beats, lanes)``, as the contract has them."""
        transitions = schedule(self.transitions, len(np.asarray(levels)), self.repeat)
        return contract.transition_code(levels, transitions=transitions, low=self.code.low)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency)
        # A transition outside the levels needs no more bits than one just outside.
        near = np.clip(self.transitions, self.level.low, self.level.high + 1)
        counts = search(m, pipe, list(self.i.payload), near, self.repeat)
        for lane, count in enumerate(counts):
            pipe.finish(self.o.payload[lane], count + self.code.low)
        return m
