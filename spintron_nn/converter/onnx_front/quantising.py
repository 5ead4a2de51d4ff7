"""What quantisers do to values of the network; Quant, BipolarQuant and Trunc: their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spintron_ir import IntType

from .quantisers import ROUNDINGS, Floats, Ints, Quantiser
from .reading import Operation, Refusal
from .thresholds import codes_of_value
from .values import Constant, Value
from .wires import Builder

__all__ = ["quantise", "quantiser_of", "rounding_of", "truncation_of"]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Truncation(Quantiser):
    """Leaves the lowest bits of a code out.

    Parameters
    ----------
    bits : int
        How many.
    """

    bits: int

    def codes(self, x: Floats, rows: Ints | None = None) -> Ints:
        """Integers of float32 values."""
        scale, zero = self._at(self.scale, rows), self._at(self.zero, rows)
        whole: Any = np.round(x / scale + zero) / np.float32(2.0**self.bits)
        found: Ints = ROUNDINGS[self.rounding](whole).astype(np.int64)
        return found


def rounding_of(op: Operation, default: str) -> str:
    """Rounding mode of an operator."""
    rounding = str(op.attributes.get("rounding_mode", default)).upper()
    if rounding not in ROUNDINGS:
        raise Refusal(
            f"its rounding mode must be one of {', '.join(ROUNDINGS)}, not {rounding}: export it "
            "again"
        )
    return rounding


def _scale_zero(parts: list[Any], needed: int) -> tuple[Floats, Floats]:
    if len(parts) < needed or not all(isinstance(part, Constant) for part in parts[1:needed]):
        raise Refusal("its scale, zero point and bits must be constants: export it again")
    scale = np.asarray(parts[1].values, dtype=np.float32)
    if not (scale > 0).all() or not np.isfinite(scale).all() or not scale.size:
        raise Refusal("its scale must be positive: absorb the sign into the weights")
    zero = np.zeros((), np.float32)
    if needed > 2:
        zero = np.asarray(parts[2].values, dtype=np.float32)
    if not (zero == np.round(zero)).all() or np.abs(zero).max(initial=0) > 1 << 16 or not zero.size:
        raise Refusal("its zero point must be an integer below 2**16: round it")
    return scale, zero


def _bits(part: Constant) -> int:
    bits = np.asarray(part.values)
    if bits.size != 1 or float(bits.reshape(-1)[0]) not in range(1, 33):
        raise Refusal("its bits must be one integer in 1..32: use one width for all channels")
    return int(bits.reshape(-1)[0])


def quantiser_of(op: Operation, parts: list[Any]) -> tuple[Quantiser, int]:
    """Parameters of a quantiser, and its bits.

    Raises
    ------
    ValueError
        If they are missing, depend on the input or are out of range; the text says what to do.
    """
    bipolar = op.kind == "BipolarQuant"
    scale, zero = _scale_zero(parts, 2 if bipolar else 4)
    if bipolar:
        return Quantiser(scale, zero, -1, 1, bipolar=True, divides=False), 2
    width = _bits(parts[3])
    signed, narrow = (bool(op.attributes.get(key, 1)) for key in ("signed", "narrow"))
    rounding = rounding_of(op, "ROUND")
    if signed and width == 1:
        return Quantiser(scale, zero, -1, 1, bipolar=True), 2
    low = -(1 << (width - 1)) + narrow if signed else 0
    high = (1 << (width - 1)) - 1 if signed else (1 << width) - 1 - narrow
    return Quantiser(scale, zero, low, high, rounding), width


def truncation_of(op: Operation, parts: list[Any]) -> tuple[Quantiser, int]:
    """Parameters of a ``Trunc``, and 32 for its bits: it does not clip.

    Raises
    ------
    ValueError
        As :func:`quantiser_of`, or where it is of a later version with a scale of its result.
    """
    scale, zero = _scale_zero(parts, 5)
    if len(parts) > 5:
        raise Refusal("has a scale for its result: export it with five inputs")
    before, after = _bits(parts[3]), _bits(parts[4])
    if after > before:
        raise Refusal(f"gives {after} bits of {before}: export it again")
    rounding = rounding_of(op, "FLOOR")
    return _Truncation(scale, zero, 0, 1, rounding, bits=before - after), 32


def quantise(
    op: Operation, value: Value, quantiser: Quantiser, bits: int, builder: Builder
) -> Value:
    """Add the thresholds of a quantiser; return its codes as real values."""
    for what, part in (("scale", quantiser.scale), ("zero point", quantiser.zero)):
        try:
            fits = np.broadcast_shapes(part.shape, value.shape) == value.shape
        except ValueError:
            fits = False
        if not fits:
            raise Refusal(
                f"its {what} of shape {part.shape} does not fit values of shape {value.shape}: "
                "reshape it"
            )
    kind = IntType(bits, quantiser.low < 0) if bits <= 16 else None
    axes = (1,) * len(value.shape)
    form = np.broadcast_shapes(axes, quantiser.scale.shape, quantiser.zero.shape)
    flat = quantiser.spread(form)
    if form != axes:
        value = value.spread(form)
        flat = quantiser.spread(value.rows.shape)
    wire, low, high = codes_of_value(builder, op.name, value, flat.codes, kind)
    made = quantiser.spread(form)
    if made.scale.size == made.zero.size == 1:
        form = axes
    rows = np.arange(int(np.prod(form))).reshape(form)
    return Value.of_codes(wire, rows, low, high, made)
