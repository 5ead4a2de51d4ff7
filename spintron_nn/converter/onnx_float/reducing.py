"""Operators along axes: means, maxima, softmax, indices of the largest."""

from __future__ import annotations

import math
from dataclasses import replace

from spintron_nn.converter.graph import ArgmaxOf, Function, Mul, SoftmaxOf, TopKOf
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .arranging import permuted
from .attributes import AGAIN, axis_of, check_known, flag, number, sizes
from .build import Builder
from .tensors import Part, Value
from .windows import whole_axes

__all__ = ["argmax", "reduce", "softmax", "topk"]


def _given(parts: list[Part]) -> Value:
    x = parts[0] if parts else None
    if not isinstance(x, Value):
        raise Refusal("takes a constant: compute it beforehand")
    return x


def reduce(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``ReduceMean``, ``ReduceSum``, ``ReduceMax`` and the like along any axes."""
    check_known(op, "axes keepdims noop_with_empty_axes")
    x = _given(parts)
    rank = len(x.shape)
    if len(parts) > 1 and parts[1] is not None:
        given = sizes(parts[1], "axes")
    else:
        given = op.attributes.get("axes", ())
    axes = sorted({axis_of(axis, rank) for axis in given})
    if not axes:
        if flag(op, "noop_with_empty_axes"):
            return x
        axes = list(range(rank))
    if x.whole and op.kind not in ("ReduceMax", "ReduceMin"):
        raise Refusal("computes with integers, which may wrap round: cast them to float32")
    if to.batch is None and x.shape[:1] == (1,) and rank > 1 and len(axes) < rank:
        axes = [axis for axis in axes if axis]  # an axis of one value needs no reduction
    lead = to.lead([x], axes)
    kept = [axis for axis in range(lead, rank) if axis not in axes]
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    if not flag(op, "keepdims", 1):
        given_axes = {axis_of(axis, rank) for axis in given} or set(range(rank))
        shape = tuple(size for axis, size in enumerate(shape) if axis not in given_axes)
    if op.kind == "ReduceL1":
        x = to.each(op, Function("abs"), x)
    if op.kind == "ReduceSumSquare":
        x = to.emit(op, Mul(), [(x, x.have), (x, x.have)], x.shape, 0, x.have)
    if op.kind == "ReduceMin":
        x = to.each(op, Function("neg"), x)
    moved = permuted(op, x, (*range(lead), *kept, *axes), to)
    spatial = [x.shape[axis] for axis in axes]
    if len(spatial) != 2 or len(kept) != 1:
        spatial = [math.prod(spatial)]
    frame = (math.prod(x.shape[axis] for axis in kept), *spatial)
    if op.kind == "ReduceMean":
        return whole_axes(op, "average", moved, frame, shape, to)
    if op.kind in ("ReduceSum", "ReduceL1", "ReduceSumSquare"):
        return whole_axes(op, "average", moved, frame, shape, to, divisor=1)
    found = whole_axes(op, "max", moved, frame, shape, to)
    return to.each(op, Function("neg"), found) if op.kind == "ReduceMin" else found


def softmax(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Softmax`` and ``LogSoftmax``; before opset 13 over all axes from one on."""
    check_known(op, "axis")
    x = _given(parts)
    rank = len(x.shape)
    axis = axis_of(op.attributes.get("axis", -1 if opset > 12 else 1), rank)
    log = op.kind == "LogSoftmax"
    shape = x.shape
    if opset < 13:
        lead = to.lead([x], range(axis, rank))
        if axis == 0:
            lead = 0
        rows, cols = math.prod(shape[lead:axis]), math.prod(shape[axis:])
        frame: tuple[int, ...] = (cols,) if rows == 1 else (rows, cols)
        return to.emit(op, SoftmaxOf(len(frame) - 1, log), [(x, frame)], shape, lead, frame)
    lead = to.lead([x], [axis])
    return to.emit(op, SoftmaxOf(axis - lead, log), [(x, shape[lead:])], shape, lead)


def argmax(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``ArgMax`` and ``ArgMin``."""
    check_known(op, "axis keepdims select_last_index")
    x = _given(parts)
    axis = axis_of(op.attributes.get("axis", 0), len(x.shape))
    lead = to.lead([x], [axis])
    if flag(op, "select_last_index"):
        raise Refusal("takes the last of equal values: take the first (select_last_index = 0)")
    frame = x.shape[lead:]
    rest = (*frame[: axis - lead], *frame[axis - lead + 1 :])
    kept = flag(op, "keepdims", 1)
    shape = (*x.shape[:axis], *((1,) if kept else ()), *x.shape[axis + 1 :])
    made = ArgmaxOf(axis - lead, op.kind == "ArgMin")
    inputs = [(x, frame)]
    found = to.emit(op, made, inputs, shape, lead, rest)
    return replace(found, whole=True)


def topk(op: Operation, parts: list[Part], to: Builder, opset: int) -> tuple[Value, ...]:
    """``TopK``: values and indices."""
    check_known(op, "axis k largest sorted")
    x = _given(parts)
    rank = len(x.shape)
    axis = axis_of(op.attributes.get("axis", -1), rank)
    count = (number(op, "k", 0),) if opset < 10 else sizes(parts[1] if parts[1:] else None, "k")
    if len(count) != 1 or not 1 <= count[0] <= x.shape[axis]:
        raise Refusal(f"takes {count} of {x.shape[axis]} values along its axis: {AGAIN}")
    (k,) = count
    lead = to.lead([x], [axis])
    flag(op, "sorted", 1)
    least = not flag(op, "largest", 1)
    source = to.each(op, Function("neg"), x) if least else x
    shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
    inputs = [(source, x.shape[lead:])]
    values = to.emit(op, TopKOf(k, axis - lead, True), inputs, shape, lead, whole=x.whole)
    if least:
        values = to.each(op, Function("neg"), values)
    return values, to.emit(op, TopKOf(k, axis - lead), inputs, shape, lead, whole=True)
