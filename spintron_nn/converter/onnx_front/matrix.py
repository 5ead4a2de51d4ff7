"""MatMul and Gemm with integer weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import MatrixStage
from .names import Names
from .reading import Operation
from .state import Stages
from .values import Constant, Value

__all__ = ["check_weights", "multiply"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

WEIGHT_BITS = 8
"""Bits of the magnitude of a weight."""


def multiply(op: Operation, parts: list[Any], stages: Stages, names: Names) -> Value:
    """Add a matrix to the stages; return its product, in float32.

    Raises
    ------
    ValueError
        If the product is not one of integers and scales; the text says what to do.
    """
    x, matrix = parts[0], parts[1]
    if not isinstance(x, Value) or not isinstance(matrix, Constant):
        raise ValueError(
            "must multiply values that depend on the input, on its left, by constant weights: "
            "transpose it; attention is not converted"
        )
    given = op.attributes if op.kind == "Gemm" else {}
    if given.get("transA", 0):
        raise ValueError("transposes its input: leave transA out")
    if given.get("transB", 0):
        if matrix.values.ndim != 2:
            raise ValueError("needs a matrix of two axes: export the model again")
        matrix = matrix.moved(np.transpose)
    if matrix.values.ndim != 2 or x.shape != (1, matrix.values.shape[0]):
        raise ValueError(
            f"multiplies the shapes {x.shape} and {matrix.values.shape}; only vectors (1, inputs) "
            "by matrices (inputs, outputs) are converted: flatten first"
        )
    if x.scale is None or x.zero is None:
        raise ValueError("takes real values: put a Quant in front of it")
    step = float(x.scale[0])
    if not (x.scale == step).all():
        raise ValueError("takes values with a scale for each channel: use one scale in its Quant")
    weights, scales = _weights(matrix)
    limits = np.stack([x.low - x.zero, x.high - x.zero])[:, :, None] * weights
    low, high = limits.min(axis=0).sum(axis=0), limits.max(axis=0).sum(axis=0)
    if max(-int(low.min()), int(high.max())) >= 1 << 40:
        raise ValueError("could leave 40 bits: use fewer bits or rows")
    name = names.free(op.name)
    assert stages.waiting is None
    stages.waiting = MatrixStage(name, weights.T.copy(), -(x.zero @ weights), stages.kind)
    most = np.abs(limits).max(axis=0).sum(axis=0)
    if not _fits_float32(most, step, scales):
        stages.notes.append(
            f"{op.name} ({op.kind}): its scales are no powers of two, so that float32 sums depend "
            "on their order; here the exact sum is rounded once"
        )
    return _product(op, parts, given, x, low, high, step * scales)


def check_weights(matrix: Constant) -> None:
    """Refuse weights that are not quantised, whatever they are multiplied by."""
    if matrix.values.ndim == 2:
        _weights(matrix)


def _weights(matrix: Constant) -> tuple[Ints, Reals]:
    """Integers of shape ``(inputs, outputs)`` and a scale for each output."""
    if matrix.codes is None or matrix.scale is None or matrix.zero is None:
        values = matrix.values
        if values.dtype != np.float32 or not (values == np.round(values)).all():
            raise ValueError("has weights that are not quantised: put a Quant behind them")
        codes, scales = values.astype(np.int64), np.ones(values.shape[1])
    else:
        scales = matrix.scale[0].astype(np.float64)
        if not (matrix.scale == matrix.scale[0]).all():
            raise ValueError(
                "has weights with a scale for each input: use one scale, or one for each output"
            )
        codes = matrix.codes - matrix.zero.astype(np.int64)
    if np.abs(codes).max(initial=0) >= 1 << WEIGHT_BITS:
        raise ValueError(
            f"has weights beyond {WEIGHT_BITS} bits and a sign: quantise them to 8 bits or fewer"
        )
    if not codes.size:
        raise ValueError("has no weights: leave it out")
    return codes, scales


def _odd(scale: Any) -> Ints:
    """Odd part of the integers that floats are, times a power of two."""
    mantissa, _ = np.frexp(np.asarray(scale, dtype=np.float64))
    whole = (mantissa * 2.0**53).astype(np.int64)
    return whole // (whole & -whole)


def _fits_float32(most: Ints, step: float, scales: Reals) -> bool:
    """Whether no sum of products of the reference is rounded in float32."""
    odd = np.log2(np.maximum(most, 1)) + np.log2(_odd(step)) + np.log2(_odd(scales))
    return bool((odd <= 24).all())


def _product(
    op: Operation, parts: list[Any], given: Any, x: Value, low: Ints, high: Ints, scales: Reals
) -> Value:
    """The product in float32, with what a Gemm does to it."""
    value = Value(
        shape=(1, len(low)),
        low=low,
        high=high,
        steps=(lambda q: (q * scales).astype(np.float32),),
        rises=np.ones(len(low), dtype=np.int8),
        gain=scales,
        offset=np.zeros(len(low)),
    )
    alpha, beta = (np.float32(given.get(key, 1.0)) for key in ("alpha", "beta"))
    if alpha != 1:
        value = value.then(lambda y: y * alpha, np.sign(alpha), line=(alpha, 0))
    if op.kind == "Gemm" and len(parts) > 2 and parts[2] is not None and beta != 0:
        bias = parts[2].values * beta
        if bias.dtype != np.float32 or np.broadcast_shapes(bias.shape, value.shape) != value.shape:
            raise ValueError(f"has a bias of shape {bias.shape}: give one for each output")
        value = value.then(lambda y: y + bias, line=(1, bias))
    return value
