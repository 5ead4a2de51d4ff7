"""Operators on tensors that no input reaches, computed in numpy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reading import MAX_VALUES, Operation, Refusal
from .values import Constant

__all__ = ["CONSTANT_OPERATORS", "fold", "integers", "reshape_target"]

NUMBERS = {1: np.float32, 6: np.int32, 7: np.int64, 11: np.float64}
"""Types that a Cast of a constant may have, by their number in ONNX."""

MOVES = ("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity")

PAIRS = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
}

CONSTANT_OPERATORS = {*MOVES, *PAIRS, "Constant", "Cast", "Concat", "Gather", "Neg", "Sqrt"}


def integers(values: Any) -> list[int]:
    """Integers of a small constant of any shape."""
    found = np.asarray(values).reshape(-1)
    if found.dtype.kind not in "iu" or len(found) > 64:
        raise Refusal("sizes must be a short list of integers: export the model again")
    return [int(value) for value in found]


def reshape_target(operation: Operation, shape: tuple[int, ...], sizes: Any) -> tuple[int, ...]:
    """Shape that an operator which only reshapes gives to one of shape :py:`shape`.

    Parameters
    ----------
    operation : Operation
        ``Reshape``, ``Flatten``, ``Squeeze``, ``Unsqueeze`` or ``Identity``.
    shape : tuple of int
        Shape before.
    sizes : array or None
        The second input: a shape or axes.
    """
    count, rank = math.prod(shape), len(shape)
    given = operation.attributes.get("axes") if sizes is None else integers(sizes)
    if operation.kind == "Reshape":
        wanted = integers(sizes)
        if not operation.attributes.get("allowzero", 0):
            wanted = [shape[i] if size == 0 else size for i, size in enumerate(wanted)]
        rest = math.prod(size for size in wanted if size != -1)
        if wanted.count(-1) == 1 and rest > 0:
            wanted[wanted.index(-1)] = count // rest
        found = tuple(wanted)
    elif operation.kind == "Flatten":
        axis = int(operation.attributes.get("axis", 1))
        axis += rank if axis < 0 else 0
        found = (math.prod(shape[:axis]), math.prod(shape[axis:]))
    elif operation.kind == "Squeeze":
        axes = [i for i, size in enumerate(shape) if size == 1] if given is None else list(given)
        axes = [axis + rank if axis < 0 else axis for axis in axes]
        found = tuple(size for i, size in enumerate(shape) if i not in axes)
    elif operation.kind == "Unsqueeze":
        axes = list(given or ())
        rank += len(axes)
        axes = [axis + rank if axis < 0 else axis for axis in axes]
        rest_of = iter(shape)
        found = tuple(1 if i in axes else next(rest_of) for i in range(rank))
    else:
        found = shape
    if math.prod(found) != count or min(found, default=1) < 0:
        raise Refusal(f"cannot give {count} values the shape {found}: correct its sizes")
    return found


def fold(operation: Operation, inputs: list[Constant | None]) -> Constant:
    """Compute an operator of :py:`CONSTANT_OPERATORS`.

    Raises
    ------
    ValueError, TypeError, IndexError
        If its inputs or attributes do not fit.
    """
    kind, given = operation.kind, operation.attributes
    arrays = [None if part is None else part.values for part in inputs]
    if kind == "Constant":
        value = next(given[key] for key in ("value", "value_float", "value_int") if key in given)
        found = np.asarray(value)
        return Constant(found.astype(np.float32) if "value_float" in given else found)
    first = inputs[0]
    if first is None:
        raise Refusal("lacks its input: export the model again")
    if kind in MOVES:
        if kind == "Transpose":
            axes = given.get("perm")
            return first.moved(lambda x: np.transpose(x, axes))
        shape = reshape_target(operation, first.values.shape, _second(arrays))
        return first.moved(lambda x: x.reshape(shape))
    return Constant(_compute(operation, arrays))


def _second(arrays: list[Any]) -> Any:
    return arrays[1] if len(arrays) > 1 else None


def _compute(operation: Operation, arrays: list[Any]) -> NDArray[Any]:
    kind, given = operation.kind, operation.attributes
    x = arrays[0]
    if kind in PAIRS:
        if math.prod(np.broadcast_shapes(x.shape, arrays[1].shape)) > MAX_VALUES:
            raise Refusal("gives more than 2**26 values: export the model again")
        with np.errstate(all="ignore"):
            found = PAIRS[kind](x, arrays[1]).astype(x.dtype)
    elif kind == "Cast":
        if given.get("to") not in NUMBERS:
            raise Refusal("casts to a type that is not read: use float32 or int64")
        found = x.astype(NUMBERS[given["to"]])
    elif kind == "Concat":
        found = np.concatenate(arrays, axis=given["axis"])
    elif kind == "Gather":
        found = np.take(x, arrays[1], axis=given.get("axis", 0))
    elif kind == "Neg":
        found = -x
    else:
        with np.errstate(all="ignore"):
            found = np.sqrt(x)
    if not np.isfinite(found).all():
        raise Refusal("gives values that are not finite: correct its inputs")
    return np.asarray(found)
