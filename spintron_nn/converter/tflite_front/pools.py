"""Pools and means: sums of codes, divided as TFLite's reference kernels divide."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spintron_ir import IntType, MulShift, Pool, Quantise, TFLite, Window

from ..kernels import window_of
from .fixed import activation_range, average, multiplier_of
from .linear import padding_of
from .moves import integers
from .reading import Operation
from .refusal import Refusal
from .state import State, Value, inner, of_tensor

__all__ = ["POOLS", "REDUCTIONS", "pool", "reduction"]

POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
REDUCTIONS = ("MEAN", "REDUCE_MAX")


def pool(op: Operation, parts: list[Any], state: State) -> Value:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
    (value,) = parts
    largest = op.kind == "MAX_POOL_2D"
    if len(value.shape) != 4 or value.shape[0] != 1:
        raise Refusal(f"takes the shape {value.shape}, not (1, height, width, channels)")
    kind, scale, zero = of_tensor(state.output(op))
    if (kind, scale, zero) != (value.kind, value.scale, value.zero):
        raise Refusal("changes scale or zero point, which TFLite's pools do not: keep them")
    options, image = op.options, inner(value.shape)
    sizes = options["FilterHeight"], options["FilterWidth"]
    stride = options["StrideH"], options["StrideW"]
    window = window_of(
        image,
        kind,
        sizes,
        stride=stride,
        padding=padding_of(image[:2], sizes, stride, int(options["Padding"])),
        dilation=(1, 1),
        pad_value=kind.low if largest else 0,
    )
    channels = image[2]
    if sizes == image[:2] and window.shape[0] == 1:
        node = state.held(op, value, window.shape)
    else:
        node = state.add(op, window, state.held(op, value, image), part="window")
    layer = Pool(
        input=kind, in_shape=window.shape, channels=channels, mode="max" if largest else "sum"
    )
    node = state.add(op, layer, node, part="" if largest else "sum")
    if not largest:
        state.work(window.shape[0])
        inside = _inside(window)
        divide = _division(state, inside, kind, channels)
        node = state.add(op, Quantise(in_shape=layer.shape, input=layer.type, requantise=divide),
                         node)  # fmt: skip
    found = state.value(op, node, (1, *window.grid, channels), layer.shape)
    low, high = activation_range(int(options["FusedActivationFunction"]), scale, zero, kind)
    clipped = np.clip(found.codes, low, high)
    node, held = state.looked_up(op, found, clipped, kind, part="clip")
    return state.value(op, node, found.shape, held)


def _inside(window: Window) -> Any:
    """Places of each position that lie inside the image."""
    counts = []
    for axis in (0, 1):
        start = np.arange(window.grid[axis]) * window.stride[axis] - window.padding[axis]
        stop = np.minimum(start + window.kernel[axis], window.in_shape[axis])
        counts.append(stop - np.maximum(start, 0))
    return np.outer(*counts).ravel()


def _division(state: State, inside: Any, kind: IntType, channels: int) -> MulShift:
    """Sums over the number of places inside the image, which is smaller along its border."""
    if (inside == inside[0]).all():
        inside = inside[:1]
    else:
        inside = np.repeat(inside, channels)
        state.spend(len(inside))
    pairs = {int(count): average(int(count), 255 * int(count)) for count in np.unique(inside)}
    multipliers: Any = np.array([pairs[int(count)][0] for count in inside], dtype=np.int32)
    shifts: Any = np.array([pairs[int(count)][1] for count in inside], dtype=np.uint8)
    return MulShift(multiplier=multipliers, shift=shifts, zero_point=0, type=kind)


def reduction(op: Operation, parts: list[Any], state: State) -> Value:
    """MEAN and REDUCE_MAX over neighbouring axes."""
    value, rank = parts[0], len(parts[0].shape)
    axes = set(integers(parts[1]))
    if not axes or not all(-rank <= axis < rank for axis in axes):
        raise Refusal(f"reduces the axes {sorted(axes)} of {rank}: export the model again")
    axes = {axis % rank for axis in axes}
    wide = [axis for axis in sorted(axes) if value.shape[axis] > 1] or [min(axes)]
    if any(value.shape[axis] > 1 for axis in range(wide[0], wide[-1]) if axis not in axes):
        raise Refusal(f"reduces the axes {sorted(axes)}, which are no neighbours: transpose")
    kind, scale, zero = of_tensor(state.output(op))
    if kind != value.kind:
        raise Refusal(f"turns {value.kind} into {kind}: use one type")
    largest = op.kind == "REDUCE_MAX"
    if largest and (scale, zero) != (value.scale, value.zero):
        raise Refusal("changes scale or zero point, which TFLite's maxima do not: keep them")
    channels = math.prod(value.shape[wide[-1] + 1 :])
    count = math.prod(value.shape[wide[0] : wide[-1] + 1])
    layer = Pool(
        input=kind,
        in_shape=(math.prod(value.shape[: wide[0]]), count * channels),
        channels=channels,
        mode="max" if largest else "sum",
    )
    node = state.held(op, value, layer.in_shape)
    node = state.add(op, layer, node, part="" if largest else "sum")
    if not largest:
        node, sums = _centred(op, state, node, layer, -value.zero * count)
        rule = _rescaling(value.scale / scale, count, zero, kind)
        node = state.add(op, Quantise(in_shape=layer.shape, input=sums, requantise=rule), node)
    kept = bool(op.options["KeepDims"])
    shape = tuple(
        1 if axis in axes else size
        for axis, size in enumerate(value.shape)
        if kept or axis not in axes
    )
    return state.value(op, node, shape, layer.shape)


def _rescaling(factor: float, count: int, zero: int, kind: IntType) -> TFLite:
    """From sums to codes: the division is folded into the multiplier, as far as its shift goes."""
    multiplier, shift = multiplier_of(factor)
    places = min(count.bit_length() - 1, 32, 31 + shift)
    scaled: Any = np.array([(multiplier << places) // count], dtype=np.int32)
    moved: Any = np.array([shift - places], dtype=np.int8)
    return TFLite(
        multiplier=scaled, shift=moved, zero_point=zero, low=kind.low, high=kind.high, type=kind
    )


def _centred(
    op: Operation, state: State, node: str, layer: Pool, summand: int
) -> tuple[str, IntType]:
    """Sums without the zero points in them."""
    if not summand:
        return node, layer.type
    kind = IntType.of_range(
        layer.input.low * layer.places + summand, layer.input.high * layer.places + summand
    )
    one: Any = np.ones(1, dtype=np.int32)
    centre = MulShift(multiplier=one, shift=one - 1, zero_point=summand, type=kind)
    moved = Quantise(in_shape=layer.shape, input=layer.type, requantise=centre)
    return state.add(op, moved, node, part="centre"), kind
