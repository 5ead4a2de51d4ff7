"""Quant and BipolarQuant: their parameters, and what they do to values of the network."""

from __future__ import annotations

from typing import Any

import numpy as np

from spintron_ir import IntType

from .names import Names
from .quantisers import ROUNDINGS, Quantiser
from .reading import Operation
from .state import Stages
from .thresholds import find_thresholds
from .values import Constant, Value

__all__ = ["quantise", "quantiser_of"]


def quantiser_of(op: Operation, parts: list[Any]) -> tuple[Quantiser, int]:
    """Parameters of a quantiser, and its bits.

    Raises
    ------
    ValueError
        If they are missing, depend on the input or are out of range; the text says what to do.
    """
    needed = 2 if op.kind == "BipolarQuant" else 4
    if len(parts) < needed or not all(isinstance(part, Constant) for part in parts[1:needed]):
        raise ValueError("its scale, zero point and bits must be constants: export it again")
    scale = np.asarray(parts[1].values, dtype=np.float32)
    if not (scale > 0).all() or not np.isfinite(scale).all() or not scale.size:
        raise ValueError("its scale must be positive: absorb the sign into the weights")
    if op.kind == "BipolarQuant":
        return Quantiser(scale, np.float32(0) * scale, -1, 1, bipolar=True, divides=False), 2
    zero = np.asarray(parts[2].values, dtype=np.float32)
    if not (zero == np.round(zero)).all() or np.abs(zero).max(initial=0) > 1 << 16:
        raise ValueError("its zero point must be an integer below 2**16: round it")
    bits = np.asarray(parts[3].values)
    if bits.size != 1 or float(bits.reshape(-1)[0]) not in range(1, 33):
        raise ValueError("its bits must be one integer in 1..32: use one width for all channels")
    width = int(bits.reshape(-1)[0])
    signed, narrow = (bool(op.attributes.get(key, 1)) for key in ("signed", "narrow"))
    rounding = str(op.attributes.get("rounding_mode", "ROUND")).upper()
    if rounding not in ROUNDINGS:
        raise ValueError(
            f"its rounding mode must be one of {', '.join(ROUNDINGS)}, not {rounding}: export it "
            "again"
        )
    if signed and width == 1:
        return Quantiser(scale, zero, -1, 1, bipolar=True), 2
    low = -(1 << (width - 1)) + narrow if signed else 0
    high = (1 << (width - 1)) - 1 if signed else (1 << width) - 1 - narrow
    return Quantiser(scale, zero, low, high, rounding), width


def quantise(
    op: Operation, value: Value, quantiser: Quantiser, bits: int, stages: Stages, names: Names
) -> Value:
    """Give the last stage the thresholds of a quantiser; return its codes as real values."""
    for what, part in (("scale", quantiser.scale), ("zero point", quantiser.zero)):
        try:
            fits = np.broadcast_shapes(part.shape, value.shape) == value.shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"its {what} of shape {part.shape} does not fit values of shape {value.shape}: "
                "reshape it"
            )
    kind = IntType(bits, quantiser.low < 0) if bits <= 16 else None
    one = op.kind != "MultiThreshold" and quantiser.scale.size == quantiser.zero.size == 1
    thresholds = find_thresholds(value, quantiser.codes, kind, uniform=one)
    low, count = thresholds.low, thresholds.thresholds.shape[1]
    stages.close(names.free(op.name), thresholds)
    return Value.of_codes(
        value.shape,
        np.full(value.count, low),
        np.full(value.count, low + count),
        quantiser,
    )
