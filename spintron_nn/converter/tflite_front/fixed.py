"""TFLite's fixed-point arithmetic: what its kernels make of scales, on integers only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import IntType, TFLite
from spintron_ir.arith import doubling_high_multiply, round_shift_away, tflite

from .refusal import Refusal

__all__ = ["activation_range", "average", "multiplier_of", "multiply", "requantiser", "rounded",
           "smaller"]  # fmt: skip

Ints = NDArray[np.int64]

SMALLEST, LARGEST = -31, 30
"""Shifts that the requantiser takes."""


def rounded(value: Any) -> Any:
    """The nearest whole number, ties away from zero, in the type of the value.

    >>> rounded(np.float32([-2.5, -0.4, 0.5])).tolist()
    [-3.0, 0.0, 1.0]
    """
    whole = np.trunc(value)
    return whole + np.where(np.abs(value - whole) >= 0.5, np.sign(value), 0).astype(whole.dtype)


def multiplier_of(scale: float, largest: int = LARGEST) -> tuple[int, int]:
    """Multiplier, in units of ``2**-31``, and shift, up to the largest, of a positive real factor.

    Raises
    ------
    Refusal
        If the shift is beyond the largest; the text says what to do.

    Source
    ------
    TensorFlow Lite, ``QuantizeMultiplier``.

    Examples
    --------
    >>> multiplier_of(0.75), multiplier_of(1 - 2**-40), multiplier_of(2**-40)
    ((1610612736, 0), (1073741824, 1), (0, 0))
    """
    fraction, shift = math.frexp(scale)
    multiplier = math.floor(fraction * 2**31 + 0.5)  # exact: 53 bits and a positive number
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    if shift < SMALLEST:
        return 0, 0
    if shift > largest:
        raise Refusal(f"scales by {scale:g}, beyond 2**{largest}: check the scales of its tensors")
    return multiplier, shift


def multiply(values: ArrayLike, scale: float) -> Ints:
    """Integers times a real factor, as ``MultiplyByQuantizedMultiplier`` rounds.

    Raises
    ------
    Refusal
        If TFLite's own 32 bits would overflow; the text says what to do.

    Examples
    --------
    >>> multiply([-3, 3], 0.5).tolist()
    [-1, 2]
    """
    multiplier, shift = multiplier_of(scale)
    limit = 1 << 31
    if int(np.abs(values).max()) << max(shift, 0) >= limit:
        raise Refusal(f"scales by {scale:g}, beyond 32 bits: check the scales of its tensors")
    return tflite(
        values, multiplier=multiplier, shift=shift, zero_point=0, low=-limit, high=limit - 1
    )


def smaller(values: ArrayLike, scale: float) -> Ints:
    """Integers of 32 bits times a factor below one.

    >>> smaller([-6, 7], 0.25).tolist()
    [-2, 2]
    """
    multiplier, shift = multiplier_of(scale)
    return round_shift_away(doubling_high_multiply(values, multiplier), -shift)


def activation_range(activation: int, scale: float, zero: int, kind: IntType) -> tuple[int, int]:
    """Least and largest code that a fused activation leaves.

    Parameters
    ----------
    activation : int
        Number of TFLite's activation: 0 none, 1 ReLU, 2 from -1 to 1, 3 ReLU6.
    scale, zero : float and int
        Scale and zero point of the codes.
    kind : IntType
        Their type.

    Raises
    ------
    Refusal
        If the activation is another one; the text says what to do.

    Source
    ------
    TensorFlow Lite, ``CalculateActivationRangeQuantized``.

    Examples
    --------
    >>> activation_range(3, 0.05, -128, IntType(8, signed=True))
    (-128, -8)
    """
    ends: tuple[float | None, float | None] = (None, None)
    if activation not in range(4):
        raise Refusal(f"has the fused activation {activation}: use ReLU or ReLU6")
    ends = ((None, None), (0.0, None), (-1.0, 1.0), (0.0, 6.0))[activation]
    codes = [
        None if end is None else zero + int(rounded(np.float32(end) / np.float32(scale)))
        for end in ends
    ]
    low = kind.low if codes[0] is None else max(kind.low, codes[0])
    high = kind.high if codes[1] is None else min(kind.high, codes[1])
    if low > high:
        raise Refusal("leaves no value of its type: check its scale and zero point")
    return low, high


def requantiser(scales: ArrayLike, zero: int, ends: tuple[int, int], kind: IntType) -> TFLite:
    """The requantiser of real factors, one a channel."""
    found = [multiplier_of(float(scale)) for scale in np.ravel(scales)]
    return TFLite(
        multiplier=np.array([multiplier for multiplier, _ in found], dtype=np.int32),
        shift=np.array([shift for _, shift in found], dtype=np.int8),
        zero_point=zero,
        low=ends[0],
        high=ends[1],
        type=kind,
    )


def average(count: int, bound: int) -> tuple[int, int]:
    """Multiplier and shift that divide a sum by a count, ties away from zero.

    A multiplier a little too large moves ties of both signs outwards, and nothing else as long as
    the sum is small: ``(sum * multiplier + half) >> shift`` is then exactly what TFLite's
    reference kernel computes.

    Parameters
    ----------
    count : int
        Values in the sum.
    bound : int
        Largest magnitude of the sum.

    Examples
    --------
    >>> multiplier, shift = average(4, 8)
    >>> [(total * multiplier + (1 << shift >> 1)) >> shift for total in (-6, -5, 2, 7)]
    [-2, -1, 1, 2]
    """
    shift = (2 * count * bound).bit_length()
    return (1 << shift) // count + 1, shift
