"""Softmax, and what ranks values."""

from __future__ import annotations

from typing import Any

from ..graph import ArgmaxOf, Function, SoftmaxOf, TopKOf
from .pooling import reduced, smallest
from .walk import MIXES, Handler, Refused, Value, Walk

__all__ = ["HANDLERS"]


def _softmax(*, log: bool) -> Handler:
    def read(walk: Walk, a: dict[str, Any]) -> Value:
        value = walk.value(a["self"])
        return walk.like(SoftmaxOf(walk.axis(value, a["dim"]), log), value)

    return read


def _best(walk: Walk, value: Value, dim: Any, *, keep: bool, least: bool) -> Value:
    if dim is None:
        raise Refused(MIXES)
    axis = walk.axis(value, dim)
    made = walk.add(ArgmaxOf(axis, least), value, merged=value.merged)
    if not keep:
        return made
    place = axis - value.merged
    return walk.reshape_tail(made, (*made.tail[:place], 1, *made.tail[place:]))


def _argmax(*, least: bool) -> Handler:
    def read(walk: Walk, a: dict[str, Any]) -> Value:
        value = walk.value(a["self"])
        return _best(walk, value, a.get("dim"), keep=bool(a.get("keepdim")), least=least)

    return read


def _extreme(*, least: bool) -> Handler:
    """``max`` and ``min`` along an axis: values and indices."""

    def read(walk: Walk, a: dict[str, Any]) -> list[Value]:
        if "other" in a:
            raise Refused("joins two tensors; use torch.maximum or torch.minimum")
        value, dim, keep = walk.value(a["self"]), a.get("dim"), bool(a.get("keepdim"))
        if least:
            found = smallest(walk, value, dim, keep=keep)
        else:
            found = reduced(walk, value, dim, "max", keep=keep)
        return [found, _best(walk, value, dim, keep=keep, least=least)]

    return read


def _ranked(walk: Walk, value: Value, k: int, dim: Any, *, largest: bool) -> list[Value]:
    axis = walk.axis(value, dim)
    if not largest:
        value = walk.like(Function("neg"), value)
    found = walk.like(TopKOf(k, axis, values=True), value)
    if not largest:
        found = walk.like(Function("neg"), found)
    return [found, walk.like(TopKOf(k, axis), value)]


def _topk(walk: Walk, a: dict[str, Any]) -> list[Value]:
    value = walk.value(a["self"])
    return _ranked(walk, value, walk.integer(a["k"]), a["dim"], largest=bool(a["largest"]))


def _sort(walk: Walk, a: dict[str, Any]) -> list[Value]:
    value = walk.value(a["self"])
    count = value.shape[walk.axis(value, a["dim"])]
    return _ranked(walk, value, count, a["dim"], largest=bool(a["descending"]))


def _argsort(walk: Walk, a: dict[str, Any]) -> Value:
    return _sort(walk, a)[1]


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("softmax", "_softmax"), _softmax(log=False)),
    **dict.fromkeys(("log_softmax", "_log_softmax"), _softmax(log=True)),
    "argmax": _argmax(least=False),
    "argmin": _argmax(least=True),
    "max": _extreme(least=False),
    "min": _extreme(least=True),
    "topk": _topk,
    "sort": _sort,
    "argsort": _argsort,
}
