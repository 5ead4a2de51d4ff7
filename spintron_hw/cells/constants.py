"""Constants that follow a schedule: another row of a table for every few beats."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import memory
from numpy.typing import NDArray

from spintron_ir.types import IntType

from ..stream import shape_of

__all__ = ["by_beat", "schedule", "scheduled_constants"]


def by_beat(values: Any, lanes: int, fill: int = 0) -> NDArray[Any]:
    """Rows of a table for a vector of ``C`` elements that takes ``ceil(C / lanes)`` beats.

    >>> by_beat([1, 2, 3], 2).tolist()
    [[1, 2], [3, 0]]
    """
    values = np.asarray(values)
    beats = -(-len(values) // lanes)
    rows = np.full((beats * lanes, *values.shape[1:]), fill, dtype=values.dtype)
    rows[: len(values)] = values
    return rows.reshape(beats, lanes, *values.shape[1:])


def schedule(values: NDArray[Any], beats: int, repeat: int = 1) -> NDArray[Any]:
    """Row of :py:`values` in each of the first :py:`beats` beats after reset.

    >>> schedule(np.array([5, 6]), beats=5, repeat=2).tolist()
    [5, 5, 6, 6, 5]
    """
    return values[np.arange(beats) // repeat % len(values)]


def scheduled_constants(
    m: Module, values: NDArray[Any], advance: Value, *, repeat: int = 1, name: str = "constants"
) -> list[Value]:
    """Constants of the current beat, one a lane, each in the narrowest type for its lane.

    A lane whose steps all agree is a plain constant. The others come out of a register that
    already holds the row of the current beat; a ROM is read for the next row meanwhile, so
    synthesis may put the ROM into logic or, together with the register, into block RAM.

    Parameters
    ----------
    m : Module
        Module of the cell, to which ROM and counters are added.
    values : array of int, shape ``(steps, lanes)``
        Row ``t`` is used for :py:`repeat` beats, then the next; after the last comes the first.
    advance : Value
        A beat is taken in this cycle.
    repeat : int
        Beats for each step.
    name : str
        Of the ROM; unlike others in :py:`m`.

    Returns
    -------
    list of Value
    """
    columns = [[int(value) for value in column] for column in values.T]
    types = [IntType.of_range(min(column), max(column)) for column in columns]
    result: list[Value] = [Const(c[0], shape_of(t)) for c, t in zip(columns, types)]
    varying = [lane for lane, column in enumerate(columns) if min(column) != max(column)]
    if not varying:
        return result

    words = [
        _pack([(columns[lane][step], types[lane].bits) for lane in varying])
        for step in range(len(values))
    ]
    current = Value.cast(
        _in_turn(m, words, sum(types[n].bits for n in varying), advance, repeat, name)
    )
    for lane in varying:
        field, current = current[: types[lane].bits], current[types[lane].bits :]
        result[lane] = field.as_signed() if types[lane].signed else field
    return result


def _pack(fields: list[tuple[int, int]]) -> int:
    """One word of fields given as value and bits, the first lowest."""
    word, place = 0, 0
    for value, bits in fields:
        word |= (value & ((1 << bits) - 1)) << place
        place += bits
    return word


def _in_turn(
    m: Module, words: list[int], width: int, advance: Value, repeat: int, name: str
) -> Signal:
    """Register that holds each of :py:`words` for :py:`repeat` beats, in turn."""
    rom = m.submodules[f"{name}_rom"] = memory.Memory(shape=width, depth=len(words), init=words)
    port = rom.read_port(domain="comb")
    current = Signal(width, init=words[0], name=f"{name}_now")
    ahead = Signal(range(len(words)), init=1, name=f"{name}_ahead")
    m.d.comb += port.addr.eq(ahead)

    step_ends = advance
    if repeat > 1:
        turn = Signal(range(repeat), name=f"{name}_turn")
        step_ends = advance & (turn == repeat - 1)
        with m.If(advance):
            m.d.sync += turn.eq(Mux(turn == repeat - 1, 0, turn + 1))
    with m.If(step_ends):
        m.d.sync += current.eq(port.data)
        m.d.sync += ahead.eq(Mux(ahead == len(words) - 1, 0, ahead + 1))
    return current
