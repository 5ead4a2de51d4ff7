"""The part of a trained model that the converter understands: a stack of dense stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .graph import Norm

__all__ = ["Stack", "Stage"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """A Linear layer with what follows it, up to the next Linear layer.

    Parameters
    ----------
    name : str
        Name of the Linear layer, made fit for a network node.
    weight : float64 array of shape ``(outputs, inputs)``
        Weights.
    bias : float64 array of shape ``(outputs,)``
        Bias, zeros where the layer has none.
    norm : Norm or None
        Batch normalisation after the layer.
    relu : bool
        Whether a ReLU follows.
    dropout : float, 0..1
        Dropout probability after the stage; has no effect on inference.
    weight_key, bias_key : str or None
        Names in the model's state.
    """

    name: str
    weight: Reals
    bias: Reals
    norm: Norm | None = None
    relu: bool = False
    dropout: float = 0.0
    weight_key: str | None = None
    bias_key: str | None = None


@dataclass(frozen=True, eq=False)
class Stack:
    """A whole model: input, then stages.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one input, without the batch; more than one axis is flattened first.
    stages : tuple of Stage
        At least one; only the last has no ReLU, or any may lack it.
    input_dropout : float, 0..1
        Dropout probability of the inputs.
    """

    input_shape: tuple[int, ...]
    stages: tuple[Stage, ...]
    input_dropout: float = 0.0

    @property
    def inputs(self) -> int:
        """Number of values of one input."""
        return int(np.prod(self.input_shape))
