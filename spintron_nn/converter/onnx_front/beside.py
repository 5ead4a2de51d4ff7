"""Tensors side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Concat

from .reading import Operation, Refusal
from .values import Function, Value, collapsed
from .wires import Builder, Wire

__all__ = ["concatenate"]

Ints = NDArray[np.int64]


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
