"""What the readers of operations write to: values, constants and the steps made so far."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..graph import Affine, Operation, Permute, Reshape, Upsample
from ..shapes import broadcast, result_shape

if TYPE_CHECKING:
    from torch.fx import Node

__all__ = ["MIXES", "Constant", "Handler", "Missing", "Record", "Refused", "Value", "Walk", "many"]

Reals = NDArray[np.float64]
Shape = tuple[int, ...]

MIXES = (
    "mixes the inputs of a batch; keep the batch the first axis of every value and work on the "
    "others"
)

COMPARES = "takes a comparison where numbers must be; use clamp, ReLU or a constant mask"

MAX_VALUES = 1 << 28
"""Most values of one result: what a damaged or hostile file asks for stays within memory."""


class Refused(Exception):
    """What stands in the way, and what to do: the second half of a finding."""


@dataclass(frozen=True)
class Value:
    """A computed tensor of shape ``(batch * lead, *shape[merged:])``.

    Core ATen joins the batch with the axes in front of the last one around a matrix product; so
    may a user. That is kept until they are parted again, so that no input meets another.

    Parameters
    ----------
    at : int
        Place in :attr:`Walk.records`.
    shape : tuple of int
        Shape of the step, without the batch.
    merged : int
        How many axes of the shape are one with the batch.
    """

    at: int
    shape: Shape
    merged: int = 0

    @property
    def tail(self) -> Shape:
        """Sizes of the axes behind the first."""
        return self.shape[self.merged :]

    @property
    def ndim(self) -> int:
        """Number of axes, that of the batch included."""
        return 1 + len(self.tail)


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor that no input changes.

    Parameters
    ----------
    tensor : torch.Tensor
        Its values.
    key : str or None
        Name in the model's state.
    flipped : bool
        Whether it is that tensor with its two axes exchanged.
    """

    tensor: torch.Tensor
    key: str | None = None
    flipped: bool = False


class Missing:
    """What follows a finding and has no known shape."""


@dataclass(frozen=True, eq=False)
class Record:
    """A step to be: its inputs are places of records; an input of the model has no operation."""

    operation: Operation | None
    inputs: tuple[int, ...]
    shape: Shape
    node: Node


Handler = Callable[["Walk", dict[str, Any]], Any]
"""Reads an operation from its arguments by name; gives a value, a constant or a list of them."""


