"""Operators on integer tensors: QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .conv import convolved
from .linear import coded, integer_type, real
from .matrix import check_codes, multiplied
from .quantisers import Floats, Ints, Quantiser
from .quantising import quantise
from .reading import Operation, Refusal
from .values import Constant, Value
from .wires import Builder

__all__ = ["INTEGER", "integer_operator"]

INTEGER = ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger")


@dataclass(frozen=True, eq=False)
class _Rescaler(Quantiser):
    """Sums times a scale, in float64, plus a zero point: rounded and clipped."""

    def codes(self, x: Floats, rows: Ints | None = None) -> Ints:
        """Integers of sums."""
        scale, zero = self._at(self.scale, rows), self._at(self.zero, rows)
        found: Ints = np.clip(np.rint(x * scale + zero), self.low, self.high).astype(np.int64)
        return found


def _constants(parts: list[Any], places: tuple[int, ...]) -> list[NDArray[Any]]:
    found: list[Any] = [parts[place] if place < len(parts) else None for place in places]
    if not all(isinstance(part, Constant) for part in found):
        raise Refusal("its weights, scales and zero points must be constants: export it again")
    return [part.values for part in found]


def _zero(parts: list[Any], place: int) -> NDArray[Any]:
    """An optional zero point."""
    if place >= len(parts) or parts[place] is None:
        return np.zeros((), dtype=np.int64)
    values = _constants(parts, (place,))[0]
    if integer_type(values.dtype) is None:
        raise Refusal(f"its zero point must be of integers, not {values.dtype}: export it again")
    found: NDArray[Any] = values.astype(np.int64)
    return found


def _shifted(x: Any, zero: NDArray[Any]) -> Value:
    """A tensor of integers less its zero point, as real values with a unit of one."""
    if not isinstance(x, Value) or not x.integer:
        raise Refusal("takes no integers that depend on the input: put QuantizeLinear in front")
    if zero.size != 1:
        raise Refusal("has a zero point for each row of its input: use one")
    one = np.ones((), dtype=np.float32)
    return real(x, Quantiser(one, zero.reshape(()).astype(np.float32), 0, 1))


def _weights(values: NDArray[Any], zero: NDArray[Any], axis: int) -> NDArray[np.int64]:
    """Integer weights less their zero point, one for all or for each output."""
    if integer_type(values.dtype) is None:
        raise Refusal(f"has weights of {values.dtype}, not integers: export it again")
    if zero.size > 1:
        if zero.ndim != 1 or zero.size != values.shape[axis]:
            raise Refusal("has zero points that do not fit its weights: use one for each output")
        zero = zero.reshape([-1 if n == axis else 1 for n in range(values.ndim)])
    codes: NDArray[np.int64] = values.astype(np.int64) - zero.reshape(zero.shape or ())
    check_codes(codes)
    return codes


def integer_operator(op: Operation, parts: list[Any], builder: Builder) -> Value:
    """Result of an operator of :py:`INTEGER`.

    Raises
    ------
    ValueError
        If its inputs or parameters do not fit; the text says what to do.
    """
    linear = op.kind.startswith("QLinear")
    conv = op.kind.endswith("Conv") or op.kind.startswith("Conv")
    if linear:
        places = {"x": 0, "x_zero": 2, "w": 3, "w_zero": 5}
    else:
        places = {"x": 0, "w": 1, "x_zero": 2, "w_zero": 3}
    x = _shifted(parts[0], _zero(parts, places["x_zero"]))
    (values,) = _constants(parts, (places["w"],))
    axis = 0 if conv else values.ndim - 1
    codes = _weights(values, _zero(parts, places["w_zero"]), axis)
    outputs = codes.shape[axis]
    ones = np.ones(outputs)
    if conv:
        bias = None
        if linear and len(parts) > 8 and parts[8] is not None:
            bias = np.broadcast_to(_zero(parts, 8).reshape(-1), (outputs,))
        sums = convolved(op, x, codes, ones, builder, bias)
    else:
        if codes.ndim != 2:
            raise Refusal(f"has weights of shape {codes.shape}: only matrices are converted")
        sums = multiplied(op, x, 1.0, codes, ones, builder)
    given = sums.function
    function = replace(given, evaluate=lambda q, r: q.astype(np.float64))
    sums = replace(sums, function=function)
    if not linear:
        return Value.of_integers(sums.wire, sums.rows, given.low, given.high)
    return _requantised(op, parts, sums, conv, builder)


def _requantised(
    op: Operation, parts: list[Any], sums: Value, conv: bool, builder: Builder
) -> Value:
    """Codes of the sums of a QLinear operator."""
    x_scale, w_scale, y_scale = _constants(parts, (1, 4, 6))
    y_zero = _constants(parts, (7,))[0]
    kind = integer_type(y_zero.dtype)
    scales = (x_scale, w_scale, y_scale)
    if kind is None or kind.bits > 8 or y_zero.size != 1 or x_scale.size != 1 or y_scale.size != 1:
        raise Refusal("needs one scale and zero point of 8 bits for its result: export it again")
    if not all((scale > 0).all() and scale.dtype == np.float32 for scale in scales):
        raise Refusal("its scales must be positive and float32: absorb the sign into weights")
    axis = 1 if conv else len(sums.shape) - 1
    if w_scale.size not in (1, sums.shape[axis]):
        raise Refusal(f"has {w_scale.size} scales of weights: use one for each output")
    sizes = [-1 if n == axis and w_scale.size > 1 else 1 for n in range(len(sums.shape))]
    factor = (x_scale.reshape(()) * w_scale.reshape(-1)) / y_scale.reshape(())
    rescaler = _Rescaler(
        factor.astype(np.float64).reshape(sizes),
        y_zero.reshape(()).astype(np.float32),
        kind.low,
        kind.high,
    )
    return coded(quantise(op, sums, rescaler, kind.bits, builder))
