"""Results: scores on one scale, whether their largest is the graph's, and codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Argmax, Flatten, TopK

from ..integers import IntegerOutput, Matrix
from .constants import integers
from .reading import Operation, Refusal
from .values import Constant, Function, Value
from .wires import Builder, Wire

__all__ = ["CLASSES", "argmax", "output_of"]

Ints = NDArray[np.int64]

CLASSES = ("TopK", "ArgMax")

MOST_RANKS = 256
"""Most indices of ``TopK``."""

MOST = 1 << 24
"""Values of a score and a channel that are looked at to prove their order."""

BLOCK = 1 << 20


def argmax(op: Operation, parts: list[Any], taken: set[str], builder: Builder) -> Value:
    """The index of the largest, of ``ArgMax``, or of the largest ``k``, of ``TopK``.

    Parameters
    ----------
    op : Operation
        The operator.
    parts : list
        Its inputs.
    taken : set of str
        Tensors that something takes.
    builder : Builder
        The network.

    Raises
    ------
    ValueError
        If it is not of all values, or these do not compare as integers.
    """
    value = parts[0]
    assert isinstance(value, Value)
    count = _check_class(op, parts, value, taken)
    gain = value.function.gain
    if gain is None or not (gain > 0).all():
        raise Refusal(
            "takes the largest of values that are no rising line of their integers: put a Quant "
            "before it"
        )
    biased = _with_bias(value, builder)
    if biased is None and not _same_order(value):
        raise Refusal(
            "takes the largest of scores with scales or offsets of their own, which no common "
            "integers represent: use one scale for all outputs, or put a Quant before it"
        )
    value = biased or value
    node = builder.laid(value.wire, value.wire.index.reshape(-1))
    kind, length = builder.type(node), value.wire.index.size
    made: Argmax | TopK = Argmax(input=kind, length=length)
    if count > 1:
        made = TopK(in_shape=(length,), input=kind, k=count)
    name = builder.add("argmax" if count == 1 else "topk", made, node)
    axis = int(op.attributes.get("axis", -1 if op.kind == "TopK" else 0)) % len(value.shape)
    shape = tuple(count if n == axis else size for n, size in enumerate(value.shape))
    if op.kind == "ArgMax" and not op.attributes.get("keepdims", 1):
        shape = shape[:axis] + shape[axis + 1 :]
    index = np.arange(count, dtype=np.int32).reshape(shape)
    rows = np.zeros((1,) * len(shape), dtype=np.int64)
    return Value.of_integers(Wire(name, index), rows, 0, length - 1)


def _check_class(op: Operation, parts: list[Any], value: Value, taken: set[str]) -> int:
    """How many indices are wanted."""
    axis = int(op.attributes.get("axis", -1 if op.kind == "TopK" else 0))
    axis += len(value.shape) if axis < 0 else 0
    if value.wire.index.size != value.shape[axis] or axis == 0:
        raise Refusal(f"looks along the axis {axis}, not along all values: flatten first")
    if op.attributes.get("select_last_index", 0):
        raise Refusal("takes the last of equal values: take the first")
    count = [1]
    if op.kind == "TopK":
        if len(parts) < 2 or not isinstance(parts[1], Constant):
            raise Refusal("needs a constant k: export the model again")
        count = integers(parts[1].values)
        if len(count) != 1 or not 1 <= count[0] <= min(value.wire.index.size, MOST_RANKS):
            raise Refusal(
                f"gives the largest {count}, and one number up to {MOST_RANKS} and to that of all "
                "values is converted: take fewer"
            )
        if not op.attributes.get("largest", 1):
            raise Refusal("gives the least values: turn signs in the last layer, take the largest")
        if count != [1] and not op.attributes.get("sorted", 1):
            raise Refusal("leaves the order of its results open: take them sorted")
        if op.outputs[0] in taken:
            raise Refusal("gives values, not their index: take its second output")
    return count[0]


def output_of(title: str, value: Value, builder: Builder) -> IntegerOutput:
    """Make a result of the network.

    Raises
    ------
    ValueError
        If the result is no straight line of integers; the text says what to do.
    """
    function = value.function
    if function.gain is None or function.offset is None:
        raise Refusal("is no straight line of the last integers: put a Quant at the end")
    if not (function.gain > 0).all():
        raise Refusal("falls, or stays, where the last sums rise: turn signs in the last layer")
    if not value.integer:
        value = _with_bias(value, builder) or value
    shape = value.shape[1:] or (1,)
    node = builder.laid(value.wire, value.wire.index.reshape(shape))
    if node in {port.name for port in builder.ports}:
        made: Any = Flatten(in_shape=shape, type=builder.type(node), out_shape=shape)
        node = builder.add("copy", made, node)
    form = value.rows.shape[1:] or (1,)
    assert value.function.gain is not None and value.function.offset is not None
    gain, offset = (
        _narrow(part[value.rows].reshape(form))
        for part in (value.function.gain, value.function.offset)
    )
    return IntegerOutput(title, node, gain, offset)


def _narrow(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """One number where all are equal."""
    return part.reshape(-1)[:1] if (part == part.flat[0]).all() else part


def _with_bias(value: Value, builder: Builder) -> Value | None:
    """The value with its offset as bias of the matrix that makes it; None where that fails.

    The bias of a last layer whose scales are powers of two.
    """
    node = next((node for node in builder.nodes if node.name == value.wire.node), None)
    if node is None or not isinstance(node.op, Matrix) or node.op.requantise is not None:
        return None
    units = _whole_offset(value)
    if units is None:
        return None
    matrix = node.op
    column = value.wire.index % len(matrix.weights)
    summand = np.broadcast_to(units[value.rows], value.shape)
    bias = np.zeros(len(matrix.weights), dtype=np.int64)
    bias[column] = summand
    if not (bias[column] == summand).all() or (value.wire.index < 0).any():
        return None
    bias = bias + matrix.bias
    if np.abs(bias).max() >= 1 << 31:
        return None
    # Another matrix, for something else may take the sums without this bias.
    name = builder.again(node, replace(matrix, bias=bias))
    given = value.function
    assert given.gain is not None
    gain, low, high = given.gain, given.low + units, given.high + units
    function = Function(
        low=low,
        high=high,
        evaluate=lambda q, r: (q * gain[r]).astype(np.float32),
        rises=given.rises,
        gain=gain,
        offset=np.zeros_like(gain),
    )
    return replace(value, wire=replace(value.wire, node=name), function=function)


def _blocks(function: Function) -> list[Ints] | None:
    """All integers of all rows, in blocks that overlap by one; None where they are too many."""
    low, high = int(function.low.min()), int(function.high.max())
    rows = len(function.low)
    if (high - low + 1) * rows > MOST:
        return None
    size = max(BLOCK // rows, 2)
    return [
        np.arange(start, min(start + size, high) + 1)
        for start in range(low, max(high, low + 1), size)
    ]


def _same_order(value: Value) -> bool:
    """Whether all rows are one function, which rises strictly, in float32.

    Then equal scores are equal integers, and larger ones are larger.
    """
    function = value.function
    blocks = _blocks(function)
    if blocks is None:
        return False
    rows = np.unique(value.rows)
    for block in blocks:
        found = function.evaluate(*np.broadcast_arrays(block[:, None], rows))
        if not (found == found[:, :1]).all() or not (np.diff(found[:, 0]) > 0).all():
            return False
    return True


def _whole_offset(value: Value) -> Ints | None:
    """Offsets in units of one common scale, where the function is exactly that, without rounding.

    One for each row.
    """
    function = value.function
    gain, offset, blocks = function.gain, function.offset, _blocks(function)
    if gain is None or offset is None or blocks is None or not (gain == gain[0]).all():
        return None
    units = np.round(offset / gain[0])
    if not (units * gain[0] == offset).all() or np.abs(units).max() >= 1 << 31:
        return None
    rows = np.arange(len(gain))
    for block in blocks:
        found = function.evaluate(*np.broadcast_arrays(block[:, None], rows))
        if not (found == (block[:, None] + units) * gain[0]).all():
            return None
    return units.astype(np.int64)
