"""Sums, differences, products and quotients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_nn.converter.graph import Add, Affine, Function, Mul, Step
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .arranging import stretched
from .attributes import AGAIN, check_known, number
from .build import Builder, Shape
from .idioms import PRODUCTS, known_product
from .tensors import Constant, Part, Value, broadcast, reals, said

__all__ = ["add_pair", "affine", "pair", "power", "sum_of"]


def affine(
    op: Operation, x: Value, scale: NDArray[Any] | float, offset: NDArray[Any] | float, to: Builder
) -> Value:
    """``scale * x + offset``; one of them at least is one number."""
    if x.whole:
        raise Refusal("computes with integers, which may wrap round: cast them to float32")
    scale, offset = reals(scale), reals(offset)
    constant = scale if scale.ndim else offset
    target = broadcast(x.shape, constant.shape)
    if scale.size == 1 and offset.size == 1 and target == x.shape:
        factor, shift = float(scale.reshape(-1)[0]), float(offset.reshape(-1)[0])
        before = to.maker(x)
        if shift == 0 and before is not None and _after_product(before, to):
            factor *= float(before.operation.scale)  # type: ignore[union-attr]
            x = Value(before.inputs[0], before.shape, x.shape)
        if (factor, shift) == (1.0, 0.0):
            return x
        return to.each(op, Affine(np.float64(factor), np.float64(shift)), x)  # type: ignore[arg-type]
    if to.batch is not None and constant.ndim == len(x.shape) and constant.shape[0] != 1:
        raise Refusal("has a constant for each frame of a batch: use one for all")
    x = stretched(op, x, target, to)
    lead = to.lead([x], ())
    if lead and constant.ndim == len(target):
        constant = constant.reshape(constant.shape[1:])
    made = Affine(constant, offset) if scale.ndim else Affine(scale, constant)
    return to.emit(op, made, [(x, target[lead:])], target, lead)


def _after_product(step: Step, to: Builder) -> bool:
    """Whether a step is a factor of a function that was written out: with the next, it cancels."""
    source = to.steps.get(step.inputs[0])
    return (
        isinstance(step.operation, Affine)
        and step.operation.scale.ndim == 0
        and not step.operation.offset.any()
        and source is not None
        and isinstance(source.operation, Function)
        and source.operation.name in PRODUCTS
    )


def joined(op: Operation, values: Sequence[Value], to: Builder) -> tuple[Shape, int]:
    """Shape that several tensors broadcast to, and its first axis that belongs to a frame."""
    if any(value.whole for value in values):
        raise Refusal("computes with integers, which may wrap round: cast them to float32")
    ranks = {len(value.shape) for value in values}
    if to.batch is not None and len(ranks) > 1:
        shapes = ", ".join(said(value.shape) for value in values)
        raise Refusal(f"joins the shapes {shapes}, which moves the batch axis: reshape them")
    target = broadcast(*(value.shape for value in values))
    lead = to.lead(values, ())
    return target, lead if len(ranks) == 1 else 0


def add_pair(
    op: Operation, parts: Sequence[Constant | Value], factors: Sequence[float], to: Builder
) -> Value:
    """Sum of tensors with a factor each, constants first put together."""
    values = [part for part in parts if isinstance(part, Value)]
    kept = [f for part, f in zip(parts, factors, strict=True) if isinstance(part, Value)]
    shift: Any = 0.0
    for part, factor in zip(parts, factors, strict=True):
        if isinstance(part, Constant):
            shift = shift + factor * reals(part.values)
    if len(values) == 1 and kept[0] == 1:
        found = values[0]
    elif len(values) == 1:
        negative = kept[0] == -1 and not values[0].whole
        found = (
            to.each(op, Function("neg"), values[0])
            if negative
            else affine(op, values[0], kept[0], 0.0, to)
        )
    else:
        target, lead = joined(op, values, to)
        inputs = [(value, value.shape[lead:] or (1,)) for value in values]
        found = to.emit(op, Add(tuple(kept)), inputs, target, lead)
    constants = len(parts) > len(values)
    return affine(op, found, 1.0, shift, to) if constants else found


def _aligned(op: Operation, parts: list[Part], opset: int) -> list[Constant | Value]:
    """Both inputs; before opset 7 the second one is placed along an axis."""
    found = [part for part in parts if part is not None]
    if len(found) != 2:
        raise Refusal(f"lacks an input: {AGAIN}")
    shapes = [part.values.shape if isinstance(part, Constant) else part.shape for part in found]
    if opset < 7 and shapes[0] != shapes[1]:
        second = found[1]
        if not number(op, "broadcast", 0, 0, 1) or not isinstance(second, Constant):
            raise Refusal("joins different shapes without broadcast: convert it to opset 13")
        axis = number(op, "axis", len(shapes[0]) - len(shapes[1]), 0, len(shapes[0]))
        ones = (1,) * (len(shapes[0]) - axis - len(shapes[1]))
        found[1] = Constant(second.values.reshape(*shapes[1], *ones), second.key)
    return found


def pair(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Add``, ``Sub``, ``Mul`` and ``Div``."""
    check_known(op, "axis broadcast consumed_inputs" if opset < 7 else "")
    first, second = _aligned(op, parts, opset)
    if op.kind in ("Add", "Sub"):
        return add_pair(op, [first, second], (1.0, 1.0 if op.kind == "Add" else -1.0), to)
    if op.kind == "Div":
        if isinstance(second, Value):
            raise Refusal("divides by what depends on the input: multiply by a constant")
        if (second.values == 0).any():
            raise Refusal("divides by zero: correct its constant")
        if isinstance(first, Value):
            return affine(op, first, 1 / reals(second.values), 0.0, to)
    if isinstance(first, Value) and isinstance(second, Value):
        found = known_product(first, second, to)
        if found is not None:
            name, base, before, after = found
            base = affine(op, base, before, 0.0, to)
            return affine(op, to.each(op, Function(name), base), after, 0.0, to)
        target, lead = joined(op, [first, second], to)
        inputs = [(value, value.shape[lead:] or (1,)) for value in (first, second)]
        return to.emit(op, Mul(), inputs, target, lead)
    if isinstance(second, Value):
        first, second = second, first
    assert isinstance(first, Value) and isinstance(second, Constant)
    return affine(op, first, reals(second.values), 0.0, to)


def sum_of(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Sum`` and ``Mean`` of any number of tensors."""
    check_known(op, "")
    found = [part for part in parts if part is not None]
    total = add_pair(op, found, (1.0,) * len(found), to)
    return affine(op, total, 1 / len(found), 0.0, to) if op.kind == "Mean" else total


def power(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Pow`` with the exponent 1, 2 or 3."""
    check_known(op, "")
    x, given = parts[0], parts[1]
    exponent = given.values.reshape(-1) if isinstance(given, Constant) else np.zeros(0)
    if not isinstance(x, Value) or exponent.size != 1 or exponent[0] not in (1, 2, 3):
        raise Refusal("has another exponent than 1, 2 or 3: multiply instead")
    assert isinstance(given, Constant)
    if math.prod(given.values.shape) == 1 and given.values.ndim > len(x.shape):
        raise Refusal(f"has an exponent of shape {said(given.values.shape)}: use one number")
    target, lead = joined(op, [x], to)
    frame, found = target[lead:] or (1,), x
    for _ in range(int(exponent[0]) - 1):
        found = to.emit(op, Mul(), [(x, frame), (found, frame)], target, lead)
    return found
