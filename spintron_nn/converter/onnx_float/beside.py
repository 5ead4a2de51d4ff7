"""Concat and Pad, which put constants beside what depends on the inputs."""

from __future__ import annotations

import math

import numpy as np

from spintron_nn.converter.graph import Concatenate, Pad
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .arranging import data, take
from .attributes import AGAIN, axis_of, check_known, choice, numbers, sizes
from .build import Builder, Shape
from .pairs import affine
from .tensors import Constant, Part, Value, reals, said

__all__ = ["concatenate", "pad"]


def concatenate(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Concat`` of what depends on the inputs."""
    check_known(op, "axis")
    known = [part for part in parts if part is not None]
    shapes = [part.values.shape if isinstance(part, Constant) else part.shape for part in known]
    rank = len(shapes[0])
    axis = axis_of(op.attributes.get("axis"), rank)
    around = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(known) < len(parts) or len(around) != 1 or any(len(shape) != rank for shape in shapes):
        given = ", ".join(said(shape) for shape in shapes)
        raise Refusal(f"joins the shapes {given} along axis {axis}: {AGAIN}")
    values = [part for part in known if isinstance(part, Value)]
    if len(values) < len(known):
        return _with_constants(op, known, shapes, axis, to)
    if len(values) == 1:
        return values[0]
    lead = to.lead(values, [axis])
    first = values[0].shape
    total = sum(value.shape[axis] for value in values)
    shape = (*first[:axis], total, *first[axis + 1 :])
    inputs = [(value, value.shape[lead:]) for value in values]
    whole = all(value.whole for value in values)
    return to.emit(op, Concatenate(axis - lead), inputs, shape, lead, whole=whole)


def _with_constants(
    op: Operation, parts: list[Constant | Value], shapes: list[Shape], axis: int, to: Builder
) -> Value:
    """Constants among the values: zeros around their neighbours, and a sum with them behind."""
    lead = to.lead([part for part in parts if isinstance(part, Value)], [axis])
    if to.batch is not None or any(isinstance(part, Value) and part.whole for part in parts):
        raise Refusal("joins constants to frames of a batch: use Pad, or a batch of 1")
    if sum(math.prod(shape) for shape in shapes) > 1 << 24:
        raise Refusal("gives more than 2**24 values: split it")
    pieces = [
        reals(part.values) if isinstance(part, Constant) else np.zeros(shape)
        for part, shape in zip(parts, shapes, strict=True)
    ]
    offset = np.concatenate(pieces, axis=axis)
    values = [index for index, part in enumerate(parts) if isinstance(part, Value)]
    padded = []
    for index, here in enumerate(values):
        first = 0 if index == 0 else here
        end = values[index + 1] if index + 1 < len(values) else len(parts)
        before = sum(shape[axis] for shape in shapes[first:here])
        after = sum(shape[axis] for shape in shapes[here + 1 : end])
        part = parts[here]
        assert isinstance(part, Value)
        pairs = [(before, after) if n == axis else (0, 0) for n in range(len(part.shape))]
        padded.append(_padded(op, part, pairs, 0.0, to))
    inputs = [(value, value.shape[lead:]) for value in padded]
    joined = padded[0]
    if len(padded) > 1:
        joined = to.emit(op, Concatenate(axis - lead), inputs, offset.shape, lead)
    return affine(op, joined, 1.0, offset, to)


def _padded(
    op: Operation, x: Value, pairs: list[tuple[int, int]], value: float, to: Builder
) -> Value:
    """A constant around a tensor: zeros, and a sum with it where they stand."""
    if not any(any(pair) for pair in pairs):
        return x
    shape = tuple(size + sum(pair) for size, pair in zip(x.shape, pairs, strict=True))
    lead = to.lead([x], [axis for axis, pair in enumerate(pairs) if any(pair)])
    apart = value != 0 and not x.whole
    made = Pad(tuple(pairs[lead:]), 0.0 if apart else value)
    found = to.emit(op, made, [(x, x.shape[lead:])], shape, lead, whole=x.whole, suffix="zeros")
    if not apart:
        return found
    cut = [(max(before, 0), max(after, 0)) for before, after in pairs[lead:]]
    inner = [n - sum(pair) for n, pair in zip(shape[lead:], cut, strict=True)]
    offset = np.pad(np.zeros([max(n, 0) for n in inner]), cut, constant_values=value)
    return affine(op, found, 1.0, offset, to)


def pad(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Pad`` with a constant, with the values at the edge, mirrored or repeated."""
    check_known(op, "mode pads value")
    x = data(parts)
    rank = len(x.shape)
    mode = choice(op, "mode", "constant reflect edge wrap")
    value, axes = op.attributes.get("value", 0.0), tuple(range(rank))
    if len(parts) > 1 or opset >= 11:
        more = [*parts[1:], None, None, None]
        amounts = sizes(more[0], "pads")
        if more[1] is not None:
            if not isinstance(more[1], Constant) or more[1].values.size != 1:
                raise Refusal(f"needs one constant value: {AGAIN}")
            value = reals(more[1].values).reshape(-1)[0]
        if more[2] is not None:
            axes = tuple(axis_of(axis, rank) for axis in sizes(more[2], "axes"))
    else:
        amounts = numbers(op, "pads", (0,) * 2 * rank)
    if len(amounts) != 2 * len(axes) or len(set(axes)) != len(axes):
        raise Refusal(f"has {len(amounts)} pads for {len(axes)} axes: {AGAIN}")
    pairs = [(0, 0)] * rank
    for index, axis in enumerate(axes):
        pairs[axis] = (amounts[index], amounts[index + len(axes)])
    shape = tuple(size + sum(pair) for size, pair in zip(x.shape, pairs, strict=True))
    if min(shape) < 1 or math.prod(shape[1:]) > 1 << 24:
        raise Refusal(f"gives the shape {said(shape)}: correct its sizes")
    if not any(any(pair) for pair in pairs):
        return x
    if mode == "constant":
        return _padded(op, x, pairs, float(value), to)
    for axis, pair in enumerate(pairs):
        if not any(pair):
            continue
        to.lead([x], [axis])
        most = x.shape[axis] - (mode == "reflect")
        if min(pair) < 0 or max(pair) > most:
            raise Refusal(f"pads {pair} around {x.shape[axis]} values: use 0..{most}, or Slice")
        found = np.pad(np.arange(x.shape[axis]), pair, mode=mode)  # type: ignore[call-overload]
        x = take(op, x, axis, found.tolist(), to)
    return x
