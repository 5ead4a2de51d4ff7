"""Functions that graphs write out in several operators, recognised where their last product stands.

Numbers may be rounded to float32; all else must be as it is in the function.
"""

from __future__ import annotations

import math

from spintron_nn.converter.graph import Add, Affine, Function, Mul, Operation, Reshape

from .build import Builder
from .tensors import Value

__all__ = ["PRODUCTS", "UNMADE", "Product", "known_product"]

UNMADE = "erf"
"""A function that no model has, only graphs on their way to GELU."""

PRODUCTS = ("gelu", "gelu_tanh", "hardswish", "silu")
"""Functions that are found here."""

DEEP = 8
"""Steps that a function is looked for in, one behind the other."""

Product = tuple[str, Value, float, float]
"""Function, its input, a factor of the input and one of the result."""

Lines = dict[str, tuple[float, float]]


def _is(value: float, known: float) -> bool:
    """Whether a number is one that is known, in float32 or as a graph computes it there."""
    return abs(value - known) <= abs(known) * 2.0**-21


def _lines(to: Builder, step: str) -> Lines:
    """Steps that this one is ``scale * x + offset`` of, with these numbers, the nearest first."""
    scale, offset = 1.0, 0.0
    found = {step: (1.0, 0.0)}
    while step in to.steps and len(found) < DEEP:
        made = to.steps[step]
        operation = made.operation
        if isinstance(operation, Affine) and operation.scale.size == operation.offset.size == 1:
            offset += scale * float(operation.offset.reshape(-1)[0])
            scale *= float(operation.scale.reshape(-1)[0])
        elif not isinstance(operation, Reshape):
            break
        step = made.inputs[0]
        found[step] = (scale, offset)
    return found


def _end(lines: Lines) -> tuple[str, float, float]:
    step = list(lines)[-1]
    return step, *lines[step]


def _made(to: Builder, step: str) -> tuple[Operation | None, tuple[str, ...]]:
    made = to.steps.get(step)
    return (None, ()) if made is None else (made.operation, made.inputs)


def _is_same(to: Builder, step: str, base: str) -> bool:
    return _lines(to, step).get(base) == (1.0, 0.0)


def _is_cube(to: Builder, step: str, base: str) -> bool:
    """Whether a step is the base times its square, in either order."""
    operation, inputs = _made(to, step)
    if not isinstance(operation, Mul):
        return False
    for one, other in (inputs, inputs[::-1]):
        square, factors = _made(to, other)
        if _is_same(to, one, base) and isinstance(square, Mul):
            return all(_is_same(to, factor, base) for factor in factors)
    return False


def _is_cubic(to: Builder, step: str, base: str) -> bool:
    """Whether a step is ``sqrt(2 / pi) * (x + 0.044715 * x**3)``."""
    total, factor, zero = _end(_lines(to, step))
    operation, inputs = _made(to, total)
    if not isinstance(operation, Add) or operation.factors != (1.0, 1.0):
        return False
    if not _is(factor, math.sqrt(2 / math.pi)) or zero != 0:
        return False
    for one, other in (inputs, inputs[::-1]):
        cube, share, nothing = _end(_lines(to, other))
        if _is_same(to, one, base) and _is(share, 0.044715) and nothing == 0:
            return _is_cube(to, cube, base)
    return False


def known_product(first: Value, second: Value, to: Builder) -> Product | None:
    """The function that a product of two tensors is, or None.

    ``x * sigmoid(k * x)``, ``x * (1 + erf(x / sqrt(2)))``, ``x * hardsigmoid(x)``,
    ``x * clamp(x + 3, 0, 6)`` and the approximation of GELU, with any factors.
    """
    if first.shape != second.shape:
        return None
    for outer, inner in ((first, second), (second, first)):
        top, scale, offset = _end(_lines(to, inner.step))
        function, inputs = _made(to, top)
        if not isinstance(function, Function):
            continue
        for base, (share, zero) in _lines(to, outer.step).items():
            found = _known(to, function, inputs[0], base, scale, offset)
            if found is not None and zero == 0:
                made = to.steps.get(base)
                have = to.inputs[base] if made is None else made.shape
                name, factor, before = found
                return name, Value(base, have, outer.shape), before, factor * share
    return None


def _known(
    to: Builder, function: Function, source: str, base: str, scale: float, offset: float
) -> tuple[str, float, float] | None:
    """``base * (scale * function(source) + offset)`` by name, its factor and one of the base."""
    name = function.name
    if name == "tanh":
        known = _is(offset, scale) and _is_cubic(to, source, base)
        return ("gelu_tanh", 2 * scale, 1.0) if known else None
    slope, shift = _lines(to, source).get(base, (0.0, 0.0))
    if name == "sigmoid" and offset == shift == 0 and slope != 0:
        return "silu", scale / slope, slope
    if name == UNMADE and _is(offset, scale) and shift == 0 and _is(slope, math.sqrt(0.5)):
        return "gelu", 2 * scale, 1.0
    if (slope, offset) != (1.0, 0.0):
        return None
    if name == "hardsigmoid" and shift == 0 and function.offset == 0.5:
        return ("hardswish", scale, 1.0) if _is(function.slope, 1 / 6) else None
    if name == "clamp" and shift == 3 and (function.low, function.high) == (0.0, 6.0):
        return "hardswish", 6 * scale, 1.0
    return None
