"""What of a model cannot be converted, found without any data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..graph import (
    FUNCTIONS,
    Add,
    ArgmaxOf,
    Concatenate,
    Conv,
    Function,
    Linear,
    Model,
    Norm,
    Pad,
    Permute,
    PoolOf,
    Reshape,
    Slice,
    SoftmaxOf,
    Step,
    TopKOf,
)
from ..settings import Settings

__all__ = ["check"]

LARGEST = 1 << 24
"""Values of a tensor of a network."""

FACTOR_BITS = 24
"""Significant bits of a factor of a sum: those of a 32-bit float."""

MOST = 64
"""Inputs of a sum, and of tensors side by side."""

Shapes = dict[str, tuple[int, ...]]
Problems = Iterator[str]


def check(model: Model, settings: Settings | None = None) -> list[str]:
    """Everything that stands in the way of converting a model, one line each.

    Parameters
    ----------
    model : Model
        The model.
    settings : Settings or None
        Choices of the conversion; None leaves out what depends on them.
    """
    shapes: Shapes = dict(model.inputs)
    found = [
        f"{name}: {problem}" for name, shape in shapes.items() for problem in _size(shape, "takes")
    ]
    taken = {source for step in model.steps for source in step.inputs} | set(model.outputs.values())
    found += [
        f"{name}: nothing takes this input; remove it" for name in shapes if name not in taken
    ]
    for step in model.steps:
        problems = [*_size(step.shape, "gives"), *_arrays(step)]
        looked_at = _CHECKS.get(type(step.operation))
        if not problems and looked_at is not None:
            problems = list(looked_at(step, step.operation, shapes, model, settings))
        found += [f"{step.origin or step.name}: {problem}" for problem in problems]
        shapes[step.name] = step.shape
    return found


def _size(shape: tuple[int, ...], verb: str) -> Problems:
    count = math.prod(shape)
    if len(shape) > 8 or not 1 <= count <= LARGEST:
        yield (
            f"{verb} a tensor of shape {shape}; a tensor of a network has at most 8 axes and "
            f"1 to {LARGEST} values: make it smaller"
        )


def _arrays(step: Step) -> Problems:
    """Constants that are no numbers."""
    for name, value in vars(step.operation).items():
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            count = int((~np.isfinite(value)).sum())
            yield (
                f"{count} of {value.size} values of its {name} are not finite; train again from a "
                "checkpoint before they became so"
            )


def _linear(step: Step, operation: Linear, *_: Any) -> Problems:
    if not operation.weight.size:
        yield "has no weights; remove it"


def _windows(
    step: Step, operation: Conv | PoolOf, kernel: tuple[int, ...], shape: tuple[int, ...]
) -> Problems:
    """Problems of a kernel of one or two axes on a tensor with its channels first."""
    if len(kernel) not in (1, 2) or len(shape) != 1 + len(kernel):
        yield (
            f"has a kernel of {len(kernel)} axes on a tensor of shape {shape}; only "
            "(channels, length) and (channels, height, width) are converted: reshape before it"
        )
        return
    count = math.prod(step.shape[1:]) * math.prod(kernel) * shape[0]
    if count > LARGEST:
        yield (
            f"its windows hold {count} values together, and a network holds at most {LARGEST}: "
            "use a smaller image, more stride or fewer channels"
        )


def _conv(
    step: Step, operation: Conv, shapes: Shapes, _: Model, settings: Settings | None
) -> Problems:
    if not operation.weight.size:
        yield "has no weights; remove it"
        return
    yield from _windows(step, operation, operation.weight.shape[2:], shapes[step.inputs[0]])
    cols, groups = len(operation.weight), operation.groups
    if settings is None or settings.scheme != "reference" or groups == 1:
        return
    side = settings.crossbar_size
    if cols // groups > side and cols // groups % side:
        yield (
            f"has {cols // groups} columns a group, and a tile of {side} that shares a reference "
            "column cannot span two groups; use scheme='pair', or another crossbar_size"
        )


def _pool(step: Step, operation: PoolOf, shapes: Shapes, *_: Any) -> Problems:
    shape = shapes[step.inputs[0]]
    yield from _windows(step, operation, operation.kernel, shape)
    some = operation.count_padding or operation.divisor is not None
    if len(shape) != 1 + len(operation.kernel) or (operation.kind != "max" and some):
        return
    for axis, size in enumerate(shape[1:]):
        before, places = operation.padding[axis][0], np.arange(operation.kernel[axis])
        first = np.arange(step.shape[1 + axis]) * operation.stride[axis] - before
        reach = first[:, None] + places * operation.dilation[axis]
        if not ((reach >= 0) & (reach < size)).any(axis=1).all():
            yield "has windows that lie in the padding alone; use less padding"
            return


def _pad(step: Step, operation: Pad, *_: Any) -> Problems:
    if operation.value != 0:
        yield (
            f"pads with {operation.value:g}, which no code need stand for; pad with 0, or use the "
            "padding of the layer behind it"
        )


def _norm(step: Step, operation: Norm, *_: Any) -> Problems:
    if not (operation.var + operation.eps > 0).all():
        yield "has a variance that is not above 0; train again with a larger eps"


def _function(step: Step, operation: Function, *_: Any) -> Problems:
    if operation.name not in FUNCTIONS:
        yield f"the function {operation.name} is not converted; use one of {', '.join(FUNCTIONS)}"
    elif (
        any(np.isnan(value) for value in (operation.low, operation.high))
        or not np.isfinite([operation.slope, operation.offset]).all()
    ):
        yield "has a parameter that is not a number; give one"


def _add(step: Step, operation: Add, *_: Any) -> Problems:
    if len(step.inputs) > MOST:
        yield f"adds {len(step.inputs)} tensors, and a sum has at most {MOST}; add in steps"
    for factor in operation.factors:
        if not math.isfinite(factor) or _bits(factor) > FACTOR_BITS:
            yield (
                f"has the factor {factor!r}, whose sum is exact only with at most {FACTOR_BITS} "
                "significant bits; round it to a 32-bit float"
            )


def _bits(factor: float) -> int:
    mantissa = abs(factor.as_integer_ratio()[0]) or 1
    return (mantissa // (mantissa & -mantissa)).bit_length()


def _concatenate(step: Step, operation: Concatenate, *_: Any) -> Problems:
    if len(step.inputs) > MOST:
        yield f"joins {len(step.inputs)} tensors, and at most {MOST} are converted; join in steps"


def _argmax(step: Step, operation: ArgmaxOf, shapes: Shapes, model: Model, _: Any) -> Problems:
    size = shapes[step.inputs[0]][operation.axis]
    if size > 1 << 16:
        yield f"compares {size} values, and at most 65536 are converted; cut them"
    yield from _last(step, model)


def _top(step: Step, operation: TopKOf, shapes: Shapes, model: Model, _: Any) -> Problems:
    size = shapes[step.inputs[0]][operation.axis]
    if size > 1 << 16:
        yield f"compares {size} values, and at most 65536 are converted; cut them"
    if not 1 <= operation.k <= min(size, 256):
        yield f"asks for the {operation.k} largest of {size}; ask for 1 to {min(size, 256)}"
    if not operation.values:
        yield from _last(step, model)


def _last(step: Step, model: Model) -> Problems:
    """Problems of indices that something computes with."""
    free = Reshape, Permute, Slice
    names = {step.name}
    for other in model.steps:
        if names.intersection(other.inputs):
            if not isinstance(other.operation, free):
                yield (
                    f"its indices are taken by {other.origin or other.name}, and no codes are made "
                    "of indices; make them an output"
                )
                return
            names.add(other.name)


def _softmax(step: Step, operation: SoftmaxOf, shapes: Shapes, *_: Any) -> Problems:
    size = shapes[step.inputs[0]][operation.axis]
    if operation.log:
        yield (
            "a logarithm of shares is not converted; leave it out: the values before it have the "
            "same order"
        )
    if size > 4095:
        yield f"has {size} values in a sum, and at most 4095 are converted; leave it out"


_CHECKS: dict[type, Callable[..., Problems]] = {
    Add: _add,
    ArgmaxOf: _argmax,
    Concatenate: _concatenate,
    Conv: _conv,
    Function: _function,
    Linear: _linear,
    Norm: _norm,
    Pad: _pad,
    PoolOf: _pool,
    SoftmaxOf: _softmax,
    TopKOf: _top,
}
