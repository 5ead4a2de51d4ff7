"""Codes of a float32 function of integers: exact thresholds, or a table of all codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType, Join, Thresholds

from ..moving import bisect
from .fusing import Coding
from .reading import Refusal
from .values import Function, Value, collapsed
from .wires import Builder, Wire

__all__ = ["ENTRIES", "MOST", "TABLE_BITS", "codes_of_value", "table_of"]

Ints = NDArray[np.int64]
Codes = Callable[[Any, Ints], Ints]

MOST = 255
"""Most thresholds of a channel."""

LARGEST = 1 << 23
"""Most thresholds of all channels together."""

ENTRIES = 1 << 22
"""Most entries of a table."""

BLOCK = 1 << 20
"""Sums that are looked at together."""

SUMS = 1 << 27
"""Most sums of all channels that are looked at one by one."""

TABLE_BITS = 16
"""Most bits of a code that a table is looked up by."""


def codes_of_value(
    builder: Builder, title: str, value: Value, codes: Codes, kind: IntType | None
) -> tuple[Wire, int, int]:
    """Add what turns the integers of a tensor into codes.

    Every operator of a monotone function is monotone, and so is its rounding in float32: its codes
    step at most once to each value, and bisection finds the place. Any other function is
    tabulated: of the integers themselves, or of the intervals of wide sums that have one code.

    Parameters
    ----------
    builder : Builder
        The network.
    title : str
        Name wanted for the node.
    value : Value
        The function, and the range of its integers.
    codes : function
        From float32 and rows to integers; it rises.
    kind : IntType or None
        Type of the codes; None for the narrowest.

    Returns
    -------
    wire : Wire
        The codes, as a tensor of the same shape.
    low, high : int
        Their range.

    Raises
    ------
    ValueError
        If the function is not finite at an end, or has too many codes; the text says what to do.
    """
    value = _shared(value)
    form = value.rows.shape
    function = value.function
    least, most = _ends(function, codes)
    narrow = builder.type(value.wire.node).bits <= TABLE_BITS
    nodes, index = builder.by_channel([value.wire], form)
    rows = _order(value)
    if len(rows) * min(max(most - least, 1), MOST) > LARGEST:
        raise Refusal("has thresholds of their own for too many values: use one scale")
    shape, type_ = builder.shape(nodes[0]), builder.type(nodes[0])
    if function.rises is None and not _tabulated(function, type_):
        limits, table = _intervals(function, codes)
        if rows.size > 1:
            limits, table = (
                replace(limits, thresholds=limits.thresholds[rows], sign=limits.sign[rows]),
                table[rows],
            )
        node = builder.add(f"{title}_in", Coding(shape, type_, limits), nodes[0])
        op: Any = Join(inputs=(limits.type,), in_shape=shape, mode="sum", tables=table[None])
        wire = Wire(builder.add(title, op, node), index)
        return wire, int(table.min()), int(table.max())
    if function.rises is None or (most - least > MOST and narrow):
        table = table_of(function, type_, lambda x, r: codes(x, r))
        if rows.size * table.shape[1] > ENTRIES:
            raise Refusal(f"needs tables of their own for {rows.size} values: use one scale")
        tables = table[collapsed(rows)] if rows.size > 1 else table[:1]
        op = Join(inputs=(type_,), in_shape=shape, mode="sum", tables=tables[None])
        low, high = int(table.min()), int(table.max())
    else:
        found = _thresholds(function, codes, least, most, kind)
        if rows.size > 1:
            found = replace(found, thresholds=found.thresholds[rows], sign=found.sign[rows])
        op = Coding(shape, type_, _single(found))
        low, high = found.low, found.low + found.thresholds.shape[1]
    return Wire(builder.add(title, op, nodes[0]), index), low, high


def _shared(value: Value) -> Value:
    """Only the rows in use, each once."""
    used, rows = np.unique(value.rows, return_inverse=True)
    return replace(
        value,
        rows=collapsed(rows.reshape(value.rows.shape)),
        function=value.function.taken(used),
    )


def _order(value: Value) -> Ints:
    """Row of each channel, or of each value in order where rows differ along several axes."""
    axes = [axis for axis, size in enumerate(value.rows.shape) if size > 1]
    rows = value.rows if len(axes) < 2 else np.broadcast_to(value.rows, value.shape)
    return rows.reshape(-1)


def _ends(function: Function, codes: Codes) -> tuple[int, int]:
    """Least and largest code at the ends of the range."""
    row = np.arange(len(function.low))
    values = [function.evaluate(end, row) for end in (function.low, function.high)]
    if not all(np.isfinite(value).all() for value in values):
        raise Refusal("is not finite over the whole range: check the scales before it")
    found = [codes(value, row) for value in values]
    return int(np.minimum(*found).min()), int(np.maximum(*found).max())


def table_of(function: Function, kind: IntType, number: Codes) -> Ints:
    """Number of each code of a type, for each row: shape ``(rows, 2**bits)``.

    Raises
    ------
    ValueError
        If there are too many codes, or the function is not finite at one.
    """
    if not _tabulated(function, kind):
        raise Refusal(
            f"takes sums of {kind.bits} bits, which no table holds: put a Quant in front of it"
        )
    row = np.arange(len(function.low))[:, None]
    places = np.arange(kind.low, kind.high + 1)
    inside = np.clip(places, function.low[:, None], function.high[:, None])
    values = np.broadcast_to(function.evaluate(inside, row), inside.shape)
    if not np.isfinite(values).all():
        raise Refusal("is not finite over the whole range: check the scales before it")
    return number(values, np.broadcast_to(row, inside.shape))


def _tabulated(function: Function, kind: IntType) -> bool:
    """Whether tables hold all codes of a type."""
    return kind.bits <= TABLE_BITS and len(function.low) << kind.bits <= ENTRIES


def _intervals(function: Function, codes: Codes) -> tuple[Thresholds, Ints]:
    """Intervals of integers with one code, and the codes of each, for each row.

    Any function of wide sums is one: all of them are looked at.
    """
    count, low, high = len(function.low), function.low, function.high
    if int((high - low + 1).max()) * count > SUMS:
        raise Refusal(
            "is no monotone function, of too many sums to look at: put a Quant in front of it"
        )
    steps, values = [], []
    for row in range(count):
        found = _runs(function, codes, row)
        steps.append(found[0][1:])
        values.append(found[1])
    most = max(len(step) for step in steps)
    if most > MOST:
        raise Refusal(f"has {most + 1} intervals of codes, and at most 256 are converted: use "
                         "fewer bits")  # fmt: skip
    most = max(most, 1)
    kind = IntType.of_range(0, most)
    limits = np.repeat(high[:, None] + 1, most, axis=1)
    table = np.zeros((count, 1 << kind.bits), dtype=np.int64)
    for row, (step, value) in enumerate(zip(steps, values, strict=True)):
        limits[row, : len(step)] = step
        table[row, : len(value)] = value
        table[row, len(value) :] = value[-1]
    sign: Any = np.ones(count, dtype=np.int8)
    return Thresholds(thresholds=limits, sign=sign, low=0, type=kind), table


def _runs(function: Function, codes: Codes, row: int) -> tuple[Ints, Ints]:
    """Integers at which the code of a row changes, the first one too, and these codes."""
    starts: list[Ints] = []
    values: list[Ints] = []
    low, high = int(function.low[row]), int(function.high[row])
    for start in range(low, high + 1, BLOCK):
        places = np.arange(start, min(start + BLOCK, high + 1))
        rows = np.full(len(places), row)
        real = function.evaluate(places, rows)
        if not np.isfinite(real).all():
            raise Refusal("is not finite over the whole range: check the scales before it")
        found = codes(real, rows)
        last = values[-1][-1] if values else found[0] - 1
        step = np.flatnonzero(np.diff(found, prepend=last))
        if len(step):
            starts.append(places[step])
            values.append(found[step])
    return np.concatenate(starts), np.concatenate(values)


def _thresholds(
    function: Function, codes: Codes, low: int, high: int, kind: IntType | None
) -> Thresholds:
    """Thresholds of each row, by bisection."""
    assert function.rises is not None
    sign = np.where(function.rises < 0, -1, 1)
    first = np.where(sign > 0, function.low, -function.high)
    last = np.where(sign > 0, function.high, -function.low)
    row = np.arange(len(sign))
    count = max(high - low, 1)
    if count > MOST:
        raise Refusal(f"has {count + 1} codes, and at most 256 are converted: use 8 bits")

    def at(places: Ints) -> Ints:
        rows = np.broadcast_to(row, places.shape)
        return codes(function.evaluate(sign * places, rows), rows)

    wanted = np.arange(low + 1, low + 1 + count)[:, None]
    size = max((1 << 21) // len(sign), 1)
    parts = [bisect(at, wanted[at_ : at_ + size], first, last) for at_ in range(0, count, size)]
    if kind is None:
        kind = IntType.of_range(low, low + count)
    if low + count > kind.high:  # a constant at the top: one code more, which nothing reaches
        kind = IntType.of_range(min(low, kind.low), low + count)
    return Thresholds(thresholds=np.concatenate(parts).T, sign=sign, low=low, type=kind)


def _single(thresholds: Thresholds) -> Thresholds:
    """One channel where all agree."""
    rows, sign = thresholds.thresholds, thresholds.sign
    if (rows == rows[0]).all() and (sign == sign[0]).all():
        return replace(thresholds, thresholds=rows[:1], sign=sign[:1])
    return thresholds
