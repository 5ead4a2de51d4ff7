"""Convolutions and fully connected layers as matrices, with TFLite's requantiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Interval, IntType
from spintron_ir.requantise import product_bound

from ..integers import Matrix
from ..kernels import kernel_matrix, window_of
from .fixed import activation_range, requantiser
from .once import rounding_once
from .reading import Operation
from .refusal import Refusal
from .state import Constant, State, Value, inner, of_tensor

__all__ = ["MATRICES", "convolution", "fully_connected", "padding_of"]

Ints = NDArray[np.int64]

MATRICES = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def padding_of(
    sizes: Sequence[int], reach: Sequence[int], stride: Sequence[int], padding: int
) -> tuple[tuple[int, int], ...]:
    """Rows before and after an axis each: none where valid, the odd one behind where same.

    >>> padding_of((5, 6), (3, 3), (2, 2), 0), padding_of((5, 6), (3, 3), (2, 2), 1)
    (((1, 1), (0, 1)), ((0, 0), (0, 0)))
    """
    if padding:
        return tuple((0, 0) for _ in sizes)
    total = [
        max((-(-size // step) - 1) * step + wide - size, 0)
        for size, wide, step in zip(sizes, reach, stride, strict=True)
    ]
    return tuple((rows // 2, rows - rows // 2) for rows in total)


def convolution(op: Operation, parts: list[Any], state: State) -> Value:
    """CONV_2D and DEPTHWISE_CONV_2D."""
    value, weight = _checked(parts)
    depthwise = op.kind == "DEPTHWISE_CONV_2D"
    if len(value.shape) != 4 or value.shape[0] != 1 or weight.values.ndim != 4:
        raise Refusal(f"takes the shape {value.shape}, not (1, height, width, channels)")
    codes, scales = _codes(weight, 3 if depthwise else 0, value.kind)
    options = op.options
    stride = options["StrideH"], options["StrideW"]
    dilation = options["DilationHFactor"], options["DilationWFactor"]
    channels = value.shape[3]
    if depthwise:
        if codes.shape[0] != 1 or codes.shape[3] % channels:
            raise Refusal(f"has weights {codes.shape} for {channels} channels: they do not fit")
        kernel, groups = codes.transpose(3, 0, 1, 2), channels
    else:
        kernel, groups = codes.transpose(0, 3, 1, 2), channels // max(codes.shape[3], 1)
        if groups * codes.shape[3] != channels or len(codes) % groups:
            raise Refusal(f"has weights {codes.shape} for {channels} channels: they do not fit")
    sizes = kernel.shape[2:]
    state.spend(kernel.size)
    matrix = kernel_matrix(kernel)
    reach = [(size - 1) * gap + 1 for size, gap in zip(sizes, dilation, strict=True)]
    before = padding_of(value.shape[1:3], reach, stride, int(options["Padding"]))
    value, before = _unpadded(value, before, bool(options["Padding"]))
    image = inner(value.shape)
    window = window_of(
        image,
        value.kind,
        sizes,
        stride=stride,
        padding=before,
        dilation=dilation,
        pad_value=value.zero,
        groups=groups,
    )
    positions, _ = window.shape
    pointwise = sizes == (1, 1) == stride and not any(window.padding)
    whole = sizes == image[:2] and positions == groups == 1 == max(dilation)
    if pointwise or (whole and not any(window.padding)):
        node = state.held(op, value, (positions, matrix.shape[1] * groups))
    else:
        node = state.add(op, window, state.held(op, value, image), part="window")
    found = _matrix(op, parts, state, matrix, scales, positions, groups)
    made = state.add(op, found, node)
    return state.value(op, made, (1, *window.grid, len(matrix)), found.shape)


def _unpadded(
    value: Value, before: tuple[tuple[int, int], ...], valid: bool
) -> tuple[Value, tuple[tuple[int, int], ...]]:
    """What stands behind a padding of zeros, which the window can do itself."""
    if value.padded is None or not valid or value.padded[1] != value.zero:
        return value, before
    source, _, (top, left, bottom, right) = value.padded
    source = replace(source, scale=value.scale, zero=value.zero)
    return source, ((top, bottom), (left, right))


def fully_connected(op: Operation, parts: list[Any], state: State) -> Value:
    """FULLY_CONNECTED."""
    value, weight = _checked(parts)
    if op.options["WeightsFormat"]:
        raise Refusal("has shuffled weights: export the model again in the default format")
    codes, scales = _codes(weight, 0, value.kind, whole=True)
    if codes.ndim != 2 or not codes.size or value.count % codes.shape[1]:
        raise Refusal(f"has weights {codes.shape} for {value.count} values: they do not fit")
    outputs, rows = codes.shape
    vectors = value.count // rows
    shape: tuple[int, ...] = (vectors, outputs)
    if op.options["KeepNumDims"]:
        if value.shape[-1] != rows:
            raise Refusal(f"has weights {codes.shape} for the last axis of {value.shape}")
        shape = (*value.shape[:-1], outputs)
    state.spend(codes.size)
    positions = None if vectors == 1 else vectors
    found = _matrix(op, parts, state, codes, scales, positions, 1)
    node = state.held(op, value, found.in_shape)
    return state.value(op, state.add(op, found, node), shape, found.shape)


def _checked(parts: list[Any]) -> tuple[Value, Constant]:
    if len(parts) not in (2, 3) or not isinstance(parts[0], Value):
        raise Refusal("lacks its input: export the model again")
    if not isinstance(parts[1], Constant):
        raise Refusal("takes weights that depend on the input: fold them into constants")
    return parts[0], parts[1]


def _codes(
    weight: Constant, axis: int, kind: IntType, *, whole: bool = False
) -> tuple[Ints, NDArray[np.float32]]:
    """Weights without their zero point, and scales, one or one an output."""
    tensor, outputs = weight.tensor, weight.values.shape[axis]
    if tensor.kind not in (("int8", "int4") if kind.signed else ("uint8",)):
        raise Refusal(f"has weights of type {tensor.kind} for {kind}: quantise the model to int8")
    if len(tensor.scale) not in (1, outputs) or (len(tensor.scale) > 1 and tensor.axis != axis):
        raise Refusal(
            f"has {len(tensor.scale)} scales along axis {tensor.axis} of its weights, not one or "
            f"{outputs} along axis {axis}: export the model again"
        )
    if tensor.kind != "uint8" and tensor.zero.any() and not (whole and len(tensor.zero) == 1):
        raise Refusal("has int8 weights with a zero point, which TFLite leaves out: use zero")
    return weight.values.astype(np.int64) - int(tensor.zero[0]), tensor.scale


def _matrix(
    op: Operation,
    parts: list[Any],
    state: State,
    weights: Ints,
    scales: NDArray[np.float32],
    positions: int | None,
    groups: int,
) -> Matrix:
    value, outputs = parts[0], len(weights)
    kind, scale, zero = of_tensor(state.output(op))
    if kind != value.kind:
        raise Refusal(f"turns {value.kind} into {kind}: use one type")
    bias = _bias(parts, outputs) - value.zero * weights.sum(axis=1)
    if np.abs(bias).max() >= 1 << 31:
        raise Refusal("has sums beyond 32 bits: use smaller biases")
    ends = activation_range(int(op.options["FusedActivationFunction"]), scale, zero, kind)
    one, acc = np.float32(value.scale), _sums(weights, bias, value.kind)
    factors = float(one) * scales.astype(np.float64) / scale
    if op.kind != "FULLY_CONNECTED" and not kind.signed:
        factors = (one * scales).astype(np.float64) / scale  # a product of float32, as TFLite's
    factors = np.broadcast_to(factors, outputs)
    rule: Any
    if op.kind == "FULLY_CONNECTED":
        state.work(1024 * outputs)  # all codes of each are looked at
        rule = rounding_once(factors, zero, ends, kind, acc)
    else:
        rule = requantiser(factors, zero, ends, kind)
    product_bound(rule, acc)
    return Matrix(
        weights=weights,
        bias=bias,
        input=value.kind,
        requantise=rule,
        positions=positions,
        blocks=groups if groups > 1 else None,
    )


def _bias(parts: list[Any], outputs: int) -> Ints:
    if len(parts) < 3 or parts[2] is None:
        return np.zeros(outputs, dtype=np.int64)
    if not isinstance(parts[2], Constant) or parts[2].values.size != outputs:
        raise Refusal(f"needs a constant bias of {outputs} values: export the model again")
    if parts[2].tensor.kind != "int32":
        raise Refusal(f"has a bias of type {parts[2].tensor.kind}, not int32: quantise it")
    return parts[2].values.reshape(-1).astype(np.int64)


def _sums(weights: Ints, bias: Ints, kind: IntType) -> Interval:
    """Interval of all sums; some input reaches each end."""
    ends = np.stack([weights * kind.low, weights * kind.high])
    low, high = ends.min(axis=0).sum(axis=1) + bias, ends.max(axis=0).sum(axis=1) + bias
    return Interval(int(low.min()), int(high.max()))
