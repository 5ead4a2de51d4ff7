"""Parts of an axis, other orders of its places, and values around them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import torch

from ..graph import Pad, Slice, Upsample
from .arithmetic import concatenated
from .walk import MIXES, Constant, Handler, Refused, Value, Walk, many

__all__ = ["HANDLERS", "pick"]

MAX_PARTS = 1024
"""Most parts that an axis is cut into."""


def _cut(walk: Walk, value: Value, axis: int, start: int, stop: int, step: int = 1) -> Value:
    if (start, stop, step) == (0, value.shape[axis], 1):
        return value
    return walk.like(Slice(axis, start, stop, step), value)


def _runs(places: Sequence[int]) -> list[tuple[int, int, int]]:
    """Slices, with steps above zero, that give these places one after the other."""
    runs: list[tuple[int, int, int]] = []
    at = 0
    while at < len(places):
        step = places[at + 1] - places[at] if at + 1 < len(places) else 1
        end = at + 1
        while end < len(places) and step > 0 and places[end] - places[end - 1] == step:
            end += 1
        runs.append((places[at], places[end - 1] + 1, max(step, 1)))
        at = end
    return runs


def pick(walk: Walk, value: Value, axis: int, places: Sequence[int]) -> Value:
    """The given places of an axis, in their order."""
    size = value.shape[axis]
    if not places or not all(0 <= place < size for place in places):
        raise ValueError(f"places {list(places)[:8]} are not within an axis of {size}")
    runs = _runs(places)
    if len(runs) > MAX_PARTS:
        raise Refused(
            f"picks {len(runs)} separate parts of an axis, and at most {MAX_PARTS} are supported; "
            "use slices"
        )
    parts = [_cut(walk, value, axis, *run) for run in runs]
    return concatenated(walk, list(parts), axis - value.merged + 1)


def _slice(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    dim = walk.integer(a["dim"])
    start = 0 if a["start"] is None else walk.size(a["start"])
    size = walk.full_shape(value)[dim]
    stop = size if a["end"] is None else walk.size(a["end"])
    step = walk.integer(a["step"])
    if dim % value.ndim == 0 and start == 0 and step == 1:
        if stop == size or (isinstance(stop, int) and stop >= 1 << 62):
            return value
        if isinstance(size, int) and isinstance(stop, int) and stop >= size:
            return value
    axis = walk.axis(value, dim)
    places = range(walk.integer(size))[walk.integer(start) : walk.integer(stop) : step]
    if step < 1 or not places:
        raise ValueError(f"{start}:{stop}:{step} is nothing of an axis of {size}")
    return _cut(walk, value, axis, places[0], places[-1] + 1, step)


def _drop(walk: Walk, value: Value, axis: int) -> Value:
    place = axis - value.merged
    return walk.reshape_tail(value, (*value.tail[:place], *value.tail[place + 1 :]))


def _select(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    index = walk.integer(a["index"])
    size = value.shape[axis]
    if not -size <= index < size:
        raise ValueError(f"place {index} is not within an axis of {size}")
    return _drop(walk, _cut(walk, value, axis, index % size, index % size + 1), axis)


def _narrow(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    start = walk.integer(a["start"]) % value.shape[axis]
    return _cut(walk, value, axis, start, start + walk.integer(a["length"]))


def _parts(walk: Walk, value: Value, axis: int, sizes: Sequence[int]) -> list[Value]:
    if len(sizes) > MAX_PARTS or min(sizes, default=0) < 1 or sum(sizes) != value.shape[axis]:
        raise ValueError(f"{len(sizes)} parts do not make an axis of {value.shape[axis]}")
    made, start = [], 0
    for size in sizes:
        made.append(_cut(walk, value, axis, start, start + size))
        start += size
    return made


def _by_size(whole: int, size: int) -> list[int]:
    if not 1 <= size or whole > size * MAX_PARTS:
        raise ValueError(f"parts of {size} do not make an axis of {whole}")
    return [min(size, whole - start) for start in range(0, whole, size)]


def _split(walk: Walk, a: dict[str, Any]) -> list[Value]:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    given = a["split_size"] if "split_size" in a else a["split_sizes"]
    if isinstance(given, list | tuple):
        return _parts(walk, value, axis, [walk.integer(size) for size in given])
    return _parts(walk, value, axis, _by_size(value.shape[axis], walk.integer(given)))


def _chunk(walk: Walk, a: dict[str, Any]) -> list[Value]:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    count = walk.integer(a["chunks"])
    if count < 1:
        raise ValueError(f"an axis has no {count} parts")
    whole = value.shape[axis]
    return _parts(walk, value, axis, _by_size(whole, -(-whole // count)))


def _tensor_split(walk: Walk, a: dict[str, Any]) -> list[Value]:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    whole = value.shape[axis]
    if a.get("sections") is not None:
        count = walk.integer(a["sections"])
        if not 1 <= count <= whole:
            raise ValueError(f"an axis of {whole} has no {count} parts")
        sizes = [whole // count + (at < whole % count) for at in range(count)]
    else:
        ends = [walk.integer(index) for index in a["indices"]] + [whole]
        sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    return _parts(walk, value, axis, sizes)


def _unbind(walk: Walk, a: dict[str, Any]) -> list[Value]:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    parts = _parts(walk, value, axis, _by_size(value.shape[axis], 1))
    return [_drop(walk, part, axis) for part in parts]


def _places(walk: Walk, given: Any, size: int) -> list[int]:
    tensor = walk.constant(given, "places").tensor
    if tensor.ndim != 1 or tensor.dtype not in (torch.int64, torch.int32):
        raise Refused("picks places with a tensor of other than one axis of integers; use slices")
    return [place + size if place < 0 else place for place in tensor.tolist()]


def _index_select(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    return pick(walk, value, axis, _places(walk, a["index"], value.shape[axis]))


def _index(walk: Walk, a: dict[str, Any]) -> Value:
    """Places along one axis, or every combination of places along several, as torch.ix_ writes."""
    value = walk.value(a["self"])
    used = [dim for dim, index in enumerate(a["indices"]) if index is not None]
    if not used or used != list(range(used[0], used[-1] + 1)):
        raise Refused("picks places along axes that are apart; pick along one after the other")
    tensors = [walk.constant(a["indices"][dim], "places").tensor for dim in used]
    count = len(used)
    if any(tensor.ndim > count for tensor in tensors):
        raise Refused("picks places with a tensor of other than one axis of integers; use slices")
    for at, (dim, tensor) in enumerate(zip(used, tensors, strict=True)):
        spread = (1,) * (count - tensor.ndim) + tuple(tensor.shape)
        if math.prod(spread) != spread[at]:
            raise Refused("picks single values by their places; use slices")
        axis = walk.axis(value, dim)
        places = _places(walk, Constant(tensor.reshape(-1)), value.shape[axis])
        value = pick(walk, value, axis, places)
    return value


def _flip(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    for dim in a["dims"]:
        axis = walk.axis(value, dim)
        value = pick(walk, value, axis, list(reversed(range(value.shape[axis]))))
    return value


def _roll(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    if not a["dims"]:
        raise Refused(MIXES)
    dims = list(a["dims"])
    for dim, shift in zip(dims, many(a["shifts"], len(dims)), strict=True):
        axis = walk.axis(value, dim)
        size = value.shape[axis]
        places = [(place - shift) % size for place in range(size)]
        value = pick(walk, value, axis, places)
    return value


def _repeat(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    repeats = [walk.integer(times) for times in (a["repeats"] if "repeats" in a else a["dims"])]
    if "dims" in a:
        repeats = [1] * (value.ndim - len(repeats)) + repeats
    if len(repeats) != value.ndim or repeats[0] != 1:
        raise Refused(MIXES)
    for place, times in enumerate(repeats[1:]):
        if not 1 <= times <= MAX_PARTS:
            raise ValueError(f"an axis is repeated {times} times")
        if times > 1:
            value = concatenated(walk, [value] * times, place + 1)
    return value


def _repeat_each(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    if a.get("dim") is None:
        raise Refused(MIXES)
    axis, times = walk.axis(value, a["dim"]), walk.integer(a["repeats"])
    if times < 1:
        raise ValueError(f"values are repeated {times} times")
    factors = tuple(times if at == axis else 1 for at in range(len(value.shape)))
    return walk.like(Upsample(factors), value)


def _around(walk: Walk, value: Value, given: Any) -> tuple[tuple[int, int], ...]:
    """Amounts for each axis of the step from torch's list, which starts with the last axis."""
    flat = [operator.index(amount) for amount in given]
    if len(flat) % 2 or len(flat) > 2 * value.ndim:
        raise ValueError(f"{len(flat)} amounts do not fit {walk.text(value)}")
    pairs = list(reversed(list(zip(flat[::2], flat[1::2], strict=True))))
    if len(pairs) == value.ndim:
        if pairs.pop(0) != (0, 0):
            raise Refused(MIXES)
    zeros = [(0, 0)] * (len(value.shape) - len(pairs))
    return tuple(zeros + pairs)