class Walk:
    """The steps made so far, and the means to make more.

    Parameters
    ----------
    batch : int or sympy expression
        Size of the first axis.

    Attributes
    ----------
    records : list of Record
        Inputs and steps.
    node : torch.fx.Node
        Node that is being read.
    """

    def __init__(self, batch: Any) -> None:
        self.batch = batch
        self.records: list[Record] = []
        self.node: Any = None

    def add(
        self, operation: Operation | None, *values: Value, shape: Shape = (), merged: int = 0
    ) -> Value:
        """Make a step; :py:`shape` is that of a reshape or of an input of the model."""
        if operation is not None:
            shape = result_shape(operation, [value.shape for value in values], shape)
        if math.prod(shape) > MAX_VALUES:
            raise ValueError(f"its result would have {math.prod(shape)} values for each input")
        inputs = tuple(value.at for value in values)
        self.records.append(Record(operation, inputs, shape, self.node))
        return Value(len(self.records) - 1, shape, merged)

    def like(self, operation: Operation, value: Value) -> Value:
        """Make a step of one input that keeps the axes merged with the batch."""
        return self.add(operation, value, merged=value.merged)

    def operation_of(self, value: Value) -> tuple[Operation | None, tuple[Value, ...]]:
        """What made a value, and from what."""
        record = self.records[value.at]
        return record.operation, tuple(Value(at, self.records[at].shape) for at in record.inputs)

    def value(self, given: Any) -> Value:
        """Return a computed tensor."""
        if isinstance(given, Constant):
            raise Refused(
                "works on constants where a computed tensor must be; compute it before the export"
            )
        if not isinstance(given, Value):
            raise Refused(COMPARES)
        return given

    def images(self, given: Any, spatial: int) -> Value:
        """Return a computed tensor of shape ``(batch, channels, *spatial axes)``."""
        value = self.value(given)
        if value.merged or value.ndim != spatial + 2:
            raise Refused(
                f"is applied to {self.text(value)}; give it (batch, channels, "
                f"{'length' if spatial == 1 else 'height, width'})"
            )
        return value

    def constant(self, given: Any, what: str = "weights") -> Constant:
        """Return a constant tensor."""
        if not isinstance(given, Constant):
            raise Refused(f"its {what} are computed, not parameters; make them constants")
        return given

    def numbers(self, constant: Constant) -> Reals:
        """Values of a constant, in float64; those of a parameter have been checked already."""
        tensor = constant.tensor.detach()
        if tensor.is_complex() or tensor.layout != torch.strided or tensor.is_quantized:
            raise Refused(f"takes numbers of type {tensor.dtype}; use real ones")
        values = tensor.cpu().to(torch.float64).numpy()
        bad = int((~np.isfinite(values)).sum())
        if bad and constant.key is None:
            raise Refused(
                f"takes a constant of which {bad} of {values.size} values are not finite; use "
                "finite ones"
            )
        return values

    def row(self, constant: Constant, value: Value) -> Reals:
        """Values of a constant that is joined with a value, without an axis for the batch."""
        values = self.numbers(constant)
        if values.ndim > value.ndim:
            raise Refused(MIXES)
        if values.ndim == value.ndim:
            if len(values) == 0 or not (values == values[:1]).all():
                raise Refused(MIXES)
            values = values[0]
        return values

    def scalar(self, given: Any) -> float:
        """Return a number, also from a constant of one value."""
        if isinstance(given, Constant) and given.tensor.numel() == 1:
            return float(self.numbers(given).reshape(-1)[0])
        if isinstance(given, Constant | Value):
            raise Refused("takes a tensor where a number must be; use a number")
        if isinstance(given, bool | int | float):
            return float(given)
        if isinstance(given, torch.SymInt | torch.SymFloat):
            raise Refused("depends on the size of the batch; use a number")
        raise Refused(COMPARES)

    def size(self, given: Any) -> Any:
        """Return a size as an integer, or as an expression where it depends on the batch."""
        if isinstance(given, torch.SymInt):
            expression = given.node.expr
            return int(expression) if expression.is_number else expression
        return given if hasattr(given, "free_symbols") else operator.index(given)

    def integer(self, given: Any) -> int:
        """Return an integer that is known."""
        size = self.size(given)
        if not isinstance(size, int):
            raise Refused("depends on the size of the batch; use a number")
        return size

    def axis(self, value: Value, dim: Any) -> int:
        """Axis of the step for an axis of the tensor, which must not be that of the batch."""
        given = self.integer(dim)
        if not -value.ndim <= given < value.ndim:
            raise ValueError(f"there is no axis {given} in {self.text(value)}")
        if given % value.ndim == 0:
            raise Refused(MIXES)
        return given % value.ndim - 1 + value.merged

    def full_shape(self, value: Value) -> tuple[Any, ...]:
        """Shape with the batch."""
        return (self.batch * math.prod(value.shape[: value.merged]), *value.tail)

    def text(self, value: Value) -> str:
        """Shape for a message."""
        lead = math.prod(value.shape[: value.merged])
        first = "batch" if lead == 1 else f"batch * {lead}"
        return f"({', '.join([first, *map(str, value.tail)])})"

    def reshape(self, value: Value, sizes: Sequence[Any]) -> Value:
        """Another shape, of which one size may be -1; the first one holds the batch."""
        wanted = [self.size(size) for size in sizes]
        if not wanted:
            raise Refused(MIXES)
        if -1 in wanted:
            rest = math.prod(size for size in wanted if size != -1)
            wanted[wanted.index(-1)] = self._ratio(self.batch * math.prod(value.shape), rest)
        lead = self._ratio(wanted[0], self.batch)
        tail = tuple(wanted[1:])
        if not isinstance(lead, int) or not all(isinstance(size, int) for size in tail):
            raise Refused(MIXES)
        if lead == 1:
            whole = replace(value, merged=0)
            return whole if tail == value.shape else self.add(Reshape(), value, shape=tail)
        for merged in range(1, len(value.shape) + 1):
            parts = value.shape[:merged], value.shape[merged:]
            if math.prod(parts[0]) == lead and parts[1] == tail:
                return replace(value, merged=merged)
        return self.add(Reshape(), value, shape=(lead, *tail), merged=1)

    def _ratio(self, whole: Any, part: Any) -> Any:
        if isinstance(whole, int) and isinstance(part, int):
            if part < 1 or whole % part:
                raise Refused(MIXES)
            return whole // part
        ratio = whole / part
        return int(ratio) if ratio.is_Integer else ratio

    def reshape_tail(self, value: Value, tail: Shape) -> Value:
        """Another shape behind the first axis."""
        if tail == value.tail:
            return value
        shape = value.shape[: value.merged] + tail
        return self.add(Reshape(), value, shape=shape, merged=value.merged)

    def permute(self, value: Value, order: Sequence[int]) -> Value:
        """Other order of the axes of the step, of which those with the batch stay."""
        if tuple(order) == tuple(range(len(value.shape))):
            return value
        return self.add(Permute(tuple(order)), value, merged=value.merged)

    def expand(self, value: Value, tail: Shape) -> Value:
        """Repeat axes of size 1 behind the first axis up to a shape."""
        if tail == value.tail:
            return value
        if len(tail) < len(value.tail):
            raise ValueError(f"{self.text(value)} does not become {tail}")
        padded = (1,) * (len(tail) - len(value.tail)) + value.tail
        if broadcast(padded, tail) != tail:
            raise ValueError(f"{self.text(value)} does not become {tail}")
        value = self.reshape_tail(value, padded)
        factors = tuple(size // own for size, own in zip(tail, padded, strict=True))
        return self.like(Upsample((1,) * value.merged + factors), value)

    def affine(self, value: Value, scale: Any, offset: Any) -> Value:
        """``scale * value + offset`` with numbers or arrays without the batch."""
        scales, offsets = (np.asarray(part, dtype=np.float64) for part in (scale, offset))
        if not (np.isfinite(scales).all() and np.isfinite(offsets).all()):
            raise Refused("takes a constant that is not finite; use a finite one")
        value = self.expand(value, broadcast(value.tail, scales.shape, offsets.shape))
        return self.like(Affine(scales, offsets), value)


def many(given: Any, count: int) -> Shape:
    """One integer for each of :py:`count` axes from a list of as many, or of one, or one."""
    items = list(given) if isinstance(given, list | tuple) else [given]
    if len(items) == 1:
        items *= count
    if len(items) != count:
        raise ValueError(f"{len(items)} numbers do not fit {count} axes")
    return tuple(operator.index(item) for item in items)
