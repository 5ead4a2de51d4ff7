"""The ADCs under the columns of a crossbar tile."""

from typing import Any

import numpy as np
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import arith as contract
from spintron_ir.errors import check_bool, check_int
from spintron_ir.types import IntType

from ..arith import adc_code
from ..checks import check_table, check_type
from ..pipeline import Pipeline
from ..stream import vector
from .constants import schedule, scheduled_constants

__all__ = ["ColumnADC"]


class ColumnADC(wiring.Component):
    """One ADC for each column of a tile, all converting at once.

    Turns column levels, in units of one cell current, into codes by
    :func:`spintron_ir.arith.adc_code`: the level is multiplied by the gain, the offset added, the
    sum divided by the step and rounded to the nearest code (ties upwards), and what is out of
    range saturates. Where a tile is used in turn for several parts of a layer, gain and offset
    change from step to step.

    Timing
    ------
    One beat each cycle. A code is offered :attr:`latency` cycles after its level was taken: 1, or
    2 if any gain is not 1. Backpressure on :py:`o` stalls :py:`i` in the same cycle.

    Parameters
    ----------
    level : IntType, at most 40 bits
        Type of a level.
    bits : int, 1..16
        Bits of a code.
    signed : bool
        Whether a code is two's complement.
    shift : int, 0..31
        The step of the ADC is ``2 ** shift`` cell currents.
    gain : array of int, 1..65535, shape ``(steps, lanes)``
        Gain of each converter. Where it is 1 everywhere there is no multiplier.
    offset : array of int, 32 bits signed, shape ``(steps, lanes)``
        Offset of each converter.
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
        If a parameter is outside its range, or the shapes of gain and offset differ.
    """

    interval = 1

    def __init__(
        self,
        *,
        level: IntType,
        bits: int,
        signed: bool,
        shift: int,
        gain: ArrayLike,
        offset: ArrayLike,
        repeat: int = 1,
    ):
        self.level = check_type("ColumnADC", "level", level, 40)
        self.bits = check_int("ColumnADC", "bits", bits, 1, 16)
        self.signed = check_bool("ColumnADC", "signed", signed)
        self.shift = check_int("ColumnADC", "shift", shift, 0, 31)
        self.gain = check_table("ColumnADC", "gain", gain, 1, 65535)
        limit = 1 << 31
        self.offset = check_table("ColumnADC", "offset", offset, -limit, limit - 1, self.gain.shape)
        self.repeat = check_int("ColumnADC", "repeat", repeat, 1, 1 << 16)
        self.lanes = self.gain.shape[1]
        self.code = IntType(self.bits, self.signed)
        self.latency = 1 if np.all(self.gain == 1) else 2
        super().__init__(
            {
                "i": In(stream.Signature(vector(self.level, self.lanes))),
                "o": Out(stream.Signature(vector(self.code, self.lanes))),
            }
        )

    def compute(self, levels: ArrayLike) -> NDArray[np.int64]:
        """Codes for the first beats after reset, ``(beats, lanes)``, as the contract has them."""
        beats = len(np.asarray(levels))
        return contract.adc_code(
            levels,
            gain=schedule(self.gain, beats, self.repeat),
            offset=schedule(self.offset, beats, self.repeat),
            shift=self.shift,
            bits=self.bits,
            signed=self.signed,
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.latency)
        levels = list(self.i.payload)
        if self.latency == 2:
            gains = scheduled_constants(
                m, self.gain, pipe.taken[0], repeat=self.repeat, name="gain"
            )
            levels = [pipe.register(level * gain) for level, gain in zip(levels, gains)]
        offsets = scheduled_constants(
            m, self.offset, pipe.taken[-1], repeat=self.repeat, name="offset"
        )
        for lane, (level, offset) in enumerate(zip(levels, offsets)):
            code = adc_code(
                level, gain=1, offset=offset, shift=self.shift, bits=self.bits, signed=self.signed
            )
            pipe.finish(self.o.payload[lane], code)
        return m
