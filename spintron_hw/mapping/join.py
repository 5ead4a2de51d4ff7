"""Plans of the layers in which branches meet: joins and concatenations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Concat, IntType, Join, Thresholds
from spintron_ir.errors import MappingError, ParameterError, check_int

from . import timing

__all__ = ["SMALL_ROM", "ConcatPlan", "JoinPlan", "Term", "constant_period", "join_terms"]

SMALL_ROM = 3000
"""Bits of a table up to which it is cheaper in look-up tables than a multiplier."""

WIDEST, WIDEST_SCALED = 62, 48
"""Bits of a sum that can be compared with thresholds, and of one that can be multiplied."""


@dataclass(frozen=True, eq=False)
class Term:
    """How the number of one input is found: ``multiplier * code + offset``, or in a table.

    Attributes
    ----------
    type : IntType
        Type of the number.
    multiplier, offset : array of int, shape ``(rows,)``
        Of one row that all channels share, or of each channel.
    table : array of int, shape ``(rows, 2 ** bits)``, or None
        Numbers by code, from the lowest code on; None where multiplier and offset do.
    """

    type: IntType
    multiplier: NDArray[np.int64]
    offset: NDArray[np.int64]
    table: NDArray[np.int64] | None


def join_terms(layer: Join) -> tuple[Term, ...]:
    """How the number of each input of a join is found, at the least cost.

    A row that is a multiple of the code, with an offset, needs no memory; a small table of a factor
    that is no power of two is yet cheaper than a multiplier.
    """
    terms = []
    for number, type_ in enumerate(layer.inputs):
        low, high = layer.row_ranges[number]
        wide = IntType.of_range(int(low.min()), int(high.max()))
        one, zero = np.ones(1, np.int64), np.zeros(1, np.int64)
        if layer.tables is None:
            terms.append(Term(wide, one, zero, None))
            continue
        rows = layer.tables[number, :, : 1 << type_.bits]
        rows = rows[:1] if (rows == rows[0]).all() else rows
        steps = np.diff(rows, axis=1)
        if (steps == steps[:, :1]).all():
            factor = steps[:, 0]
            shift_only = factor.min() == factor.max() and abs(int(factor[0])).bit_count() <= 1
            if shift_only or rows.size * wide.bits > SMALL_ROM:
                terms.append(Term(wide, factor, rows[:, 0] - factor * type_.low, None))
                continue
        terms.append(Term(wide, one, zero, rows))
    return tuple(terms)


def constant_period(rows: int, length: int, lanes: int) -> int:
    """Elements after which rows of constants come round with a beat, or those of a whole frame.

    >>> constant_period(4, 24, 8), constant_period(3, 15, 2), constant_period(1, 15, 2)
    (8, 15, 2)
    """
    period = math.lcm(rows, lanes)
    return length if -(-length // lanes) % (period // lanes) else period


@dataclass(frozen=True, eq=False, kw_only=True)
class _MeetingPlan:
    """A layer that takes several streams of as many lanes as it gives."""

    node: str
    layer: Any
    i_lanes: int
    o_lanes: int

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_int(name, "i_lanes", self.i_lanes, 1, math.prod(self.layer.shape))
        if self.o_lanes != self.i_lanes:
            raise ParameterError(
                f"{name}: i_lanes and o_lanes must be the same, not {self.i_lanes} and "
                f"{self.o_lanes}"
            )

    @property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        return -(-math.prod(self.layer.shape) // self.o_lanes)

    def output_times(self, *times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given those of the beats of each input."""
        return self.passage(times, 1)[1]

    def passage(
        self, times: Sequence[NDArray[np.int64]], frames: int
    ) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Cycles in which the beats of each input are taken, and in which the output's leave.

        Parameters
        ----------
        times : sequence of arrays of int
            Cycles from which on each beat of each input is offered.
        frames : int
            How many frames these are.
        """
        raise NotImplementedError

    def run(self, *inputs: NDArray[np.int64], first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, length)`` of inputs, each ``(batch, its length)``."""
        shaped = [
            x.reshape(len(x), *shape)
            for x, (shape, _) in zip(inputs, self.layer.in_ports, strict=True)
        ]
        return self.layer.run(*shaped, first_frame=first_frame).reshape(len(inputs[0]), -1)


class JoinPlan(_MeetingPlan):
    """A join: beats of all inputs are taken together."""

    layer: Join

    def __post_init__(self) -> None:
        super().__post_init__()
        requantise, bits = self.layer.requantise, self.layer.total.type.bits
        most = WIDEST if isinstance(requantise, Thresholds) else WIDEST_SCALED
        if requantise is not None and bits > most:
            raise MappingError(
                f"{self.node}: a {self.layer.mode} that is requantised by {requantise.kind} must "
                f"have at most {most} bits, not {bits}: use thresholds, or tables of a larger unit"
            )

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """How the number of each input is found."""
        return join_terms(self.layer)

    @property
    def latency(self) -> int:
        """Cycles from a beat of every input to the beat of the output."""
        layer = self.layer
        cycles = timing.join_latency(layer.mode, [term.type for term in self.terms])
        if layer.requantise is None:
            return cycles
        none = np.zeros(1, np.int64)
        return cycles + timing.requantiser_latency(layer.requantise, layer.total.type, none)

    def passage(
        self, times: Sequence[NDArray[np.int64]], frames: int
    ) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Cycles in which beats are taken, of all inputs together, and leave."""
        taken = timing.paced(np.maximum.reduce(list(times)))
        return [taken] * len(times), taken + self.latency


class ConcatPlan(_MeetingPlan):
    """A concatenation: some beats of each input, one input after the other."""

    layer: Concat

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(run % self.i_lanes for run in self.runs):
            raise ParameterError(
                f"ConcatPlan: i_lanes must divide the runs {self.runs} of the inputs, not be "
                f"{self.i_lanes}"
            )

    @property
    def runs(self) -> tuple[int, ...]:
        """Elements of each input that follow each other."""
        return tuple(math.prod(shape[self.layer.axis :]) for shape in self.layer.in_shapes)

    @property
    def counts(self) -> tuple[int, ...]:
        """Beats of each input that follow each other."""
        return tuple(run // self.i_lanes for run in self.runs)

    def passage(
        self, times: Sequence[NDArray[np.int64]], frames: int
    ) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Cycles in which beats are taken, of one input after the other, and leave."""
        blocks = [part.reshape(-1, count) for part, count in zip(times, self.counts, strict=True)]
        offered = np.concatenate(blocks, axis=1)
        taken = timing.paced(offered.reshape(-1)).reshape(offered.shape)
        parts = np.split(taken, np.cumsum(self.counts)[:-1], axis=1)
        return [part.reshape(-1) for part in parts], taken.reshape(-1) + timing.CONCAT