def _pad_with(walk: Walk, value: Value, amounts: Any, number: Any) -> Value:
    filler = 0.0 if number is None else walk.scalar(number)
    pairs = _around(walk, value, amounts)
    if not any(map(any, pairs)):
        return value
    if not abs(filler) < float("inf"):
        raise Refused(f"pads with {filler}; pad with a finite number")
    return walk.like(Pad(pairs, filler), value)


def _mirrored(size: int, before: int, behind: int, mode: str) -> list[int]:
    """Places of an axis and of what is around it."""
    most = size if mode == "circular" else size - 1
    if mode != "replicate" and max(before, behind) > most:
        raise ValueError(f"{max(before, behind)} values around an axis of {size} are too many")
    places = range(-before, size + behind)
    if mode == "circular":
        return [place % size for place in places]
    if mode == "replicate":
        return [min(max(place, 0), size - 1) for place in places]
    return [size - 1 - abs(size - 1 - abs(place)) for place in places]


def _pad_from(walk: Walk, value: Value, amounts: Any, mode: str) -> Value:
    for axis, (before, behind) in enumerate(_around(walk, value, amounts)):
        size = value.shape[axis]
        if max(before, behind) > 1 << 20:
            raise ValueError(f"{max(before, behind)} values are put around an axis")
        if before or behind:
            value = pick(walk, value, axis, _mirrored(size, before, behind, mode))
    return value


