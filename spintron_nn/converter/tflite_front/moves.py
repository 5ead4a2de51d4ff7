"""Operators that only move codes: shapes are free, all else is a gather."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reading import Operation
from .refusal import Refusal
from .state import Constant, State, Value

__all__ = ["MOVES", "PADS", "RESHAPES", "SPLITS", "fold", "integers", "move", "pad", "pieces",
           "reshape"]  # fmt: skip

Ints = NDArray[np.int64]

RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
PADS = ("PAD", "PADV2", "MIRROR_PAD")
SPLITS = ("SPLIT", "SPLIT_V")


def integers(part: Any, most: int = 16) -> list[int]:
    """Numbers of a short constant.

    Raises
    ------
    Refusal
        If it is none; the text says what to do.
    """
    if not isinstance(part, Constant) or part.values.dtype.kind not in "iu":
        raise Refusal("takes sizes that depend on the input: export with a fixed shape")
    if part.values.size > most:
        raise Refusal(f"takes a list of {part.values.size} sizes: export the model again")
    return [int(value) for value in part.values.reshape(-1)]


def reshape(op: Operation, parts: list[Any], state: State) -> Value:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: nothing moves."""
    value: Value = parts[0]
    rank = len(value.shape)
    if op.kind == "EXPAND_DIMS":
        (axis,) = integers(parts[1])
        if not -rank - 1 <= axis <= rank:
            raise Refusal(f"adds the axis {axis} to {rank}: export the model again")
        shape = list(value.shape)
        shape.insert(axis if axis >= 0 else axis + rank + 1, 1)
    elif op.kind == "SQUEEZE":
        given = op.options.get("SqueezeDims", range(rank))
        axes = {axis + rank * (axis < 0) for axis in given}
        shape = [size for axis, size in enumerate(value.shape) if size != 1 or axis not in axes]
    else:
        shape = integers(parts[1]) if len(parts) > 1 else op.options.get("NewShape", [])
    rest = math.prod(size for size in shape if size != -1)
    if shape.count(-1) == 1 and rest > 0:
        shape[shape.index(-1)] = value.count // rest
    if math.prod(shape) != value.count or min(shape, default=1) < 1 or len(shape) > 8:
        raise Refusal(f"gives {value.count} values the shape {shape}: export the model again")
    return replace(value, shape=tuple(shape), padded=None)


def pad(op: Operation, parts: list[Any], state: State) -> Value:
    """PAD with zeros, PADV2 with a constant, MIRROR_PAD."""
    value: Value = parts[0]
    rank = len(value.shape)
    rows = integers(parts[1])
    if len(rows) != 2 * rank or min(rows, default=0) < 0:
        raise Refusal(f"pads {rank} axes by {rows}: export the model again")
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    wide = math.prod(size + sum(pair) for size, pair in zip(value.shape, pairs, strict=True))
    if wide > 1 << 24:
        raise Refusal(f"gives {wide} values, and at most 2**24 are converted: pad less")
    state.work(wide)
    places = np.arange(value.count).reshape(value.shape)
    if op.kind == "MIRROR_PAD":
        mode: Any = ("reflect", "symmetric")[int(op.options["Mode"])]
        return state.gathered(op, value, np.pad(places, pairs, mode=mode))
    code = state.output(op).zero
    filling = int(code[0]) if len(code) == 1 else value.zero
    if op.kind == "PADV2":
        (filling,) = integers(parts[2])
    found = state.gathered(op, value, np.pad(places, pairs, constant_values=-1), filling)
    if rank == 4 and not any(rows[:2] + rows[6:]):
        found = replace(found, padded=(value, filling, (rows[2], rows[4], rows[3], rows[5])))
    return found


def move(op: Operation, parts: list[Any], state: State) -> Value:
    """Every operator that takes codes from places known beforehand."""
    value: Value = parts[0]
    state.work(value.count)
    places = np.arange(value.count).reshape(value.shape)
    index = MOVES[op.kind](op, places, parts[1:])
    if not index.size or index.size > 1 << 24:
        raise Refusal(f"gives {index.size} values, not 1 to 2**24: export the model again")
    return state.gathered(op, value, index)


