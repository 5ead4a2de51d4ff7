"""Sums and products of several inputs, value by value: where branches of a network meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_choice, check_int, check_shape
from ..record import Record, array, register
from ..requantise import Requantiser, product_bound
from ..types import Interval, IntType
from .base import InPort
from .quantise import check_channels

__all__ = ["MODES", "Join", "check_inputs"]

MODES = ("sum", "product")
"""What a join makes of its inputs."""


def check_inputs(owner: str, inputs: Sequence[IntType], bits: int) -> None:
    """Raise :exc:`ParameterError` unless there are 1 to 64 types of at most :py:`bits` bits."""
    check_int(owner, "number of inputs", len(inputs), 1, 64)
    for number, type_ in enumerate(inputs):
        check_int(owner, f"inputs[{number}].bits", type_.bits, 1, bits)


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Join(Record):
    """A number for each input value, from tables, and the sum or product of these, requantised.

    ::

        y = requantise(t_0[x_0] + t_1[x_1] + ...), or of the product of two

    Any addition or multiplication of quantised values is one: tables hold what each code stands
    for, as integers of one unit, and thresholds say which code the sum is rounded to.

    Parameters
    ----------
    inputs : tuple of IntType, 1 to 64, two for a product
        Type of each input: at most 16 bits with tables, 48 without.
    in_shape : tuple of int, 1 to 8 sizes
        Shape of every input, at most ``2**24`` values; the last axis has the channels.
    mode : str
        ``sum`` or ``product``.
    tables : array of shape ``(inputs, channels or 1, 2 ** most bits)`` or None, 64 bits signed
        Number of each code of each input. Entry ``j`` belongs to the code ``inputs[i].low + j``;
        entries past the last code are not used. None: the values themselves.
    requantise : MulShift, Thresholds, Table, TFLite or None
        One channel, one for each channel, or one for each value. None passes the sum on.

    Raises
    ------
    ParameterError
        If a field is outside its range, fields contradict each other, or a result could leave
        63 bits.

    Examples
    --------
    Halves and thirds, in sixths, rounded down to whole ones:

    >>> from spintron_ir import Thresholds
    >>> whole = Thresholds(thresholds=[[6, 12]], sign=[1], low=0, type=IntType(2))
    >>> join = Join(
    ...     inputs=(IntType(1), IntType(2)), in_shape=(3,), mode="sum",
    ...     tables=[[[0, 3, 0, 0]], [[0, 2, 4, 6]]], requantise=whole,
    ... )
    >>> join.run([[1, 1, 0]], [[1, 2, 3]]).tolist(), join.total
    ([[0, 1, 1]], Interval(low=0, high=9))
    """

    kind: ClassVar[str] = "join"

    inputs: tuple[IntType, ...]
    in_shape: tuple[int, ...]
    mode: str
    tables: NDArray[np.int64] | None = array("int64", 3, default=None)
    requantise: Requantiser | None = None

    def check(self) -> None:
        """Check the fields against each other."""
        check_choice("Join", "mode", self.mode, MODES)
        check_inputs("Join", self.inputs, 48 if self.tables is None else 16)
        if self.mode == "product" and len(self.inputs) != 2:
            raise ParameterError(
                f"Join: a product must have two inputs, not {len(self.inputs)}: join in steps"
            )
        check_shape("Join", "in_shape", self.in_shape)
        if self.tables is not None:
            entries = 1 << max(type_.bits for type_ in self.inputs)
            shapes = [(len(self.inputs), rows, entries) for rows in (1, self.channels)]
            if self.tables.shape not in shapes:
                raise ParameterError(
                    f"Join: tables must have the shape {shapes[0]} or {shapes[1]} (inputs, "
                    f"1 or channels, entries), not {self.tables.shape}"
                )
        if self.requantise is not None:
            check_channels("Join", self.in_shape, self.requantise)
        bounds = [max(abs(int(low.min())), abs(int(high.max()))) for low, high in self.row_ranges]
        bound = sum(bounds) if self.mode == "sum" else math.prod(bounds)
        if bound < 1 << 62:  # else the exact range itself could overflow
            bound = max(bound, product_bound(self.requantise, self.total))
        if bound >= 1 << 62:
            raise ParameterError(
                f"Join: every {self.mode} and what a requantiser makes of it must stay below "
                f"2**62, not reach {bound}: use a larger unit or smaller multipliers"
            )

    @property
    def channels(self) -> int:
        """Size of the last axis."""
        return self.in_shape[-1]

    @cached_property
    def row_ranges(self) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
        """Least and largest number of each input, for each row of its table."""
        if self.tables is None:
            return tuple((np.array([type_.low]), np.array([type_.high])) for type_ in self.inputs)
        used = (rows[:, : 1 << type_.bits] for rows, type_ in zip(self.tables, self.inputs))
        return tuple((rows.min(axis=1), rows.max(axis=1)) for rows in used)

    @cached_property
    def total(self) -> Interval:
        """Interval of the sums or products: some inputs reach each end."""
        if self.mode == "sum":
            lows, highs = zip(*self.row_ranges, strict=True)
            return Interval(int(sum(lows).min()), int(sum(highs).max()))
        first, second = self.row_ranges
        ends = [a * b for a in first for b in second]
        return Interval(min(int(end.min()) for end in ends), max(int(end.max()) for end in ends))

    @property
    def in_ports(self) -> tuple[InPort, ...]:
        """Shape and type of every input."""
        return tuple((self.in_shape, type_) for type_ in self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output: that of the inputs."""
        return self.in_shape

    @property
    def type(self) -> IntType:
        """Type of every output value."""
        return self.total.type if self.requantise is None else self.requantise.type

    def values(self, number: int, x: Any) -> NDArray[np.int64]:
        """What input :py:`number` contributes: the table's entries, or the values themselves."""
        x = as_int(x)
        if self.tables is None:
            return x
        rows = self.tables[number]
        first = np.arange(len(rows)) * rows.shape[1] - self.inputs[number].low
        return rows.ravel().take(x + first)

    def run(self, *inputs: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, *in_shape)`` of inputs, each ``(batch, *in_shape)``."""
        parts = [self.values(number, x) for number, x in enumerate(inputs)]
        total = sum(parts[1:], parts[0]) if self.mode == "sum" else parts[0] * parts[1]
        if self.requantise is None:
            return total
        return self.requantise.run(total.reshape(-1, self.requantise.cols)).reshape(total.shape)