def _pad(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    if a["mode"] == "constant":
        return _pad_with(walk, value, a["pad"], a["value"])
    if a["mode"] not in ("reflect", "replicate", "circular"):
        raise ValueError(f"there is no padding mode {a['mode']}")
    return _pad_from(walk, value, a["pad"], a["mode"])


def _constant_pad(walk: Walk, a: dict[str, Any]) -> Value:
    return _pad_with(walk, walk.value(a["self"]), a["pad"], a["value"])


def _pad_by(mode: str) -> Handler:
    def read(walk: Walk, a: dict[str, Any]) -> Value:
        return _pad_from(walk, walk.value(a["self"]), a["padding"], mode)

    return read


def _filled(walk: Walk, a: dict[str, Any]) -> Constant:
    """Zeros, ones or a number in the shape of a value, one row of it."""
    name = str(walk.node.target)
    number = float("zeros" not in name)
    if "fill_value" in a or "value" in a:
        number = walk.scalar(a["fill_value"] if "fill_value" in a else a["value"])
    if a.get("size") is not None:
        sizes = [walk.size(size) for size in a["size"]]
        whole = walk.batch
    else:
        value = walk.value(a["self"])
        sizes = list(walk.full_shape(value))
        whole = sizes[0]
    lead = 1 if sizes and sizes[0] == whole else walk.integer(sizes[0]) if sizes else 1
    tail = [walk.integer(size) for size in sizes[1:]]
    row = torch.zeros((lead, *tail), dtype=torch.float64, device="meta")
    if row.numel() > 1 << 24:
        raise ValueError(f"makes {row.numel()} numbers")
    return Constant(torch.full((lead, *tail), number, dtype=torch.float64))


def _copied(walk: Walk, a: dict[str, Any]) -> Any:
    """What is written over a value of the same shape."""
    if not isinstance(a["src"], Value):
        return walk.constant(a["src"])
    whole = walk.node.meta["val"].shape
    value = a["src"]
    if value.ndim != len(whole):
        raise Refused(MIXES)
    return walk.expand(value, tuple(walk.integer(size) for size in whole[1:]))


def _overwritten(walk: Walk, a: dict[str, Any]) -> Value:
    """A value with a part of an axis replaced, as functional core ATen writes an assignment."""
    value, part = walk.value(a["self"]), a["src"]
    axis = walk.axis(value, a["dim"])
    size = value.shape[axis]
    dim = axis - value.merged + 1
    if "index" in a:
        start = walk.integer(a["index"]) % size
        stop = start + 1
        if isinstance(part, Value):
            place = axis - value.merged
            part = walk.reshape_tail(part, (*part.tail[:place], 1, *part.tail[place:]))
        else:
            part = Constant(walk.constant(part).tensor.unsqueeze(dim))
    else:
        if walk.integer(a["step"]) != 1:
            raise Refused("is assigned to with a step; use torch.cat or torch.stack")
        first = 0 if a["start"] is None else walk.integer(a["start"])
        last = size if a["end"] is None else walk.integer(a["end"])
        start, stop, _ = slice(first, last).indices(size)
    parts: list[Any] = [part]
    if start > 0:
        parts.insert(0, _cut(walk, value, axis, 0, start))
    if stop < size:
        parts.append(_cut(walk, value, axis, stop, size))
    return concatenated(walk, parts, dim)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("slice", "slice_copy"), _slice),
    **dict.fromkeys(("select", "select_copy"), _select),
    "narrow": _narrow,
    **dict.fromkeys(("split", "split_with_sizes", "unsafe_split", "split_with_sizes_copy"), _split),
    **dict.fromkeys(("chunk", "unsafe_chunk"), _chunk),
    "tensor_split": _tensor_split,
    "unbind": _unbind,
    "index_select": _index_select,
    **dict.fromkeys(("index", "_unsafe_index"), _index),
    "flip": _flip,
    "roll": _roll,
    **dict.fromkeys(("repeat", "tile"), _repeat),
    "repeat_interleave": _repeat_each,
    "pad": _pad,
    "constant_pad_nd": _constant_pad,
    **dict.fromkeys(("reflection_pad1d", "reflection_pad2d"), _pad_by("reflect")),
    **dict.fromkeys(("replication_pad1d", "replication_pad2d"), _pad_by("replicate")),
    **dict.fromkeys(
        (
            *("zeros", "ones", "full", "fill"),
            *("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"),
        ),
        _filled,
    ),
    "copy": _copied,
    **dict.fromkeys(("slice_scatter", "select_scatter"), _overwritten),
}
