"""A quantised model as a graph of integers, without any chip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType, Port
from spintron_ir.layers import Layer
from spintron_ir.requantise import Requantiser

__all__ = ["IntegerGraph", "IntegerNode", "IntegerOutput", "Matrix"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matrix:
    """A matrix of integers that a chip will hold: ``y = requantise(weights @ x + bias)``.

    Parameters
    ----------
    weights : int64 array of shape ``(outputs, rows)``
        Weights; ``rows`` are those of one block (see :class:`~spintron_ir.layers.dense.Dense`).
    bias : int64 array of shape ``(outputs,)``
        Added to the products.
    input : IntType
        Type of the inputs.
    requantise : Requantiser or None
        From the sum with its bias to the codes of the result; None passes the sum on.
    positions : int or None
        Vectors in a frame.
    blocks : int or None
        Blocks of a block-diagonal matrix.
    """

    weights: Ints
    bias: Ints
    input: IntType
    requantise: Requantiser | None = None
    positions: int | None = None
    blocks: int | None = None

    @property
    def total(self) -> IntType:
        """Type of the sum with its bias, over all inputs of the type."""
        ends = np.stack([self.weights * self.input.low, self.weights * self.input.high])
        low = ends.min(axis=0).sum(axis=1) + self.bias
        high = ends.max(axis=0).sum(axis=1) + self.bias
        return IntType.of_range(int(low.min()), int(high.max()))

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        inputs = self.weights.shape[1] * (self.blocks or 1)
        return (inputs,) if self.positions is None else (self.positions, inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output."""
        cols = len(self.weights)
        return (cols,) if self.positions is None else (self.positions, cols)

    @property
    def type(self) -> IntType:
        """Type of every output value."""
        return self.total if self.requantise is None else self.requantise.type


@dataclass(frozen=True, eq=False)
class IntegerNode:
    """One step of a quantised model.

    Parameters
    ----------
    name : str
        Node of the network, unique among inputs and nodes.
    op : Matrix or Layer
        What it computes.
    inputs : tuple of str
        Names of inputs or earlier nodes.
    """

    name: str
    op: Matrix | Layer
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class IntegerOutput:
    """A result: integers, and the real values ``gain * y + offset`` that they stand for.

    Parameters
    ----------
    name : str
        Name of the output.
    node : str
        Node whose result it is.
    gain, offset : float64 arrays that broadcast to the shape of the result
        The straight line.
    """

    name: str
    node: str
    gain: Reals
    offset: Reals


@dataclass(frozen=True, eq=False)
class IntegerGraph:
    """A quantised model: exactly the integers that its file means.

    Parameters
    ----------
    inputs : tuple of Port
        Integers fed in, in the shape of the user's graph.
    nodes : tuple of IntegerNode
        Each after those that feed it.
    outputs : tuple of IntegerOutput
        What comes out, in the shape of the user's graph.
    notes : tuple of str
        Where the file's own arithmetic leaves the last bit open.
    """

    inputs: tuple[Port, ...]
    nodes: tuple[IntegerNode, ...]
    outputs: tuple[IntegerOutput, ...]
    notes: tuple[str, ...] = ()
