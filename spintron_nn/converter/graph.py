"""A trained model as a graph of real-valued operations: what every front end makes.

Shapes are those of the user's graph without its batch axis, channels first: ``(channels, height,
width)``, ``(channels, length)`` or ``(values,)``. Axes are counted without the batch too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FUNCTIONS",
    "Add",
    "Affine",
    "ArgmaxOf",
    "Concatenate",
    "Conv",
    "Dropout",
    "Function",
    "Linear",
    "Model",
    "Mul",
    "Norm",
    "Operation",
    "Pad",
    "Permute",
    "PoolOf",
    "Reshape",
    "Slice",
    "SoftmaxOf",
    "Step",
    "TopKOf",
    "Upsample",
]

Reals = NDArray[np.float64]

FUNCTIONS = (
    "relu", "clamp", "leaky_relu", "elu", "sigmoid", "tanh", "hardsigmoid", "hardswish", "gelu",
    "gelu_tanh", "silu", "softplus", "exp", "neg", "abs",
)  # fmt: skip
"""Names of the real functions of single values; :class:`Function` explains their parameters."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A matrix on the last axis, at every index of the others.

    Parameters
    ----------
    weight : float64 array of shape ``(outputs, inputs)``
        Weights.
    bias : float64 array of shape ``(outputs,)``
        Bias, zeros where there is none.
    weight_key, bias_key : str or None
        Names in the model's state.
    """

    weight: Reals
    bias: Reals
    weight_key: str | None = None
    bias_key: str | None = None


@dataclass(frozen=True, eq=False)
class Conv:
    """A convolution (cross-correlation) over one or two axes, zeros around it.

    Parameters
    ----------
    weight : float64 array of shape ``(outputs, channels / groups, *kernel)``
        Weights.
    bias : float64 array of shape ``(outputs,)``
        Bias, zeros where there is none.
    stride, dilation : tuple of int
        One for each spatial axis.
    padding : tuple of (int, int)
        Zeros before and after, for each spatial axis.
    groups : int
        Groups of channels that see each other only.
    weight_key, bias_key : str or None
        Names in the model's state.
    """

    weight: Reals
    bias: Reals
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int = 1
    weight_key: str | None = None
    bias_key: str | None = None


@dataclass(frozen=True, eq=False)
class Norm:
    """A batch normalisation ``gamma * (z - mean) / sqrt(var + eps) + beta`` along axis 0.

    Parameters
    ----------
    gamma, beta, mean, var : float64 arrays of shape ``(channels,)``
        Scale, shift and running statistics.
    eps : float
        Added to the variance.
    gamma_key, beta_key, mean_key, var_key : str or None
        Names in the model's state, None where the model has no such tensor.
    """

    gamma: Reals
    beta: Reals
    mean: Reals
    var: Reals
    eps: float
    gamma_key: str | None = None
    beta_key: str | None = None
    mean_key: str | None = None
    var_key: str | None = None


@dataclass(frozen=True, eq=False)
class Affine:
    """``scale * x + offset`` with constants.

    Parameters
    ----------
    scale, offset : float64 arrays that broadcast to the shape of the input
        Constants; a scale may be negative.
    """

    scale: Reals
    offset: Reals


@dataclass(frozen=True)
class Function:
    """A real function of single values.

    Parameters
    ----------
    name : str
        One of :data:`FUNCTIONS`. ``clamp`` has ``low`` and ``high`` (infinite where open);
        ``leaky_relu`` has ``slope``; ``elu`` has ``slope`` (its alpha); ``gelu`` is the exact one,
        ``gelu_tanh`` its approximation; ``hardsigmoid`` is ``clamp(x / 6 + 1 / 2, 0, 1)`` unless
        ``slope`` and ``offset`` are others.
    low, high, slope, offset : float
        Parameters of the functions that have them.
    """

    name: str
    low: float = -np.inf
    high: float = np.inf
    slope: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True)
class PoolOf:
    """The largest value, or the mean, of each channel in a window.

    Parameters
    ----------
    kind : str
        ``max`` or ``average``.
    kernel, stride, dilation : tuple of int
        One for each spatial axis; the kernel is the whole axis in a global pool.
    padding : tuple of (int, int)
        Before and after, for each spatial axis; what ``ceil_mode`` adds is already counted.
    count_padding : bool
        Whether a mean divides by the places of the kernel, padding (not what ceil_mode adds)
        included; otherwise by the values that are there.
    divisor : int or None
        What a mean divides by instead.
    """

    kind: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    count_padding: bool = True
    divisor: int | None = None


@dataclass(frozen=True)
class Pad:
    """A constant around the input.

    Parameters
    ----------
    amounts : tuple of (int, int)
        Values before and after, for every axis; negative amounts cut.
    value : float
        The constant.
    """

    amounts: tuple[tuple[int, int], ...]
    value: float = 0.0


@dataclass(frozen=True)
class Reshape:
    """Another shape in row-major order: flatten, squeeze, unsqueeze, view; the step has it."""


@dataclass(frozen=True)
class Permute:
    """Axes in another order.

    Parameters
    ----------
    order : tuple of int
        Axis of the input that becomes each axis of the output.
    """

    order: tuple[int, ...]


@dataclass(frozen=True)
class Add:
    """Sum of inputs, broadcast as numpy does.

    Parameters
    ----------
    factors : tuple of float
        Factor of each input: ``(1, -1)`` is a difference.
    """

    factors: tuple[float, ...]


@dataclass(frozen=True)
class Mul:
    """Product of two inputs, broadcast as numpy does."""


@dataclass(frozen=True)
class Concatenate:
    """Inputs one after the other.

    Parameters
    ----------
    axis : int
        Along which axis, from 0.
    """

    axis: int


@dataclass(frozen=True)
class Slice:
    """Part of an axis: split, chunk, narrow and select are made of it.

    Parameters
    ----------
    axis, start, stop, step : int
        As in ``x[start:stop:step]`` with all of them within the axis; the step is not 0.
    """

    axis: int
    start: int
    stop: int
    step: int = 1


@dataclass(frozen=True)
class Upsample:
    """Each value repeated (nearest neighbour).

    Parameters
    ----------
    factors : tuple of int
        Repetitions along each axis, that of channels included.
    """

    factors: tuple[int, ...]


@dataclass(frozen=True)
class SoftmaxOf:
    """Softmax along an axis.

    Parameters
    ----------
    axis : int
        The axis.
    log : bool
        Its logarithm.
    """

    axis: int
    log: bool = False


@dataclass(frozen=True)
class ArgmaxOf:
    """Index of the largest value along an axis, the first of equal ones.

    Parameters
    ----------
    axis : int
        The axis.
    smallest : bool
        The least value instead.
    """

    axis: int
    smallest: bool = False


@dataclass(frozen=True)
class TopKOf:
    """Indices of the largest values along an axis, the largest first, the lower index of equals.

    Parameters
    ----------
    k, axis : int
        How many, along which axis.
    values : bool
        Their values instead of their indices.
    """

    k: int
    axis: int
    values: bool = False


@dataclass(frozen=True)
class Dropout:
    """Nothing at inference; training drops values with a probability.

    Parameters
    ----------
    share : float, 0..1
        Probability.
    """

    share: float


Operation = (
    Linear | Conv | Norm | Affine | Function | PoolOf | Pad | Reshape | Permute | Add | Mul
    | Concatenate | Slice | Upsample | SoftmaxOf | ArgmaxOf | TopKOf | Dropout
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of a model.

    Parameters
    ----------
    name : str
        Name, fit for a node of a network, unique among inputs and steps.
    operation : Operation
        What is computed.
    inputs : tuple of str
        Names of inputs or earlier steps.
    shape : tuple of int
        Shape of its result, without the batch.
    origin : str
        What the user calls it, for messages: ``block1.conv (Conv2d)``.
    """

    name: str
    operation: Operation
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    origin: str = ""


@dataclass(frozen=True, eq=False)
class Model:
    """A graph of real-valued operations.

    Parameters
    ----------
    inputs : dict of str to tuple of int
        Shape of every input, without the batch, in the order of the model's arguments.
    steps : tuple of Step
        Each after those that feed it; every one leads to an output.
    outputs : dict of str to str
        Step, by the name of the output.
    """

    inputs: dict[str, tuple[int, ...]]
    steps: tuple[Step, ...]
    outputs: dict[str, str] = field(default_factory=dict)
