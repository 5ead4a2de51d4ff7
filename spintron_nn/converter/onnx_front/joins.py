"""Sums and products of two tensors, and tensors side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Concat, Join

from .reading import Operation, Refusal
from .thresholds import ENTRIES, table_of
from .values import Function, Value, collapsed
from .wires import Builder, Wire

__all__ = ["PAIRS", "concatenate", "join", "power_of_two"]

Ints = NDArray[np.int64]

PAIRS = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}
"""Operators that join two tensors."""

WIDEST = 1 << 61
"""Least magnitude of a sum or product that is refused."""

SPAN = (
    "joins values that span more bits than a sum may have, 62: quantise both to scales nearer to "
    "each other"
)


def power_of_two(scale: Any) -> bool:
    """Whether all numbers are powers of two."""
    mantissa, _ = np.frexp(np.asarray(scale, dtype=np.float64))
    return bool((mantissa == 0.5).all())


def join(op: Operation, one: Value, other: Value, builder: Builder) -> Value:
    """Add, subtract or multiply two tensors, exactly as float32 does.

    Every float32 is an integer times a power of two: tables hold the values of all codes in one
    unit, their sum or product is exact, and rounding it to float32 once is what the operator does.

    Raises
    ------
    ValueError
        If the shapes do not fit, or values have no table; the text says what to do.
    """
    if op.kind not in PAIRS:
        raise Refusal("joins two tensors that depend on the input: use Add, Sub or Mul")
    try:
        shape = np.broadcast_shapes(one.shape, other.shape)
    except ValueError:
        raise Refusal(
            f"joins the shapes {one.shape} and {other.shape}, which do not fit: reshape one"
        ) from None
    if math.prod(shape) > 1 << 24:
        raise Refusal(
            f"gives {math.prod(shape)} values, and at most 2**24 are converted: use fewer"
        )
    one, other = (value.moved(lambda x: np.broadcast_to(x, shape)) for value in (one, other))
    if one.wire.node == other.wire.node and (one.wire.index == other.wire.index).all():
        return _of_one(op, one, other)
    exact = _same_scale(op, one, other, builder)
    if exact is not None:
        return exact
    form = np.broadcast_shapes(one.rows.shape, other.rows.shape)
    one, other = one.spread(form), other.spread(form)
    nodes, index = builder.by_channel([one.wire, other.wire], form)
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


def _of_one(op: Operation, one: Value, other: Value) -> Value:
    """Both are functions of the same integers: so is the result."""
    form = np.broadcast_shapes(one.rows.shape, other.rows.shape)
    one, other = one.spread(form), other.spread(form)
    first, second, step = one.function, other.function, PAIRS[op.kind]
    rises = None
    if first.rises is not None and second.rises is not None:
        down = -second.rises if op.kind == "Sub" else second.rises
        if op.kind != "Mul" and (first.rises * down >= 0).all():
            rises = np.sign(first.rises + down).astype(np.int8)
    gain = offset = None
    if op.kind != "Mul" and first.gain is not None and second.gain is not None:
        assert first.offset is not None and second.offset is not None
        gain, offset = step(first.gain, second.gain), step(first.offset, second.offset)
    made = Function(
        np.maximum(first.low, second.low),
        np.minimum(first.high, second.high),
        lambda q, r: step(first.evaluate(q, r), second.evaluate(q, r)),
        rises,
        gain,
        offset,
    )
    return replace(one, function=made)


def _same_scale(op: Operation, one: Value, other: Value, builder: Builder) -> Value | None:
    """The sum of integers of one scale, a power of two, that float32 holds; None elsewhere."""
    parts = (one.function, other.function)
    if op.kind != "Add" or any(part.scale is None or part.zero is None for part in parts):
        return None
    scale = np.concatenate([part.scale for part in parts])
    if not (scale == scale[0]).all() or not power_of_two(scale[0]):
        return None
    form = np.broadcast_shapes(one.rows.shape, other.rows.shape)
    one, other = one.spread(form), other.spread(form)
    first, second = one.function, other.function
    assert first.zero is not None and second.zero is not None and first.scale is not None
    low, high, zero = first.low + second.low, first.high + second.high, first.zero + second.zero
    if max(int(np.abs(low - zero).max()), int(np.abs(high - zero).max())) >= 1 << 24:
        return None
    nodes, index = builder.by_channel([one.wire, other.wire], form)
    types = tuple(builder.type(node) for node in nodes)
    made = Join(inputs=types, in_shape=builder.shape(nodes[0]), mode="sum")
    unit = np.float32(scale[0])
    function = Function(
        low,
        high,
        lambda q, r: (q - zero[r]).astype(np.float32) * unit,
        np.ones(len(low), dtype=np.int8),
        first.scale,
        -first.scale * zero,
        first.scale,
        zero,
    )
    return Value(Wire(builder.add(op.name, made, *nodes), index), one.rows, function)


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
        raise Refusal(SPAN)
    return odd << left


def _range(op: Operation, whole: list[Ints]) -> tuple[Ints, Ints]:
    """Least and largest sum or product of each row."""
    ends = [[end.astype(object) for end in (t.min(axis=1), t.max(axis=1))] for t in whole]
    pairs = [a * b if op.kind == "Mul" else a + b for a in ends[0] for b in ends[1]]
    low, high = np.min(pairs, axis=0), np.max(pairs, axis=0)
    # All rows of one layer count together.
    if max(abs(t).max() for t in (low, high)) >= WIDEST:
        raise Refusal(SPAN)
    return low.astype(np.int64), high.astype(np.int64)


def concatenate(op: Operation, values: list[Value], builder: Builder) -> Value:
    """Tensors side by side along an axis.

    Raises
    ------
    ValueError
        If the shapes do not fit, or integers stand beside real values.
    """
    rank = len(values[0].shape)
    axis = op.attributes.get("axis")
    if not isinstance(axis, int) or not -rank <= axis < rank or axis % rank == 0:
        raise Refusal(f"joins along the axis {axis}, which no tensor of one frame has: use 1")
    axis %= rank
    if len({value.integer for value in values}) > 1:
        raise Refusal("joins integers and real values: put a DequantizeLinear in front")
    kept = {(*v.shape[:axis], *v.shape[axis + 1 :]) for v in values}
    if len(kept) > 1 or len({len(value.shape) for value in values}) > 1:
        shapes = " and ".join(str(value.shape) for value in values)
        raise Refusal(f"joins the shapes {shapes}, which do not fit along axis {axis}: reshape")
    order = (1, 2, 0) if rank == 4 else tuple(range(rank - 1))
    nodes = [builder.laid(v.wire, v.wire.index[0].transpose(order)) for v in values]
    made = Concat(
        inputs=tuple(builder.type(node) for node in nodes),
        in_shapes=tuple(builder.shape(node) for node in nodes),
        axis=order.index(axis - 1),
    )
    name = builder.add(op.name, made, *nodes)
    places = np.arange(int(np.prod(made.shape)), dtype=np.int32).reshape(made.shape)
    index = places.transpose(np.argsort(order))[None]
    function = _beside([value.function for value in values])
    if len(function.low) == 1:
        rows = np.zeros((1,) * rank, dtype=np.int64)
    else:
        starts = np.cumsum([0] + [len(value.function.low) for value in values])
        rows = collapsed(
            np.concatenate(
                [
                    np.broadcast_to(value.rows, value.shape) + start
                    for value, start in zip(values, starts, strict=False)
                ],
                axis=axis,
            )
        )
    return Value(Wire(name, index), rows, function, values[0].integer)


def _beside(parts: list[Function]) -> Function:
    """Rows of several functions; one row where all are the same line."""

    def together(name: str) -> Any:
        found = [getattr(part, name) for part in parts]
        return None if any(part is None for part in found) else np.concatenate(found)

    scale, zero = together("scale"), together("zero")
    low, high = together("low"), together("high")
    if scale is not None and (scale == scale[0]).all() and (zero == zero[0]).all():
        first = parts[0].taken(np.zeros(1, dtype=np.int64))
        return replace(first, low=low.min(keepdims=True), high=high.max(keepdims=True))
    starts = np.cumsum([0] + [len(part.low) for part in parts])

    def evaluate(q: Ints, r: Ints) -> Any:
        q, r = np.broadcast_arrays(q, r)
        found = np.empty(q.shape, dtype=np.float32)
        for part, start in zip(parts, starts, strict=False):
            inside = (r >= start) & (r < start + len(part.low))
            found[inside] = part.evaluate(q[inside], r[inside] - start)
        return found

    return Function(
        low, high, evaluate, together("rises"), together("gain"), together("offset"), scale, zero
    )
