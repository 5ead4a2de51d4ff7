"""Two tensors that meet."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Join

from .exact_joins import TooFar, exact_join
from .reading import Operation, Refusal
from .thresholds import TABLE_BITS
from .values import Function, Value
from .wires import Builder, Wire

__all__ = ["TOGETHER", "join"]

Ints = NDArray[np.int64]

PAIRS: dict[str, Any] = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}
"""Operators whose exact result is one number, which is rounded."""

OTHERS: dict[str, Any] = {
    "Div": np.divide,
    "Max": np.maximum,
    "Min": np.minimum,
    "PRelu": lambda x, c: np.where(x < 0, x * c, x),
    "Pow": np.power,
}
"""Operators that are looked up by both codes together."""


TOGETHER = {*PAIRS, *OTHERS}
"""Operators that may join two tensors."""


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
    if op.kind in OTHERS:
        return _together(op, one, other, nodes, index, builder)
    try:
        return exact_join(op, one, other, nodes, index, builder)
    except TooFar:
        if sum(builder.type(node).bits for node in nodes) > TABLE_BITS:
            raise
        return _together(op, one, other, nodes, index, builder)


def _together(
    op: Operation, one: Value, other: Value, nodes: list[str], index: Any, builder: Builder
) -> Value:
    """Both codes side by side in one, which a table is looked up by."""
    first, second = types = tuple(builder.type(node) for node in nodes)
    bits = first.bits + second.bits
    if bits > TABLE_BITS:
        raise Refusal(
            f"looks up codes of {first.bits} and {second.bits} bits, and at most {TABLE_BITS} "
            "together have a table: quantise one to fewer"
        )
    widest = np.arange(1 << max(first.bits, second.bits))
    tables = np.stack([widest << second.bits, widest])[:, None]
    shape = builder.shape(nodes[0])
    made = Join(inputs=types, in_shape=shape, mode="sum", tables=tables)
    step, given = (PAIRS | OTHERS)[op.kind], (one.function, other.function)

    def evaluate(q: Ints, r: Ints) -> Any:
        codes = (q >> second.bits) + first.low, (q & ((1 << second.bits) - 1)) + second.low
        parts = [
            part.evaluate(np.clip(code, part.low[r], part.high[r]), r)
            for part, code in zip(given, codes, strict=True)
        ]
        return step(*parts).astype(np.float32)

    low = np.zeros_like(given[0].low)
    function = Function(low, low + (1 << bits) - 1, evaluate, None)
    return Value(Wire(builder.add(f"{op.name}_in", made, *nodes), index), one.rows, function)


def _of_one(op: Operation, one: Value, other: Value) -> Value:
    """Both are functions of the same integers: so is the result."""
    form = np.broadcast_shapes(one.rows.shape, other.rows.shape)
    one, other = one.spread(form), other.spread(form)
    first, second = one.function, other.function
    step = (PAIRS | OTHERS)[op.kind]
    rises = None
    linear = op.kind in ("Add", "Sub")
    if linear and first.rises is not None and second.rises is not None:
        down = -second.rises if op.kind == "Sub" else second.rises
        if (first.rises * down >= 0).all():
            rises = np.sign(first.rises + down).astype(np.int8)
    gain = offset = None
    if linear and first.gain is not None and second.gain is not None:
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
