"""Sums, differences, products, quotients; what is put together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Add, Concatenate, Mul, Pad
from .walk import MIXES, Constant, Handler, Refused, Value, Walk

__all__ = ["HANDLERS", "concatenated"]


def _other(walk: Walk, given: Any, value: Value) -> NDArray[np.float64]:
    """A number or constant that is joined with a value."""
    if isinstance(given, Constant):
        return walk.row(given, value)
    return np.asarray(walk.scalar(given))


def _pair(walk: Walk, left: Value, right: Value) -> None:
    """Refuse two values whose batches would not meet."""
    if left.ndim != right.ndim or left.merged != right.merged:
        raise Refused(
            f"joins {walk.text(left)} and {walk.text(right)}; give both the same number of axes, "
            "the batch first"
        )
    if left.shape[: left.merged] != right.shape[: right.merged]:
        raise Refused(MIXES)


def _sum(walk: Walk, left: Any, right: Any, factors: tuple[float, float]) -> Value:
    """``factors[0] * left + factors[1] * right``."""
    if isinstance(left, Value) and isinstance(right, Value):
        _pair(walk, left, right)
        return walk.add(Add(factors), left, right, merged=left.merged)
    if not isinstance(left, Value):
        left, right, factors = right, left, (factors[1], factors[0])
    value = walk.value(left)
    return walk.affine(value, factors[0], factors[1] * _other(walk, right, value))


def _add(walk: Walk, a: dict[str, Any]) -> Value:
    return _sum(walk, a["self"], a["other"], (1.0, walk.scalar(a.get("alpha", 1))))


def _sub(walk: Walk, a: dict[str, Any]) -> Value:
    return _sum(walk, a["self"], a["other"], (1.0, -walk.scalar(a.get("alpha", 1))))


def _rsub(walk: Walk, a: dict[str, Any]) -> Value:
    return _sum(walk, a["other"], a["self"], (1.0, -walk.scalar(a.get("alpha", 1))))


def _mul(walk: Walk, a: dict[str, Any]) -> Value:
    left, right = a["self"], a["other"]
    if isinstance(left, Value) and isinstance(right, Value):
        _pair(walk, left, right)
        return walk.add(Mul(), left, right, merged=left.merged)
    if not isinstance(left, Value):
        left, right = right, left
    value = walk.value(left)
    return walk.affine(value, _other(walk, right, value), 0.0)


def _div(walk: Walk, a: dict[str, Any]) -> Value:
    if a.get("rounding_mode") is not None:
        raise Refused(f"rounds its quotient ({a['rounding_mode']}); divide without rounding")
    if isinstance(a["other"], Value):
        raise Refused("divides by a computed tensor; divide by constants")
    value = walk.value(a["self"])
    divisor = _other(walk, a["other"], value)
    if not (divisor != 0).all():
        raise Refused("divides by zero; use another divisor")
    return walk.affine(value, 1 / divisor, 0.0)


def _multiply_add(walk: Walk, a: dict[str, Any]) -> Value:
    """``self + value * tensor1 * tensor2``."""
    product = _mul(walk, {"self": a["tensor1"], "other": a["tensor2"]})
    return _sum(walk, a["self"], product, (1.0, walk.scalar(a["value"])))


def _concatenate(walk: Walk, a: dict[str, Any]) -> Value:
    return concatenated(walk, list(a["tensors"]), a.get("dim", 0))


def concatenated(walk: Walk, parts: list[Any], dim: Any) -> Value:
    """Values and constants one after the other."""
    values = [part for part in parts if isinstance(part, Value)]
    if not values:
        raise Refused("joins constants alone; compute them before the export")
    first = values[0]
    for value in values[1:]:
        _pair(walk, first, value)
    axis = walk.axis(first, dim)
    if len(values) == len(parts):
        return first if len(parts) == 1 else _joined(walk, values, axis)
    return _with_constants(walk, parts, first, axis)


def _joined(walk: Walk, values: list[Value], axis: int) -> Value:
    return walk.add(Concatenate(axis), *values, merged=values[0].merged)


def _with_constants(walk: Walk, parts: list[Any], first: Value, axis: int) -> Value:
    """Constants are zeros around their neighbours, and what is added to them."""
    offsets = []
    groups: list[list[Any]] = []  # value, zeros before, zeros behind
    waiting = 0
    place = axis - first.merged
    for part in parts:
        if isinstance(part, Value):
            groups.append([part, waiting, 0])
            offsets.append(np.zeros(part.tail))
            waiting = 0
            continue
        numbers = walk.numbers(walk.constant(part, "parts"))
        if numbers.ndim != first.ndim or not (numbers == numbers[:1]).all():
            raise Refused(MIXES)
        offsets.append(numbers[0])
        if groups:
            groups[-1][2] += numbers[0].shape[place]
        else:
            waiting += numbers[0].shape[place]
    made = []
    for value, before, behind in groups:
        amounts = tuple(
            (before, behind) if at == axis else (0, 0) for at in range(len(value.shape))
        )
        made.append(walk.like(Pad(amounts), value) if before or behind else value)
    whole = made[0] if len(made) == 1 else _joined(walk, made, axis)
    offset = np.concatenate(offsets, axis=place)
    return walk.affine(whole, 1.0, offset) if offset.any() else whole


def _stack(walk: Walk, a: dict[str, Any]) -> Value:
    parts = list(a["tensors"])
    first = next(walk.value(part) for part in parts if isinstance(part, Value))
    dim = walk.integer(a.get("dim", 0))
    place = dim + first.ndim + 1 if dim < 0 else dim
    if not 0 < place <= first.ndim:
        raise Refused(MIXES)
    opened: list[Any] = []
    for part in parts:
        if isinstance(part, Value):
            tail = (*part.tail[: place - 1], 1, *part.tail[place - 1 :])
            opened.append(walk.reshape_tail(part, tail))
        else:
            constant = walk.constant(part, "parts")
            opened.append(Constant(constant.tensor.unsqueeze(place)))
    return concatenated(walk, opened, place)


def _side_by_side(walk: Walk, a: dict[str, Any]) -> Value:
    return concatenated(walk, list(a["tensors"]), 1)


HANDLERS: dict[str, Handler] = {
    "add": _add,
    **dict.fromkeys(("sub", "subtract"), _sub),
    "rsub": _rsub,
    **dict.fromkeys(("mul", "multiply"), _mul),
    **dict.fromkeys(("div", "divide", "true_divide"), _div),
    "addcmul": _multiply_add,
    **dict.fromkeys(("cat", "concat", "concatenate"), _concatenate),
    "stack": _stack,
    **dict.fromkeys(("hstack", "column_stack"), _side_by_side),
}
