"""Operators on tensors that no input reaches, computed in numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_nn.converter.onnx_front.constants import reshape_target
from spintron_nn.converter.onnx_front.reading import MAX_VALUES, Operation, Refusal

from .attributes import axis_of, flag, number
from .slicing import slices_of
from .tensors import Constant, Part, sizes_fit

__all__ = ["FOLDED", "fold"]

Array = NDArray[Any]

NUMBERS: dict[int, Any] = {
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64,
    9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64,
}  # fmt: skip
"""Types that a constant may be cast to, by their number in ONNX."""


def _divide(a: Array, b: Array) -> Array:
    if a.dtype.kind == "f":
        return np.asarray(np.divide(a, b))
    if (b == 0).any():
        raise Refusal("divides by zero: correct its constants")
    quotient = np.abs(a) // np.abs(b)  # integers are cut towards zero
    return np.asarray(np.where((a < 0) != (b < 0), -quotient, quotient))


PAIRS: dict[str, Callable[[Array, Array], Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": _divide,
    "Pow": np.power,
    "Max": np.maximum,
    "Min": np.minimum,
    "Equal": np.equal,
    "Less": np.less,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "LessOrEqual": np.less_equal,
    "Xor": np.logical_xor,
    "And": np.logical_and,
    "Or": np.logical_or,
}

BOOLEAN = ("Equal", "Less", "Greater", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Xor")
"""Pairs whose result is true or false."""

SINGLES: dict[str, Callable[[Array], Any]] = {
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Abs": np.abs,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Not": np.logical_not,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, 0),
}

MOVES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")

FOLDED = {
    *PAIRS, *SINGLES, *MOVES, "Cast", "CastLike", "Concat", "Constant", "ConstantOfShape", "Expand",
    "Gather", "Range", "ReduceProd", "Shape", "Size", "Slice", "Sum", "Tile", "Transpose", "Where",
}  # fmt: skip


def fold(op: Operation, parts: list[Part]) -> Constant:
    """Compute an operator of :py:`FOLDED`.

    Raises
    ------
    ValueError, TypeError, IndexError
        If its inputs or attributes do not fit.
    """
    arrays = [part.values if isinstance(part, Constant) else None for part in parts]
    if op.kind == "Constant":
        return _constant(op)
    if not arrays or arrays[0] is None:
        raise Refusal("lacks its input: export the model again")
    if op.kind == "Identity":
        (part,) = parts
        assert isinstance(part, Constant)
        return part
    with np.errstate(all="ignore"):
        found = np.asarray(_compute(op, [array for array in arrays if array is not None]))
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise Refusal("gives values that are not finite: correct its inputs")
    return Constant(found)


def _constant(op: Operation) -> Constant:
    kinds = {"value": None, "value_float": np.float32, "value_int": np.int64,
             "value_floats": np.float32, "value_ints": np.int64}  # fmt: skip
    given = [name for name in kinds if name in op.attributes]
    if len(given) != 1:
        raise Refusal("holds no tensor of numbers: export the model again")
    value = op.attributes[given[0]]
    if given[0] == "value" and not isinstance(value, np.ndarray):
        raise Refusal("holds no tensor of numbers: export the model again")
    return Constant(np.asarray(value, dtype=kinds[given[0]]))


def _compute(op: Operation, arrays: list[Array]) -> Any:
    kind, x = op.kind, arrays[0]
    second = arrays[1] if len(arrays) > 1 else None
    if kind in PAIRS or kind == "Sum":
        sizes_fit(np.broadcast_shapes(*(array.shape for array in arrays)), MAX_VALUES)
        result = x
        for array in arrays[1:]:
            result = PAIRS["Add" if kind == "Sum" else kind](result, array)
        boolean = kind in BOOLEAN
        return np.asarray(result).astype(np.bool_ if boolean else x.dtype)
    if kind in SINGLES:
        return np.asarray(SINGLES[kind](x)).astype(x.dtype)
    if kind in MOVES:
        return x if kind == "Dropout" else x.reshape(reshape_target(op, x.shape, second))
    if kind in ("Shape", "Size"):
        return shape_of(op, x.shape)
    if kind == "Transpose":
        return np.transpose(x, op.attributes.get("perm"))
    if kind in ("Cast", "CastLike"):
        if kind == "CastLike" and second is not None:
            return x.astype(second.dtype)
        if op.attributes.get("to") not in NUMBERS:
            raise Refusal("casts to a type that is not read: use float32 or int64")
        return x.astype(NUMBERS[op.attributes["to"]])
    return _arrange(op, arrays)


def shape_of(op: Operation, shape: tuple[int, ...]) -> Array:
    """Result of ``Shape`` or ``Size`` for a tensor of shape :py:`shape`."""
    if op.kind == "Size":
        return np.array(math.prod(shape), dtype=np.int64)
    start, end = number(op, "start", 0), number(op, "end", len(shape))
    return np.array(shape[start:end], dtype=np.int64)


def _arrange(op: Operation, arrays: list[Array]) -> Any:
    kind, x = op.kind, arrays[0]
    if kind == "Concat":
        sizes_fit((sum(array.size for array in arrays),), MAX_VALUES)
        return np.concatenate(arrays, axis=axis_of(op.attributes.get("axis"), x.ndim))
    if kind == "Slice":
        parts: list[Part] = [Constant(array) for array in arrays]
        for axis, place in slices_of(op, parts, x.shape):
            x = x[(slice(None),) * axis + (list(place),)]
        return x
    if kind == "ReduceProd":
        given = op.attributes.get("axes")
        axes = given if len(arrays) < 2 else tuple(int(axis) for axis in arrays[1].reshape(-1))
        return np.prod(x, axis=axes or None, keepdims=flag(op, "keepdims", 1)).astype(x.dtype)
    if kind == "ConstantOfShape":
        shape = tuple(int(size) for size in x.reshape(-1))
        sizes_fit(shape, MAX_VALUES)
        value = np.asarray(op.attributes.get("value", np.zeros(1, dtype=np.float32)))
        return np.full(shape, value.reshape(-1)[0], dtype=value.dtype)
    if kind == "Range":
        start, limit, step = (array.reshape(-1)[0] for array in arrays)
        count = max(math.ceil((limit - start) / step), 0)
        sizes_fit((count,), MAX_VALUES)
        return (start + np.arange(count) * step).astype(x.dtype)
    second = arrays[1]
    if kind == "Gather":
        sizes_fit((second.size, x.size), 1 << 32)
        return np.take(x, second, axis=axis_of(op.attributes.get("axis", 0), x.ndim))
    if kind == "Where":
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        sizes_fit(shape, MAX_VALUES)
        return np.where(x, second, arrays[2])
    counts = tuple(int(size) for size in second.reshape(-1))
    if kind == "Expand":
        shape = np.broadcast_shapes(x.shape, counts)
        sizes_fit(shape, MAX_VALUES)
        return np.broadcast_to(x, shape)
    sizes_fit((*counts, *x.shape), MAX_VALUES)
    return np.tile(x, counts)
