"""Values of a network under construction, and the nodes that make them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Flatten, Gather, IntType, MulShift, Quantise, Table, Thresholds

from ..integers import IntegerNode
from .reading import Operation, Tensor
from .refusal import Refusal

__all__ = ["Constant", "Lost", "State", "Value", "kind_of", "inner", "named", "of_tensor"]

Ints = NDArray[np.int64]

BUDGET = 1 << 26
"""Weights, places and table entries of all nodes together."""

WORK = 1 << 27
"""Places that are looked at in all, so that no small file takes hours."""


class Lost:
    """The result of an operator with a finding; what depends on it is not judged."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor that the file holds.

    Parameters
    ----------
    tensor : Tensor
        Its description.
    values : array
        Its values.
    """

    tensor: Tensor
    values: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Value:
    """Codes of a tensor in the network.

    Parameters
    ----------
    node : str
        Input or node that gives them.
    shape : tuple of int
        Shape in the model, with its batch of one.
    held : tuple of int
        Shape in the network, of as many values.
    kind : IntType
        Type of the codes.
    scale, zero : float and int
        They stand for ``scale * (code - zero)``.
    real : bool
        Whether the model takes them for these real values.
    padded : tuple of Value, int and tuple of int, or None
        What was padded, with which code, and rows and columns: top, left, bottom, right.
    """

    node: str
    shape: tuple[int, ...]
    held: tuple[int, ...]
    kind: IntType
    scale: float
    zero: int
    real: bool = False
    padded: tuple[Value, int, tuple[int, ...]] | None = None

    @property
    def count(self) -> int:
        """Number of codes."""
        return math.prod(self.shape)

    @property
    def codes(self) -> Ints:
        """All codes of the type."""
        return np.arange(self.kind.low, self.kind.high + 1)

    @property
    def reals(self) -> NDArray[np.float32]:
        """The float32 number of each code of the type."""
        return (self.scale * (self.codes - self.zero)).astype(np.float32)


def inner(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its batch of one.

    >>> inner((1, 4, 3)), inner((1,)), inner(()), inner((2, 3))
    ((4, 3), (1,), (1,), (2, 3))
    """
    return (shape[1:] if len(shape) > 1 and shape[0] == 1 else shape) or (1,)


def named(wanted: str, taken: Iterable[str]) -> str:
    """A name fit for a network, close to the one wanted and not taken yet.

    >>> named("serving_default_Image:0", ["x"]), named("7", []), named("x", ["x"])
    ('serving_default_image_0', 'n7', 'x_')
    """
    name = re.sub(r"[^a-z0-9_]+", "_", wanted.lower())[:40].strip("_")
    name = name if name[:1].isalpha() else f"n{name}"
    while name in taken:
        name += "_"
    return name


def kind_of(tensor: Tensor) -> IntType:
    """Type of the codes of a tensor.

    Raises
    ------
    Refusal
        If it is none of 8 bits; the text says what to do.
    """
    if tensor.kind not in ("int8", "uint8"):
        raise Refusal(
            f"has {tensor.name!r} of type {tensor.kind}, and activations of int8 and uint8 are "
            "converted: quantise the whole model to int8"
        )
    return IntType(8, signed=tensor.kind == "int8")


def of_tensor(tensor: Tensor) -> tuple[IntType, float, int]:
    """Type, scale and zero point of a tensor that has one of each.

    Raises
    ------
    Refusal
        If it has not; the text says what to do.
    """
    kind = kind_of(tensor)
    if len(tensor.scale) != 1:
        raise Refusal(
            f"has {tensor.name!r} with {len(tensor.scale)} scales, and activations need one: "
            "quantise the model per tensor there"
        )
    scale, zero = float(tensor.scale[0]), int(tensor.zero[0])
    if not kind.low <= zero <= kind.high:
        raise Refusal(f"has {tensor.name!r} with the zero point {zero}, which is no {kind}")
    return kind, scale, zero


