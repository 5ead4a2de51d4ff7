"""Convolutions and pools: windows over spatial axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spintron_nn.converter.graph import Conv, Norm, Pad, PoolOf
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .attributes import AGAIN, check_known, choice, flag, number, numbers, real
from .build import Builder, Shape
from .tensors import Constant, Part, Value, reals, said

__all__ = ["convolve", "global_pool", "normalise", "pool", "whole_axes"]

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Windows:
    """Windows over spatial axes.

    Parameters
    ----------
    stride, dilation : tuple of int
        One for each axis.
    padding : tuple of (int, int)
        Around each axis.
    beyond : tuple of int
        What the last window reaches beyond that, where sizes are rounded up.
    out : tuple of int
        Windows along each axis.
    """

    stride: Shape
    dilation: Shape
    padding: Pairs
    beyond: Shape
    out: Shape


def _windows(op: Operation, sizes: Shape, kernel: Shape, opset: int) -> Windows:
    rank = len(sizes)
    stride = numbers(op, "strides", (1,) * rank, 1)
    dilation = numbers(op, "dilations", (1,) * rank, 1)
    pads = numbers(op, "pads", (0,) * 2 * rank, 0)
    auto = choice(op, "auto_pad", "NOTSET SAME_UPPER SAME_LOWER VALID")
    up = flag(op, "ceil_mode") if op.kind != "Conv" else False
    if auto != "NOTSET" and any(pads):
        raise Refusal(f"has both auto_pad and pads: {AGAIN}")
    padding, beyond, out = [], [], []
    for axis, (size, step) in enumerate(zip(sizes, stride, strict=True)):
        span = (kernel[axis] - 1) * dilation[axis] + 1
        before, after = pads[axis], pads[rank + axis]
        if auto.startswith("SAME"):
            total = max((math.ceil(size / step) - 1) * step + span - size, 0)
            before = total // 2 if auto == "SAME_UPPER" else total - total // 2
            after = total - before
        room = size + before + after - span
        if room < 0:
            raise Refusal(
                f"has a kernel that spans {span} of {size + before + after} values along a spatial "
                "axis: pad its input, or use a smaller one"
            )
        count = room // step + 1
        if up and auto == "NOTSET":
            count += room % step > 0
            if (count - 1) * step >= size + before:
                if opset < 22:
                    raise Refusal(
                        "has a last window in the padding, which opset 22 drops and earlier ones "
                        "leave open: use ceil_mode = 0"
                    )
                count -= 1
                after = max((count - 1) * step + span - size - before, 0)
        padding.append((before, after))
        beyond.append(max((count - 1) * step + span - size - before - after, 0))
        out.append(count)
    return Windows(stride, dilation, tuple(padding), tuple(beyond), tuple(out))


def _weight(parts: list[Part], index: int, what: str) -> Constant:
    part = parts[index] if index < len(parts) else None
    if not isinstance(part, Constant) or part.values.dtype.kind != "f":
        raise Refusal(f"needs constant {what} of real numbers: put them into the model")
    return part


def convolve(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Conv`` over one or two axes."""
    check_known(op, "auto_pad dilations group kernel_shape pads strides")
    x, given = parts[0], _weight(parts, 1, "weights")
    if not isinstance(x, Value):
        raise Refusal("convolves a constant: compute it beforehand")
    shape = to.image(x, 1, 2)
    weight = reals(given.values)
    groups = number(op, "group", 1, 1)
    if weight.ndim != len(shape) + 1 or min(weight.shape) < 1:
        raise Refusal(
            f"has weights of shape {said(weight.shape)} for frames of shape {said(shape)}: {AGAIN}"
        )
    outputs, depth, *kernel = weight.shape
    if numbers(op, "kernel_shape", kernel, 1) != tuple(kernel):
        raise Refusal(f"has another kernel_shape than its weights {said(weight.shape)}: {AGAIN}")
    if depth * groups != shape[0] or outputs % groups:
        raise Refusal(
            f"has weights of shape {said(weight.shape)} and {groups} groups for {shape[0]} "
            f"channels: {AGAIN}"
        )
    bias, key = np.zeros(outputs), None
    if len(parts) > 2 and parts[2] is not None:
        offset = _weight(parts, 2, "a bias")
        if offset.values.shape != (outputs,):
            raise Refusal(f"has a bias of shape {said(offset.values.shape)}: {AGAIN}")
        bias, key = reals(offset.values), offset.key
    found = _windows(op, shape[1:], tuple(kernel), opset)
    made = Conv(weight, bias, found.stride, found.padding, found.dilation, groups, given.key, key)
    return to.emit(op, made, [(x, shape)], (x.shape[0], outputs, *found.out), 1)


def _filled(op: Operation, found: Windows, sizes: Shape, kernel: Shape) -> None:
    """Refuse windows without a single value."""
    for axis, size in enumerate(sizes):
        starts = np.arange(found.out[axis]) * found.stride[axis] - found.padding[axis][0]
        places = starts[:, None] + np.arange(kernel[axis]) * found.dilation[axis]
        if not ((places >= 0) & (places < size)).any(axis=1).all():
            raise Refusal("has windows of padding alone: use less padding")