def pieces(op: Operation, parts: list[Any], state: State) -> list[Value]:
    """SPLIT and SPLIT_V."""
    if op.kind == "SPLIT":
        (axis,), value, sizes = integers(parts[0]), parts[1], None
    else:
        value, (axis,) = parts[0], integers(parts[2])
        sizes = integers(parts[1], 1 << 10)
    if not isinstance(value, Value) or not -len(value.shape) <= axis < len(value.shape):
        raise Refusal(f"splits the axis {axis}: export the model again")
    length, count = value.shape[axis], int(op.options["NumSplits"])
    if sizes is None:
        if count < 1 or length % count:
            raise Refusal(f"splits {length} into {count} equal parts: export the model again")
        sizes = [length // count] * count
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = length - sum(sizes) - 1
    if sum(sizes) != length or min(sizes) < 1 or len(sizes) != len(op.outputs):
        raise Refusal(f"splits {length} into {sizes}: export the model again")
    state.work(value.count)
    places = np.arange(value.count).reshape(value.shape)
    ends = np.cumsum(sizes)[:-1]
    return [state.gathered(op, value, part) for part in np.split(places, ends, axis=axis)]


def _transpose(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    order = integers(rest[0])
    if sorted(order) != list(range(places.ndim)):
        raise Refusal(f"has the order {order} of {places.ndim} axes: export the model again")
    return places.transpose(order)


def _slice(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    begin, size = integers(rest[0]), integers(rest[1])
    for axis, (first, length) in enumerate(zip(begin, size, strict=True)):
        wide = places.shape[axis]
        end = wide if length == -1 else first + length
        if not 0 <= first < end <= wide:
            raise Refusal(f"takes {first} to {end} of {wide}: export the model again")
        places = places.take(range(first, end), axis=axis)
    return places


def _strided_slice(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    begin, end, stride = (integers(part) for part in rest)
    options = op.options
    if options["EllipsisMask"] or options["NewAxisMask"] or options["Offset"]:
        raise Refusal("has an ellipsis or a new axis: write the slice out, then RESHAPE")
    if not len(begin) == len(end) == len(stride) <= places.ndim or not all(stride):
        raise Refusal(f"slices {places.ndim} axes by {stride}: export the model again")
    cuts: list[range] = []
    gone: list[int] = []
    for axis, (first, last, step) in enumerate(zip(begin, end, stride, strict=True)):
        size, bit = places.shape[axis], 1 << axis
        least, most = (0, size) if step > 0 else (-1, size - 1)
        start = min(max(first + size * (first < 0), least), most)
        stop = min(max(last + size * (last < 0), least), most)
        if int(options["BeginMask"]) & bit:
            start = least if step > 0 else most
        if int(options["EndMask"]) & bit:
            stop = most if step > 0 else least
        if int(options["ShrinkAxisMask"]) & bit:
            gone.append(axis)
            stop, step = start + 1, 1
        cuts.append(range(start, stop, step))
    for axis, cut in enumerate(cuts):
        places = places.take(cut, axis=axis)
    return places.squeeze(axis=tuple(gone))


def _nearest(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    sizes = integers(rest[0])
    if places.ndim != 4 or len(sizes) != 2 or not all(1 <= size <= 1 << 16 for size in sizes):
        raise Refusal(f"resizes {places.ndim} axes to {sizes}: export the model again")
    if math.prod(sizes) * places.shape[3] > 1 << 24:
        raise Refusal(f"resizes to {sizes}, beyond 2**24 values: resize less")
    for axis, size in enumerate(sizes, start=1):
        places = places.take(
            nearest_rows(
                places.shape[axis], size, bool(op.options["AlignCorners"]),
                bool(op.options["HalfPixelCenters"]),
            ),
            axis=axis,
        )  # fmt: skip
    return places


def nearest_rows(given: int, wanted: int, align: bool, half: bool) -> Ints:
    """Row that stands at each place of a resized axis.

    Source
    ------
    TensorFlow Lite, ``GetNearestNeighbor``, in float32.

    Examples
    --------
    >>> nearest_rows(2, 4, False, False).tolist(), nearest_rows(3, 5, True, False).tolist()
    ([0, 0, 1, 1], [0, 1, 1, 2, 2])
    """
    if align and wanted > 1:
        scale = np.float32(given - 1) / np.float32(wanted - 1)
    else:
        scale = np.float32(given) / np.float32(wanted)
    place = (np.arange(wanted, dtype=np.float32) + np.float32(0.5 if half else 0)) * scale
    whole = np.floor(place + np.float32(0.5)) if align else np.floor(place)
    return np.clip(whole.astype(np.int64), 0, given - 1)


def _blocks(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    block = int(op.options["BlockSize"])
    if places.ndim != 4 or not 1 <= block <= 1 << 12:
        raise Refusal(f"takes blocks of {block} of {places.ndim} axes: export the model again")
    _, height, width, channels = places.shape
    if op.kind == "SPACE_TO_DEPTH":
        parts = places.reshape(height // block, block, width // block, block, channels)
        return parts.transpose(0, 2, 1, 3, 4).reshape(1, height // block, width // block, -1)
    parts = places.reshape(height, width, block, block, channels // block**2)
    return parts.transpose(0, 2, 1, 3, 4).reshape(1, height * block, width * block, -1)


def _gather(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    axis, size = int(op.options["Axis"]), places.ndim
    given = rest[0].values if isinstance(rest[0], Constant) else None
    if given is None or given.dtype.kind not in "iu" or op.options["BatchDims"]:
        raise Refusal("takes places that depend on the input: make them constant")
    if not -size <= axis < size or given.size > 1 << 16:
        raise Refusal(f"takes {given.size} places of the axis {axis}: export the model again")
    if given.min(initial=0) < 0 or given.max(initial=0) >= places.shape[axis]:
        size = places.shape[axis]
        raise Refusal(f"takes places beyond the {size} of its axis: export the model again")
    if places.size // places.shape[axis] * given.size > 1 << 24:
        raise Refusal("gives more than 2**24 values: take fewer places")
    return np.take(places, given, axis=axis)


def _tile(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    times = integers(rest[0])
    if len(times) != places.ndim or min(times) < 1 or places.size * math.prod(times) > 1 << 24:
        raise Refusal(f"repeats {places.ndim} axes {times} times, beyond 2**24 values: repeat less")
    return np.tile(places, times)


def _reverse(op: Operation, places: Ints, rest: list[Any]) -> Ints:
    return np.flip(places, axis=tuple(integers(rest[0])))


MOVES: dict[str, Callable[[Operation, Ints, list[Any]], Ints]] = {
    "TRANSPOSE": _transpose,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "RESIZE_NEAREST_NEIGHBOR": _nearest,
    "DEPTH_TO_SPACE": _blocks,
    "SPACE_TO_DEPTH": _blocks,
    "GATHER": _gather,
    "TILE": _tile,
    "REVERSE_V2": _reverse,
}


def fold(op: Operation, parts: list[Any], state: State) -> Constant:
    """SHAPE of anything, and what exporters do with it until a RESHAPE takes it."""
    if op.kind == "SHAPE":
        shape = parts[0].shape if isinstance(parts[0], Value) else parts[0].values.shape
        return Constant(state.output(op), np.array(shape, dtype=np.int64))
    values = [part.values for part in parts]
    if sum(part.size for part in values) > 64:
        raise Refusal("takes long constants: fold them into one tensor")
    if op.kind == "PACK":
        return Constant(state.output(op), np.stack(values, axis=int(op.options["Axis"])))
    return Constant(state.output(op), _strided_slice(op, values[0], parts[1:]))
