"""Tensors of a graph: constants, and float32 functions of the integers of a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .quantisers import Quantiser
from .reading import Refusal
from .wires import Wire

__all__ = ["Constant", "Function", "Lost", "Value", "collapsed", "wide"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

MOST_ROWS = 1 << 22
"""Most functions of their own in one tensor."""


class Lost:
    """The result of an operator with a finding; what depends on it is not judged."""


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

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape."""
        return self.values.shape

    def moved(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Constant:
        """All its arrays through a function that only moves values."""
        if self.codes is None or self.scale is None or self.zero is None:
            return Constant(function(self.values))
        return Constant(*(function(a) for a in (self.values, self.codes, self.scale, self.zero)))


@dataclass(frozen=True, eq=False)
class Function:
    """Float32 functions of one integer each, in rows.

    Parameters
    ----------
    low, high : int64 arrays of shape ``(rows,)``
        Range of the integer.
    evaluate : function
        From integers and rows, arrays that broadcast, to float32.
    rises : int8 array of shape ``(rows,)`` or None
        1, 0 or -1 where it rises, stays or falls with the integer; None where it is not monotone.
    gain, offset : float64 arrays of shape ``(rows,)`` or None
        The function without rounding, ``gain * q + offset``; None where it is no straight line.
    scale, zero : float64 and int64 arrays of shape ``(rows,)`` or None
        It is exactly ``(q - zero) * scale``; None where more follows.
    """

    low: Ints
    high: Ints
    evaluate: Callable[[Ints, Ints], Any]
    rises: NDArray[np.int8] | None
    gain: Reals | None = None
    offset: Reals | None = None
    scale: Reals | None = None
    zero: Ints | None = None

    def taken(self, rows: Ints) -> Function:
        """Some of its rows, in another order or several times."""
        before = self.evaluate

        def some(part: Any) -> Any:
            return None if part is None else part[rows]

        return Function(
            low=some(self.low),
            high=some(self.high),
            evaluate=lambda q, r: before(q, rows[r]),
            rises=some(self.rises),
            gain=some(self.gain),
            offset=some(self.offset),
            scale=some(self.scale),
            zero=some(self.zero),
        )


def wide(part: Any, rows: int) -> Any:
    """A number for each row."""
    return np.broadcast_to(np.asarray(part).reshape(-1), (rows,))


def collapsed(array: NDArray[Any]) -> NDArray[Any]:
    """An array without what it repeats along whole axes.

    >>> collapsed(np.array([[1, 1], [2, 2]])).tolist()
    [[1], [2]]
    """
    for axis, size in enumerate(array.shape):
        first = np.take(array, [0], axis=axis)
        if size > 1 and (array == first).all():
            array = first
    return array


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor that is a function of the integers of a network, element by element.

    Parameters
    ----------
    wire : Wire
        Which integer each element depends on.
    rows : int64 array that broadcasts to the shape, of as many axes
        Row of the function of each element.
    function : Function
        What is made of the integers.
    integer : bool
        Whether the tensor holds integers: those of the network themselves.
    """

    wire: Wire
    rows: Ints
    function: Function
    integer: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape with a batch of one."""
        return self.wire.index.shape

    @property
    def uniform(self) -> bool:
        """Whether all elements have one function."""
        return self.rows.size == 1

    def moved(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Value:
        """The same elements, or some of them, elsewhere."""
        index = np.ascontiguousarray(function(self.wire.index))
        if not index.size or index.shape[:1] != (1,):
            raise Refusal(f"gives the shape {index.shape}, without the batch first: keep it there")
        if self.uniform:
            rows = self.rows.reshape((1,) * index.ndim)
        else:
            rows = collapsed(function(np.broadcast_to(self.rows, self.shape)))
        return replace(self, wire=replace(self.wire, index=index), rows=rows)

    def spread(self, *shapes: tuple[int, ...]) -> Value:
        """The same tensor with a row for each element of arrays that broadcast to its shape.

        Rows are then in the order of the elements of such an array, or there is one.
        """
        form = np.broadcast_shapes(self.rows.shape, *shapes)
        if math.prod(form) > MOST_ROWS:
            raise Refusal("has parameters of their own for too many values: use one scale")
        if form == self.rows.shape and (self.rows.ravel() == np.arange(self.rows.size)).all():
            if len(self.function.low) == self.rows.size:
                return self
        rows = np.broadcast_to(self.rows, form).reshape(-1)
        return replace(
            self, rows=np.arange(rows.size).reshape(form), function=self.function.taken(rows)
        )

    def then(
        self,
        step: Callable[..., Any],
        *constants: NDArray[Any],
        rises: Any = 1,
        line: tuple[Any, Any] | None = None,
    ) -> Value:
        """The tensor after one more function.

        Parameters
        ----------
        step : function
            From float32, and a float32 for each constant, to float32.
        constants : arrays that broadcast to the shape
            What it takes besides.
        rises : array that broadcasts with the constants, or None
            1, 0 or -1 where it rises, stays or falls; None where it is not monotone.
        line : pair of arrays that broadcast with the constants, or None
            Factor and summand of a straight line.
        """
        single = all(constant.size == 1 for constant in constants)
        if single:
            value = self
            flat = [constant.reshape(())[()] for constant in constants]
        else:
            value = self.spread(*(constant.shape for constant in constants))
        given, count = value.function, len(value.function.low)

        def rowed(part: Any) -> Any:
            part = np.asarray(part)
            if part.size == 1:
                return wide(part, count)
            return np.broadcast_to(part, value.rows.shape).reshape(-1)

        before = given.evaluate
        if single:

            def evaluate(q: Ints, r: Ints) -> Any:
                return step(before(q, r), *flat)

        else:
            parts = [rowed(constant) for constant in constants]

            def evaluate(q: Ints, r: Ints) -> Any:
                return step(before(q, r), *(part[r] for part in parts))

        turned = gain = offset = None
        if rises is not None and given.rises is not None:
            turned = given.rises * rowed(rises).astype(np.int8)
        if line is not None and given.gain is not None and given.offset is not None:
            factor, summand = (rowed(part).astype(np.float64) for part in line)
            gain, offset = given.gain * factor, given.offset * factor + summand
        made = Function(given.low, given.high, evaluate, turned, gain, offset)
        return replace(value, function=made)

    @classmethod
    def of_codes(cls, wire: Wire, rows: Ints, low: Any, high: Any, quantiser: Quantiser) -> Value:
        """Integers that a quantiser made, as the real values that they stand for."""
        count = rows.size
        scale, zero = (
            wide(part, count).astype(np.float64) for part in (quantiser.scale, quantiser.zero)
        )
        made = Function(
            low=wide(low, count),
            high=wide(high, count),
            evaluate=quantiser.values,
            rises=np.ones(count, dtype=np.int8),
            gain=scale,
            offset=-scale * zero,
            scale=scale,
            zero=zero.astype(np.int64),
        )
        return cls(wire, np.arange(count).reshape(rows.shape), made)

    @classmethod
    def of_integers(cls, wire: Wire, rows: Ints, low: Any, high: Any) -> Value:
        """Integers of the network as a tensor of integers."""
        one = Quantiser(np.ones(1, np.float32), np.zeros(1, np.float32), 0, 1)
        return replace(cls.of_codes(wire, rows, low, high, one), integer=True)
