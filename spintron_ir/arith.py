"""The arithmetic contract: what number every operation yields, on integers only.

Each function here is the definition. Trained models, gateware cells and boards must agree with it
bit for bit; where they do not, they are wrong. Nothing here rounds through a float.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "NOISE_BOUND",
    "NOISE_SHIFT",
    "adc_code",
    "argmax",
    "as_int",
    "chunks",
    "count_thresholds",
    "doubling_high_multiply",
    "lookup",
    "mulshift",
    "noise_value",
    "noise_z",
    "round_shift",
    "round_shift_away",
    "saturate",
    "sense",
    "sense_threshold",
    "tflite",
    "transition_code",
]

IntArray = NDArray[np.int64]

NOISE_SHIFT = 12
"""Binary places of a noise amplitude."""

NOISE_BOUND = 111
"""Largest magnitude of :func:`noise_z`."""


def as_int(x: ArrayLike) -> IntArray:
    """Return :py:`x` as ``int64``; floats are refused rather than rounded.

    Raises
    ------
    TypeError
        If :py:`x` holds anything but integers that fit 64 bits signed.
    """
    x = np.asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"the contract is defined on integers, not on {x.dtype}")
    if x.dtype == np.uint64 and x.size and int(x.max()) >= 1 << 63:
        raise TypeError("the contract is defined on integers of at most 64 bits signed")
    return x.astype(np.int64, copy=False)


def round_shift(x: ArrayLike, shift: ArrayLike) -> IntArray:
    """Divide by :py:`2 ** shift`, to the nearest integer, ties upwards (towards +infinity).

    >>> round_shift([-3, -2, -1, 0, 1, 2, 3], 1).tolist()
    [-1, -1, 0, 0, 1, 1, 2]
    """
    x, shift = as_int(x), as_int(shift)
    half = np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), 0)
    return (x + half) >> shift


def saturate(x: ArrayLike, bits: int, signed: bool = True) -> IntArray:
    """Clip to the range of a two's complement or unsigned number of :py:`bits` bits.

    >>> saturate([-9, -8, 0, 7, 8], 4).tolist()
    [-8, -8, 0, 7, 7]
    >>> saturate([-1, 15, 16], 4, signed=False).tolist()
    [0, 15, 15]
    """
    low = -(1 << (bits - 1)) if signed else 0
    return np.clip(as_int(x), low, (1 << (bits - signed)) - 1)


def chunks(x: ArrayLike, *, bits: int, signed: bool, dac_bits: int) -> IntArray:
    """Cut every value into groups of :py:`dac_bits` bits, the lowest first.

    Chunks are unsigned, but for the last chunk of a signed value: that is the two's complement
    number of the remaining bits. So :py:`sum(chunk[p] << (dac_bits * p))` is the value.

    Returns
    -------
    ndarray of shape ``(ceil(bits / dac_bits), *x.shape)``

    Examples
    --------
    >>> chunks([5, -3], bits=4, signed=True, dac_bits=2).tolist()
    [[1, 1], [1, -1]]
    >>> chunks([6], bits=3, signed=False, dac_bits=2).tolist()
    [[2], [1]]
    """
    x = as_int(x)
    count = -(-bits // dac_bits)
    shifts = (dac_bits * np.arange(count)).reshape(-1, *[1] * x.ndim)
    parts = x >> shifts
    parts[: count - signed] &= (1 << dac_bits) - 1
    return parts


def adc_code(
    level: ArrayLike,
    *,
    gain: ArrayLike,
    offset: ArrayLike,
    shift: int,
    bits: int | None,
    signed: bool = True,
) -> IntArray:
    """Code of a column level: gain, offset, round-shift, saturate, in this order.

    A converter with :py:`bits` of :py:`None` is lossless: its code is the level.

    >>> adc_code([-100, 5, 6, 100], gain=1, offset=0, shift=2, bits=4).tolist()
    [-8, 1, 2, 7]
    """
    if bits is None:
        return as_int(level)
    scaled = as_int(level) * as_int(gain) + as_int(offset)
    return saturate(round_shift(scaled, shift), bits, signed)


def transition_code(level: ArrayLike, *, transitions: ArrayLike, low: int) -> IntArray:
    """Code of a column level: the least code plus the code transition levels that it reaches.

    Parameters
    ----------
    level : array of shape ``(..., C)``
        Column levels.
    transitions : array of shape ``(..., C, 2 ** bits - 1)``
        Transition levels of each converter, none below the one before; the ``k``-th, from 1, is
        the least level with a code of :py:`low + k` or more. Where two are equal a code is missing.
    low : int
        Least code.

    Source
    ------
    IEEE Std 1241-2010, code transition levels ``T[k]``.

    Examples
    --------
    Of the four codes of two bits, 0 ends below -1, 1 spans -1 to 3, and 2 is missing:

    >>> transition_code([-9, -2, -1, 3, 4, 9], transitions=[-1, 4, 4], low=0).tolist()
    [0, 0, 1, 1, 3, 3]

    A step of 4 with ties upwards is the even case; for each column its own levels:

    >>> transition_code([[-7, -6, 1, 2]], transitions=[[-6, -2, 2]] * 4, low=-2).tolist()
    [[-2, -1, 0, 1]]
    >>> transition_code([[5, 5]], transitions=[[0, 3, 7], [5, 5, 5]], low=-2).tolist()
    [[0, 1]]
    """
    return count_thresholds(level, thresholds=transitions, sign=1, low=low)


def sense(level: ArrayLike, threshold: ArrayLike, signed: bool = False) -> IntArray:
    """Decision of a sense amplifier: 1 where the level reaches the threshold, else 0.

    A signed sense amplifier is one bit of two's complement: 0 where reached, else -1.

    >>> sense([2, 3, 4], 3).tolist(), sense([2, 3], 3, signed=True).tolist()
    ([0, 1, 1], [-1, 0])
    """
    reached = as_int(level) >= as_int(threshold)
    return reached.astype(np.int64) - int(signed)


def sense_threshold(
    *, gain: ArrayLike, offset: ArrayLike, shift: int, signed: bool = False
) -> IntArray:
    """Threshold with which :func:`sense` equals the one-bit :func:`adc_code` on every level.

    >>> sense_threshold(gain=3, offset=1, shift=2).tolist()
    1
    >>> sense_threshold(gain=1, offset=0, shift=2, signed=True).tolist()
    -2
    """
    half = (1 << shift) >> 1
    target = -half if signed else (1 << shift) - half
    return -((as_int(offset) - target) // as_int(gain))


def mulshift(
    acc: ArrayLike,
    *,
    multiplier: ArrayLike,
    shift: ArrayLike,
    zero_point: int,
    bits: int,
    signed: bool,
) -> IntArray:
    """Multiply by an integer, round-shift, add the zero point, saturate.

    >>> mulshift([-7, 10, 90], multiplier=3, shift=2, zero_point=0, bits=4, signed=False).tolist()
    [0, 8, 15]
    """
    scaled = round_shift(as_int(acc) * as_int(multiplier), shift)
    return saturate(scaled + zero_point, bits, signed)


def doubling_high_multiply(x: ArrayLike, y: ArrayLike, bits: int = 32) -> IntArray:
    """Product of two signed numbers of :py:`bits` bits, over ``2 ** (bits - 1)``, saturated.

    As fractions in -1..1 the factors give their product, to the nearest, ties upwards; only the
    product of the two least numbers, +1, does not fit and saturates.

    Source
    ------
    gemmlowp, ``SaturatingRoundingDoublingHighMul``: it halves towards zero after a nudge that has
    the sign of the product and is one less where that is negative, which is ties upwards.

    Examples
    --------
    4 * 3 / 8 = 1.5, 4 * -3 / 8 = -1.5, and 8 from two numbers of four bits:

    >>> doubling_high_multiply([4, 4, -8], [3, -3, -8], bits=4).tolist()
    [2, -1, 7]
    """
    return saturate(round_shift(as_int(x) * as_int(y), bits - 1), bits)


def round_shift_away(x: ArrayLike, shift: ArrayLike) -> IntArray:
    """Divide by :py:`2 ** shift`, to the nearest integer, ties away from zero.

    Source
    ------
    gemmlowp, ``RoundingDivideByPOT``.

    Examples
    --------
    >>> round_shift_away([-3, -2, -1, 0, 1, 2, 3], 1).tolist()
    [-2, -1, -1, 0, 1, 1, 2]
    """
    x, shift = as_int(x), as_int(shift)
    return round_shift(x - ((x < 0) & (shift > 0)), shift)


def tflite(
    acc: ArrayLike,
    *,
    multiplier: ArrayLike,
    shift: ArrayLike,
    zero_point: int,
    low: int,
    high: int,
) -> IntArray:
    """Multiply by ``multiplier / 2**31 * 2**shift`` as TFLite does, add the zero point, clip.

    A positive shift goes left, before the product; a negative one right, after it: two roundings.

    Source
    ------
    TensorFlow Lite, ``MultiplyByQuantizedMultiplier`` of the reference kernels with two roundings,
    which is what they compile to without ``TFLITE_SINGLE_ROUNDING``.

    Examples
    --------
    By 3/4 and 1/2: 3 gives 2.25, rounded 2, then 1; 1 gives 0.75, rounded 1, then 0.5, rounded 1,
    where 0.375 in one rounding is 0. Shifted left, 3 gives 6 * 3/4 = 4.5, rounded 5.

    >>> kind = {"multiplier": 3 << 29, "zero_point": 0, "low": -8, "high": 7}
    >>> tflite([3, 1, -3], shift=-1, **kind).tolist(), tflite([3, 9], shift=1, **kind).tolist()
    ([1, 1, -1], [5, 7])
    """
    shift = as_int(shift)
    wide = as_int(acc) << np.maximum(shift, 0)
    scaled = round_shift_away(doubling_high_multiply(wide, multiplier), np.maximum(-shift, 0))
    return np.clip(scaled + zero_point, low, high)


def count_thresholds(
    acc: ArrayLike, *, thresholds: ArrayLike, sign: ArrayLike, low: int
) -> IntArray:
    """Count the thresholds of its channel that each accumulator, times its sign, reaches.

    Parameters
    ----------
    acc : array of shape ``(..., C)``
        Accumulators.
    thresholds : array of shape ``(..., C, n)``
        Rising in each row.
    sign : array of shape ``(C,)`` of 1 and -1
        -1 for a channel whose function falls.
    low : int
        Value where no threshold is reached.

    Examples
    --------
    >>> count_thresholds([[1], [2], [9]], thresholds=[[2, 4, 9]], sign=[1], low=0).ravel().tolist()
    [0, 1, 3]
    """
    turned = as_int(acc) * as_int(sign)
    table = as_int(thresholds)
    count = np.zeros(turned.shape, dtype=np.int64)
    for each in np.moveaxis(table, -1, 0):
        count += turned >= each
    return count + low


def lookup(code: ArrayLike, *, table: ArrayLike, low: int) -> IntArray:
    """Entry of :py:`table` for each code; the first entry belongs to the code :py:`low`.

    >>> lookup([-2, 1], table=[7, 5, 3, 1], low=-2).tolist()
    [7, 1]
    """
    return as_int(table)[as_int(code) - low]


def noise_z(word: ArrayLike) -> IntArray:
    """Unscaled noise of 16 random bits: an odd integer in -111..111, nearly Gaussian.

    The upper 13 bits are counted (binomial, steps of 16), the lower 3 fill the steps evenly. Over
    uniform bits the mean is 0, the variance 853 and the excess kurtosis -0.147.

    >>> noise_z([0x0000, 0xFFFF, 0x5557]).tolist()
    [-111, 111, -1]
    """
    word = as_int(word)
    count = sum((word >> bit) & 1 for bit in range(3, 16))
    return 2 * (8 * count + (word & 7)) - NOISE_BOUND


def noise_value(word: ArrayLike, amplitude: ArrayLike) -> IntArray:
    """Noise of 16 random bits, in codes: :func:`noise_z` times the amplitude, over ``2**12``.

    The standard deviation is :py:`amplitude * sqrt(853) / 4096`, before rounding.

    >>> noise_value([0x0000, 0xFFFF], 128).tolist()
    [-3, 3]
    """
    return round_shift(noise_z(word) * as_int(amplitude), NOISE_SHIFT)


def argmax(x: ArrayLike, axis: int = -1) -> IntArray:
    """Index of the largest value; the lowest such index where several are equal.

    >>> argmax([3, 7, 7, 1]).tolist()
    1
    """
    return np.argmax(as_int(x), axis=axis).astype(np.int64)
