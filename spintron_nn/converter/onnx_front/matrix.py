"""Matrices of integers: what MatMul, Gemm and convolutions come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..integers import Matrix
from .reading import Operation, Refusal
from .values import Constant, Function, Value
from .wires import Builder, Wire

__all__ = ["Factor", "check_weights", "gemm", "matmul", "product", "weights_of"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

WEIGHT_BITS = 8
"""Bits of the magnitude of a weight."""

INPUT_BITS = 16
"""Bits of an input of a matrix."""


@dataclass(frozen=True, eq=False)
class Factor:
    """Integers that a matrix is multiplied by.

    Parameters
    ----------
    low, high : int
        Their range.
    step : float64 array that broadcasts to ``(outputs,)``
        Real value of one unit, as each output sees it.
    zero : int64 array that broadcasts to ``(outputs, rows)``
        Their zero point.
    padded : bool
        Whether some are zero points that stand for padding.
    """

    low: int
    high: int
    step: Reals
    zero: Ints
    padded: bool = False


def check_weights(op: Operation, weight: Constant) -> None:
    """Refuse weights that are not quantised, whatever they are multiplied by."""
    if op.kind == "Conv":
        weights_of(weight.moved(lambda a: a.reshape(a.shape[0], -1).T))
    elif weight.values.ndim == 2:
        turned = op.kind == "Gemm" and op.attributes.get("transB", 0)
        weights_of(weight.moved(np.transpose) if turned else weight)


def weights_of(matrix: Constant) -> tuple[Ints, Reals]:
    """Integers of shape ``(rows, outputs)`` and a scale for each output."""
    if matrix.codes is None or matrix.scale is None or matrix.zero is None:
        values = matrix.values
        if values.dtype != np.float32 or not (values == np.round(values)).all():
            raise Refusal("has weights that are not quantised: put a Quant behind them")
        codes, scales = values.astype(np.int64), np.ones(values.shape[1])
    else:
        scales = matrix.scale[0].astype(np.float64)
        if not (matrix.scale == matrix.scale[0]).all():
            raise Refusal(
                "has weights with a scale for each input: use one scale, or one for each output"
            )
        codes = matrix.codes - matrix.zero.astype(np.int64)
    check_codes(codes)
    return codes, scales


def check_codes(codes: Ints) -> None:
    """Refuse weights that are too wide, or none at all."""
    if np.abs(codes).max(initial=0) >= 1 << WEIGHT_BITS:
        raise Refusal(
            f"has weights beyond {WEIGHT_BITS} bits and a sign: quantise them to 8 bits or fewer"
        )
    if not codes.size:
        raise Refusal("has no weights: leave it out")


def _odd(scale: Any) -> Ints:
    """Odd part of the integers that floats are, times a power of two."""
    mantissa, _ = np.frexp(np.asarray(scale, dtype=np.float64))
    whole = (mantissa * 2.0**53).astype(np.int64)
    return whole // (whole & -whole)


def fits_float32(most: Any, *scales: Any) -> bool:
    """Whether no sum of products of the reference is rounded in float32."""
    bits = np.log2(np.maximum(most, 1)) + sum(np.log2(_odd(scale)) for scale in scales)
    return bool((bits <= 24).all())


def product(
    op: Operation,
    builder: Builder,
    node: str,
    weights: Ints,
    scales: Reals,
    factor: Factor,
    *,
    positions: int | None = None,
    blocks: int | None = None,
    bias: Ints | None = None,
) -> tuple[str, Function]:
    """Add a matrix to the network; return its node and a function for each output.

    Parameters
    ----------
    op : Operation
        The operator.
    builder : Builder
        The network.
    node : str
        What the matrix is multiplied by.
    weights : int64 array of shape ``(outputs, rows)``
        Weights.
    scales : float64 array of shape ``(outputs,)``
        Their scales.
    factor : Factor
        Integers of the node.
    positions, blocks : int or None
        As for :class:`~spintron_nn.converter.integers.Matrix`.
    bias : int64 array of shape ``(outputs,)`` or None
        Added, in units of the sums.

    Raises
    ------
    ValueError
        If sums or inputs have too many bits; the text says what to do.
    """
    kind = builder.type(node)
    if kind.bits > INPUT_BITS:
        raise Refusal(
            f"takes sums of {kind.bits} bits, and inputs have at most {INPUT_BITS}: put a Quant in "
            "front of it"
        )
    zero = np.broadcast_to(factor.zero, weights.shape)
    ends = np.stack([factor.low - zero, factor.high - zero])
    if factor.padded:
        ends = np.stack([np.minimum(ends[0], 0), np.maximum(ends[1], 0)])
    limits = ends * weights
    shift = -(zero * weights).sum(axis=1)
    more = np.zeros(len(weights), dtype=np.int64) if bias is None else bias
    low = limits.min(axis=0).sum(axis=1) + more
    high = limits.max(axis=0).sum(axis=1) + more
    if max(-int(low.min()), int(high.max())) >= 1 << 40:
        raise Refusal("could leave 40 bits: use fewer bits or rows")
    shift = shift + more
    if np.abs(shift).max() >= 1 << 31:
        raise Refusal("has a bias beyond 32 bits in units of its sums: use a larger scale")
    name = builder.add(op.name, Matrix(weights, shift, kind, None, positions, blocks), node)
    most = np.abs(limits).max(axis=0).sum(axis=1) + np.abs(more)
    unit = factor.step * scales
    exact = fits_float32(most, factor.step, scales)
    if not exact:
        builder.notes.append(
            f"{op.name} ({op.kind}): its scales are no powers of two, so that float32 sums depend "
            "on their order; here the exact sum is rounded once"
        )
    count = len(weights)
    unit = np.broadcast_to(unit, (count,))
    zeros = np.zeros(count, dtype=np.int64)
    return name, Function(
        low=low,
        high=high,
        evaluate=lambda q, r: (q * unit[r]).astype(np.float32),
        rises=np.ones(count, dtype=np.int8),
        gain=unit,
        offset=zeros.astype(np.float64),
        scale=unit if exact else None,
        zero=zeros if exact else None,
    )


def factor_of(x: Any) -> tuple[Value, float]:
    """The first factor of a product, and its scale, which must be one."""
    if x.function.scale is None or x.function.zero is None:
        raise Refusal("takes real values: put a Quant in front of it")
    step = float(x.function.scale[0])
    if not (x.function.scale == step).all():
        raise Refusal("takes values with a scale for each channel: use one scale in its Quant")
    return x, step


def multiplied(
    op: Operation,
    x: Value,
    step: float,
    weights: Ints,
    scales: Reals,
    builder: Builder,
    bias: Ints | None = None,
) -> Value:
    """Product of a tensor ``(1, ..., rows)`` and integers ``(rows, outputs)``."""
    shape, (rows, outputs) = x.shape, weights.shape
    if shape[-1] != rows:
        raise Refusal(
            f"multiplies the shapes {shape} and {weights.shape}, which do not fit: reshape one"
        )
    zero = x.function.zero
    assert zero is not None
    zeros = np.broadcast_to(zero[x.rows], (*x.rows.shape[:-1], rows)).reshape(-1, rows)
    if not (zeros == zeros[0]).all():
        raise Refusal("takes values with a zero point for each position: use one")
    factor = Factor(
        int(x.function.low.min()), int(x.function.high.max()), np.asarray(step), zeros[0]
    )
    positions = int(np.prod(shape[1:-1])) if len(shape) > 2 else None
    matrix = weights.T.copy()
    index = x.wire.index.reshape(-1)
    if positions is None and builder.whole(x.wire):
        # Columns of weights move instead of values.
        moved = np.empty_like(matrix)
        moved[:, index] = matrix
        place = np.zeros(rows, dtype=np.int64)
        place[index] = zeros[0]
        matrix, factor = moved, Factor(factor.low, factor.high, factor.step, place)
        node = builder.laid(x.wire, np.arange(rows))
    else:
        wanted = (rows,) if positions is None else (positions, rows)
        node = builder.laid(x.wire, x.wire.index.reshape(wanted))
    name, function = product(
        op, builder, node, matrix, scales, factor, positions=positions, bias=bias
    )
    made = np.arange((positions or 1) * outputs, dtype=np.int32).reshape(*shape[:-1], outputs)
    form = (1,) * (len(shape) - 1) + (outputs,)
    return Value(Wire(name, made), np.arange(outputs).reshape(form), function)


def _factors(parts: list[Any]) -> tuple[Value, Constant]:
    x, matrix = parts[0], parts[1]
    if not isinstance(x, Value) or not isinstance(matrix, Constant):
        raise Refusal(
            "must multiply values that depend on the input, on its left, by constant weights: "
            "transpose it; attention is not converted"
        )
    if matrix.values.ndim != 2:
        raise Refusal(
            f"multiplies the shapes {x.shape} and {matrix.shape}; only matrices (inputs, outputs) "
            "are converted: reshape it"
        )
    return x, matrix


def matmul(op: Operation, parts: list[Any], builder: Builder) -> Value:
    """The value after a ``MatMul``.

    Raises
    ------
    ValueError
        If the product is not one of integers and scales; the text says what to do.
    """
    x, matrix = _factors(parts)
    weights, scales = weights_of(matrix)
    return multiplied(op, *factor_of(x), weights, scales, builder)


def gemm(op: Operation, parts: list[Any], builder: Builder) -> Value:
    """The value after a ``Gemm``."""
    x, matrix = _factors(parts)
    given = op.attributes
    if given.get("transA", 0):
        raise Refusal("transposes its input: leave transA out")
    if given.get("transB", 0):
        matrix = matrix.moved(np.transpose)
    if len(x.shape) != 2:
        raise Refusal(f"takes the shape {x.shape}, which is no vector: flatten first")
    weights, scales = weights_of(matrix)
    value = multiplied(op, *factor_of(x), weights, scales, builder)
    alpha, beta = (np.float32(given.get(key, 1.0)) for key in ("alpha", "beta"))
    if alpha != 1:
        value = value.then(
            lambda y, a: y * a, np.asarray(alpha), rises=np.sign(alpha), line=(alpha, 0)
        )
    if len(parts) > 2 and parts[2] is not None and beta != 0:
        value = biased(value, parts[2], beta, 1)
    return value


def biased(value: Value, part: Any, beta: Any, axis: int) -> Value:
    """A value plus a constant for each channel of an axis."""
    if not isinstance(part, Constant):
        raise Refusal("its bias depends on the input: use Add")
    bias = part.values * beta
    if axis == 1 and bias.ndim == 1 and len(value.shape) > 2:
        bias = bias.reshape(-1, *(1,) * (len(value.shape) - 2))
    try:
        fits = np.broadcast_shapes(bias.shape, value.shape) == value.shape
    except ValueError:
        fits = False
    if bias.dtype != np.float32 or not fits:
        raise Refusal(f"has a bias of shape {part.shape}: give one float32 for each output")
    return value.then(lambda y, b: y + b, bias, line=(1, bias))
