"""Matrices: Gemm and MatMul with constants."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_nn.converter.graph import Concatenate, Linear, Slice
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .arranging import permuted, stretched
from .attributes import AGAIN, check_known, flag, real
from .build import Builder
from .pairs import add_pair
from .tensors import Constant, Part, Value, broadcast, reals, said

__all__ = ["gemm", "matmul"]

MOST = 256
"""Most matrices of one MatMul."""

BOTH = (
    "multiplies two tensors that depend on the input, as attention does, and that is not "
    "converted: make one of them constant"
)


def _real(part: Constant) -> NDArray[np.float64]:
    if part.values.dtype.kind != "f":
        raise Refusal(f"multiplies by integers ({part.values.dtype}): cast them to float32")
    return reals(part.values)


def _multiply(
    op: Operation, x: Value, weight: NDArray[Any], bias: NDArray[Any], to: Builder,
    keys: tuple[str | None, str | None] = (None, None),
) -> Value:  # fmt: skip
    """``x @ weight.T + bias`` along the last axis."""
    if x.whole:
        raise Refusal("multiplies integers, which may wrap round: cast them to float32")
    rank = len(x.shape)
    if weight.ndim != 2 or x.shape[-1:] != weight.shape[1:] or not weight.size:
        raise Refusal(
            f"multiplies the shape {said(x.shape)} by a matrix of {weight.shape[-1]} inputs: "
            f"{AGAIN}"
        )
    lead = to.lead([x], [rank - 1])
    shape = (*x.shape[:-1], len(weight))
    made = Linear(weight, bias, *keys)
    return to.emit(op, made, [(x, x.shape[lead:])], shape, lead)


def gemm(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Gemm`` of what depends on the inputs and a constant matrix."""
    check_known(op, "alpha beta broadcast transA transB")
    first, second = parts[0], parts[1]
    if isinstance(first, Value) and isinstance(second, Value):
        raise Refusal(BOTH)
    alpha, beta = real(op, "alpha", 1.0), real(op, "beta", 1.0)
    third = parts[2] if len(parts) > 2 else None
    turned = flag(op, "transA"), flag(op, "transB")
    if isinstance(first, Value) and isinstance(second, Constant):
        x = _rank2(op, first, turned[0], to)
        weight = _matrix(second, alpha)
        weight = weight if turned[1] else weight.T
        outputs = len(weight)
        bias = np.zeros(outputs)
        key = second.key if alpha == 1 else None
        bias_key: str | None = None
        if isinstance(third, Constant) and third.values.size in (1, outputs):
            offset = np.broadcast_to(_real(third), broadcast(third.values.shape, (1, 1)))
            if offset.shape in ((1, 1), (1, outputs)):
                bias = np.array(np.broadcast_to(beta * offset, (1, outputs))[0])
                exact = beta == 1 and third.values.shape == (outputs,)
                bias_key = third.key if exact else None
                third = None
        found = _multiply(op, x, weight, bias, to, (key, bias_key))
    elif isinstance(first, Constant) and isinstance(second, Value):
        x = _rank2(op, second, not turned[1], to)
        weight = _matrix(first, alpha)
        weight = weight.T if turned[0] else weight
        turned_result = _multiply(op, x, weight, np.zeros(len(weight)), to)
        found = permuted(op, turned_result, (1, 0), to)
    else:
        raise Refusal(f"lacks an input: {AGAIN}")
    if third is None:
        return found
    if isinstance(third, Constant):
        third = Constant(beta * _real(third))
        beta = 1.0
    shape = broadcast(found.shape, _shape(third))
    if shape != found.shape:
        raise Refusal(f"adds the shape {said(_shape(third))} to {said(found.shape)}: {AGAIN}")
    return add_pair(op, [found, third], (1.0, beta), to)


def _shape(part: Constant | Value) -> tuple[int, ...]:
    return part.values.shape if isinstance(part, Constant) else part.shape


def _matrix(part: Constant, alpha: float) -> NDArray[Any]:
    values = _real(part)
    if values.ndim != 2:
        raise Refusal(f"has a matrix of shape {said(values.shape)}: {AGAIN}")
    return values if alpha == 1 else alpha * values


