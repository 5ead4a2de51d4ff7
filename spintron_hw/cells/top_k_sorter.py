"""The largest values of a vector, sorted while they come."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import TopK
from spintron_ir.types import IntType

from ..checks import check_type
from ..loops import Loop
from ..mapping.vectors import TOP_K
from ..stream import shape_of, vector

__all__ = ["TopKSorter"]


class TopKSorter(wiring.Component):
    """Gives the largest elements of each vector, or their indices, the largest first.

    Each element is compared with all that are kept, and takes its place among them: behind those
    that are larger or as large.

    Timing
    ------
    A vector takes :attr:`interval` = :py:`length` beats of one element, one each cycle. The first
    result is offered 1 cycle (:attr:`latency`) after the last element was taken, the others in the
    cycles after it. The next vector is taken meanwhile; only its last element is stalled, until
    the last result is taken, in the same cycle.

    Parameters
    ----------
    input : IntType, at most 64 bits
        Type of an element.
    length : int, 1..65536
        Elements of a vector.
    k : int, 1..256 and at most :py:`length`
        How many are kept.
    values : bool
        The elements themselves, not their indices.

    Members
    -------
    i : In(stream.Signature(vector(input, 1)))
        Elements.
    o : Out(stream.Signature(vector(type, 1)))
        Elements, or indices from 0.

    Attributes
    ----------
    type : IntType
        Type of a result.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = TOP_K

    def __init__(self, *, input: IntType, length: int, k: int, values: bool = False):
        self.input = check_type("TopKSorter", "input", input, 64)
        self.layer = TopK(in_shape=(length,), input=input, k=k, values=values)
        self.length, self.k, self.type = length, k, self.layer.type
        self.interval = length
        super().__init__(
            {
                "i": In(stream.Signature(vector(input, 1))),
                "o": Out(stream.Signature(vector(self.type, 1))),
            }
        )

    def compute(self, elements: ArrayLike) -> NDArray[np.int64]:
        """Results in beats, ``(vectors * k, 1)``, for the elements of whole vectors."""
        return self.layer.run(np.asarray(elements).reshape(-1, self.length)).reshape(-1, 1)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        place = Loop(m, "place", self.length)
        taken = self.i.valid & self.i.ready
        m.d.comb += place.advance.eq(taken)

        left = Signal(range(self.k + 1), name="left")  # results that are still to leave
        leaves = self.o.valid & self.o.ready
        m.d.comb += self.o.valid.eq(left != 0)
        m.d.comb += self.i.ready.eq(~place.last | (left == 0) | ((left == 1) & self.o.ready))

        sorted_ = self._sorted(m, place, taken)
        results = [
            Signal(shape_of(self.type), name=f"result_{rank}", reset_less=True)
            for rank in range(self.k)
        ]
        m.d.comb += self.o.payload[0].eq(results[0])
        with m.If(taken & place.last):
            m.d.sync += left.eq(self.k)
            m.d.sync += [result.eq(entry) for result, entry in zip(results, sorted_)]
        with m.Elif(leaves):
            m.d.sync += left.eq(left - 1)
            m.d.sync += [here.eq(behind) for here, behind in zip(results, results[1:])]
        return m

    def _sorted(self, m: Module, place: Loop, taken: Value) -> list[Value]:
        """What is to leave, with the present element in its place."""
        value = self.i.payload[0]
        fresh = place.index == 0
        kept = [Signal.like(value, name=f"kept_{rank}", reset_less=True) for rank in range(self.k)]
        there = [Signal(name=f"there_{rank}", reset_less=True) for rank in range(self.k)]
        index = [
            Signal(range(self.length), name=f"index_{rank}", reset_less=True)
            for rank in range(self.k)
        ]
        stays = [mark & ~fresh & (known >= value) for mark, known in zip(there, kept)]
        # Those that stay stand first: the element goes behind the last of them.
        above: Value = Const(1, 1)
        found = []
        for rank, stay in enumerate(stays):
            before = max(rank - 1, 0)
            entries = [
                (kept[rank], value, kept[before]),
                (index[rank], place.index, index[before]),
                (there[rank], Const(1, 1), there[before] & ~fresh),
            ]
            new = [Mux(stay, own, Mux(above, here, last)) for own, here, last in entries]
            with m.If(taken):
                m.d.sync += [
                    register.eq(each)
                    for register, each in zip((kept[rank], index[rank], there[rank]), new)
                ]
            found.append(new[0] if self.layer.values else new[1])
            above = stay
        return found
