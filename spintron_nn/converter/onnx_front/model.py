"""What a quantised model means: integers and thresholds, without any chip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType, Thresholds

__all__ = ["MatrixStage", "QuantisedModel", "SingleStage"]

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
