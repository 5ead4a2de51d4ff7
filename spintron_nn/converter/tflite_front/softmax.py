"""SOFTMAX: its table of exponentials, as TFLite's fixed point computes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Softmax
from spintron_ir.arith import as_int, doubling_high_multiply, round_shift_away

from .fixed import multiplier_of
from .reading import Operation
from .refusal import Refusal
from .state import State, Value, inner, of_tensor

__all__ = ["exponential_of", "exponentials", "softmax"]

Ints = NDArray[np.int64]

PLACES = 26
"""Binary places of TFLite's differences, which have 5 bits before them."""

ONE = (1 << 31) - 1
MIDDLE = 1_895_147_668
THIRD = 715_827_883
"""exp(-1/8) and 1/3, in units of ``2**-31``."""

FACTORS = (1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242)
"""exp(-1/4), exp(-1/2), ... exp(-16), in units of ``2**-31``."""


def exponential_of(x: ArrayLike) -> Ints:
    """Exponential of numbers ``-32 <= x * 2**-26 <= 0``, in units of ``2**-31``.

    A Taylor series within a quarter, then a factor for each binary place above.

    Source
    ------
    gemmlowp, ``exp_on_negative_values`` with 5 integer bits.

    Examples
    --------
    >>> [float(round(y / 2**31, 9)) for y in exponential_of([0, -(1 << 26), -(5 << 25)])]
    [1.0, 0.367879545, 0.082085022]
    """
    x = as_int(x)
    quarter = 1 << (PLACES - 2)
    rest = (x & (quarter - 1)) - quarter
    whole = rest - x
    y = (rest << 5) + (1 << 28)
    square = doubling_high_multiply(y, y)
    cube = doubling_high_multiply(square, y)
    fourth = doubling_high_multiply(square, square)
    tail = doubling_high_multiply(round_shift_away(fourth, 2) + cube, THIRD) + square
    found = MIDDLE + doubling_high_multiply(MIDDLE, y + round_shift_away(tail, 1))
    for place, factor in enumerate(FACTORS, start=PLACES - 2):
        found = np.where(whole >> place & 1, doubling_high_multiply(found, factor), found)
    return np.where(x == 0, ONE, found)


def exponentials(beta: float, scale: float, count: int) -> Ints:
    """Exponential of each difference of codes, 0 where TFLite cuts it off.

    Parameters
    ----------
    beta, scale : float
        Factor of the differences.
    count : int
        Number of differences.

    Raises
    ------
    Refusal
        If the factor is one with which TFLite itself stops; the text says what to do.

    Source
    ------
    TensorFlow Lite, ``PreprocessSoftmaxScaling`` and the reference kernel of SOFTMAX.
    """
    factor = min(beta * scale * (1 << PLACES), float(ONE))
    if not factor > 1:
        raise Refusal("has an input scale so small that TFLite itself stops: enlarge it")
    multiplier, shift = multiplier_of(factor, 31)
    least = math.floor(31 * (1 << PLACES) / (1 << shift))
    differences = np.arange(count)
    kept = np.minimum(differences, least)
    scaled = doubling_high_multiply(-kept << shift, multiplier)
    return np.where(differences <= least, exponential_of(scaled), 0)


def softmax(op: Operation, parts: list[Any], state: State) -> Value:
    """SOFTMAX along the last axis."""
    (value,) = parts
    kind, scale, zero = of_tensor(state.output(op))
    if kind != value.kind:
        raise Refusal(f"turns {value.kind} into {kind}: use one type")
    if zero != kind.low or not abs(scale * 256 - 1) <= 0.001:
        raise Refusal(
            f"has the output scale {scale:g} and zero point {zero}, where TFLite has 1/256 and "
            f"{kind.low}: use these"
        )
    layer = Softmax(
        in_shape=inner(value.shape),
        input=value.kind,
        exponential=exponentials(float(op.options["Beta"]), value.scale, 256).astype(np.int32),
        type=kind,
    )
    node = state.add(op, layer, state.held(op, value, layer.in_shape))
    return state.value(op, node, value.shape, layer.shape)
