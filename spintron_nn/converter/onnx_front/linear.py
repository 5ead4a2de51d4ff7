"""QuantizeLinear and DequantizeLinear, which have integer tensors between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .names import Names
from .quantisers import Quantiser
from .quantising import quantise
from .reading import Operation
from .state import Stages
from .values import Coded, Constant, Value

__all__ = ["LINEAR", "linear", "real_codes"]

LINEAR = ("QuantizeLinear", "DequantizeLinear")


def _along(op: Operation, values: NDArray[Any], shape: tuple[int, ...], what: str) -> NDArray[Any]:
    """A parameter for all, or for each index of the axis of an operator, as a float32 array."""
    if values.size == 1:
        return values.reshape(()).astype(np.float32)
    axis = int(op.attributes.get("axis", 1))
    axis += len(shape) if axis < 0 else 0
    if values.ndim != 1 or not 0 <= axis < len(shape) or values.size != shape[axis]:
        raise ValueError(
            f"its {what} of shape {values.shape} does not fit axis {axis} of values of shape "
            f"{shape}: give one, or one for each channel"
        )
    return values.reshape([-1 if n == axis else 1 for n in range(len(shape))]).astype(np.float32)


def _quantiser(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> tuple[Quantiser, int]:
    """Parameters of an operator for values of a shape, and the bits of its codes."""
    if len(parts) < 2 or not all(part is None or isinstance(part, Constant) for part in parts[1:]):
        raise ValueError("its scale and zero point must be constants: export it again")
    if op.attributes.get("block_size", 0):
        raise ValueError("has a scale for each block: use one for each channel")
    scale = _along(op, parts[1].values, shape, "scale")
    if not (scale > 0).all() or parts[1].values.dtype != np.float32:
        raise ValueError("its scale must be positive and float32: absorb the sign into the weights")
    given = parts[2].values if len(parts) > 2 and parts[2] is not None else np.zeros(1, np.uint8)
    if given.dtype.kind not in "iu":
        raise ValueError(f"its zero point must be of integers, not {given.dtype}: export it again")
    zero = _along(op, given, shape, "zero point")
    limits = np.iinfo(given.dtype)
    found = Quantiser(scale, zero, int(limits.min), int(limits.max), late=True)
    return found, int(limits.bits)


def linear(op: Operation, parts: list[Any], stages: Stages, names: Names) -> Any:
    """Result of an operator of :py:`LINEAR`.

    Raises
    ------
    ValueError
        If its input or parameters do not fit; the text says what to do.
    """
    x = parts[0]
    shape = x.values.shape if isinstance(x, Constant) else x.shape
    quantiser, bits = _quantiser(op, parts, shape)
    if op.kind == "QuantizeLinear":
        if bits > 16:
            raise ValueError(f"gives codes of {bits} bits: use int8 or uint8")
        if isinstance(x, Constant):
            return Constant(np.broadcast_to(quantiser.codes(x.values), shape))
        if not isinstance(x, Value):
            raise ValueError("quantises integers: put a DequantizeLinear in front of it")
        made = quantise(op, x, quantiser, bits, stages, names)
        return Coded(made.shape, made.low, made.high)
    if isinstance(x, Constant):
        if x.values.dtype.kind not in "iu":
            raise ValueError(f"takes {x.values.dtype}, not integers: leave it out")
        codes = x.values.astype(np.int64)
        scale, zero = (np.broadcast_to(part, shape) for part in (quantiser.scale, quantiser.zero))
        return Constant(quantiser.values(codes), codes, scale, zero)
    if not isinstance(x, Coded):
        raise ValueError("takes real values, not integers: leave it out")
    return Value.of_codes(shape, x.low, x.high, quantiser)


def real_codes(x: Coded) -> Value:
    """Integers as real values of their own."""
    one = Quantiser(np.ones((), np.float32), np.zeros((), np.float32), 0, 1)
    return Value.of_codes(x.shape, x.low, x.high, one)
