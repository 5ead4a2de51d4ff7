"""What a quantised model means: integers and thresholds, without any chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Argmax, Flatten, IntType, Port, Quantise, Thresholds

from ..integers import IntegerGraph, IntegerNode, IntegerOutput, Matrix

__all__ = ["MatrixStage", "QuantisedModel", "SingleStage", "integer_graph"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SingleStage:
    """Thresholds on single values.

    Parameters
    ----------
    name : str
        Node of the network.
    thresholds : Thresholds
        One channel, or one for each value.
    """

    name: str
    thresholds: Thresholds


@dataclass(frozen=True, eq=False)
class MatrixStage:
    """A matrix of integers, a bias, and what follows it.

    Parameters
    ----------
    name : str
        Node of the network.
    weights : int64 array of shape ``(outputs, inputs)``
        Weights, of at most 8 bits and a sign.
    bias : int64 array of shape ``(outputs,)``
        Added to the products.
    kind : IntType
        Type of the inputs.
    thresholds : Thresholds or None
        From the sum with its bias to the codes of the next stage; None passes the sum on.
    """

    name: str
    weights: Ints
    bias: Ints
    kind: IntType
    thresholds: Thresholds | None = None


@dataclass(frozen=True, eq=False)
class QuantisedModel:
    """A chain of stages of integers.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one input, without the batch.
    input_type : IntType
        Type of the input.
    input_scale : float
        Real value of one unit of the input.
    stages : tuple of SingleStage and MatrixStage
        In order; each takes what the one before gives, as one vector.
    classify : bool
        Whether the result is the index of the largest of the last stage's.
    gain, offset : float64 arrays of shape ``(outputs,)``
        Real value of a result ``y`` of the last stage: ``gain * y + offset``.
    notes : tuple of str
        Where the graph's own arithmetic leaves the last bit open.
    """

    input_shape: tuple[int, ...]
    input_type: IntType
    input_scale: float
    stages: tuple[SingleStage | MatrixStage, ...]
    classify: bool
    gain: Reals
    offset: Reals
    notes: tuple[str, ...] = ()


def integer_graph(model: QuantisedModel) -> IntegerGraph:
    """The chain as a graph."""
    port = Port(name="x", shape=model.input_shape, type=model.input_type, scale=model.input_scale)
    nodes: list[IntegerNode] = []

    def add(wanted: str, op: Any) -> None:
        while any(node.name == wanted for node in nodes):
            wanted += "_"
        nodes.append(IntegerNode(wanted, op, (nodes[-1].name if nodes else "x",)))

    if len(model.input_shape) > 1:
        add("flatten", Flatten(in_shape=model.input_shape, type=model.input_type))
    count, kind = int(np.prod(model.input_shape)), model.input_type
    for stage in model.stages:
        op: Any
        if isinstance(stage, MatrixStage):
            op = Matrix(stage.weights, stage.bias, stage.kind, stage.thresholds)
        else:
            op = Quantise(in_shape=(count,), input=kind, requantise=stage.thresholds)
        add(stage.name, op)
        (count,), kind = op.shape, op.type
    if model.classify:
        add("argmax", Argmax(input=kind, length=count))
    title = "class" if model.classify else "scores"
    output = IntegerOutput(title, nodes[-1].name, model.gain, model.offset)
    return IntegerGraph((port,), tuple(nodes), (output,), model.notes)
