"""Operators that turn each value by a monotone float32 function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reading import Operation
from .values import Constant, Value

__all__ = ["ELEMENTWISE", "apply_elementwise"]

Floats = NDArray[np.float32]


def _float(part: Constant | None, what: str, fits: Value) -> Floats:
    """A float32 constant that broadcasts to the shape of a value, and no further."""
    if part is None:
        raise ValueError(f"lacks its {what}: export the model again")
    if part.values.dtype != np.float32:
        raise ValueError(f"its {what} must be float32, not {part.values.dtype}: cast it")
    try:
        wide = np.broadcast_shapes(part.values.shape, fits.shape)
    except ValueError:
        wide = ()
    if wide != fits.shape:
        raise ValueError(
            f"its {what} of shape {part.values.shape} does not fit values of shape {fits.shape}: "
            "reshape it"
        )
    values: Floats = part.values
    return values


def _number(part: Constant | None, given: Any) -> np.float32 | None:
    """An optional number, as an input or as an attribute."""
    if part is not None:
        if part.values.size != 1:
            raise ValueError("its limits must be single numbers: use one for all channels")
        return np.float32(part.values.reshape(-1)[0])
    return None if given is None else np.float32(given)


def _pair(op: Operation, value: Value, parts: list[Any]) -> Value:
    """Add, Sub, Mul and Div of a value and a constant, in either order."""
    first = not isinstance(parts[0], Value)
    c = _float(parts[0] if first else parts[1], "constant", value)
    one = c.size == 1
    if op.kind == "Add":
        return value.then(lambda x: x + c, line=(1, c), uniform=one)
    if op.kind == "Sub":
        if first:
            return value.then(lambda x: c - x, -1, line=(-1, c), uniform=one)
        return value.then(lambda x: x - c, line=(1, -c), uniform=one)
    if op.kind == "Mul":
        return value.then(lambda x: x * c, np.sign(c), line=(c, 0), uniform=one)
    if first:
        raise ValueError("divides by its input, which is not monotone: multiply by a constant")
    if (c == 0).any():
        raise ValueError("divides by zero: correct its constant")
    return value.then(lambda x: x / c, np.sign(c), line=(1 / c.astype(np.float64), 0), uniform=one)


def _normalise(op: Operation, value: Value, parts: list[Any]) -> Value:
    """BatchNormalization with the statistics of training, as ONNX defines it."""
    if len(value.shape) < 2:
        raise ValueError("needs an axis of channels: reshape its input")
    if op.attributes.get("training_mode", 0):
        raise ValueError("is in training mode: export the model after model.eval()")
    shape = (1, value.shape[1], *(1 for _ in value.shape[2:]))
    if len(parts) < 5:
        raise ValueError("needs scale, bias, mean and variance: export the model again")
    scale, bias, mean, variance = (
        _float(None if part is None else _channels(part, shape), what, value)
        for part, what in zip(parts[1:5], ("scale", "bias", "mean", "variance"), strict=True)
    )
    epsilon = np.float32(op.attributes.get("epsilon", 1e-5))
    root = np.sqrt(variance + epsilon)
    if not (root > 0).all():
        raise ValueError("has a variance that is not positive: train it again")
    factor = scale.astype(np.float64) / root
    return value.then(
        lambda x: scale * (x - mean) / root + bias,
        np.sign(scale),
        line=(factor, bias - factor * mean),
        uniform=False,
    )


def _channels(part: Constant, shape: tuple[int, ...]) -> Constant:
    if part.values.size not in (1, shape[1]):
        raise ValueError(f"needs a number for each of its {shape[1]} channels: export it again")
    return Constant(part.values.reshape(shape if part.values.size > 1 else (1,)))


def _relu(op: Operation, value: Value, parts: list[Any]) -> Value:
    return value.then(lambda x: np.maximum(x, np.float32(0)))


def _clip(op: Operation, value: Value, parts: list[Any]) -> Value:
    limits = [*parts[1:], None, None]
    low = _number(limits[0], op.attributes.get("min"))
    high = _number(limits[1], op.attributes.get("max"))
    if low is not None and high is not None and low > high:
        raise ValueError("has a lower limit above its upper one: swap them")
    return value.then(
        lambda x: np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)
    )


def _leaky(op: Operation, value: Value, parts: list[Any]) -> Value:
    slope = np.float32(op.attributes.get("alpha", 0.01))
    if slope < 0:
        raise ValueError(f"has the slope {slope}, which is not monotone: use one of at least 0")
    return value.then(lambda x: np.where(x < 0, x * slope, x))


def _negate(op: Operation, value: Value, parts: list[Any]) -> Value:
    return value.then(lambda x: -x, -1, line=(-1, 0))


ELEMENTWISE: dict[str, Callable[[Operation, Value, list[Any]], Value]] = {
    "Add": _pair,
    "BatchNormalization": _normalise,
    "Clip": _clip,
    "Div": _pair,
    "LeakyRelu": _leaky,
    "Mul": _pair,
    "Neg": _negate,
    "Relu": _relu,
    "Sub": _pair,
}


def apply_elementwise(operation: Operation, parts: list[Any]) -> Value:
    """The value after an operator of :py:`ELEMENTWISE`.

    Raises
    ------
    ValueError
        If two of its inputs depend on the data, or its constants do not fit.
    """
    values = [part for part in parts if isinstance(part, Value)]
    if len(values) != 1 or (
        operation.kind not in ("Add", "Sub", "Mul", "Div") and parts[0] is not values[0]
    ):
        raise ValueError(
            "joins two tensors that depend on the input, and branches are not converted by this "
            "version: make the model a plain sequence"
        )
    return ELEMENTWISE[operation.kind](operation, values[0], parts)