@dataclass(eq=False)
class State:
    """Nodes made so far.

    Parameters
    ----------
    tensors : dict of int to Tensor
        All tensors of the model.
    nodes : list of IntegerNode
        Nodes, each after those that feed it.
    notes : list of str
        Where the model's own arithmetic leaves the last bit open.
    """

    tensors: dict[int, Tensor]
    nodes: list[IntegerNode] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _spent: int = 0
    _worked: int = 0

    def work(self, count: int) -> None:
        """Raise :exc:`Refusal` where too many places are looked at."""
        self._worked += count
        if self._worked > WORK:
            raise Refusal("brings the values that are moved to more than 2**27: split the model")

    def spend(self, count: int) -> None:
        """Raise :exc:`Refusal` where all weights and tables together grow too large."""
        self._spent += count
        if self._spent > BUDGET:
            raise Refusal("brings the weights and tables to more than 2**26: split the model")

    def name(self, wanted: str) -> str:
        """Take a name."""
        name = named(wanted, self._names)
        self._names.add(name)
        return name

    def add(self, op: Operation, layer: Any, *inputs: str, part: str = "") -> str:
        """Add a node of a Matrix or a layer, and return its name."""
        name = self.name(f"{op.kind.lower()}_{op.index}{part and '_' + part}")
        self.nodes.append(IntegerNode(name, layer, inputs))
        return name

    def output(self, op: Operation, number: int = 0) -> Tensor:
        """Description of an output of an operator."""
        return self.tensors[op.outputs[number]]

    def value(
        self, op: Operation, node: str, shape: tuple[int, ...], held: tuple[int, ...],
        number: int = 0,
    ) -> Value:  # fmt: skip
        """The codes of an output: its type, scale and zero point are those of the file."""
        return Value(node, shape, held, *of_tensor(self.output(op, number)))

    def held(self, op: Operation, value: Value, shape: tuple[int, ...]) -> str:
        """Node that holds a value in a shape of the network."""
        if value.held == shape:
            return value.node
        layer = Flatten(in_shape=value.held, type=value.kind, out_shape=shape)
        return self.add(op, layer, value.node, part="shape")

    def gathered(
        self, op: Operation, value: Value, index: NDArray[Any], pad_value: int = 0
    ) -> Value:
        """Codes of a value at places of the model's order; -1 is the padding."""
        shape = index.shape
        flat = index.reshape(-1)
        if len(flat) == value.count and (flat == np.arange(len(flat))).all():
            return replace(value, shape=shape, padded=None)
        self.spend(len(flat))
        layer = Gather(
            in_shape=value.held,
            type=value.kind,
            out_shape=inner(shape),
            index=flat.astype(np.int32),
            pad_value=pad_value,
        )
        node = self.add(op, layer, value.node)
        return replace(value, node=node, shape=shape, held=inner(shape), padded=None)

    def looked_up(
        self, op: Operation, value: Value, table: Ints, kind: IntType, part: str = ""
    ) -> tuple[str, tuple[int, ...]]:
        """Node that looks each code up, and the shape it holds; none where nothing changes."""
        if kind == value.kind and (table == value.codes).all():
            return value.node, value.held
        self.spend(len(table))
        layer = Quantise(
            in_shape=value.held, input=value.kind, requantise=_lookup(value.kind, table, kind)
        )
        return self.add(op, layer, value.node, part=part), value.held


def _lookup(given: IntType, table: Ints, kind: IntType) -> Table | Thresholds:
    """A table of 256 entries, or thresholds where it would be longer; such a function rises."""
    one: Any = np.ones(1, dtype=np.int32)
    if given.bits <= 8 or (table == table[0]).all():
        same = MulShift(multiplier=one, shift=one - 1, zero_point=0, type=given)
        return Table(code=same, table=table, type=kind)
    wanted = np.arange(table[0] + 1, table[-1] + 1)
    return Thresholds(
        thresholds=given.low + np.searchsorted(table, wanted)[None],
        sign=one,
        low=int(table[0]),
        type=kind,
    )
