"""Other shapes of the same values, and other orders of the axes."""

from __future__ import annotations

import math
from typing import Any

from .walk import MIXES, Handler, Refused, Value, Walk, many

__all__ = ["HANDLERS"]


def _same(walk: Walk, a: dict[str, Any]) -> Any:
    return a["self"] if "self" in a else a["input"]


def _cast(walk: Walk, a: dict[str, Any]) -> Any:
    """Types of real numbers differ in precision only; integers would cut."""
    value = walk.value(a["self"])
    dtype = getattr(walk.node.meta.get("val"), "dtype", None)
    before = getattr(getattr(walk.node.args[0], "meta", {}).get("val"), "dtype", None)
    if dtype == before or getattr(dtype, "is_floating_point", False):
        return value
    raise Refused(f"turns values into {dtype}; keep them floating-point numbers")


def _view(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    if "dtype" in a and "size" not in a and "shape" not in a:
        raise Refused("reads bits as another type; keep them floating-point numbers")
    return walk.reshape(value, list(a["size"] if "size" in a else a["shape"]))


def _view_as(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    return walk.reshape(value, walk.full_shape(walk.value(a["other"])))


def _span(walk: Walk, value: Value, start: Any, stop: Any) -> tuple[int, int]:
    first, last = (walk.integer(dim) for dim in (start, stop))
    if not all(-value.ndim <= dim < value.ndim for dim in (first, last)):
        raise ValueError(f"there are no axes {first}..{last} in {walk.text(value)}")
    return first % value.ndim, last % value.ndim


def _flatten(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    first, last = _span(walk, value, a["start_dim"], a["end_dim"])
    shape = walk.full_shape(value)
    return walk.reshape(
        value, [*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]]
    )


def _unflatten(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    at, _ = _span(walk, value, a["dim"], a["dim"])
    sizes = [walk.size(size) for size in a["sizes"]]
    shape = walk.full_shape(value)
    if -1 in sizes and at > 0:
        rest = math.prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = shape[at] // max(rest, 1)
    return walk.reshape(value, [*shape[:at], *sizes, *shape[at + 1 :]])


def _squeeze(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    shape = walk.full_shape(value)
    if a.get("dim") is None:
        dims = list(range(value.ndim))
    else:
        given = a["dim"] if isinstance(a["dim"], list | tuple) else [a["dim"]]
        dims = [_span(walk, value, dim, dim)[0] for dim in given]
    if 0 in dims and shape[0] == 1:
        raise Refused(MIXES)
    return walk.reshape(
        value, [size for dim, size in enumerate(shape) if not (dim in dims and size == 1)]
    )


def _unsqueeze(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    dim = walk.integer(a["dim"])
    place = dim + value.ndim + 1 if dim < 0 else dim
    if not 0 < place <= value.ndim:
        raise Refused(MIXES)
    shape = walk.full_shape(value)
    return walk.reshape(value, [*shape[:place], 1, *shape[place:]])


def _ordered(walk: Walk, value: Value, order: list[int]) -> Value:
    """Permute all axes of the tensor."""
    if sorted(order) != list(range(value.ndim)):
        raise ValueError(f"{order} is no order of the axes of {walk.text(value)}")
    if order[0] != 0:
        raise Refused(MIXES)
    own = range(value.merged)
    return walk.permute(value, (*own, *(axis - 1 + value.merged for axis in order[1:])))


def _permute(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    return _ordered(walk, value, [_span(walk, value, dim, dim)[0] for dim in a["dims"]])


def _transpose(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    names = ("dim0", "dim1") if "dim0" in a else ("axis0", "axis1")
    one, two = _span(walk, value, a[names[0]], a[names[1]])
    order = list(range(value.ndim))
    order[one], order[two] = two, one
    return _ordered(walk, value, order)


def _last_two(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    order = list(range(value.ndim))
    return _ordered(walk, value, [*order[:-2], *reversed(order[-2:])])


def _all_axes(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    return _ordered(walk, value, list(reversed(range(value.ndim))))


def _moved(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    pairs = []
    for name in ("source", "destination"):
        given = a[name] if isinstance(a[name], list | tuple) else [a[name]]
        pairs.append([_span(walk, value, dim, dim)[0] for dim in given])
    source, destination = pairs
    order = [axis for axis in range(value.ndim) if axis not in source]
    for place, axis in sorted(zip(destination, source, strict=True)):
        order.insert(place, axis)
    return _ordered(walk, value, order)


def _channel_shuffle(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    groups = walk.integer(a["groups"])
    if value.merged or not value.shape or groups < 1 or value.shape[0] % groups:
        raise ValueError(f"{walk.text(value)} has no {groups} groups of channels")
    channels, *rest = value.shape
    parted = walk.reshape_tail(value, (groups, channels // groups, *rest))
    turned = walk.permute(parted, (1, 0, *range(2, len(parted.shape))))
    return walk.reshape_tail(turned, value.shape)


def _pixel_shuffle(walk: Walk, a: dict[str, Any]) -> Value:
    value, by = walk.images(a["self"], 2), walk.integer(a["upscale_factor"])
    channels, height, width = value.shape
    if by < 1 or channels % by**2:
        raise ValueError(f"{channels} channels are no multiple of {by} squared")
    parted = walk.reshape_tail(value, (channels // by**2, by, by, height, width))
    turned = walk.permute(parted, (0, 3, 1, 4, 2))
    return walk.reshape_tail(turned, (channels // by**2, height * by, width * by))


def _pixel_unshuffle(walk: Walk, a: dict[str, Any]) -> Value:
    value, by = walk.images(a["self"], 2), walk.integer(a["downscale_factor"])
    channels, height, width = value.shape
    if by < 1 or height % by or width % by:
        raise ValueError(f"{height} x {width} is no multiple of {by}")
    parted = walk.reshape_tail(value, (channels, height // by, by, width // by, by))
    turned = walk.permute(parted, (0, 2, 4, 1, 3))
    return walk.reshape_tail(turned, (channels * by**2, height // by, width // by))


def _expand(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    sizes = [walk.size(size) for size in a["size"]]
    return _expanded(walk, value, sizes)


def _expand_as(walk: Walk, a: dict[str, Any]) -> Value:
    return _expanded(walk, walk.value(a["self"]), list(walk.full_shape(walk.value(a["other"]))))


def _expanded(walk: Walk, value: Value, sizes: list[Any]) -> Value:
    if len(sizes) != value.ndim or sizes[0] not in (-1, walk.full_shape(value)[0]):
        raise Refused(MIXES)
    tail = (own if size == -1 else size for size, own in zip(sizes[1:], value.tail, strict=True))
    return walk.expand(value, many(list(tail), len(value.tail)) if value.tail else ())


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(
        ("alias", "clone", "contiguous", "detach", "lift_fresh_copy", "positive", "identity"),
        _same,
    ),
    **dict.fromkeys(("to", "_to_copy", "type_as", "float", "double"), _cast),
    **dict.fromkeys(("view", "reshape", "_unsafe_view", "view_copy"), _view),
    **dict.fromkeys(("view_as", "reshape_as"), _view_as),
    "flatten": _flatten,
    "unflatten": _unflatten,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "permute": _permute,
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), _transpose),
    **dict.fromkeys(("mT", "matrix_H", "adjoint"), _last_two),
    **dict.fromkeys(("t", "numpy_T"), _all_axes),
    **dict.fromkeys(("movedim", "moveaxis"), _moved),
    **dict.fromkeys(("channel_shuffle", "native_channel_shuffle"), _channel_shuffle),
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "expand": _expand,
    "expand_as": _expand_as,
}
