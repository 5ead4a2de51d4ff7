"""Operations of a model in torch, on tensors of shape ``(samples, batch, *shape)``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from spintron_nn.converter.graph import (
    Add,
    Affine,
    Concatenate,
    Function,
    Mul,
    Pad,
    Permute,
    PoolOf,
    Reshape,
    Slice,
    SoftmaxOf,
    Step,
    TopKOf,
    Upsample,
)

__all__ = ["OPERATIONS", "padded"]

AXES = 2
"""Axes before those of a step: chips and batch."""


def padded(x: Tensor, amounts: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    """Put a constant around the last axes, or cut them."""
    flat = [amount for pair in reversed(amounts) for amount in pair]
    return functional.pad(x, flat, value=value) if any(flat) else x


def _hardsigmoid(function: Function, x: Tensor) -> Tensor:
    if (function.slope, function.offset) in ((0.0, 0.0), (1 / 6, 0.5)):
        return functional.hardsigmoid(x)
    return (function.slope * x + function.offset).clamp(0.0, 1.0)


_FUNCTIONS: dict[str, Callable[[Function, Tensor], Tensor]] = {
    "relu": lambda _, x: torch.relu(x),
    "clamp": lambda function, x: x.clamp(function.low, function.high),
    "leaky_relu": lambda function, x: torch.where(x < 0, x * function.slope, x),
    "elu": lambda function, x: functional.elu(x, function.slope),
    "sigmoid": lambda _, x: torch.sigmoid(x),
    "tanh": lambda _, x: torch.tanh(x),
    "hardsigmoid": _hardsigmoid,
    "hardswish": lambda _, x: functional.hardswish(x),
    "gelu": lambda _, x: functional.gelu(x),
    "gelu_tanh": lambda _, x: functional.gelu(x, approximate="tanh"),
    "silu": lambda _, x: functional.silu(x),
    "softplus": lambda _, x: functional.softplus(x),
    "exp": lambda _, x: torch.exp(x),
    "neg": lambda _, x: -x,
    "abs": lambda _, x: x.abs(),
}


def _function(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    return _FUNCTIONS[operation.name](operation, x)


def _affine(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    scale, offset = (
        torch.as_tensor(array, dtype=x.dtype, device=x.device)
        for array in (operation.scale, operation.offset)
    )
    return x * scale + offset


def _reshape(step: Step, x: Tensor) -> Tensor:
    return x.reshape(*x.shape[:AXES], *step.shape)


def _permute(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    return x.permute(0, 1, *(axis + AXES for axis in operation.order))


def _aligned(step: Step, parts: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of as many axes, as numpy counts them from the last one."""
    axes = len(step.shape)
    return [
        part.reshape(*part.shape[:AXES], *[1] * (axes + AXES - part.ndim), *part.shape[AXES:])
        for part in parts
    ]


def _add(step: Step, *parts: Tensor) -> Tensor:
    operation: Any = step.operation
    terms = [
        part if factor == 1 else part * factor
        for part, factor in zip(_aligned(step, parts), operation.factors, strict=True)
    ]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _mul(step: Step, *parts: Tensor) -> Tensor:
    one, other = _aligned(step, parts)
    return one * other


def _concatenate(step: Step, *parts: Tensor) -> Tensor:
    operation: Any = step.operation
    chips = max(len(part) for part in parts)
    whole = [part.expand(chips, *part.shape[1:]) for part in parts]
    return torch.cat(whole, dim=operation.axis + AXES)


def _slice(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    places = range(operation.start, operation.stop, operation.step)
    axis = operation.axis + AXES
    if operation.step > 0:
        window = [slice(None)] * x.ndim
        window[axis] = slice(operation.start, operation.stop, operation.step)
        return x[tuple(window)]
    return x.index_select(axis, torch.tensor(list(places), device=x.device))


def _upsample(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    for axis, count in enumerate(operation.factors):
        if count > 1:
            x = x.repeat_interleave(count, axis + AXES)
    return x


def _pad(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    return padded(x, operation.amounts, operation.value)


def _softmax(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    return torch.softmax(x, operation.axis + AXES)


def _top(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    found = x.topk(operation.k, dim=operation.axis + AXES)
    return found.values if operation.values else found.indices


def _pool(step: Step, x: Tensor) -> Tensor:
    operation: Any = step.operation
    chips, batch, *shape = x.shape
    flat, kernel, stride = x.reshape(chips * batch, *shape), operation.kernel, operation.stride
    padding, dilation = operation.padding, operation.dilation
    if len(shape) == 2:  # a line is an image of one row
        flat = flat.unsqueeze(2)
        kernel, stride, dilation = ((1, *one) for one in (kernel, stride, dilation))
        padding = ((0, 0), *padding)
    if operation.kind == "max":
        wide = padded(flat, padding, -math.inf)
        found = functional.max_pool2d(wide, kernel, stride, 0, dilation)
    else:
        found = _sums(padded(flat, padding), kernel, stride, dilation)
        found = found / _counts(operation, flat, padding, kernel, stride, dilation)
    return found.reshape(chips, batch, *step.shape)


def _sums(x: Tensor, kernel: Any, stride: Any, dilation: Any) -> Tensor:
    if max(dilation) == 1:
        return functional.avg_pool2d(x, kernel, stride, divisor_override=1)
    ones = x.new_ones(x.shape[1], 1, *kernel)
    return functional.conv2d(x, ones, None, stride, 0, dilation, x.shape[1])


def _counts(
    operation: PoolOf, x: Tensor, padding: Any, kernel: Any, stride: Any, dilation: Any
) -> Any:
    """What a mean is divided by."""
    if operation.divisor is not None:
        return operation.divisor
    if operation.count_padding:
        return math.prod(kernel)
    there = padded(x.new_ones(1, 1, *x.shape[2:]), padding)
    return _sums(there, kernel, stride, dilation)


OPERATIONS: dict[type, Callable[..., Tensor]] = {
    Add: _add,
    Affine: _affine,
    Concatenate: _concatenate,
    Function: _function,
    Mul: _mul,
    Pad: _pad,
    Permute: _permute,
    PoolOf: _pool,
    Reshape: _reshape,
    Slice: _slice,
    SoftmaxOf: _softmax,
    TopKOf: _top,
    Upsample: _upsample,
}
"""What has no parameters: called with the step and its inputs."""
