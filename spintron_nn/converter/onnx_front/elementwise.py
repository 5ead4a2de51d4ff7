"""Operators on a value and constants, in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .functions import number_of
from .reading import Operation, Refusal
from .values import Constant, Value

__all__ = ["ELEMENTWISE", "apply_elementwise"]

Floats = NDArray[np.float32]


def _float(part: Any, what: str, fits: Value) -> Floats:
    """A float32 constant that broadcasts to the shape of a value, and no further."""
    if not isinstance(part, Constant):
        raise Refusal(f"lacks its {what}: export the model again")
    if part.values.dtype != np.float32:
        raise Refusal(f"its {what} must be float32, not {part.values.dtype}: cast it")
    try:
        broad = np.broadcast_shapes(part.values.shape, fits.shape)
    except ValueError:
        broad = ()
    if broad != fits.shape:
        raise Refusal(
            f"its {what} of shape {part.values.shape} does not fit values of shape {fits.shape}: "
            "reshape it"
        )
    values: Floats = part.values
    return values


def _pair(op: Operation, value: Value, parts: list[Any]) -> Value:
    """Add, Sub, Mul and Div of a value and a constant, in either order."""
    first = parts[0] is not value
    c = _float(parts[0] if first else parts[1], "constant", value)
    if op.kind == "Add":
        return value.then(lambda x, c: x + c, c, line=(1, c))
    if op.kind == "Sub":
        if first:
            return value.then(lambda x, c: c - x, c, rises=-1, line=(-1, c))
        return value.then(lambda x, c: x - c, c, line=(1, -c))
    if op.kind == "Mul":
        return value.then(lambda x, c: x * c, c, rises=np.sign(c), line=(c, 0))
    if first:
        return value.then(lambda x, c: c / x, c, rises=None)
    if (c == 0).any():
        raise Refusal("divides by zero: correct its constant")
    return value.then(lambda x, c: x / c, c, rises=np.sign(c), line=(1 / c.astype(np.float64), 0))


def _extreme(op: Operation, value: Value, parts: list[Any]) -> Value:
    """Min and Max of a value and constants."""
    pick = np.minimum if op.kind == "Min" else np.maximum
    constants = [_float(part, "constant", value) for part in parts if part is not value]
    for constant in constants:
        value = value.then(lambda x, c: pick(x, c), constant)
    return value


def _power(op: Operation, value: Value, parts: list[Any]) -> Value:
    if parts[0] is not value:
        raise Refusal("has its input as exponent: use another function")
    return value.then(
        lambda x, c: np.power(x, c).astype(np.float32),
        _float(parts[1], "exponent", value),
        rises=None,
    )


def _normalise(op: Operation, value: Value, parts: list[Any]) -> Value:
    """BatchNormalization with the statistics of training, as ONNX defines it."""
    if len(value.shape) < 2:
        raise Refusal("needs an axis of channels: reshape its input")
    if op.attributes.get("training_mode", 0):
        raise Refusal("is in training mode: export the model after model.eval()")
    shape = (1, value.shape[1], *(1 for _ in value.shape[2:]))
    if len(parts) < 5:
        raise Refusal("needs scale, bias, mean and variance: export the model again")
    scale, bias, mean, variance = (
        _float(_channels(part, shape), what, value)
        for part, what in zip(parts[1:5], ("scale", "bias", "mean", "variance"), strict=True)
    )
    root = np.sqrt(variance + number_of(op, "epsilon", 1e-5))
    if not (root > 0).all():
        raise Refusal("has a variance that is not positive: train it again")
    factor = scale.astype(np.float64) / root
    return value.then(
        lambda x, scale, mean, root, bias: scale * (x - mean) / root + bias,
        scale,
        mean,
        root,
        bias,
        rises=np.sign(scale),
        line=(factor, bias - factor * mean),
    )


def _channels(part: Any, shape: tuple[int, ...]) -> Any:
    if not isinstance(part, Constant):
        return None
    if part.values.size not in (1, shape[1]):
        raise Refusal(f"needs a number for each of its {shape[1]} channels: export it again")
    return Constant(part.values.reshape(shape if part.values.size > 1 else (1,)))


def _limit(part: Any, given: Any) -> np.float32 | None:
    """An optional number, as an input or as an attribute."""
    if part is not None:
        if not isinstance(part, Constant) or part.values.size != 1:
            raise Refusal("its limits must be single numbers: use one for all channels")
        return np.float32(part.values.reshape(-1)[0])
    return None if given is None else np.float32(given)


def _clip(op: Operation, value: Value, parts: list[Any]) -> Value:
    limits = [*parts[1:], None, None]
    low = _limit(limits[0], op.attributes.get("min"))
    high = _limit(limits[1], op.attributes.get("max"))
    if low is not None and high is not None and low > high:
        raise Refusal("has a lower limit above its upper one: swap them")
    return value.then(
        lambda x: np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)
    )


def _leaky(op: Operation, value: Value, parts: list[Any]) -> Value:
    slope = _float(parts[1] if len(parts) > 1 else None, "slope", value)
    rises = 1 if (slope >= 0).all() else None
    return value.then(lambda x, c: np.where(x < 0, x * c, x), slope, rises=rises)


ELEMENTWISE: dict[str, Callable[[Operation, Value, list[Any]], Value]] = {
    "Add": _pair,
    "BatchNormalization": _normalise,
    "Clip": _clip,
    "Div": _pair,
    "Max": _extreme,
    "Min": _extreme,
    "Mul": _pair,
    "PRelu": _leaky,
    "Pow": _power,
    "Sub": _pair,
}


def apply_elementwise(op: Operation, parts: list[Any]) -> Value:
    """The value after an operator of :py:`ELEMENTWISE`, with one input that depends on the data.

    Raises
    ------
    ValueError
        If its constants do not fit.
    """
    value = next(part for part in parts if isinstance(part, Value))
    if parts[0] is not value and op.kind in ("BatchNormalization", "Clip", "PRelu"):
        raise Refusal("takes a constant first, and its parameters from the input: swap them")
    return ELEMENTWISE[op.kind](op, value, parts)
