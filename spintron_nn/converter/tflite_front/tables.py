"""Functions of single codes: tables of all 256, with TFLite's arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Join, MulShift
from spintron_ir.arith import doubling_high_multiply, round_shift_away, saturate

from .fixed import multiplier_of, multiply, rounded
from .reading import Operation
from .refusal import Refusal
from .state import Constant, State, Value, inner, of_tensor

__all__ = ["TABLES", "dequantise", "look_up", "prelu", "quantise"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

RELUS = {
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU_0_TO_1": (0.0, 1.0),
}
TABLES = (*RELUS, "LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU")

CLOSE = 1e-5
"""Distance from a tie, in codes, within which libraries of functions may round apart."""


def look_up(op: Operation, parts: list[Any], state: State) -> Value:
    """RELU and its kin, LOGISTIC, TANH, HARD_SWISH and LEAKY_RELU."""
    (value,) = parts
    kind, scale, zero = of_tensor(state.output(op))
    if kind != value.kind:
        raise Refusal(f"turns {value.kind} into {kind}: use one type")
    if op.kind in RELUS:
        codes = _relu(value, scale, zero, RELUS[op.kind])
    elif op.kind == "LEAKY_RELU":
        codes = _leaky(value, scale, zero, float(op.options["Alpha"]))
    elif op.kind == "HARD_SWISH":
        codes = _hard_swish(value, scale, zero)
    else:
        if op.kind == "LOGISTIC" and scale != 1 / 256:
            raise Refusal(f"has the output scale {scale:g}, where TFLite has 1/256: use that")
        codes = _real(op, value, scale, zero, _logistic if op.kind == "LOGISTIC" else np.tanh,
                      state)  # fmt: skip
    node, held = state.looked_up(op, value, np.clip(codes, kind.low, kind.high), kind)
    return state.value(op, node, value.shape, held)


def _relu(value: Value, scale: float, zero: int, ends: tuple[float | None, float | None]) -> Ints:
    """A rescaling, and ends that are rounded in float32."""
    factor = float(np.float32(value.scale) / np.float32(scale))
    codes = zero + multiply(value.codes - value.zero, factor)
    for end, clip in zip(ends, (np.maximum, np.minimum), strict=True):
        if end is not None:
            codes = clip(codes, zero + int(rounded(np.float32(end) / np.float32(scale))))
    return codes


def _leaky(value: Value, scale: float, zero: int, alpha: float) -> Ints:
    """A factor for each sign."""
    if not 0 <= alpha < 1 << 20:
        raise Refusal(f"has the slope {alpha:g}, not one of 0 or more")
    one, out = np.float32(value.scale), np.float32(scale)
    centred = value.codes - value.zero
    below = multiply(centred, float(one * np.float32(alpha) / out)) if alpha else 0 * centred
    return zero + np.where(centred >= 0, multiply(centred, float(one / out)), below)


def _hard_swish(value: Value, scale: float, zero: int) -> Ints:
    """TFLite's sequence of 16-bit steps."""
    fine = np.float32(1 / 128) * np.float32(value.scale)
    out, out_shift = multiplier_of(float(fine / np.float32(scale)))
    relu, relu_shift = multiplier_of(float(fine / np.float32(3 / 32768)))
    out, relu = (min(factor + (1 << 15), (1 << 31) - 1) >> 16 for factor in (out, relu))
    if out_shift > 0:
        raise Refusal("has an output scale so small that TFLite itself stops: enlarge it")
    shifted = (value.codes - value.zero) << 7
    scaled = doubling_high_multiply(shifted, out, 16)
    part = shifted
    if relu_shift > 0:
        part = saturate(part << (relu_shift - 1), 16)
    part = doubling_high_multiply(part, relu, 16)
    if relu_shift > 0:
        part = saturate(part << 1, 16)
    if relu_shift < 0:
        part = round_shift_away(part, -relu_shift)
    part = (part + (1 << 15)) >> 1
    product = part * scaled
    cut = np.sign(product) * (np.abs(product) >> 15)
    return zero + round_shift_away(cut, -out_shift)


def _logistic(real: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-real))


def _real(
    op: Operation,
    value: Value,
    scale: float,
    zero: int,
    function: Callable[[Any], Any],
    state: State,
) -> Ints:
    """A real function in float32, rounded to codes."""
    reals = np.float32(value.scale) * (value.codes - value.zero).astype(np.float32)
    exact = function(reals.astype(np.float64)) * float(np.float32(1) / np.float32(scale))
    if (np.abs(np.abs(exact - np.trunc(exact)) - 0.5) < CLOSE).any():
        state.notes.append(
            op.says("lies so near a tie that the last bit hangs on the library of functions")
        )
    steps = function(reals.astype(np.float64)).astype(np.float32)
    found: Floats = rounded(steps * (np.float32(1) / np.float32(scale)))
    return found.astype(np.int64) + zero


def prelu(op: Operation, parts: list[Any], state: State) -> Value:
    """PRELU: a slope for each channel, or one."""
    value, alpha = parts
    if not isinstance(value, Value) or not isinstance(alpha, Constant):
        raise Refusal("takes slopes that depend on the input: make them constant")
    kind, scale, zero = of_tensor(state.output(op))
    slopes, slope_scale, slope_zero = of_tensor(alpha.tensor)
    if not kind == value.kind == slopes:
        raise Refusal(f"mixes types, where TFLite has {kind} alone: use one type")
    one, out = np.float32(value.scale), np.float32(scale)
    channels = value.shape[-1]
    if alpha.values.size not in (1, channels) or alpha.values.shape[-1:] != (alpha.values.size,):
        raise Refusal("has slopes that differ between positions: share them")
    centred = value.codes - value.zero
    above = multiply(centred, float(one / out))
    products = centred * (alpha.values.reshape(-1, 1).astype(np.int64) - slope_zero)
    below = multiply(products, float(one * np.float32(slope_scale) / out))
    codes = np.clip(zero + np.where(centred >= 0, above, below), kind.low, kind.high)
    state.spend(codes.size)
    unit: Any = np.ones(1, dtype=np.int32)
    layer = Join(
        inputs=(kind,),
        in_shape=inner(value.shape),
        mode="sum",
        tables=codes[None],
        requantise=MulShift(multiplier=unit, shift=unit - 1, zero_point=0, type=kind),
    )
    node = state.add(op, layer, state.held(op, value, layer.in_shape))
    return state.value(op, node, value.shape, layer.shape)


def quantise(op: Operation, parts: list[Any], state: State) -> Value:
    """QUANTIZE: of real numbers that codes stand for, or of codes with another scale."""
    (value,) = parts
    kind, scale, zero = of_tensor(state.output(op))
    if value.real:
        found = rounded(value.reals / np.float32(scale)).astype(np.float64)
        codes = np.clip(found, -(2.0**31), 2.0**31).astype(np.int64) + zero
    else:
        codes = multiply(value.codes - value.zero, value.scale / scale) + zero
    codes = np.clip(codes, kind.low, kind.high)
    node, held = state.looked_up(op, value, codes, kind)
    return state.value(op, node, value.shape, held)


def dequantise(op: Operation, parts: list[Any], state: State) -> Value:
    """DEQUANTIZE: the same codes, taken for the real numbers that they stand for."""
    (value,) = parts
    if state.output(op).kind != "float32" or value.real:
        raise Refusal("gives no float32: export the model again")
    return replace(value, real=True)
