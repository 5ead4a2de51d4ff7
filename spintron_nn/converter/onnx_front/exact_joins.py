"""Sums and products of float32 numbers, as integers of a power of two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Join

from .reading import Operation, Refusal
from .thresholds import ENTRIES, table_of
from .values import Function, Value
from .wires import Builder, Wire

__all__ = ["TooFar", "exact_join"]

Ints = NDArray[np.int64]

WIDEST = 1 << 61
"""Least magnitude of a sum or product that is refused."""


class TooFar(Refusal):
    """Two tensors whose values no common unit holds."""

    def __init__(self) -> None:
        super().__init__(
            "joins values that span more bits than a sum may have, 62: quantise both to scales "
            "nearer to each other"
        )


def exact_join(
    op: Operation, one: Value, other: Value, nodes: list[str], index: Any, builder: Builder
) -> Value:
    """The exact sum, difference or product of two tensors, and its rounding to float32.

    Parameters
    ----------
    op : Operation
        ``Add``, ``Sub`` or ``Mul``.
    one, other : Value
        The tensors, of one shape and with a row for the same elements.
    nodes : list of str
        Their integers, in one layout.
    index : int32 array
        Place of each element in that layout.
    builder : Builder
        The network.

    Raises
    ------
    TooFar
        If no common unit holds the values.
    ValueError
        If values have no table; the text says what to do.
    """
    types = tuple(builder.type(node) for node in nodes)
    tables, units = [], []
    for value, kind in zip((one, other), types, strict=True):
        floats = table_of(value.function, kind, lambda x, r: x)
        tables.append(np.asarray(floats, dtype=np.float32))
        units.append(_unit(tables[-1]))
    if op.kind == "Mul":
        unit = units[0] + units[1]
    else:
        unit = np.minimum(*units)
        units = [unit, unit]
    whole = [_whole(table, row) for table, row in zip(tables, units, strict=True)]
    if op.kind == "Sub":
        whole[1] = -whole[1]
    low, high = _range(op, whole)
    entries = max(table.shape[1] for table in whole)
    rows = _rows(one)
    if len(rows) * entries > ENTRIES:
        raise Refusal(f"needs tables of their own for {len(rows)} values: use one scale")
    filled = np.stack([np.pad(t, ((0, 0), (0, entries - t.shape[1])))[rows] for t in whole])
    made = Join(
        inputs=types,
        in_shape=builder.shape(nodes[0]),
        mode="product" if op.kind == "Mul" else "sum",
        tables=filled,
    )
    count = len(unit)
    function = Function(
        low=low,
        high=high,
        evaluate=lambda q, r: np.ldexp(q.astype(np.float32), unit[r]).astype(np.float32),
        rises=np.ones(count, dtype=np.int8),
        gain=np.ldexp(1.0, unit),
        offset=np.zeros(count),
    )
    return Value(Wire(builder.add(op.name, made, *nodes), index), one.rows, function)


def _rows(value: Value) -> Ints:
    """Row of each channel, or of each value where rows differ along several axes."""
    axes = [axis for axis, size in enumerate(value.rows.shape) if size > 1]
    rows = value.rows if len(axes) < 2 else np.broadcast_to(value.rows, value.shape)
    return rows.reshape(-1)


def _parts(table: NDArray[np.float32]) -> tuple[Ints, Ints]:
    """Odd integers and exponents of two that floats are; zero has the largest exponent."""
    mantissa, exponent = np.frexp(table.astype(np.float64))
    whole = np.round(mantissa * 2.0**24).astype(np.int64)
    last = np.where(whole == 0, 1, whole & -whole)
    places = np.round(np.log2(last)).astype(np.int64)
    exponent = np.where(whole == 0, 1 << 20, exponent.astype(np.int64) - 24 + places)
    return whole >> places, exponent


def _unit(table: NDArray[np.float32]) -> Ints:
    """Largest power of two of which all floats of a row are multiples."""
    least = _parts(table)[1].min(axis=1)
    return np.where(least == 1 << 20, 0, least)


def _whole(table: NDArray[np.float32], unit: Ints) -> Ints:
    """Floats of each row as integers of its unit."""
    odd, exponent = _parts(table)
    left = np.where(odd == 0, 0, exponent - unit[:, None])
    bits = np.ceil(np.log2(np.abs(odd) + 1.0)).astype(np.int64)
    if (left + bits).max(initial=0) > 61:
        raise TooFar
    return odd << left


def _range(op: Operation, whole: list[Ints]) -> tuple[Ints, Ints]:
    """Least and largest sum or product of each row."""
    ends = [[end.astype(object) for end in (t.min(axis=1), t.max(axis=1))] for t in whole]
    pairs = [a * b if op.kind == "Mul" else a + b for a in ends[0] for b in ends[1]]
    low, high = np.min(pairs, axis=0), np.max(pairs, axis=0)
    # All rows of one layer count together.
    if max(abs(t).max() for t in (low, high)) >= WIDEST:
        raise TooFar
    return low.astype(np.int64), high.astype(np.int64)
