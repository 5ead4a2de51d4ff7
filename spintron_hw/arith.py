"""The arithmetic contract in gateware: the twins of :mod:`spintron_ir.arith`, name for name.

Every function takes values of any width, signed or not, and loses no bit: its result is as wide as
the number it stands for needs. Constants may be Python integers or values. They are written
separately from the contract on purpose, and proven equal to it on all inputs of small width.
"""

from collections.abc import Sequence

from amaranth import Cat, Const, Mux, Value
from amaranth.hdl import ValueLike

from spintron_ir.arith import NOISE_BOUND, NOISE_SHIFT

__all__ = [
    "adc_code",
    "argmax",
    "chunks",
    "clip",
    "count_ones",
    "count_thresholds",
    "doubled_high",
    "doubling_high_multiply",
    "lookup",
    "mulshift",
    "noise_value",
    "noise_z",
    "round_shift",
    "round_shift_away",
    "saturate",
    "sense",
    "tflite",
    "transition_code",
]


def round_shift(value: ValueLike, shift: ValueLike) -> Value:
    """Twin of :func:`spintron_ir.arith.round_shift`.

    Rounds with the last bit that is shifted out, so the adder is no wider than the result.
    """
    value = Value.cast(value)
    if not isinstance(shift, int):
        return (((value << 1) >> Value.cast(shift)) + 1) >> 1
    return value if shift == 0 else (value.shift_right(shift - 1) + 1).shift_right(1)


def saturate(value: ValueLike, bits: int, signed: bool = True) -> Value:
    """Twin of :func:`spintron_ir.arith.saturate`; the result is exactly :py:`bits` wide.

    A number fits where all bits that are dropped repeat its sign.
    """
    value = Value.cast(value)
    value = value if value.shape().signed else Cat(value, Const(0, 1)).as_signed()
    short = max(bits + 1 - len(value), 0)
    value = Cat(value, value[-1].replicate(short))
    negative = value[-1]
    dropped = value[bits - signed :]
    if signed:
        fits = dropped.all() | ~dropped.any()
        edge = Cat((~negative).replicate(bits - 1), negative)
        return Mux(fits, value[:bits], edge).as_signed()
    return Mux(dropped.any(), (~negative).replicate(bits), value[:bits])


def chunks(value: ValueLike, *, bits: int, signed: bool, dac_bits: int) -> list[Value]:
    """Twin of :func:`spintron_ir.arith.chunks`: the lowest chunk first."""
    value = Value.cast(value)[:bits]
    parts = [value[low : low + dac_bits] for low in range(0, bits, dac_bits)]
    return [*parts[:-1], parts[-1].as_signed() if signed else parts[-1]]


def adc_code(
    level: ValueLike,
    *,
    gain: ValueLike,
    offset: ValueLike,
    shift: int,
    bits: int | None,
    signed: bool = True,
) -> Value:
    """Twin of :func:`spintron_ir.arith.adc_code`. A gain of the integer 1 costs no multiplier."""
    level = Value.cast(level)
    if bits is None:
        return level
    scaled = level if isinstance(gain, int) and gain == 1 else level * gain
    return saturate(round_shift(scaled + offset, shift), bits, signed)


def transition_code(level: ValueLike, *, transitions: Sequence[ValueLike], low: int) -> Value:
    """Twin of :func:`spintron_ir.arith.transition_code`, for one converter."""
    level = Value.cast(level)
    return count_ones([level >= transition for transition in transitions]) + low


def sense(level: ValueLike, threshold: ValueLike, signed: bool = False) -> Value:
    """Twin of :func:`spintron_ir.arith.sense`: one bit, in two's complement where signed."""
    level = Value.cast(level)
    return (level < threshold).as_signed() if signed else level >= threshold


def mulshift(
    acc: ValueLike,
    *,
    multiplier: ValueLike,
    shift: ValueLike,
    zero_point: int,
    bits: int,
    signed: bool,
) -> Value:
    """Twin of :func:`spintron_ir.arith.mulshift`."""
    scaled = round_shift(Value.cast(acc) * multiplier, shift)
    return saturate(scaled + zero_point, bits, signed)