def pool(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``MaxPool`` and ``AveragePool`` over one or two axes."""
    average = op.kind == "AveragePool"
    own = "count_include_pad" if average else "storage_order"
    check_known(op, f"auto_pad ceil_mode dilations kernel_shape pads strides {own}")
    x = parts[0]
    if not isinstance(x, Value):
        raise Refusal("pools a constant: compute it beforehand")
    if average and x.whole:
        raise Refusal("takes the mean of integers, which ONNX does not define: cast them")
    shape = to.image(x, 1, 2)
    sizes = shape[1:]
    kernel = numbers(op, "kernel_shape", (0,) * len(sizes), 1)
    if min(kernel) < 1 or math.prod(kernel) > 1 << 20:
        raise Refusal(f"has the kernel {said(kernel)}: correct its sizes")
    found = _windows(op, sizes, kernel, opset)
    result = (x.shape[0], shape[0], *found.out)
    if max(found.out) * max(kernel) > 1 << 24:
        raise Refusal(f"gives the shape {said(result)}: correct its sizes")
    counted = average and flag(op, "count_include_pad")
    padding: Pairs = tuple(
        (before, after + more)
        for (before, after), more in zip(found.padding, found.beyond, strict=True)
    )
    value = x
    if counted and any(found.beyond):
        # What rounding up adds does not count, unlike the padding: that becomes values.
        amounts = ((0, 0), *found.padding)
        wide = tuple(n + before + after for n, (before, after) in zip(shape, amounts, strict=True))
        padded = (x.shape[0], *wide)
        value = to.emit(op, Pad(amounts, 0.0), [(x, shape)], padded, 1, suffix="pad")
        shape, counted = wide, False
        padding = tuple((0, more) for more in found.beyond)
    if not counted:
        _filled(op, found, sizes, kernel)
    made = PoolOf(
        "average" if average else "max",
        kernel,
        found.stride,
        padding,
        found.dilation,
        count_padding=counted or not average,
    )
    return to.emit(op, made, [(value, shape)], result, 1, whole=x.whole)


def global_pool(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``GlobalAveragePool`` and ``GlobalMaxPool``."""
    check_known(op, "")
    x = parts[0]
    if not isinstance(x, Value):
        raise Refusal("pools a constant: compute it beforehand")
    if x.whole and op.kind == "GlobalAveragePool":
        raise Refusal("takes the mean of integers, which ONNX does not define: cast them")
    shape = to.image(x, 1, 6)
    result = (*x.shape[:2], *(1 for _ in shape[1:]))
    kind = "max" if op.kind == "GlobalMaxPool" else "average"
    return whole_axes(op, kind, x, shape, result, to)


def whole_axes(
    op: Operation, kind: str, x: Value, frame: Shape, shape: Shape, to: Builder,
    divisor: int | None = None,
) -> Value:  # fmt: skip
    """Pool all axes of a frame but the first; ``shape`` is that of the result in the graph."""
    sizes: Sequence[int] = frame[1:]
    if len(sizes) > 2:
        sizes = (math.prod(sizes),)
    ones = (1,) * len(sizes)
    made = PoolOf(kind, tuple(sizes), ones, ((0, 0),) * len(sizes), ones, divisor=divisor)
    inputs = [(x, (frame[0], *sizes))]
    return to.emit(op, made, inputs, shape, 0, (frame[0], *ones), whole=x.whole)


def normalise(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``BatchNormalization`` with the statistics of training."""
    check_known(op, "epsilon momentum training_mode spatial is_test consumed_inputs")
    x = parts[0]
    if not isinstance(x, Value):
        raise Refusal("normalises a constant: compute it beforehand")
    if flag(op, "training_mode") or (opset < 7 and not flag(op, "is_test")):
        raise Refusal("is in training mode: export the model after model.eval()")
    if not flag(op, "spatial", 1):
        raise Refusal("has statistics for each place (spatial = 0): use one for each channel")
    shape = to.image(x, 0, 6)
    if math.prod(shape[1:]) == 1:
        shape = shape[:1]
    found = [
        _weight(parts, index, what)
        for index, what in enumerate(("a scale", "a shift", "a mean", "a variance"), 1)
    ]
    if any(part.values.shape != (shape[0],) for part in found):
        raise Refusal(f"needs a number for each of its {shape[0]} channels: {AGAIN}")
    gamma, beta, mean, var = (reals(part.values) for part in found)
    epsilon = real(op, "epsilon", 1e-5)
    if not (var + epsilon > 0).all():
        raise Refusal("has a variance that is not positive: train it again")
    made = Norm(gamma, beta, mean, var, epsilon, *(part.key for part in found))
    return to.emit(op, made, [(x, shape)], x.shape, 1, shape)
