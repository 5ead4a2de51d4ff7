"""Operators that move values: transposes, slices, gathers, concatenations, pads, repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spintron_nn.converter.graph import Concatenate, Permute, Slice, Upsample
from spintron_nn.converter.onnx_front.constants import reshape_target
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .attributes import AGAIN, axis_of, check_known, choice, number, numbers, sizes
from .build import Builder, Shape
from .slicing import runs_of, slices_of
from .tensors import FREE, Constant, Part, Value, broadcast, said

__all__ = ["depth_to_space", "expand", "gather", "permuted", "repeated", "reshape",
           "slice_axes", "space_to_depth", "split", "stretched", "take", "tile",
           "transpose"]  # fmt: skip

MAX_RUNS = 256


def data(parts: list[Part]) -> Value:
    """The first input, which depends on the inputs of the graph."""
    if not parts or not isinstance(parts[0], Value):
        raise Refusal("takes what depends on the input as sizes of a constant: turn them round")
    return parts[0]


def take(op: Operation, x: Value, axis: int, places: Sequence[int], to: Builder) -> Value:
    """Places of an axis, in any order and number."""
    size = x.shape[axis]
    if places == range(size):
        return x
    lead = to.lead([x], [axis])
    wanted = list(places)
    shape = (*x.shape[:axis], len(wanted), *x.shape[axis + 1 :])
    if wanted == list(range(size)):
        return x
    if not wanted:
        raise Refusal(f"gives the shape {said(shape)}, without a value: leave it out")
    frame, at = x.shape[lead:], axis - lead
    factor, rest = divmod(len(wanted), size)
    if rest == 0 and wanted == [place for place in range(size) for _ in range(factor)]:
        return repeated(op, x, [factor if n == axis else 1 for n in range(len(x.shape))], to)
    runs = runs_of(wanted)
    if len(runs) > MAX_RUNS:
        raise Refusal(f"takes {len(runs)} pieces of an axis, more than {MAX_RUNS}: sort them")
    source, made = to.view(op, x, frame), {}
    for start, count, step in dict.fromkeys(runs):
        part = (*frame[:at], count, *frame[at + 1 :])
        piece = Slice(at, start, start + count * step, step)
        full = (start, count, step) == (0, size, 1)
        made[start, count, step] = source if full else to.add(op, piece, [source], part)
    if len(runs) == 1:
        return Value(made[runs[0]], shape[lead:], shape, x.whole)
    joined = to.add(op, Concatenate(at), [made[run] for run in runs], shape[lead:], "joined")
    return Value(joined, shape[lead:], shape, x.whole)


def repeated(
    op: Operation, x: Value, factors: Sequence[int], to: Builder, suffix: str = ""
) -> Value:
    """Every value as many times as each axis of the graph says."""
    if all(factor == 1 for factor in factors):
        return x
    lead = to.lead([x], [axis for axis, factor in enumerate(factors) if factor > 1])
    shape = tuple(size * factor for size, factor in zip(x.shape, factors, strict=True))
    made = Upsample(tuple(factors[lead:]))
    return to.emit(op, made, [(x, x.shape[lead:])], shape, lead, whole=x.whole, suffix=suffix)


def permuted(op: Operation, x: Value, order: Sequence[int], to: Builder) -> Value:
    """Axes of the graph in another order."""
    if order[0] != 0:
        to.lead([x])
    shape = tuple(x.shape[axis] for axis in order)
    moved = [axis for axis in order if x.shape[axis] > 1]
    if moved == sorted(moved):
        return replace(x, shape=shape)
    lead = to.lead([x], ()) if order[0] == 0 else 0
    made = Permute(tuple(axis - lead for axis in order[lead:]))
    return to.emit(op, made, [(x, x.shape[lead:])], shape, lead, whole=x.whole)


def transpose(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Transpose``."""
    check_known(op, "perm")
    x = data(parts)
    rank = len(x.shape)
    order = numbers(op, "perm", tuple(reversed(range(rank))), 0)
    if sorted(order) != list(range(rank)):
        raise Refusal(f"has the perm {order} for {rank} axes: {AGAIN}")
    return permuted(op, x, order, to)


