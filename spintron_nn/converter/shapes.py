"""Shapes of the results of real operations."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .graph import (
    Add,
    Affine,
    ArgmaxOf,
    Concatenate,
    Conv,
    Dropout,
    Function,
    Linear,
    Mul,
    Norm,
    Operation,
    Pad,
    Permute,
    PoolOf,
    Reshape,
    Slice,
    SoftmaxOf,
    TopKOf,
    Upsample,
)

__all__ = ["broadcast", "result_shape"]

Shape = tuple[int, ...]


def broadcast(*shapes: Shape) -> Shape:
    """Common shape of arrays, by numpy's rule.

    Raises
    ------
    ValueError
        If two sizes of an axis differ and none is 1.
    """
    axes = max(len(shape) for shape in shapes)
    result = []
    for column in zip(*((1,) * (axes - len(shape)) + shape for shape in shapes), strict=True):
        sizes = set(column) - {1}
        if len(sizes) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not fit each other")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def result_shape(operation: Operation, shapes: Sequence[Shape], wanted: Shape = ()) -> Shape:
    """Shape of what an operation makes of inputs of the given shapes, all without the batch.

    Parameters
    ----------
    operation : Operation
        What is computed.
    shapes : sequence of tuple of int
        One for each input.
    wanted : tuple of int
        Shape that a :class:`~spintron_nn.converter.graph.Reshape` gives.

    Raises
    ------
    ValueError
        If the operation does not take such inputs.
    """
    if isinstance(operation, Add | Mul | Concatenate):
        shape = _joined(operation, shapes)
    else:
        if len(shapes) != 1:
            raise ValueError(f"{type(operation).__name__} takes one input, not {len(shapes)}")
        shape = _single(operation, shapes[0], wanted)
    if any(size < 1 for size in shape):
        raise ValueError(f"its result would have the shape {shape}, which is empty")
    return shape


def _joined(operation: Add | Mul | Concatenate, shapes: Sequence[Shape]) -> Shape:
    if isinstance(operation, Add) and len(operation.factors) != len(shapes):
        raise ValueError(f"has {len(operation.factors)} factors for {len(shapes)} inputs")
    if isinstance(operation, Mul) and len(shapes) != 2:
        raise ValueError(f"a product takes two inputs, not {len(shapes)}")
    if not isinstance(operation, Concatenate):
        return broadcast(*shapes)
    axis, first = operation.axis, shapes[0]
    _check_axis(axis, first)
    others = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if len(others) > 1 or len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"shapes {', '.join(map(str, shapes))} do not fit along axis {axis}")
    return first[:axis] + (sum(shape[axis] for shape in shapes),) + first[axis + 1 :]


def _single(operation: Operation, shape: Shape, wanted: Shape) -> Shape:
    match operation:
        case Linear(weight=weight, bias=bias):
            if not shape or weight.ndim != 2 or weight.shape[1] != shape[-1]:
                raise ValueError(f"weights of shape {weight.shape} do not take {shape}")
            if bias.shape != weight.shape[:1]:
                raise ValueError(f"a bias of shape {bias.shape} does not fit {weight.shape}")
            return shape[:-1] + (weight.shape[0],)
        case Conv():
            return _conv(operation, shape)
        case PoolOf():
            return shape[:1] + _windows(
                shape[1:],
                operation.kernel,
                operation.stride,
                operation.padding,
                operation.dilation,
            )
        case Norm(mean=mean):
            if not shape or mean.shape != shape[:1]:
                raise ValueError(f"statistics of shape {mean.shape} do not fit {shape}")
        case Affine(scale=scale, offset=offset):
            if broadcast(scale.shape, offset.shape, shape) != shape:
                raise ValueError(f"constants of shape {scale.shape} do not fit {shape}")
        case Pad(amounts=amounts):
            if len(amounts) != len(shape):
                raise ValueError(f"{len(amounts)} amounts do not fit {shape}")
            return tuple(size + sum(pair) for size, pair in zip(shape, amounts, strict=True))
        case Reshape():
            if math.prod(wanted) != math.prod(shape):
                raise ValueError(f"{shape} does not become {wanted}")
            return wanted
        case Permute(order=order):
            if sorted(order) != list(range(len(shape))):
                raise ValueError(f"{order} is no order of the axes of {shape}")
            return tuple(shape[axis] for axis in order)
        case Slice(axis=axis, start=start, stop=stop, step=step):
            _check_axis(axis, shape)
            places = range(start, stop, step)
            if not places or not all(0 <= at < shape[axis] for at in (places[0], places[-1])):
                raise ValueError(f"{start}:{stop}:{step} is not within axis {axis} of {shape}")
            return shape[:axis] + (len(places),) + shape[axis + 1 :]
        case Upsample(factors=factors):
            if len(factors) != len(shape):
                raise ValueError(f"{len(factors)} factors do not fit {shape}")
            return tuple(size * factor for size, factor in zip(shape, factors, strict=True))
        case SoftmaxOf(axis=axis):
            _check_axis(axis, shape)
        case ArgmaxOf(axis=axis):
            _check_axis(axis, shape)
            return shape[:axis] + shape[axis + 1 :]
        case TopKOf(k=k, axis=axis):
            _check_axis(axis, shape)
            if not 1 <= k <= shape[axis]:
                raise ValueError(f"{k} of {shape[axis]} values are asked for")
            return shape[:axis] + (k,) + shape[axis + 1 :]
        case Function() | Dropout():
            pass
    return shape


def _check_axis(axis: int, shape: Shape) -> None:
    if not 0 <= axis < len(shape):
        raise ValueError(f"{shape} has no axis {axis}")


def _conv(operation: Conv, shape: Shape) -> Shape:
    weight, groups = operation.weight, operation.groups
    spatial = weight.ndim - 2
    if spatial not in (1, 2) or len(shape) != spatial + 1:
        raise ValueError(f"weights of shape {weight.shape} do not take {shape}")
    if groups < 1 or weight.shape[0] % groups or weight.shape[1] * groups != shape[0]:
        raise ValueError(f"{groups} groups and weights {weight.shape} do not take {shape}")
    if operation.bias.shape != weight.shape[:1]:
        raise ValueError(f"a bias of shape {operation.bias.shape} does not fit {weight.shape}")
    return weight.shape[:1] + _windows(
        shape[1:], weight.shape[2:], operation.stride, operation.padding, operation.dilation
    )


def _windows(
    sizes: Shape,
    kernel: Shape,
    stride: Shape,
    padding: tuple[tuple[int, int], ...],
    dilation: Shape,
) -> Shape:
    if {len(kernel), len(stride), len(padding), len(dilation)} != {len(sizes)}:
        raise ValueError(f"windows {kernel} do not fit axes {sizes}")
    found = []
    for size, window, jump, (before, after), gap in zip(
        sizes, kernel, stride, padding, dilation, strict=True
    ):
        span = gap * (window - 1) + 1
        if min(window, jump, gap) < 1 or min(before, after) < 0:
            raise ValueError("kernels, strides and dilations start at 1, paddings at 0")
        found.append((size + before + after - span) // jump + 1)
    return tuple(found)
