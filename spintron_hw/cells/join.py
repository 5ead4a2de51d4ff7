"""Where branches meet: sums and products of values that arrive on several streams."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Join
from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.types import IntType

from ..mapping.join import Term, constant_period, join_terms
from ..mapping.timing import join_latency
from ..pipeline import Pipeline
from ..stream import shape_of, vector
from .constants import by_beat, schedule, scheduled_constants
from .requantise_mulshift import pipelined_product

__all__ = ["StreamJoin"]


class StreamJoin(wiring.Component):
    """Adds or multiplies the numbers that stand for the values of several inputs, lane by lane.

    The number of a value is found in a table, or is a multiple of it where the table says so. The
    layer's requantiser is not part of this cell.

    Timing
    ------
    Beats are taken from all inputs in the same cycle, in which all are there. One beat each cycle;
    a frame takes :attr:`interval` cycles. A beat is offered :attr:`latency` cycles after it was
    taken: one for the numbers, then one for every four numbers that are added; for a product one
    more, and one for every two levels of the tree where a number is wider than 18 bits.
    Backpressure on :py:`o` stalls the inputs in the same cycle.

    Parameters
    ----------
    join : Join
        The layer: types, shape, mode, tables.
    lanes : int, 1..65536
        Elements in a beat.

    Members
    -------
    i_0, i_1, … : In(stream.Signature(vector(join.inputs[n], lanes)))
        The inputs.
    o : Out(stream.Signature(vector(type, lanes)))
        Sums or products.

    Attributes
    ----------
    type : IntType
        Type of a sum or product.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    def __init__(self, *, join: Join, lanes: int):
        if not isinstance(join, Join):
            raise ParameterError(f"StreamJoin: join must be a Join, not {join!r}")
        self.join, self.lanes = join, check_int("StreamJoin", "lanes", lanes, 1, 1 << 16)
        self.type = join.total.type
        self.terms = join_terms(join)
        self.latency = join_latency(join.mode, [term.type for term in self.terms])
        self.interval = -(-math.prod(join.in_shape) // self.lanes)
        inputs = {
            f"i_{n}": In(stream.Signature(vector(type_, self.lanes)))
            for n, type_ in enumerate(join.inputs)
        }
        super().__init__(inputs | {"o": Out(stream.Signature(vector(self.type, self.lanes)))})

    @property
    def inputs(self) -> list[stream.Interface]:
        """The input streams, in order."""
        return [getattr(self, f"i_{n}") for n in range(len(self.join.inputs))]

    def compute(self, inputs: Sequence[ArrayLike]) -> NDArray[np.int64]:
        """Sums or products of the first beats after reset, each input ``(beats, lanes)``."""
        numbers = [
            self._numbers(term, contract.as_int(beats), type_.low)
            for term, beats, type_ in zip(self.terms, inputs, self.join.inputs, strict=True)
        ]
        combine = np.add if self.join.mode == "sum" else np.multiply
        return np.asarray(combine.reduce(numbers))

    def _numbers(self, term: Term, beats: NDArray[np.int64], low: int) -> NDArray[np.int64]:
        """What the values of one input stand for; unused lanes count as the last row that is."""
        count = len(term.multiplier) if term.table is None else len(term.table)
        rows = schedule(self._rows(np.arange(count)), len(beats))
        if term.table is None:
            return term.multiplier[rows] * beats + term.offset[rows]
        return term.table[rows, beats - low]

    def _rows(self, values: NDArray[Any]) -> NDArray[Any]:
        """Rows of a table of constants in the order in which they are used, a row a beat."""
        length = math.prod(self.join.in_shape)
        count = constant_period(len(values), length, self.lanes)
        order = np.arange(count) % len(values)
        return by_beat(values[order], self.lanes, values[-1] if values.ndim == 1 else 0)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        ports = self.inputs
        both = stream.Signature(1).create(path=("both",))
        m.d.comb += both.valid.eq(Cat(port.valid for port in ports).all())
        pipe = Pipeline(m, both, self.o, self.latency)
        for port in ports:
            others = [other.valid for other in ports if other is not port]
            m.d.comb += port.ready.eq(Cat(both.ready, *others).all())
        numbers = [self._term(m, pipe, n) for n in range(len(ports))]
        for lane in range(self.lanes):
            parts = [number[lane] for number in numbers]
            if self.join.mode == "product":
                total: Value = pipelined_product(pipe, parts[0], parts[1], self.latency - 2)
            else:
                while len(parts) > 4:
                    fours = [parts[n : n + 4] for n in range(0, len(parts), 4)]
                    parts = [pipe.register(_sum(four)) for four in fours]
                total = _sum(parts)
            pipe.finish(self.o.payload[lane], total)
        return m

    def _term(self, m: Module, pipe: Pipeline, number: int) -> list[Value]:
        """Numbers of one input, a lane each, behind the first register."""
        term, name = self.terms[number], f"i_{number}"
        payload, type_ = self.inputs[number].payload, self.join.inputs[number]
        if term.table is None:
            advance = pipe.taken[0]
            factors = scheduled_constants(
                m, self._rows(term.multiplier), advance, name=f"{name}_factor"
            )
            offsets = scheduled_constants(
                m, self._rows(term.offset), advance, name=f"{name}_offset"
            )
            return [
                _cut(pipe.register((value * factor + offset)[: term.type.bits]), term.type)
                for value, factor, offset in zip(payload, factors, offsets, strict=True)
            ]
        words = self._rows(np.arange(len(term.table)))  # (steps, lanes): the row of the table
        steps = np.arange(len(words))[:, None]
        step = scheduled_constants(m, steps, pipe.taken[0], name=f"{name}_step")[0]
        result = []
        for lane, value in enumerate(payload):
            table = term.table[words[:, lane]]
            here: Value = step
            if (table == table[0]).all():
                table, here = table[:1], Const(0, 0)
            held = IntType.of_range(int(table.min()), int(table.max()))
            m.submodules[f"{name}_table_{lane}"] = rom = memory.Memory(
                shape=shape_of(held), depth=table.size, init=table.ravel().tolist()
            )
            port = rom.read_port()
            # Counted from the lowest code, a two's complement code is itself with its sign turned.
            code = Cat(value[:-1], value[-1] ^ type_.signed)
            m.d.comb += [port.addr.eq(Cat(code, here)), port.en.eq(pipe.enable)]
            result.append(port.data)
        return result


def _sum(parts: Sequence[Value]) -> Value:
    """Sum of a few values, as a balanced tree."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return _sum(parts[:half]) + _sum(parts[half:])


def _cut(value: Value, type_: IntType) -> Value:
    """The value as a number of its type."""
    return Value.cast(value.as_signed() if type_.signed else value.as_unsigned())
