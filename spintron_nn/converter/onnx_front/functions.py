"""Operators that are one function of each value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reading import Operation, Refusal
from .values import Constant, Value

__all__ = ["FUNCTIONS", "apply_function", "number_of"]

Floats = NDArray[Any]

_erf_of_one: Any = np.frompyfunc(math.erf, 1, 1)


def _erf(x: Floats) -> Floats:
    return np.asarray(_erf_of_one(x)).astype(np.float64)


def number_of(op: Operation, name: str, default: float) -> np.float32:
    """A finite number among the attributes."""
    value = op.attributes.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refusal(f"its {name} must be a finite number, not {value!r}: export it again")
    return np.float32(value)


def _sigmoid(x: Floats) -> Floats:
    small = np.exp(-np.abs(x))
    return np.where(x > 0, 1 / (1 + small), small / (1 + small))


def _gelu(op: Operation) -> Callable[[Floats], Floats]:
    if op.attributes.get("approximate", "none") == "tanh":
        factor = math.sqrt(2 / math.pi)
        return lambda x: 0.5 * x * (1 + np.tanh(factor * (x + 0.044715 * x**3)))
    return lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _softplus(x: Floats) -> Floats:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


SMOOTH: dict[str, tuple[bool, Callable[[Operation], Callable[[Floats], Floats]]]] = {
    "Sigmoid": (True, lambda op: _sigmoid),
    "Tanh": (True, lambda op: np.tanh),
    "Erf": (True, lambda op: _erf),
    "Exp": (True, lambda op: np.exp),
    "Softplus": (True, lambda op: _softplus),
    "Softsign": (True, lambda op: lambda x: x / (1 + np.abs(x))),
    "Gelu": (False, _gelu),
    "Mish": (False, lambda op: lambda x: x * np.tanh(_softplus(x))),
    "Swish": (False, lambda op: lambda x: x * _sigmoid(number_of(op, "alpha", 1.0) * x)),
}
"""Whether a function rises, and the function in float64: its result is rounded to float32 once."""


def _elu(op: Operation) -> Callable[[Floats], Floats]:
    alpha = float(number_of(op, "alpha", 1.0))
    return lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _selu(op: Operation) -> Callable[[Floats], Floats]:
    alpha = float(number_of(op, "alpha", 1.67326319217681884765625))
    gamma = float(number_of(op, "gamma", 1.05070102214813232421875))
    return lambda x: gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _celu(op: Operation) -> Callable[[Floats], Floats]:
    alpha = float(number_of(op, "alpha", 1.0))
    return lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


BENT = {"Elu": _elu, "Selu": _selu, "Celu": _celu}
"""Functions that rise where their numbers are positive."""


def _leaky(op: Operation, value: Value) -> Value:
    slope = number_of(op, "alpha", 0.01)
    return value.then(lambda x: np.where(x < 0, x * slope, x), rises=1 if slope >= 0 else None)


def _hard_sigmoid(op: Operation, value: Value) -> Value:
    alpha, beta = number_of(op, "alpha", 0.2), number_of(op, "beta", 0.5)
    zero, one = np.float32(0), np.float32(1)
    return value.then(
        lambda x: np.maximum(zero, np.minimum(one, x * alpha + beta)), rises=np.sign(alpha)
    )


def _hard_swish(op: Operation, value: Value) -> Value:
    alpha, zero, one, half = (np.float32(x) for x in (1 / 6, 0, 1, 0.5))
    return value.then(lambda x: x * np.maximum(zero, np.minimum(one, alpha * x + half)), rises=None)


def _thresholded(op: Operation, value: Value) -> Value:
    alpha = number_of(op, "alpha", 1.0)
    rises = 1 if alpha >= 0 else None
    return value.then(lambda x: np.where(x > alpha, x, np.float32(0)), rises=rises)


def _shrink(op: Operation, value: Value) -> Value:
    bias, edge = number_of(op, "bias", 0.0), number_of(op, "lambd", 0.5)
    return value.then(
        lambda x: np.where(x < -edge, x + bias, np.where(x > edge, x - bias, np.float32(0))),
        rises=1 if 0 <= bias <= edge else None,
    )


def _plain(step: Callable[[Floats], Floats], rises: int | None, **given: Any) -> Any:
    return lambda op, value: value.then(step, rises=rises, **given)


def _square_root(op: Operation, value: Value) -> Value:
    return value.then(np.sqrt)


FUNCTIONS: dict[str, Callable[[Operation, Value], Value] | None] = {
    "Abs": _plain(np.abs, None),
    "Ceil": _plain(np.ceil, 1),
    "Floor": _plain(np.floor, 1),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "LeakyRelu": _leaky,
    "Neg": _plain(lambda x: -x, -1, line=(-1, 0)),
    "Relu": _plain(lambda x: np.maximum(x, np.float32(0)), 1),
    "Round": _plain(np.round, 1),
    "Shrink": _shrink,
    "Sign": _plain(np.sign, 1),
    "Sqrt": _square_root,
    "ThresholdedRelu": _thresholded,
    **dict.fromkeys((*SMOOTH, *BENT), None),
}


def apply_function(op: Operation, parts: list[Any], notes: list[str]) -> Value:
    """The value after an operator of :py:`FUNCTIONS`."""
    value = parts[0]
    assert isinstance(value, Value)
    if any(isinstance(part, (Value, Constant)) for part in parts[1:]):
        raise Refusal("takes one input: export the model again")
    made = FUNCTIONS[op.kind]
    if made is not None:
        return made(op, value)
    if op.kind in SMOOTH:
        rising, maker = SMOOTH[op.kind]
        step = maker(op)
    else:
        step = BENT[op.kind](op)
        rising = all(number_of(op, name, 1.0) > 0 for name in ("alpha", "gamma"))
        if op.kind == "Celu" and not rising:
            raise Refusal("has an alpha that is not positive: export it again")
    notes.append(
        f"{op.name} ({op.kind}): what float32 gives for it depends on the library; here the exact "
        "result is rounded once"
    )
    return value.then(
        lambda x: np.asarray(step(np.asarray(x, dtype=np.float64))).astype(np.float32),
        rises=1 if rising else None,
    )
