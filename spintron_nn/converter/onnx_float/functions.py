"""Functions of single values."""

from __future__ import annotations

import math
from collections.abc import Callable

from spintron_nn.converter.graph import Function
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .attributes import AGAIN, check_known, choice, flag, number, real
from .build import Builder
from .idioms import UNMADE
from .pairs import add_pair, affine
from .tensors import Constant, Part, Value, broadcast, reals

__all__ = ["PLAIN", "apply_plain", "cast", "clip", "dropout", "extreme", "function", "prelu"]

PLAIN = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Exp": "exp",
    "Neg": "neg", "Abs": "abs", "HardSwish": "hardswish", "Erf": UNMADE,
}  # fmt: skip
"""Operators without attributes."""

KEPT = ("relu", "clamp")
"""Functions of integers as they are of reals."""


def _given(op: Operation, parts: list[Part]) -> Value:
    x = parts[0] if parts else None
    if not isinstance(x, Value):
        raise Refusal("takes a constant: compute it beforehand")
    return x


def _each(op: Operation, made: Function, x: Value, to: Builder) -> Value:
    if x.whole and made.name not in KEPT:
        raise Refusal("computes with integers, which may wrap round: cast them to float32")
    return to.each(op, made, x)


def apply_plain(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """An operator of :py:`PLAIN`."""
    check_known(op, "consumed_inputs" if opset < 6 else "")
    return _each(op, Function(PLAIN[op.kind]), _given(op, parts), to)


def _elu(op: Operation, x: Value, to: Builder) -> Value:
    check_known(op, "alpha")
    return _each(op, Function("elu", slope=real(op, "alpha", 1.0)), x, to)


def _celu(op: Operation, x: Value, to: Builder) -> Value:
    check_known(op, "alpha")
    alpha = real(op, "alpha", 1.0)
    if alpha == 0:
        raise Refusal("has alpha = 0: use Relu")
    within = affine(op, x, 1 / alpha, 0.0, to)
    return affine(op, _each(op, Function("elu", slope=1.0), within, to), alpha, 0.0, to)


def _selu(op: Operation, x: Value, to: Builder) -> Value:
    check_known(op, "alpha gamma")
    alpha, gamma = (
        real(op, "alpha", 1.67326319217681884765625),
        real(op, "gamma", 1.0507010221481323),
    )
    return affine(op, _each(op, Function("elu", slope=alpha), x, to), gamma, 0.0, to)


def _leaky(op: Operation, x: Value, to: Builder) -> Value:
    check_known(op, "alpha")
    return _each(op, Function("leaky_relu", slope=real(op, "alpha", 0.01)), x, to)


def _hard(op: Operation, x: Value, to: Builder) -> Value:
    check_known(op, "alpha beta")
    alpha, beta = real(op, "alpha", 0.2), real(op, "beta", 0.5)
    if alpha == 0:
        return _each(op, Function("clamp", 0.0, 1.0), affine(op, x, 0.0, beta, to), to)
    return _each(op, Function("hardsigmoid", slope=alpha, offset=beta), x, to)


def _gelu(op: Operation, x: Value, to: Builder) -> Value:
    check_known(op, "approximate")
    exact = choice(op, "approximate", "none tanh") == "none"
    return _each(op, Function("gelu" if exact else "gelu_tanh"), x, to)


def _swish(op: Operation, x: Value, to: Builder) -> Value:
    check_known(op, "alpha")
    alpha = real(op, "alpha", 1.0)
    if alpha == 0:
        return affine(op, x, 0.5, 0.0, to)
    within = affine(op, x, alpha, 0.0, to)
    return affine(op, _each(op, Function("silu"), within, to), 1 / alpha, 0.0, to)


OTHERS: dict[str, Callable[[Operation, Value, Builder], Value]] = {
    "Celu": _celu,
    "Elu": _elu,
    "Gelu": _gelu,
    "HardSigmoid": _hard,
    "LeakyRelu": _leaky,
    "Selu": _selu,
    "Swish": _swish,
}


def function(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """An operator with parameters."""
    return OTHERS[op.kind](op, _given(op, parts), to)


def _limit(part: Part, what: str) -> float:
    if not isinstance(part, Constant) or part.values.size != 1:
        raise Refusal(f"its {what} must be one constant number: use one for all values")
    return float(reals(part.values).reshape(-1)[0])


def clip(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Clip`` between two numbers."""
    check_known(op, "min max" if opset < 11 else "")
    x = _given(op, parts)
    if opset < 11:
        low = real(op, "min", -math.inf) if "min" in op.attributes else -math.inf
        high = real(op, "max", math.inf) if "max" in op.attributes else math.inf
    else:
        more = [*parts[1:], None, None]
        low = -math.inf if more[0] is None else _limit(more[0], "lower limit")
        high = math.inf if more[1] is None else _limit(more[1], "upper limit")
    if (low, high) == (-math.inf, math.inf):
        return x
    return _each(op, Function("clamp", min(low, high), high), x, to)


def extreme(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Max`` and ``Min`` of one tensor and numbers."""
    check_known(op, "consumed_inputs" if opset < 6 else "")
    values = [part for part in parts if isinstance(part, Value)]
    if len(values) > 1:
        raise Refusal(
            "compares tensors that depend on the input: write Relu(x - y) + y, or y - Relu(y - x)"
        )
    (x,) = values
    limits = [_limit(part, "limits") for part in parts if not isinstance(part, Value)]
    ranks = [part.values.ndim for part in parts if isinstance(part, Constant)]
    if max(ranks, default=0) > len(x.shape):
        raise Refusal(f"has limits of more axes than its input: {AGAIN}")
    if not limits:
        return x
    if op.kind == "Max":
        low = max(limits)
        return _each(op, Function("relu") if low == 0 else Function("clamp", low=low), x, to)
    return _each(op, Function("clamp", high=min(limits)), x, to)


def prelu(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``PRelu``: one slope is a LeakyRelu; others are ``relu(x) - slope * relu(-x)``."""
    check_known(op, "")
    x, given = _given(op, parts), parts[1] if len(parts) > 1 else None
    if not isinstance(given, Constant):
        raise Refusal("has slopes that depend on the input: make them constant")
    slope = reals(given.values)
    if broadcast(slope.shape, x.shape) != x.shape:
        raise Refusal(f"has slopes of shape {slope.shape}: {AGAIN}")
    if slope.size == 1:
        return _each(op, Function("leaky_relu", slope=float(slope.reshape(-1)[0])), x, to)
    above = _each(op, Function("relu"), x, to)
    below = _each(op, Function("relu"), _each(op, Function("neg"), x, to), to)
    return add_pair(op, [above, affine(op, below, -slope, 0.0, to)], (1.0, 1.0), to)


FLOATS = (1, 11)
WHOLE = (6, 7)


def cast(op: Operation, parts: list[Part], to: Builder, opset: int) -> Constant | Value:
    """``Cast`` and ``CastLike`` to a type that holds every value as it is."""
    check_known(op, "to saturate round_mode")
    like = parts[1] if len(parts) > 1 else None
    if isinstance(parts[0], Constant) and isinstance(like, Value):
        if like.whole or parts[0].values.dtype.kind != "f":
            raise Refusal("casts a constant to a type that is not kept here: use Cast")
        return parts[0]
    x = _given(op, parts)
    if op.kind == "CastLike":
        kinds = {"float32": 1, "float64": 11, "int32": 6, "int64": 7}
        if isinstance(like, Constant):
            wanted = kinds.get(str(like.values.dtype), 0)
        else:
            wanted = 1 if isinstance(like, Value) and not like.whole else 0
    else:
        wanted = number(op, "to", 0)
    if wanted in FLOATS:
        return Value(x.step, x.have, x.shape)
    if wanted in WHOLE and x.whole:
        return x
    raise Refusal("casts to a type that rounds values: leave it out, or use float32")


def dropout(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Dropout``, which is nothing at inference."""
    check_known(op, "ratio seed is_test consumed_inputs")
    training = len(parts) > 2 and parts[2] is not None
    if training:
        mode = parts[2]
        training = not isinstance(mode, Constant) or bool(mode.values.any())
        ratio = parts[1]
        if isinstance(ratio, Constant) and not ratio.values.any():
            training = False
    if training or (opset < 7 and not flag(op, "is_test")):
        raise Refusal("is in training mode: export the model after model.eval()")
    return _given(op, parts)
