"""Real functions of integers, value by value, and the integers that are exactly they."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import IntType, MulShift, Table, Thresholds

from ..graph import Function
from ..quantise import bisected, codes_of

__all__ = ["Chain", "Line", "Over", "is_rising", "value_of"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

LARGEST = 700.0
"""Largest argument of an exponential: its result is still a float."""

PART = 1 << 20
"""Thresholds that are looked for at once."""

_RISING = ("relu", "clamp", "leaky_relu", "elu", "sigmoid", "tanh", "hardsigmoid", "softplus",
           "exp")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Line:
    """``slope * x + offset``, with arrays that broadcast to the shape of a tensor."""

    slope: Reals
    offset: Reals


@dataclass(frozen=True, eq=False)
class Over:
    """``x / divisor``: apart from a line, for a quotient has one rounding only."""

    divisor: Reals


def is_rising(function: Function) -> bool:
    """Whether a function never falls."""
    if function.name in ("leaky_relu", "elu", "hardsigmoid") and function.slope < 0:
        return False
    return function.name in _RISING


def value_of(function: Function, x: ArrayLike) -> Reals:
    """Return a real function of values, in float64.

    >>> value_of(Function("hardsigmoid"), [-9, 0, 9]).tolist()
    [0.0, 0.5, 1.0]
    """
    given: Reals = np.asarray(x, dtype=np.float64)
    with np.errstate(over="ignore"):
        found: Reals = _VALUES[function.name](function, given)
    return found


def _exp(x: Reals) -> Reals:
    return np.exp(np.minimum(x, LARGEST))


def _sigmoid(_: Any, x: Reals) -> Reals:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1.0 + small)


def _softplus(_: Any, x: Reals) -> Reals:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _leaky(function: Function, x: Reals) -> Reals:
    return np.where(x < 0, x * function.slope, x)


def _elu(function: Function, x: Reals) -> Reals:
    return np.where(x < 0, np.expm1(np.minimum(x, 0.0)) * function.slope, x)


def _hardsigmoid(function: Function, x: Reals) -> Reals:
    if (function.slope, function.offset) in ((0.0, 0.0), (1 / 6, 0.5)):  # unset: those of torch
        return np.clip(x + 3.0, 0.0, 6.0) / 6.0
    return np.clip(function.slope * x + function.offset, 0.0, 1.0)


def _gelu(_: Any, x: Reals) -> Reals:
    erf: Any = np.frompyfunc(math.erf, 1, 1)(x * math.sqrt(0.5))
    return x * 0.5 * (1.0 + np.asarray(erf, dtype=np.float64))


def _gelu_tanh(_: Any, x: Reals) -> Reals:
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


_VALUES: dict[str, Any] = {
    "relu": lambda _, x: np.maximum(x, 0.0),
    "clamp": lambda function, x: np.minimum(np.maximum(x, function.low), function.high),
    "leaky_relu": _leaky,
    "elu": _elu,
    "sigmoid": _sigmoid,
    "tanh": lambda _, x: np.tanh(x),
    "hardsigmoid": _hardsigmoid,
    "hardswish": lambda _, x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": lambda _, x: x * _sigmoid(None, x),
    "softplus": _softplus,
    "exp": lambda _, x: _exp(x),
    "neg": lambda _, x: -x,
    "abs": lambda _, x: np.abs(x),
}


@dataclass(frozen=True, eq=False)
class Chain:
    """Functions one after the other, worked out in float64 in this order.

    Parameters
    ----------
    pieces : tuple of Line, Over or Function
        Arrays of lines have no axes, those of the channels, or those of the whole tensor.
    """

    pieces: tuple[Line | Over | Function, ...]

    def values(self, x: ArrayLike) -> Reals:
        """Real values of integers."""
        found: Reals = np.asarray(x, dtype=np.float64)
        for piece in self.pieces:
            if isinstance(piece, Line):
                found = piece.slope * found + piece.offset
            elif isinstance(piece, Over):
                found = found / piece.divisor
            else:
                found = value_of(piece, found)
        return found

    def then(self, piece: Line | Over | Function) -> Chain:
        """Return the chain with one more function."""
        return Chain((*self.pieces, piece))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of all arrays together."""
        return np.broadcast_shapes(
            *(array.shape for piece in self.pieces for array in _arrays(piece))
        )

    @property
    def line(self) -> Line | None:
        """The chain as one line, where it is one."""
        found = Line(np.ones(()), np.zeros(()))
        for piece in self.pieces:
            if isinstance(piece, Function):
                return None
            if isinstance(piece, Over):
                found = Line(found.slope / piece.divisor, found.offset / piece.divisor)
            else:
                found = Line(piece.slope * found.slope, piece.slope * found.offset + piece.offset)
        return found

    @property
    def rises(self) -> bool:
        """Whether it never falls, or falls where a slope is negative only."""
        return all(is_rising(piece) for piece in self.pieces if isinstance(piece, Function))

    def spread(self, shape: tuple[int, ...]) -> Chain:
        """Return the chain for values in a row: with one array entry for each of a shape."""

        def flat(array: Reals) -> Reals:
            return np.broadcast_to(array, shape).reshape(-1)

        pieces: list[Line | Over | Function] = []
        for piece in self.pieces:
            if isinstance(piece, Line):
                piece = Line(flat(piece.slope), flat(piece.offset))
            elif isinstance(piece, Over):
                piece = Over(flat(piece.divisor))
            pieces.append(piece)
        return Chain(tuple(pieces))

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """Least and largest value over an interval, which may be infinite."""
        least, most = low, high
        for piece in self.pieces:
            if isinstance(piece, Function):
                ends = value_of(piece, [least, most])
            else:
                slope = piece.slope if isinstance(piece, Line) else 1 / piece.divisor
                offset = piece.offset if isinstance(piece, Line) else np.zeros(())
                still = np.where(slope == 0, 0.0, slope)
                with np.errstate(invalid="ignore"):
                    parts = [np.where(still == 0, 0.0, still * end) for end in (least, most)]
                ends = np.concatenate([np.ravel(part + offset) for part in parts])
            least, most = float(ends.min()), float(ends.max())
        return least, most

    def thresholds(self, low: int, high: int, scale: float, kind: IntType) -> Thresholds:
        """Thresholds equal to ``codes_of(values(x), scale, kind)`` on every integer of a range.

        The arrays of the chain have one axis (:meth:`spread`), that of the channels.

        Parameters
        ----------
        low, high : int
            The range.
        scale : float
            Real value of one code.
        kind : IntType
            Type of the codes.
        """
        count = max(math.prod(self.shape), 1)
        step = max(PART >> kind.bits, 1)
        parts = [
            self._part(slice(start, start + step))._thresholds(low, high, scale, kind)
            for start in range(0, count, step)
        ]
        if len(parts) == 1:
            return parts[0]
        return Thresholds(
            thresholds=np.concatenate([part.thresholds for part in parts]),
            sign=np.concatenate([part.sign for part in parts]),
            low=kind.low,
            type=kind,
        )

    def _part(self, channels: slice) -> Chain:
        """The chain of some channels, where all its arrays have one axis."""
        pieces: list[Line | Over | Function] = []
        for piece in self.pieces:
            if isinstance(piece, Line):
                piece = Line(piece.slope[channels], piece.offset[channels])
            elif isinstance(piece, Over):
                piece = Over(piece.divisor[channels])
            pieces.append(piece)
        return Chain(tuple(pieces))

    def _thresholds(self, low: int, high: int, scale: float, kind: IntType) -> Thresholds:
        sign = np.ones(self.shape, dtype=np.int64)
        for piece in self.pieces:
            if isinstance(piece, Line):
                sign = sign * np.where(piece.slope < 0, -1, 1)
        return bisected(lambda x: self.values(x) / scale + 0.5, sign, low, high, kind)

    def table(self, source: IntType, scale: float, kind: IntType) -> Table:
        """Return the same of every code of a type, as a table that all channels share."""
        codes = np.arange(source.low, source.high + 1)
        same = MulShift(multiplier=[1], shift=[0], zero_point=0, type=source)  # type: ignore[arg-type]
        return Table(code=same, table=codes_of(self.values(codes), scale, kind), type=kind)


def _arrays(piece: Line | Over | Function) -> tuple[Reals, ...]:
    if isinstance(piece, Line):
        return piece.slope, piece.offset
    return (piece.divisor,) if isinstance(piece, Over) else ()
