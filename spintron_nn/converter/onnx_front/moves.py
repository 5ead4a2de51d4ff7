"""Operators that only move values: to other places, some of them, or several times."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .constants import integers, reshape_target
from .reading import Operation, Refusal
from .values import Constant, Value, collapsed
from .wires import Builder, Wire

__all__ = ["MOVES", "move", "pad", "split"]

Array = NDArray[Any]
Move = Callable[[Array], Array]

RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")

MOST = 1 << 24
"""Most values of a tensor."""


def _list(part: Any, what: str) -> list[int]:
    if not isinstance(part, Constant):
        raise Refusal(f"its {what} must be constant: export the model with fixed shapes")
    return integers(part.values)


def axis_of(axis: Any, rank: int) -> int:
    """An axis counted from the front, which is not the batch's."""
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise Refusal(f"has no axis {axis} in {rank} axes: export the model again")
    return axis % rank


def _reshape(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    if op.kind == "Dropout" and len(parts) > 2 and parts[2] is not None:
        if not isinstance(parts[2], Constant) or parts[2].values.any():
            raise Refusal("is in training mode: export the model after model.eval()")
    given = parts[1] if len(parts) > 1 and op.kind != "Dropout" else None
    if given is not None and not isinstance(given, Constant):
        raise Refusal("takes sizes that depend on the input: export with a fixed shape")
    wanted = reshape_target(op, shape, None if given is None else given.values)
    return lambda x: x.reshape(wanted)


def _transpose(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    order = op.attributes.get("perm", tuple(range(len(shape)))[::-1])
    if sorted(order) != list(range(len(shape))):
        raise Refusal(f"has the order {order} for {len(shape)} axes: export the model again")
    return lambda x: x.transpose(order)


def _slice(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    if len(parts) == 1:  # before opset 10
        starts, ends = (list(op.attributes[name]) for name in ("starts", "ends"))
        axes = list(op.attributes.get("axes", range(len(starts))))
        steps = [1] * len(starts)
    else:
        more = [*parts[1:], None, None]
        starts, ends = _list(more[0], "starts"), _list(more[1], "ends")
        axes = list(range(len(starts))) if more[2] is None else _list(more[2], "axes")
        steps = [1] * len(starts) if more[3] is None else _list(more[3], "steps")
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise Refusal("has starts, ends, axes and steps that do not fit: export it again")
    cut: list[Any] = [slice(None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        at = axis_of(axis, len(shape))
        places = range(shape[at])[start:end:step]
        cut[at] = list(places)

    def cut_all(x: Array) -> Array:
        for axis, places in enumerate(cut):
            if isinstance(places, list):
                x = np.take(x, places, axis=axis)
        return x

    return cut_all


def _gather(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    axis = axis_of(op.attributes.get("axis", 0), len(shape))
    if not isinstance(parts[1], Constant) or parts[1].values.dtype.kind not in "iu":
        raise Refusal("its indices must be constant integers: export the model again")
    places = parts[1].values.astype(np.int64)
    size = shape[axis]
    if not places.size or int(places.min()) < -size or int(places.max()) >= size:
        raise Refusal(f"has indices beyond the {size} places of axis {axis}: export it again")
    _check_size(math.prod(shape) // size * places.size)
    return lambda x: np.take(x, places, axis=axis)


def _expand(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    wanted = np.broadcast_shapes(shape, tuple(_list(parts[1], "shape")))
    _check_size(math.prod(wanted))
    return lambda x: np.broadcast_to(x, wanted)


def _tile(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    repeats = _list(parts[1], "repeats")
    if len(repeats) != len(shape) or min(repeats) < 1:
        raise Refusal(f"has repeats {repeats} for {len(shape)} axes: export it again")
    _check_size(math.prod(shape) * math.prod(repeats))
    return lambda x: np.tile(x, repeats)


def _to_space(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    size = op.attributes["blocksize"]
    _, channels, height, width = shape
    if size < 1 or channels % (size * size):
        raise Refusal(f"has blocks of {size} for {channels} channels: export it again")
    depth = channels // size**2
    if op.attributes.get("mode", "DCR") == "DCR":
        inner, order = (size, size, depth), (0, 3, 4, 1, 5, 2)
    else:
        inner, order = (depth, size, size), (0, 1, 4, 2, 5, 3)
    return lambda x: (
        x.reshape(1, *inner, height, width)
        .transpose(order)
        .reshape(1, depth, height * size, width * size)
    )


def _to_depth(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    size = op.attributes["blocksize"]
    _, channels, height, width = shape
    if size < 1 or height % size or width % size:
        raise Refusal(f"has blocks of {size} for {height} x {width}: export it again")
    return lambda x: (
        x.reshape(1, channels, height // size, size, width // size, size)
        .transpose(0, 3, 5, 1, 2, 4)
        .reshape(1, channels * size**2, height // size, width // size)
    )


def _nearest(op: Operation, before: int, after: int, scale: float) -> list[int]:
    """Places of an axis that a nearest-neighbour ``Resize`` takes."""
    mode = op.attributes.get("coordinate_transformation_mode", "half_pixel")
    rounding = op.attributes.get("nearest_mode", "round_prefer_floor")
    if op.kind == "Upsample":
        mode, rounding = "asymmetric", "floor"
    at = np.arange(after, dtype=np.float64)
    if mode == "asymmetric":
        place = at / scale
    elif mode == "half_pixel" or (mode == "pytorch_half_pixel" and after > 1):
        place = (at + 0.5) / scale - 0.5
    elif mode == "pytorch_half_pixel":
        place = 0 * at
    elif mode == "align_corners":
        place = at * (before - 1) / (after - 1) if after > 1 else 0 * at
    else:
        raise Refusal(f"has the coordinates {mode!r}: use half_pixel or asymmetric")
    found = {
        "round_prefer_floor": np.ceil(place - 0.5),
        "round_prefer_ceil": np.floor(place + 0.5),
        "floor": np.floor(place),
        "ceil": np.ceil(place),
    }[rounding]
    return [int(where) for where in np.clip(found, 0, before - 1)]


def _resize(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> Move:
    if op.attributes.get("mode", "nearest") != "nearest":
        raise Refusal("mixes neighbouring values: use the mode nearest")
    if op.attributes.get("antialias", 0) or "axes" in op.attributes:
        raise Refusal("has axes or antialiasing: give scales for all axes")
    if op.attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Refusal("keeps an aspect ratio: give the sizes themselves")
    given = [part.values for part in parts[1:] if isinstance(part, Constant) and part.values.size]
    sizes = parts[3] if len(parts) > 3 and isinstance(parts[3], Constant) else None
    if sizes is not None and sizes.values.size:
        after = _list(sizes, "sizes")
        scales = [new / old for new, old in zip(after, shape, strict=True)]
    else:
        if op.kind == "Upsample" and not given:
            given = [np.asarray(op.attributes.get("scales", ()), dtype=np.float64)]
        scales = [float(scale) for scale in given[-1].reshape(-1)] if given else []
        if len(scales) != len(shape) or not all(0 < scale < 1 << 16 for scale in scales):
            raise Refusal("needs a positive scale for each axis: export it again")
        after = [math.floor(old * scale) for old, scale in zip(shape, scales, strict=True)]
    if len(after) != len(shape) or min(after) < 1 or after[0] != 1:
        raise Refusal(f"gives the sizes {after}: export it with a batch of 1")
    _check_size(math.prod(after))
    places = [_nearest(op, *axis) for axis in zip(shape, after, scales, strict=True)]

    def resized(x: Array) -> Array:
        for axis, where in enumerate(places):
            x = np.take(x, where, axis=axis)
        return x

    return resized


def _check_size(count: int) -> None:
    if not 0 < count <= MOST:
        raise Refusal(f"gives {count} values, and at most 2**24 are converted: use fewer")


MOVES: dict[str, Callable[[Operation, list[Any], tuple[int, ...]], Move]] = {
    **dict.fromkeys(RESHAPES, _reshape),
    "DepthToSpace": _to_space,
    "Expand": _expand,
    "Gather": _gather,
    "Resize": _resize,
    "Slice": _slice,
    "SpaceToDepth": _to_depth,
    "Tile": _tile,
    "Transpose": _transpose,
    "Upsample": _resize,
}


def move(op: Operation, parts: list[Any]) -> Value:
    """The value after an operator of :py:`MOVES`."""
    value = parts[0]
    assert isinstance(value, Value)
    return value.moved(MOVES[op.kind](op, parts, value.shape))


def split(op: Operation, parts: list[Any]) -> list[Any]:
    """All results of a ``Split``, of a value or of a constant."""
    value, count = parts[0], len(op.outputs)
    axis = axis_of(op.attributes.get("axis", 0), len(value.shape))
    size = value.shape[axis]
    sizes = op.attributes.get("split")
    if len(parts) > 1 and parts[1] is not None:
        sizes = _list(parts[1], "sizes")
    if sizes is None:
        each = -(-size // count)
        sizes = [each] * (count - 1) + [size - each * (count - 1)]
    if sum(sizes) != size or min(sizes) < 1 or len(sizes) != count:
        raise Refusal(f"cuts {size} places into {list(sizes)}: export the model again")
    ends = np.cumsum(sizes)
    return [
        value.moved(lambda x, s=end - part, e=end: np.take(x, range(s, e), axis=axis))
        for end, part in zip(ends, sizes, strict=True)
    ]


def pad(op: Operation, parts: list[Any], builder: Builder) -> Value:
    """The value after a ``Pad``."""
    value, mode = parts[0], op.attributes.get("mode", "constant")
    rank = len(value.shape)
    if len(parts) > 1:
        amounts = _list(parts[1], "pads")
    else:
        amounts = list(op.attributes.get("pads", op.attributes.get("paddings", ())))
    if len(parts) > 3 and parts[3] is not None:
        axes = [axis_of(axis, rank) for axis in _list(parts[3], "axes")]
    else:
        axes = list(range(rank))
    if len(amounts) != 2 * len(axes):
        raise Refusal(f"has {len(amounts)} amounts for {len(axes)} axes: export it again")
    pairs = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        pairs[axis] = (amounts[place], amounts[place + len(axes)])
    if min(min(pair) for pair in pairs) < 0 or pairs[0] != (0, 0):
        raise Refusal(f"pads by {amounts}: use Slice to cut, and leave the batch alone")
    _check_size(math.prod(size + sum(pair) for size, pair in zip(value.shape, pairs, strict=True)))
    if mode != "constant":
        if mode not in ("edge", "reflect", "wrap"):
            raise Refusal(f"has the mode {mode!r}: use constant, edge or reflect")
        return value.moved(lambda x: np.pad(x, pairs, mode=mode))
    given = op.attributes.get("value", 0.0)
    if len(parts) > 2 and parts[2] is not None:
        if not isinstance(parts[2], Constant) or parts[2].values.size != 1:
            raise Refusal("its value must be one constant: export it again")
        given = parts[2].values.reshape(()).item()
    code = _code(value, float(given), builder)
    function = value.function
    function = replace(
        function, low=np.minimum(function.low, code), high=np.maximum(function.high, code)
    )
    value = replace(value, function=function)
    wire = value.wire
    if (wire.index == -1).any() and wire.pad != code:
        node = builder.laid(wire, wire.index[0])
        count = np.arange(wire.index.size, dtype=np.int32)
        wire = Wire(node, count.reshape(wire.index.shape))
    rows = np.pad(np.broadcast_to(value.rows, value.shape), pairs, mode="edge")
    padded = np.pad(wire.index, pairs, constant_values=-1)
    return replace(value, wire=Wire(wire.node, padded, code), rows=collapsed(rows))


def _code(value: Value, real: float, builder: Builder) -> int:
    """Code of a real value that is added around a tensor."""
    scale, zero = value.function.scale, value.function.zero
    if scale is None or zero is None:
        raise Refusal("pads values that are not quantised: put a Quant in front of it")
    codes = np.unique(real / scale + zero)
    kind = builder.type(value.wire.node)
    if len(codes) > 1 or codes[0] != round(codes[0]) or not kind.low <= codes[0] <= kind.high:
        raise Refusal(
            f"pads with {real:g}, which is no one code of its quantiser: use a zero point that is "
            "a code, the same for all channels"
        )
    return int(codes[0])
