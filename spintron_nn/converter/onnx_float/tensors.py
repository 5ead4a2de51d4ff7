"""Tensors of a graph: constants, and results of the steps of a model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_nn.converter.onnx_front.reading import Refusal

__all__ = ["FREE", "Constant", "Lost", "Part", "Value", "broadcast", "reals", "said", "sizes_fit"]

Reals = NDArray[np.float64]

FREE = (1 << 31) - 1
"""Size of a batch axis that the graph leaves open: a prime above every size that is read, so that
arithmetic on shapes cannot hit upon it."""


def said(shape: tuple[int, ...]) -> str:
    """A shape for a message.

    >>> said((FREE, 3))
    '(batch, 3)'
    """
    sizes = ["batch" if size == FREE else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


class Lost:
    """The result of an operator with a finding; what depends on it is not judged."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor that no input reaches.

    Parameters
    ----------
    values : array
        Its values.
    key : str or None
        Its name in the file, where it is as it stands there.
    """

    values: NDArray[Any]
    key: str | None = None


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor that depends on the inputs.

    Parameters
    ----------
    step : str
        Input or step of the model that gives it.
    have : tuple of int
        Shape of that, without a batch.
    shape : tuple of int
        Shape in the graph: the same values in the same order, with the batch axis where there is
        one.
    whole : bool
        Whether the values are integers, which no arithmetic may round.
    """

    step: str
    have: tuple[int, ...]
    shape: tuple[int, ...]
    whole: bool = False


Part = Constant | Value | None


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that several broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        given = ", ".join(said(shape) for shape in shapes)
        raise Refusal(f"joins the shapes {given}, which do not fit: reshape them") from None


def reals(values: Any) -> Reals:
    """A constant as float64."""
    return np.asarray(values).astype(np.float64)


def sizes_fit(shape: tuple[int, ...], most: int) -> None:
    """Refuse a shape of more than :py:`most` values."""
    if min(shape, default=1) < 0 or math.prod(shape) > most:
        raise Refusal(f"gives the shape {said(shape)}: correct its sizes")