def _rank2(op: Operation, x: Value, turn: bool, to: Builder) -> Value:
    if len(x.shape) != 2:
        raise Refusal(f"takes the shape {said(x.shape)}, not two axes: flatten first")
    return permuted(op, x, (1, 0), to) if turn else x


def matmul(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``MatMul`` of what depends on the inputs and constant matrices, in either order."""
    check_known(op, "")
    first, second = parts[0], parts[1]
    if isinstance(first, Value) and isinstance(second, Value):
        raise Refusal(BOTH)
    if isinstance(first, Value) and isinstance(second, Constant):
        return _right(op, first, second, to)
    if isinstance(first, Constant) and isinstance(second, Value):
        return _left(op, first, second, to)
    raise Refusal(f"lacks an input: {AGAIN}")


def _right(op: Operation, x: Value, given: Constant, to: Builder) -> Value:
    values = _real(given)
    if values.ndim < 3:
        column = values.ndim == 1
        weight = values.reshape(1, -1) if column else values.T
        found = _multiply(op, x, weight, np.zeros(len(weight)), to, (given.key, None))
        return replace(found, shape=found.shape[:-1]) if column else found
    row = len(x.shape) == 1
    if row and to.batch is None:
        x = replace(x, shape=(1, *x.shape))
    if len(x.shape) < 2:
        raise Refusal(f"takes the shape {said(x.shape)}: {AGAIN}")
    around = broadcast(x.shape[:-2], values.shape[:-2])
    if math.prod(values.shape[:-2]) == 1 and len(around) == len(x.shape) - 2:
        weight = values.reshape(values.shape[-2:]).T
        return _multiply(op, x, weight, np.zeros(len(weight)), to)
    found = _each(op, stretched(op, x, (*around, *x.shape[-2:]), to), values, to)
    return replace(found, shape=(*found.shape[:-2], found.shape[-1])) if row else found


def _each(op: Operation, x: Value, values: NDArray[Any], to: Builder) -> Value:
    """A matrix for each index of the axes but the last two."""
    if x.whole:
        raise Refusal("multiplies integers, which may wrap round: cast them to float32")
    lead = to.lead([x], ())
    around, (rows, inputs) = x.shape[lead:-2], x.shape[-2:]
    count, outputs = math.prod(around), values.shape[-1]
    if values.shape[-2] != inputs or count > MOST or not values.size:
        raise Refusal(
            f"multiplies {count} matrices of {inputs} inputs by {said(values.shape)}, and up to "
            f"{MOST} that fit are converted: split it"
        )
    if lead and values.ndim == len(x.shape):
        values = values.reshape(values.shape[1:])  # its batch axis has one entry, or lead is 0
    each = np.broadcast_to(values, (*around, inputs, outputs)).reshape(count, inputs, outputs)
    source = to.view(op, x, (count, rows, inputs))
    results = []
    for index in range(count):
        part = to.add(op, Slice(0, index, index + 1), [source], (1, rows, inputs), "part")
        made = Linear(np.array(each[index].T), np.zeros(outputs))
        results.append(to.add(op, made, [part], (1, rows, outputs)))
    shape = (*x.shape[:-1], outputs)
    frame = (count, rows, outputs)
    if count == 1:
        return Value(results[0], frame, shape)
    return Value(to.add(op, Concatenate(0), results, frame, "joined"), frame, shape)


def _left(op: Operation, given: Constant, x: Value, to: Builder) -> Value:
    values = _real(given)
    if values.ndim > 2 and math.prod(values.shape[:-2]) == 1 and values.ndim <= len(x.shape):
        values = values.reshape(values.shape[-2:])
    if not 1 <= values.ndim <= 2:
        raise Refusal(f"multiplies {said(values.shape)} from the left: use one matrix")
    row = values.ndim == 1
    weight = values.reshape(1, -1) if row else values
    zeros = np.zeros(len(weight))
    rank = len(x.shape)
    if rank == 1:
        found = _multiply(op, x, weight, zeros, to)
        return replace(found, shape=()) if row else found
    order = (*range(rank - 2), rank - 1, rank - 2)
    made = _multiply(op, permuted(op, x, order, to), weight, zeros, to)
    found = permuted(op, made, order, to)
    return replace(found, shape=(*found.shape[:-2], found.shape[-1])) if row else found
