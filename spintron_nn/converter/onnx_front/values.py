"""Tensors of a graph: constants, and float32 functions of the integers of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .quantisers import Quantiser

__all__ = ["Coded", "Constant", "Lost", "Value"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


class Lost:
    """The result of an operator with a finding; what depends on it is not judged."""


@dataclass(frozen=True, eq=False)
class Coded:
    """An integer tensor: the codes of the network themselves.

    Parameters
    ----------
    shape : tuple of int
        Shape with a batch of one.
    low, high : int64 arrays, flat
        Range of each element.
    """

    shape: tuple[int, ...]
    low: Ints
    high: Ints


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor that no input reaches.

    Parameters
    ----------
    values : array
        Its values.
    codes : int64 array or None
        Integers ``q`` of quantised values ``(q - zero) * scale``, of the same shape.
    scale, zero : float32 arrays or None
        Of the same shape.
    """

    values: NDArray[Any]
    codes: Ints | None = None
    scale: Floats | None = None
    zero: Floats | None = None

    def moved(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Constant:
        """All its arrays through a function that only moves values."""
        if self.codes is None or self.scale is None or self.zero is None:
            return Constant(function(self.values))
        return Constant(*(function(a) for a in (self.values, self.codes, self.scale, self.zero)))


@dataclass(frozen=True, eq=False)
class Value:
    """A float32 tensor that is a function of the integers of the network, element by element.

    Parameters
    ----------
    shape : tuple of int
        Shape with a batch of one.
    low, high : int64 arrays of shape ``shape[1:]``, flat
        Range of the integer behind each element.
    steps : tuple of functions
        Functions of float32 tensors ``(batch, *shape)``; the first takes integers.
    rises : int8 array, flat
        1, 0 or -1 where the function rises, stays or falls with the integer.
    gain, offset : float64 arrays, flat, or None
        The function without rounding, ``gain * q + offset``; None where it is no straight line.
    scale, zero : float32 arrays, flat, or None
        The tensor is exactly ``(q - zero) * scale``; None where more follows.
    uniform : bool
        Whether all elements have the same function and range.
    """

    shape: tuple[int, ...]
    low: Ints
    high: Ints
    steps: tuple[Callable[[Any], Any], ...]
    rises: NDArray[np.int8]
    gain: Reals | None
    offset: Reals | None
    scale: Reals | None = None
    zero: Ints | None = None
    uniform: bool = False

    @property
    def count(self) -> int:
        """Number of elements."""
        return len(self.low)

    def evaluate(self, integers: Ints) -> Floats:
        """The tensor of integers ``(batch, count)``, in float32, as ``(batch, count)``."""
        found: Any = integers
        for step in self.steps:
            found = step(found)
        flat: Floats = np.broadcast_to(found, (len(integers), *self.shape[1:])).reshape(
            integers.shape
        )
        return flat

    def then(
        self,
        step: Callable[[Floats], Floats],
        rises: Any = 1,
        *,
        line: tuple[Any, Any] | None = None,
        uniform: bool = True,
    ) -> Value:
        """The tensor after one more function.

        Parameters
        ----------
        step : function
            From float32 to float32, element by element, monotone.
        rises : array that broadcasts to the shape
            1, 0 or -1 where it rises, stays or falls.
        line : pair of arrays that broadcast to the shape, or None
            Factor and summand of a straight line.
        uniform : bool
            Whether it is the same for all elements.
        """
        gain = offset = None
        if line is not None and self.gain is not None and self.offset is not None:
            factor, summand = (self._flat(part).astype(np.float64) for part in line)
            gain, offset = self.gain * factor, self.offset * factor + summand
        turned = self.rises * self._flat(rises).astype(np.int8)
        return replace(
            self,
            steps=(*self.steps, step),
            rises=turned,
            gain=gain,
            offset=offset,
            scale=None,
            zero=None,
            uniform=self.uniform and uniform,
        )

    def _flat(self, part: Any) -> NDArray[Any]:
        return np.broadcast_to(part, self.shape).reshape(-1)

    def reshaped(self, shape: tuple[int, ...]) -> Value:
        """The same elements in another shape."""
        inner = shape[1:]
        return replace(self, shape=shape, steps=(*self.steps, lambda x: x.reshape(len(x), *inner)))

    @classmethod
    def of_codes(cls, shape: tuple[int, ...], low: Ints, high: Ints, quantiser: Quantiser) -> Value:
        """Integers that a quantiser made, as the real values that they stand for."""
        scale, zero = (
            np.broadcast_to(part, shape).reshape(-1).astype(np.float64)
            for part in (quantiser.scale, quantiser.zero)
        )
        inner = shape[1:]
        return cls(
            shape=shape,
            low=low,
            high=high,
            steps=(lambda q: quantiser.values(q.reshape(len(q), *inner)),),
            rises=np.ones(len(low), dtype=np.int8),
            gain=scale,
            offset=-scale * zero,
            scale=scale,
            zero=zero.astype(np.int64),
            uniform=quantiser.scale.size == quantiser.zero.size == 1
            and bool((low == low[0]).all() and (high == high[0]).all()),
        )
