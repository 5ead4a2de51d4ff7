"""Sums, differences, products and concatenations of codes with scales of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Concat, IntType, Join, TFLite

from .fixed import activation_range, requantiser, rounded, smaller
from .reading import Operation
from .refusal import Refusal
from .state import Constant, State, Value, inner, of_tensor

__all__ = ["JOINS", "concatenation", "join"]

Ints = NDArray[np.int64]

JOINS = ("ADD", "SUB", "MUL")

LEFT = 20
"""Places by which TFLite shifts the inputs of a sum, before it scales them."""


def join(op: Operation, parts: list[Any], state: State) -> Value:
    """ADD, SUB and MUL of two tensors, one of which may be a constant; each may be broadcast."""
    if len(parts) != 2:
        raise Refusal("must have two inputs: export the model again")
    kind, scale, zero = of_tensor(state.output(op))
    sources = [_source(part) for part in parts]
    if any(found[0] != kind for found in sources):
        raise Refusal(f"mixes types, where TFLite has {kind} alone: use one type")
    ends = activation_range(int(op.options["FusedActivationFunction"]), scale, zero, kind)
    tables, factor = _tables(op.kind, kind, [found[1:] for found in sources], scale)
    rule = requantiser([factor], zero, ends, kind)
    shapes = [part.shape if isinstance(part, Value) else part.values.shape for part in parts]
    shape = np.broadcast_shapes(*shapes)
    if math.prod(shape) > 1 << 24:
        raise Refusal(f"gives the shape {shape}, and at most 2**24 values are converted: split it")
    state.work(math.prod(shape))
    if isinstance(parts[0], Constant) or isinstance(parts[1], Constant):
        return _with_constant(op, parts, state, tables, rule, shape)
    nodes = [_spread(op, part, state, shape) for part in parts]
    layer = Join(
        inputs=(kind, kind),
        in_shape=inner(shape),
        mode="product" if op.kind == "MUL" else "sum",
        tables=tables[:, None, :],
        requantise=rule,
    )
    return state.value(op, state.add(op, layer, *nodes), shape, layer.shape)


def _source(part: Any) -> tuple[IntType, float, int]:
    if isinstance(part, Constant):
        return of_tensor(part.tensor)
    return part.kind, part.scale, part.zero


def _tables(
    operator: str, kind: IntType, sources: list[tuple[float, int]], scale: float
) -> tuple[Ints, float]:
    """What each code of the two inputs stands for, and the factor of what they make."""
    codes = np.arange(kind.low, kind.high + 1)
    first, second = (codes - zero for _, zero in sources)
    one, two = (np.float32(source) for source, _ in sources)
    if operator == "MUL":
        return np.stack([first, second]), float(one * two / np.float32(scale))
    twice = 2 * float(max(one, two))
    factor = twice / ((1 << LEFT) * scale)
    if operator == "ADD" and factor >= 1:
        raise Refusal("has an output scale so small that TFLite itself stops: enlarge it")
    first = smaller(first << LEFT, float(one) / twice)
    second = smaller(second << LEFT, float(two) / twice)
    return np.stack([first, -second if operator == "SUB" else second]), factor


def _spread(op: Operation, value: Value, state: State, shape: tuple[int, ...]) -> str:
    """Node that holds an input in the shape of the output."""
    if value.shape != shape and value.count != int(np.prod(shape)):
        places = np.arange(value.count).reshape(value.shape)
        value = state.gathered(op, value, np.broadcast_to(places, shape))
    return state.held(op, value, inner(shape))


def _with_constant(
    op: Operation,
    parts: list[Any],
    state: State,
    tables: Ints,
    rule: TFLite,
    shape: tuple[int, ...],
) -> Value:
    """One table for each channel, or each value where the constant differs between positions."""
    number = 0 if isinstance(parts[0], Value) else 1
    value, constant = parts[number], parts[1 - number]
    if not isinstance(value, Value):
        raise Refusal("takes constants alone: fold them into one tensor")
    low = value.kind.low
    spread = np.broadcast_to(constant.values, shape).astype(np.int64)
    held = inner(shape)
    rows: Ints = spread.reshape(-1, held[-1])
    if (rows == rows[0]).all():
        rows = rows[0]
        if (rows == rows[0]).all():
            rows = rows[:1]
    else:
        rows, held = spread.reshape(-1), (spread.size,)
    state.spend(len(rows) * tables.shape[1])
    added = tables[1 - number][rows - low][:, None]
    own = tables[number][None]
    layer = Join(
        inputs=(value.kind,),
        in_shape=held,
        mode="sum",
        tables=(own * added if op.kind == "MUL" else own + added)[None],
        requantise=rule,
    )
    node = _spread(op, value, state, shape)
    if held != inner(shape):
        whole = Value(node, shape, inner(shape), value.kind, value.scale, value.zero)
        node = state.held(op, whole, held)
    return state.value(op, state.add(op, layer, node), shape, held)


def concatenation(op: Operation, parts: list[Any], state: State) -> Value:
    """CONCATENATION."""
    if op.options["FusedActivationFunction"]:
        raise Refusal("has a fused activation: put it behind the operator")
    if not parts or not all(isinstance(part, Value) for part in parts):
        raise Refusal("joins constants: use a PAD or a constant sum")
    kind, scale, zero = of_tensor(state.output(op))
    rank = len(parts[0].shape)
    axis = int(op.options["Axis"])
    if not -rank <= axis < rank or any(len(part.shape) != rank for part in parts):
        raise Refusal(f"joins along the axis {axis} of {rank}: export the model again")
    axis %= rank
    lost = rank > 1 and all(part.shape[0] == 1 for part in parts)
    if axis == 0 and rank > 1:
        raise Refusal("joins along the batch: keep it at 1")
    nodes, shapes = [], []
    for part in parts:
        if part.kind != kind:
            raise Refusal(f"mixes types, where TFLite has {kind} alone: use one type")
        same = (part.scale, part.zero) == (scale, zero)
        if not same and kind.signed:
            raise Refusal("joins different scales, where TFLite needs equal ones of int8: "
                             "put a QUANTIZE before it")  # fmt: skip
        table = part.codes if same else _rescaled(part, scale, zero)
        node, held = state.looked_up(op, part, table, kind, part="scale")
        shape = part.shape[1:] if lost else part.shape
        shapes.append(shape)
        nodes.append(state.held(op, Value(node, part.shape, held, kind, scale, zero), shape))
    layer = Concat(
        inputs=(kind,) * len(parts), in_shapes=tuple(shapes), axis=axis - 1 if lost else axis
    )
    whole = list(parts[0].shape)
    whole[axis] = sum(part.shape[axis] for part in parts)
    return state.value(op, state.add(op, layer, *nodes), tuple(whole), layer.shape)


def _rescaled(part: Value, scale: float, zero: int) -> Ints:
    """Codes of uint8 with the scale of the output, in float32 as TFLite computes them."""
    factor = np.float32(part.scale) * (np.float32(1) / np.float32(scale))
    moved = part.codes.astype(np.float32) * factor + np.float32(-part.zero) * factor
    return np.clip(rounded(moved).astype(np.int64) + zero, part.kind.low, part.kind.high)
