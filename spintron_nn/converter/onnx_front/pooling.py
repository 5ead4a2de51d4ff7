"""Largest and mean values of windows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Flatten, Pool

from ..kernels import image_shape
from .conv import _pad_code
from .geometry import geometry_of
from .matrix import fits_float32
from .quantisers import Floats, Ints, Quantiser
from .quantising import quantise
from .reading import Operation, Refusal
from .values import Constant, Function, Value
from .wires import Builder, Wire

__all__ = ["POOLS", "pool", "quantised_average"]

POOLS = ("MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "ReduceMean", "ReduceMax")


def pool(op: Operation, parts: list[Any], builder: Builder) -> Value:
    """The value after an operator of :py:`POOLS`.

    Raises
    ------
    ValueError
        If windows hold values that do not compare, or a mean is not one of integers.
    """
    value = parts[0]
    assert isinstance(value, Value)
    largest = op.kind in ("MaxPool", "GlobalMaxPool", "ReduceMax")
    _check(value, largest)
    if op.kind.startswith("Reduce"):
        return _reduced(op, parts, value, largest, builder)
    if op.kind.startswith("Global"):
        axes = tuple(range(2, len(value.shape)))
        if not axes:
            raise Refusal(f"takes the shape {value.shape}, which is no image: leave it out")
        return _over(op, value, axes, largest, builder)
    return _windows(op, value, largest, builder)


def _check(value: Value, largest: bool) -> None:
    rises = value.function.rises
    if largest and (rises is None or (rises < 0).any()):
        raise Refusal("takes values that fall where their integers rise: put a Quant in front")
    if not largest and (value.function.scale is None or value.integer):
        raise Refusal("takes real values: put a Quant in front of it")


def _windows(op: Operation, value: Value, largest: bool, builder: Builder) -> Value:
    geometry = geometry_of(op, value.shape)
    reach = [(k - 1) * d + 1 for k, d in zip(geometry.kernel, geometry.dilation, strict=True)]
    if any(max(pad) >= size for pad, size in zip(geometry.padding, reach, strict=True)):
        raise Refusal("pads by whole windows: use pads below the size of the kernel")
    if any(size > 1 for size in value.rows.shape[2:]):
        raise Refusal("takes values with parameters for each place: use one for each channel")
    node = builder.channels_last(value.wire)
    kind = builder.type(node)
    pad = kind.low
    if not largest:
        # The mean of ONNX leaves padding out unless it is told to count it.
        counted = geometry.padded and op.attributes.get("count_include_pad", 0)
        if geometry.grown or (geometry.padded and not counted):
            raise Refusal(
                "averages fewer values at the edge: pad in front of it with Pad, or set "
                "count_include_pad"
            )
        zero = value.function.zero
        assert zero is not None
        pad = _pad_code(value, zero, builder) if geometry.padded else 0
    image = image_shape(value.shape[1:])
    node = builder.add(f"{op.name}_in", geometry.window(image, kind, pad), node)
    name = _pooled(op, builder, node, image[2], largest)
    index = np.arange(math.prod(geometry.grid) * image[2], dtype=np.int32)
    wire = Wire(name, np.moveaxis(index.reshape(*geometry.grid, image[2]), -1, 0)[None])
    made = replace(value, wire=wire)
    places = math.prod(geometry.kernel)
    return made if largest else _mean(op, made, places, geometry.padded, builder)


def _pooled(op: Operation, builder: Builder, node: str, channels: int, largest: bool) -> str:
    made = Pool(
        input=builder.type(node),
        in_shape=builder.shape(node),
        channels=channels,
        mode="max" if largest else "sum",
    )
    return builder.add(op.name, made, node)


def _over(
    op: Operation, value: Value, axes: tuple[int, ...], largest: bool, builder: Builder
) -> Value:
    """Over whole axes, which keep a size of one."""
    if any(value.rows.shape[axis] > 1 for axis in axes):
        raise Refusal("takes values with parameters for each place: use one for each channel")
    rank = len(value.shape)
    rest = [axis for axis in range(1, rank) if axis not in axes]
    order = [axis - 1 for axis in (*axes, *rest)]
    places = math.prod(value.shape[axis] for axis in axes)
    channels = math.prod(value.shape[axis] for axis in rest)
    node = builder.laid(value.wire, value.wire.index[0].transpose(order))
    flat: Any = Flatten(
        in_shape=builder.shape(node), type=builder.type(node), out_shape=(1, places * channels)
    )
    name = _pooled(op, builder, builder.add(f"{op.name}_in", flat, node), channels, largest)
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
    wire = Wire(name, np.arange(channels, dtype=np.int32).reshape(shape))
    made = replace(value, wire=wire)
    return made if largest else _mean(op, made, places, False, builder)


def _reduced(
    op: Operation, parts: list[Any], value: Value, largest: bool, builder: Builder
) -> Value:
    rank = len(value.shape)
    given = op.attributes.get("axes")
    if len(parts) > 1 and parts[1] is not None:
        if not isinstance(parts[1], Constant):
            raise Refusal("takes axes that depend on the input: export it again")
        given = tuple(int(axis) for axis in parts[1].values.reshape(-1))
    if not given or not all(isinstance(axis, int) and -rank <= axis < rank for axis in given):
        raise Refusal("needs axes of its input: export it again")
    axes = tuple(sorted({axis % rank for axis in given}))
    if axes[0] == 0:
        raise Refusal("reduces the batch: leave its axis out")
    found = _over(op, value, axes, largest, builder)
    if op.attributes.get("keepdims", 1):
        return found
    return found.moved(lambda x: x.reshape([s for a, s in enumerate(x.shape) if a not in axes]))


def _mean(op: Operation, value: Value, places: int, padded: bool, builder: Builder) -> Value:
    """The mean that a sum stands for: the sum is exact, the quotient is rounded to float32."""
    given = value.function
    assert given.scale is not None and given.zero is not None
    scale, zero = given.scale, given.zero * places
    low, high = given.low * places, given.high * places
    if padded:
        low = np.minimum(low, zero)
        high = np.maximum(high, zero)
    most = np.maximum(np.abs(low - zero), np.abs(high - zero))
    exact = fits_float32(most, scale)
    if not exact:
        builder.notes.append(
            f"{op.name} ({op.kind}): its scale is no power of two, so that float32 sums depend on "
            "their order; here the exact sum is rounded once"
        )
    count = np.float32(places)
    whole = exact and places & (places - 1) == 0
    made = Function(
        low=low,
        high=high,
        evaluate=lambda q, r: ((q - zero[r]) * scale[r]).astype(np.float32) / count,
        rises=np.ones(len(low), dtype=np.int8),
        gain=scale / places,
        offset=-scale * zero / places,
        scale=scale / places if whole else None,
        zero=zero if whole else None,
    )
    return replace(value, function=made)


class _Floor(Quantiser):
    """Leaves the lowest bits of an integer out; :py:`high` says how many."""

    def codes(self, x: Floats, rows: Ints | None = None) -> Ints:
        """Integers of float32 integers."""
        found: NDArray[np.int64] = np.round(x).astype(np.int64) >> self.high
        return found


def quantised_average(op: Operation, parts: list[Any], builder: Builder) -> Value:
    """The value after a ``QuantAvgPool2d``: sums of integers, without their lowest bits."""
    value, given = parts[0], op.attributes
    if not isinstance(value, Value) or len(value.shape) != 4:
        raise Refusal("takes no image that depends on the input: export it again")
    if str(given.get("data_layout", "NCHW")) != "NCHW":
        raise Refusal("has its channels last: convert it to the layout NCHW")
    function = value.function
    if function.scale is None or not (function.scale == 1).all() or np.any(function.zero):
        raise Refusal("takes values that are no integers: give its Quant a scale of 1")
    size, before, after = (given.get(key, 0) for key in ("kernel", "ibits", "obits"))
    stride = given.get("stride", 1)
    inner = Operation(
        op.name,
        "AveragePool",
        "",
        op.inputs,
        op.outputs,
        {"kernel_shape": (size, size), "strides": (stride, stride)},
    )
    found = pool(inner, parts, builder)
    shift = max(((2**before - 1) * size * size).bit_length() - after, 0)
    sums = Value.of_integers(found.wire, found.rows, found.function.low, found.function.high)
    floor = _Floor(np.ones((), np.float32), np.zeros((), np.float32), 0, shift)
    return quantise(op, replace(sums, integer=False), floor, 32, builder)
