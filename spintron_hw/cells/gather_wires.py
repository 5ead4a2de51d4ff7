"""Values in another order, all at once."""

from typing import Any

import numpy as np
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import check_int
from spintron_ir.types import IntType

from ..checks import check_table, check_type
from ..mapping.gather import WIRES
from ..stream import vector

__all__ = ["GatherWires"]


class GatherWires(wiring.Component):
    """Gives the values of each vector that an index names, a vector a beat.

    Timing
    ------
    No register lies between :py:`i` and :py:`o`: a vector is offered in the cycle in which it
    arrives (:attr:`latency` = 0), one each cycle (:attr:`interval` = 1).

    Parameters
    ----------
    type : IntType
        Type of a value.
    length : int, 1..65536
        Values of a vector.
    index : array of int, -1..length - 1
        Place of each value of an output in its vector; -1 is padding.
    pad_value : int
        Value of the padding.

    Members
    -------
    i : In(stream.Signature(vector(type, length)))
        Vectors.
    o : Out(stream.Signature(vector(type, len(index))))
        Values that the index names.

    Attributes
    ----------
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = WIRES
    interval = 1

    def __init__(self, *, type: IntType, length: int, index: ArrayLike, pad_value: int):
        self.type = check_type("GatherWires", "type", type, 64)
        self.length = check_int("GatherWires", "length", length, 1, 1 << 16)
        self.index = check_table("GatherWires", "index", index, -1, self.length - 1, (None,))
        self.pad_value = check_int("GatherWires", "pad_value", pad_value, type.low, type.high)
        super().__init__(
            {
                "i": In(stream.Signature(vector(type, self.length))),
                "o": Out(stream.Signature(vector(type, len(self.index)))),
            }
        )

    def compute(self, vectors: ArrayLike) -> NDArray[np.int64]:
        """Outputs for vectors, shape ``(vectors, length)``."""
        return np.where(self.index < 0, self.pad_value, np.asarray(vectors)[:, self.index])

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]
        for value, place in zip(self.o.payload, self.index.tolist()):
            m.d.comb += value.eq(self.pad_value if place < 0 else self.i.payload[place])
        return m