def reshape(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Reshape``, ``Flatten``, ``Squeeze``, ``Unsqueeze`` and ``Identity``: no value moves."""
    check_known(op, "axes axis allowzero")
    x = data(parts)
    given = None
    if len(parts) > 1 and parts[1] is not None:
        sizes(parts[1], "sizes")
        assert isinstance(parts[1], Constant)
        given = parts[1].values
    if op.kind == "Reshape" and given is None:
        raise Refusal(f"lacks its shape: {AGAIN}")
    try:
        shape = reshape_target(op, x.shape, given)
    except ValueError:
        if x.shape[:1] == (FREE,):
            raise Refusal(
                f"gives {said(x.shape)} a shape with a fixed batch: make its first size 0 or -1"
            ) from None
        raise
    if len(shape) > 8 or min(shape, default=1) < 1:
        raise Refusal(f"gives the shape {said(shape)}: correct its sizes")
    if to.batch is not None and shape[:1] != (to.batch,):
        raise Refusal(
            f"gives the shape {said(shape)} of {said(x.shape)}, without the batch axis first: "
            "keep it there"
        )
    return replace(x, shape=shape)


def slice_axes(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Slice`` along constant places."""
    check_known(op, "axes ends starts")
    x = data(parts)
    for axis, places in slices_of(op, parts, x.shape):
        x = take(op, x, axis, places, to)
    return x


def gather(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Gather`` of constant places of an axis."""
    check_known(op, "axis")
    x = parts[0]
    if not isinstance(x, Value):
        raise Refusal("looks values up in a table by the input: compute it beforehand")
    axis = axis_of(op.attributes.get("axis", 0), len(x.shape))
    given = parts[1] if len(parts) > 1 else None
    if not isinstance(given, Constant) or given.values.dtype.kind not in "iu":
        raise Refusal("takes places that depend on the input: use constant indices")
    to.lead([x], [axis])
    size = x.shape[axis]
    if given.values.size > 1 << 12:
        raise Refusal(f"takes {given.values.size} places, more than 4096: use Slice")
    places = [int(place) for place in given.values.reshape(-1)]
    if any(not -size <= place < size for place in places):
        raise Refusal(f"takes places outside of its axis of {size}: {AGAIN}")
    found = take(op, x, axis, [place % size for place in places], to)
    shape = (*x.shape[:axis], *given.values.shape, *x.shape[axis + 1 :])
    return replace(found, shape=shape)


def split(op: Operation, parts: list[Part], to: Builder, opset: int) -> tuple[Value, ...]:
    """``Split``, each output by itself."""
    check_known(op, "axis split num_outputs")
    x = data(parts)
    axis = axis_of(op.attributes.get("axis", 0), len(x.shape))
    to.lead([x], [axis])
    size, count = x.shape[axis], len(op.outputs)
    given = op.attributes.get("split")
    if len(parts) > 1 and parts[1] is not None:
        given = sizes(parts[1], "sizes")
    if given is None:
        if number(op, "num_outputs", count) != count or (opset < 18 and size % count):
            raise Refusal(f"cannot split {size} values into {count} equal parts: give sizes")
        part = -(-size // count)
        given = tuple(max(min(part, size - part * n), 0) for n in range(count))
    if len(given) != count or sum(given) != size or min(given) < 0:
        raise Refusal(f"splits {size} values into parts of {given}: {AGAIN}")
    ends = np.cumsum(given)
    return tuple(
        take(op, x, axis, range(int(end) - part, int(end)), to)
        for end, part in zip(ends, given, strict=True)
    )


def stretched(op: Operation, x: Value, shape: Shape, to: Builder) -> Value:
    """A tensor broadcast to a shape."""
    if x.shape == shape:
        return x
    if to.batch is not None and len(x.shape) != len(shape):
        raise Refusal(
            f"broadcasts {said(x.shape)} to {said(shape)}, which moves the batch axis: reshape it"
        )
    wide = (*(1 for _ in range(len(shape) - len(x.shape))), *x.shape)
    x = replace(x, shape=wide)
    factors = [new // old for new, old in zip(shape, wide, strict=True)]
    return repeated(op, x, factors, to, "wide")


def expand(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Expand`` to a constant shape."""
    check_known(op, "")
    x = data(parts)
    shape = broadcast(x.shape, sizes(parts[1], "sizes"))
    return stretched(op, x, shape, to)


def tile(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Tile``: all of an axis again and again."""
    check_known(op, "")
    x = data(parts)
    counts = sizes(parts[1] if len(parts) > 1 else None, "repeats")
    if len(counts) != len(x.shape) or min(counts, default=1) < 1 or max(counts, default=1) > 4096:
        raise Refusal(f"repeats {said(x.shape)} {counts} times: {AGAIN}")
    for axis, count in enumerate(counts):
        if count > 1:
            to.lead([x], [axis])
            x = take(op, x, axis, list(range(x.shape[axis])) * count, to)
    return x


def depth_to_space(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``DepthToSpace`` as a reshape, a permutation and a reshape."""
    check_known(op, "blocksize mode")
    x = data(parts)
    size, column = number(op, "blocksize", 0, 1, 4096), choice(op, "mode", "DCR CRD") == "CRD"
    depth, height, width = to.image(x, 2, 2)
    if depth % size**2:
        raise Refusal(f"cannot move {depth} channels into blocks of {size}: {AGAIN}")
    rest, frames = depth // size**2, x.shape[0]
    split = (rest, size, size) if column else (size, size, rest)
    order = (0, 1, 4, 2, 5, 3) if column else (0, 3, 4, 1, 5, 2)
    apart = replace(x, shape=(frames, *split, height, width))
    moved = permuted(op, apart, order, to)
    return replace(moved, shape=(frames, rest, height * size, width * size))


def space_to_depth(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``SpaceToDepth`` as a reshape, a permutation and a reshape."""
    check_known(op, "blocksize mode")
    x = data(parts)
    size = number(op, "blocksize", 0, 1, 4096)
    column = choice(op, "mode", "DCR CRD") == "CRD"
    depth, height, width = to.image(x, 2, 2)
    if height % size or width % size:
        raise Refusal(f"cannot cut {height} x {width} values into blocks of {size}: {AGAIN}")
    shape = (x.shape[0], depth, height // size, size, width // size, size)
    order = (0, 1, 3, 5, 2, 4) if column else (0, 3, 5, 1, 2, 4)
    moved = permuted(op, replace(x, shape=shape), order, to)
    return replace(moved, shape=(x.shape[0], depth * size**2, height // size, width // size))
