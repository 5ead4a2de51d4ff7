"""Convolutions of one and two axes, in groups or not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Flatten

from ..kernels import image_shape, kernel_matrix
from .geometry import Geometry, geometry_of
from .matrix import Factor, biased, product, weights_of
from .reading import Operation, Refusal
from .values import Constant, Value
from .wires import Builder, Wire

__all__ = ["conv", "convolved"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


def conv(op: Operation, parts: list[Any], builder: Builder) -> Value:
    """The value after a ``Conv``.

    Raises
    ------
    ValueError
        If it is none of integers and scales; the text says what to do.
    """
    x, weight = parts[0], parts[1] if len(parts) > 1 else None
    if not isinstance(x, Value) or not isinstance(weight, Constant):
        raise Refusal("must have constant weights: export the model again")
    shape = weight.shape
    codes, scales = weights_of(weight.moved(lambda a: a.reshape(shape[0], -1).T))
    value = convolved(op, x, codes.T.reshape(shape), scales, builder)
    if len(parts) > 2 and parts[2] is not None:
        value = biased(value, parts[2], np.float32(1), 1)
    return value


def _check(op: Operation, x: Value, weights: Ints) -> tuple[int, Geometry]:
    """Groups and geometry of a convolution."""
    groups = op.attributes.get("group", 1)
    outputs, depth = weights.shape[:2]
    if (
        len(x.shape) != weights.ndim
        or not isinstance(groups, int)
        or groups < 1
        or depth * groups != x.shape[1]
        or outputs % groups
    ):
        raise Refusal(
            f"convolves the shape {x.shape} with weights {weights.shape} in {groups} groups, which "
            "do not fit: export it again"
        )
    geometry = geometry_of(op, x.shape, weights.shape[2:])
    if geometry.kernel != weights.shape[2:]:
        raise Refusal(
            f"has the kernel {geometry.kernel} and weights {weights.shape}: export it again"
        )
    return groups, geometry


def _by_channel(part: NDArray[Any], x: Value, what: str) -> NDArray[Any]:
    """A parameter of the rows of an image, for each channel."""
    found = part[x.rows]
    if found.size > max(found.shape[1], 1) and not (found == found[:, :, :1]).all():
        raise Refusal(f"takes values with a {what} for each place: use one for each channel")
    flat = found.reshape(found.shape[0], found.shape[1], -1)[0, :, 0]
    return np.broadcast_to(flat, (x.shape[1],))


def convolved(
    op: Operation,
    x: Value,
    weights: Ints,
    scales: Reals,
    builder: Builder,
    bias: Ints | None = None,
) -> Value:
    """Convolution of a tensor ``(1, channels, *sizes)`` with integers.

    Parameters
    ----------
    op : Operation
        The operator, with its attributes.
    x : Value
        The tensor.
    weights : int64 array of shape ``(outputs, channels / groups, *kernel)``
        Weights.
    scales : float64 array of shape ``(outputs,)``
        Their scales.
    builder : Builder
        The network.
    bias : int64 array of shape ``(outputs,)`` or None
        Added, in units of the sums.
    """
    groups, geometry = _check(op, x, weights)
    if x.function.scale is None or x.function.zero is None:
        raise Refusal("takes real values: put a Quant in front of it")
    outputs, depth = weights.shape[:2]
    places = int(np.prod(weights.shape[2:]))
    scale = _by_channel(x.function.scale, x, "scale").reshape(groups, depth)
    if not (scale == scale[:, :1]).all():
        raise Refusal("takes values with a scale for each channel: use one scale in its Quant")
    zero = _by_channel(x.function.zero, x, "zero point").reshape(groups, depth)
    step = np.repeat(scale[:, 0], outputs // groups)
    pad = _pad_code(x, zero, builder) if geometry.padded else 0
    matrix = kernel_matrix(weights)
    of_group = np.repeat(np.tile(zero, (1, places)), outputs // groups, axis=0)
    factor = Factor(
        int(x.function.low.min()),
        int(x.function.high.max()),
        step,
        of_group,
        geometry.padded,
    )
    image = image_shape(x.shape[1:])
    node = builder.channels_last(x.wire)
    kind, grid = builder.type(node), geometry.grid
    count = int(np.prod(grid))
    if groups == 1 and (geometry.pointwise or geometry.single):
        wanted = (count, int(np.prod(image)) // count)
        made: Any = Flatten(in_shape=image, type=kind, out_shape=wanted)
    else:
        made = geometry.window(image, kind, pad, groups)
    node = builder.add(f"{op.name}_in", made, node)
    name, function = product(
        op,
        builder,
        node,
        matrix,
        scales,
        factor,
        positions=count,
        blocks=groups if groups > 1 else None,
        bias=bias,
    )
    index = np.arange(count * outputs, dtype=np.int32).reshape(*grid, outputs)
    form = (1, outputs, *(1 for _ in grid))
    wire = Wire(name, np.moveaxis(index, -1, 0)[None])
    return Value(wire, np.arange(outputs).reshape(form), function)


def _pad_code(x: Value, zero: Ints, builder: Builder) -> int:
    """Code of zero, which stands around the image."""
    kind = builder.type(x.wire.node)
    code = int(zero.flat[0])
    if not (zero == code).all() or not kind.low <= code <= kind.high:
        raise Refusal(
            "pads with zero, which is no one code of its input: use a zero point that is a code, "
            "the same for all channels"
        )
    return code
