"""QuantizeLinear and DequantizeLinear, which have integer tensors between them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType

from .quantisers import Quantiser
from .quantising import quantise
from .reading import Operation, Refusal
from .values import Constant, Value, wide
from .wires import Builder

__all__ = ["LINEAR", "coded", "integer_type", "linear"]

LINEAR = ("QuantizeLinear", "DequantizeLinear")

TYPES = {2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 21: "uint4", 22: "int4",
         25: "uint2", 26: "int2"}  # fmt: skip
"""Integer types by their number in ONNX."""


def integer_type(dtype: Any) -> IntType | None:
    """Type of integers of an array, narrow ones included; None of other numbers."""
    name = str(dtype)
    if name.strip("u").startswith("int") and name.strip("uint").isdigit():
        return IntType(int(name.strip("uint")), not name.startswith("u"))
    return None


def _along(op: Operation, values: NDArray[Any], shape: tuple[int, ...], what: str) -> NDArray[Any]:
    """A parameter for all, or for each index of the axis of an operator, as a float32 array."""
    if values.size == 1:
        return values.reshape(()).astype(np.float32)
    axis = int(op.attributes.get("axis", 1))
    axis += len(shape) if axis < 0 else 0
    if values.ndim != 1 or not 0 <= axis < len(shape) or values.size != shape[axis]:
        raise Refusal(
            f"its {what} of shape {values.shape} does not fit axis {axis} of values of shape "
            f"{shape}: give one, or one for each channel"
        )
    return values.reshape([-1 if n == axis else 1 for n in range(len(shape))]).astype(np.float32)


def _quantiser(op: Operation, parts: list[Any], shape: tuple[int, ...]) -> tuple[Quantiser, int]:
    """Parameters of an operator for values of a shape, and the bits of its codes."""
    if len(parts) < 2 or not all(part is None or isinstance(part, Constant) for part in parts[1:]):
        raise Refusal("its scale and zero point must be constants: export it again")
    if op.attributes.get("block_size", 0):
        raise Refusal("has a scale for each block: use one for each channel")
    scale = _along(op, parts[1].values, shape, "scale")
    if not (scale > 0).all() or parts[1].values.dtype != np.float32:
        raise Refusal("its scale must be positive and float32: absorb the sign into the weights")
    if len(parts) > 2 and parts[2] is not None:
        given = parts[2].values
        name = given.dtype
    else:
        given = np.zeros(1)
        name = TYPES.get(op.attributes.get("output_dtype") or 2, "other numbers")
    kind = integer_type(name)
    if kind is None:
        raise Refusal(f"its zero point must be of integers, not {name}: export it again")
    zero = _along(op, given, shape, "zero point")
    return Quantiser(scale, zero, kind.low, kind.high, late=True), kind.bits


def coded(value: Value) -> Value:
    """The integers of a tensor of codes, as a tensor of integers."""
    rows = np.zeros((1,) * len(value.shape), dtype=np.int64)
    function = value.function
    return Value.of_integers(value.wire, rows, function.low.min(), function.high.max())


def linear(op: Operation, parts: list[Any], builder: Builder) -> Any:
    """Result of an operator of :py:`LINEAR`.

    Raises
    ------
    ValueError
        If its input or parameters do not fit; the text says what to do.
    """
    x = parts[0]
    shape = x.shape
    quantiser, bits = _quantiser(op, parts, shape)
    if op.kind == "QuantizeLinear":
        if bits > 16:
            raise Refusal(f"gives codes of {bits} bits: use int8 or uint8")
        if isinstance(x, Constant):
            return Constant(np.broadcast_to(quantiser.codes(x.values), shape))
        if x.integer:
            raise Refusal("quantises integers: put a DequantizeLinear in front of it")
        return coded(quantise(op, x, quantiser, bits, builder))
    if isinstance(x, Constant):
        if integer_type(x.values.dtype) is None:
            raise Refusal(f"takes {x.values.dtype}, not integers: leave it out")
        codes = x.values.astype(np.int64)
        scale, zero = (np.broadcast_to(part, shape) for part in (quantiser.scale, quantiser.zero))
        return Constant(quantiser.values(codes), codes, scale, zero)
    if not x.integer:
        raise Refusal("takes real values, not integers: leave it out")
    return real(x, quantiser)


def real(x: Value, quantiser: Quantiser) -> Value:
    """Integers as the real values that a quantiser says they stand for."""
    axes = (1,) * len(x.shape)
    form = np.broadcast_shapes(axes, quantiser.scale.shape, quantiser.zero.shape, x.rows.shape)
    x = x.spread(form)
    count = math.prod(form)
    low, high = wide(x.function.low, count), wide(x.function.high, count)
    return Value.of_codes(x.wire, x.rows, low, high, quantiser.spread(form))