def doubling_high_multiply(x: ValueLike, y: ValueLike, bits: int = 32) -> Value:
    """Twin of :func:`spintron_ir.arith.doubling_high_multiply`."""
    return doubled_high(Value.cast(x) * y, bits)


def doubled_high(product: Value, bits: int = 32) -> Value:
    """What :func:`doubling_high_multiply` makes of the product, once that is there."""
    high = round_shift(product, bits - 1)
    fits = len(high) - high.shape().signed < bits
    return high if fits else saturate(high, bits)


def round_shift_away(value: ValueLike, shift: int) -> Value:
    """Twin of :func:`spintron_ir.arith.round_shift_away`."""
    value = Value.cast(value)
    if shift and value.shape().signed:
        value = value + value[-1].as_signed()  # a negative number goes down by one
    return round_shift(value, shift)


def tflite(
    acc: ValueLike, *, multiplier: ValueLike, shift: int, zero_point: int, low: int, high: int
) -> Value:
    """Twin of :func:`spintron_ir.arith.tflite`, for one channel."""
    wide = Value.cast(acc).shift_left(max(shift, 0))
    scaled = round_shift_away(doubling_high_multiply(wide, multiplier), max(-shift, 0))
    return clip(scaled + zero_point, low, high)


def clip(value: ValueLike, low: int, high: int) -> Value:
    """The value, or the nearer of the two limits where it is outside of them."""
    value = Value.cast(value)
    return Mux(value < low, low, Mux(value > high, high, value))


def count_thresholds(
    acc: ValueLike, *, thresholds: Sequence[ValueLike], sign: int, low: int
) -> Value:
    """Twin of :func:`spintron_ir.arith.count_thresholds`, for one channel."""
    acc = Value.cast(acc)
    return transition_code(-acc if sign < 0 else acc, transitions=thresholds, low=low)


def count_ones(bits: Sequence[Value]) -> Value:
    """How many of :py:`bits` are 1: a balanced tree of adders."""
    if len(bits) == 1:
        return bits[0]
    half = len(bits) // 2
    return count_ones(bits[:half]) + count_ones(bits[half:])


def lookup(code: ValueLike, *, table: Sequence[int], low: int) -> Value:
    """Twin of :func:`spintron_ir.arith.lookup`, as one constant from which a word is cut."""
    least = min(min(table), 0)
    width = max((max(table) - least).bit_length(), 1)
    words = Cat(Const(entry - least, width) for entry in table)
    return words.word_select((Value.cast(code) - low).as_unsigned(), width) + least


def noise_z(word: ValueLike) -> Value:
    """Twin of :func:`spintron_ir.arith.noise_z`."""
    word = Value.cast(word)
    count = count_ones([word[bit] for bit in range(3, 16)])
    return Cat(Const(0, 1), word[:3], count) - NOISE_BOUND


def noise_value(word: ValueLike, amplitude: ValueLike) -> Value:
    """Twin of :func:`spintron_ir.arith.noise_value`."""
    return round_shift(noise_z(word) * amplitude, NOISE_SHIFT)


def argmax(values: Sequence[ValueLike]) -> Value:
    """Twin of :func:`spintron_ir.arith.argmax`, over a sequence of values."""
    entries = [(Value.cast(value), Const(n)) for n, value in enumerate(values)]
    while len(entries) > 1:
        pairs = zip(entries[::2], entries[1::2])
        odd = entries[-1:] if len(entries) % 2 else []
        entries = [_larger(first, second) for first, second in pairs] + odd
    return entries[0][1]


def _larger(first: tuple[Value, Value], second: tuple[Value, Value]) -> tuple[Value, Value]:
    """The entry with the larger value; the first where they are equal."""
    second_wins = second[0] > first[0]
    return Mux(second_wins, second[0], first[0]), Mux(second_wins, second[1], first[1])
