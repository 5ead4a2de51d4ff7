"""Real functions of single values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph import Affine, Dropout, Function, Mul, Slice
from .layers import EVAL
from .walk import Handler, Refused, Value, Walk

__all__ = ["HANDLERS", "Comparison"]

SELU = (1.6732632423543772, 1.0507009873554805)
"""Slope and scale of SELU.

Source
------
G. Klambauer and others, Self-normalizing neural networks, 2017, section 2.
"""

THRESHOLD = 20.0
"""Where torch replaces ``log(1 + exp(x))`` by ``x``, which is 2e-9 away by then."""


class Comparison:
    """``value > limit``: taken where core ATen picks one of two with it.

    Parameters
    ----------
    value : Value
        What is compared.
    limit : float
        With what.
    """

    def __init__(self, value: Value, limit: float) -> None:
        self.value, self.limit = value, limit


def _apply(walk: Walk, value: Value, name: str, **parameters: float) -> Value:
    return walk.like(Function(name, **parameters), value)


def _plain(name: str) -> Handler:
    def read(walk: Walk, a: dict[str, Any]) -> Value:
        return _apply(walk, walk.value(a["self"]), name)

    return read


def _clamped(walk: Walk, given: Any, low: Any, high: Any) -> Value:
    value = walk.value(given)
    least = -np.inf if low is None else walk.scalar(low)
    most = np.inf if high is None else walk.scalar(high)
    if math.isnan(least) or math.isnan(most) or least > most:
        raise Refused(f"clamps to {least}..{most}; use limits in ascending order")
    return _apply(walk, value, "clamp", low=least, high=most)


def _hardtanh(walk: Walk, a: dict[str, Any]) -> Value:
    return _clamped(walk, a["self"], a["min_val"], a["max_val"])


def _clamp(walk: Walk, a: dict[str, Any]) -> Value:
    return _clamped(walk, a["self"], a.get("min"), a.get("max"))


def _relu6(walk: Walk, a: dict[str, Any]) -> Value:
    return _clamped(walk, a["self"], 0.0, 6.0)


def _maximum(walk: Walk, a: dict[str, Any]) -> Value:
    left, right = a["self"], a["other"]
    if not isinstance(left, Value):
        left, right = right, left
    if isinstance(right, Value):
        raise Refused("takes the larger of two computed tensors; write torch.relu(x - y) + y")
    return _clamped(walk, left, right, None)


def _minimum(walk: Walk, a: dict[str, Any]) -> Value:
    left, right = a["self"], a["other"]
    if not isinstance(left, Value):
        left, right = right, left
    if isinstance(right, Value):
        raise Refused("takes the smaller of two computed tensors; write y - torch.relu(y - x)")
    return _clamped(walk, left, None, right)


def _leaky(walk: Walk, a: dict[str, Any]) -> Value:
    slope = walk.scalar(a["negative_slope"])
    return _apply(walk, walk.value(a["self"]), "leaky_relu", slope=_finite(slope))


def _rrelu(walk: Walk, a: dict[str, Any]) -> Value:
    if a["training"]:
        raise Refused(EVAL)
    slope = (walk.scalar(a["lower"]) + walk.scalar(a["upper"])) / 2
    return _apply(walk, walk.value(a["self"]), "leaky_relu", slope=_finite(slope))


def _prelu(walk: Walk, a: dict[str, Any]) -> Value:
    slopes = walk.numbers(walk.constant(a["weight"])).reshape(-1)
    if len(slopes) == 0 or (slopes != slopes[0]).any():
        raise Refused(
            "has a slope for each channel, and one for all is supported; use nn.PReLU() or "
            "nn.LeakyReLU, then fine-tune"
        )
    return _apply(walk, walk.value(a["self"]), "leaky_relu", slope=_finite(float(slopes[0])))


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise Refused(f"has the parameter {number}; use a finite one")
    return number


def _elu(walk: Walk, a: dict[str, Any]) -> Value:
    alpha, scale, inner = (walk.scalar(a[name]) for name in ("alpha", "scale", "input_scale"))
    return _scaled_elu(walk, a["self"], alpha, scale, inner)


def _scaled_elu(walk: Walk, given: Any, alpha: float, scale: float, inner: float) -> Value:
    """``scale * x`` above zero, ``scale * alpha * (exp(inner * x) - 1)`` below."""
    value = walk.value(given)
    if not inner > 0:
        raise Refused(f"scales its input by {inner}; use a factor above zero")
    if inner != 1:
        value = walk.affine(value, inner, 0.0)
    value = _apply(walk, value, "elu", slope=_finite(alpha * inner))
    return value if scale == inner else walk.affine(value, scale / inner, 0.0)


def _selu(walk: Walk, a: dict[str, Any]) -> Value:
    return _scaled_elu(walk, a["self"], *SELU, 1.0)


def _celu(walk: Walk, a: dict[str, Any]) -> Value:
    alpha = walk.scalar(a["alpha"])
    if not alpha > 0:
        raise Refused(f"has alpha {alpha}; use one above zero")
    return _scaled_elu(walk, a["self"], alpha, 1.0, 1 / alpha)


def _gelu(walk: Walk, a: dict[str, Any]) -> Value:
    names = {"none": "gelu", "tanh": "gelu_tanh"}
    return _apply(walk, walk.value(a["self"]), names[a["approximate"]])


def _hardsigmoid(walk: Walk, a: dict[str, Any]) -> Value:
    return _apply(walk, walk.value(a["self"]), "hardsigmoid", slope=1 / 6, offset=0.5)


def _softplus(walk: Walk, a: dict[str, Any]) -> Value:
    beta, threshold = walk.scalar(a["beta"]), walk.scalar(a["threshold"])
    value = walk.value(a["self"])
    if not (beta > 0 and threshold == THRESHOLD):
        raise Refused(
            f"has beta {beta:g} and threshold {threshold:g}; use a beta above zero and the "
            f"threshold {THRESHOLD:g}"
        )
    if beta == 1:
        return _apply(walk, value, "softplus")
    value = _apply(walk, walk.affine(value, beta, 0.0), "softplus")
    return walk.affine(value, 1 / beta, 0.0)


def _log_sigmoid(walk: Walk, a: dict[str, Any]) -> Value:
    value = _apply(walk, walk.value(a["self"]), "neg")
    return _apply(walk, _apply(walk, value, "softplus"), "neg")


def _log1p(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    operation, inputs = walk.operation_of(value)
    if operation != Function("exp"):
        raise Refused("has no counterpart; use nn.Softplus for log(1 + exp(x))")
    made = walk.add(Function("softplus"), *inputs)
    return Value(made.at, made.shape, value.merged)


def _glu(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["self"])
    axis = walk.axis(value, a["dim"])
    half = value.shape[axis] // 2
    if 2 * half != value.shape[axis]:
        raise ValueError(f"axis {axis} of {value.shape} has no halves")
    first = walk.like(Slice(axis, 0, half), value)
    gate = walk.like(Slice(axis, half, 2 * half), value)
    return walk.add(Mul(), first, _apply(walk, gate, "sigmoid"), merged=value.merged)


def _power(walk: Walk, a: dict[str, Any]) -> Value:
    exponent = 2.0 if "exponent" not in a else walk.scalar(a["exponent"])
    value = walk.value(a["self"])
    if exponent == 1:
        return value
    if exponent != 2:
        raise Refused(f"takes the power {exponent:g}; use x * x, or a function of the list")
    return walk.add(Mul(), value, value, merged=value.merged)


def _dropout(walk: Walk, a: dict[str, Any]) -> Value:
    if a.get("train", a.get("training")):
        raise Refused(EVAL)
    share = walk.scalar(a["p"])
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} is dropped")
    return walk.like(Dropout(share), walk.value(a["input"]))


def _greater(walk: Walk, a: dict[str, Any]) -> Comparison:
    return Comparison(walk.value(a["self"]), walk.scalar(a["other"]))


def _where(walk: Walk, a: dict[str, Any]) -> Value:
    """Leaky ReLU and softplus as core ATen writes them."""
    condition, first, second = a["condition"], a["self"], a["other"]
    if all(isinstance(part, kind) for part, kind in ((condition, Comparison), (first, Value))):
        if isinstance(second, Value):
            if condition.limit == THRESHOLD and _is_softplus(walk, second, condition.value, first):
                return second
            slope = _factor(walk, second, first)
            if condition.limit == 0 and condition.value.at == first.at and slope is not None:
                return _apply(walk, first, "leaky_relu", slope=slope)
    raise Refused("chooses value by value; use clamp, ReLU or LeakyReLU")


def _factor(walk: Walk, value: Value, source: Value) -> float | None:
    """The one number that a value is the source times, None where there is no such number."""
    operation, inputs = walk.operation_of(value)
    if not isinstance(operation, Affine) or inputs[0].at != source.at or operation.offset.any():
        return None
    factors = operation.scale.reshape(-1)
    return float(factors[0]) if (factors == factors[0]).all() else None


def _is_softplus(walk: Walk, value: Value, inner: Value, source: Value) -> bool:
    """Whether a value is ``log(1 + exp(inner)) / beta``, and inner is beta times the source."""
    beta: float | None = 1.0
    if inner.at != source.at:
        beta = _factor(walk, inner, source)
    operation, inputs = walk.operation_of(value)
    if isinstance(operation, Affine):
        factor = _factor(walk, value, inputs[0])
        if beta is None or factor is None or factor != 1 / beta:
            return False
        operation, inputs = walk.operation_of(inputs[0])
    elif beta != 1:
        return False
    return operation == Function("softplus") and inputs[0].at == inner.at


HANDLERS: dict[str, Handler] = {
    **{
        name: _plain(name)
        for name in ("relu", "sigmoid", "tanh", "silu", "exp", "neg", "abs", "hardswish")
    },
    "negative": _plain("neg"),
    "absolute": _plain("abs"),
    "hardtanh": _hardtanh,
    "relu6": _relu6,
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max"), _clamp),
    "maximum": _maximum,
    "minimum": _minimum,
    "leaky_relu": _leaky,
    "rrelu": _rrelu,
    **dict.fromkeys(("prelu", "_prelu_kernel"), _prelu),
    "elu": _elu,
    "selu": _selu,
    "celu": _celu,
    "gelu": _gelu,
    "hardsigmoid": _hardsigmoid,
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "log1p": _log1p,
    "glu": _glu,
    **dict.fromkeys(("square", "pow"), _power),
    **dict.fromkeys(
        ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"), _dropout
    ),
    "gt": _greater,
    "where": _where,
}
