"""Requantisers of many chips in torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spintron_ir import MulShift, Table, TFLite, Thresholds
from spintron_ir.requantise import Requantiser

from .formulas import doubling_high_multiply, round_shift, round_shift_away
from .lines import fitted_lines
from .words import carrier, converted

__all__ = ["Requantise", "Requantiser", "own", "stacked", "taken"]

TABLE_VALUES = 1 << 22
"""Most entries of a table with the result of every value of every channel of every chip."""

MOST_STEPS = 255
"""Most results, less one, for which thresholds are looked for."""

EVERY = slice(None)


def stacked(arrays: Sequence[Any], dtype: torch.dtype = torch.int64) -> Tensor:
    """Arrays of several chips as a tensor with a leading axis; of size 1 where all are equal."""
    first = arrays[0]
    if all(np.array_equal(first, other) for other in arrays[1:]):
        arrays = arrays[:1]
    return torch.from_numpy(np.stack([np.asarray(each, dtype=np.int64) for each in arrays])).to(
        dtype
    )


def own(values: Tensor, chips: slice) -> Tensor:
    """What some chips have of values with a leading axis, which is 1 where all have the same."""
    return values if len(values) == 1 else values[chips]


def taken(tables: Tensor, index: Tensor) -> Tensor:
    """Entries of tables ``(chips or 1, entries)`` at places ``(chips or 1, ...)``."""
    chips = max(len(tables), len(index))
    index = index.expand(chips, *index.shape[1:])
    return tables.expand(chips, -1).gather(1, index.flatten(1)).view(index.shape)


class Requantise(nn.Module):
    """The requantiser of a layer in every chip.

    Where a straight line counts the thresholds exactly, results are those of the line; else of a
    table of all values, where that is small; else of the formula.

    Parameters
    ----------
    requantisers : sequence of requantisers, one a chip
        Of one kind and type.
    low, high : int array ``(chips, channels or 1)``
        Least and largest value that comes, before the bias.
    bias : int array ``(chips, channels or 1)``
        Added to each value first.
    dtype : torch.dtype
        Of the values that come: float32 or float64, which hold integers, or int64.
    """

    multiplier: Tensor
    shift: Tensor
    thresholds: Tensor
    sign: Tensor
    bias: Tensor
    slope: Tensor
    offset: Tensor
    table: Tensor

    def __init__(
        self,
        requantisers: Sequence[Requantiser],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
        bias: NDArray[np.int64],
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        first = requantisers[0]
        self.out = carrier(first.type)
        self.inner: Requantise | None = None
        self.way = "formula"
        if isinstance(first, Table):
            codes = [each.code for each in requantisers if isinstance(each, Table)]
            self.inner = Requantise(codes, low, high, bias, dtype)
            self.low = first.code.type.low
            entries = [each.table for each in requantisers if isinstance(each, Table)]
            self.register_buffer("table", stacked(entries, self.out))
            self.way = "codes"
            return
        self.first = first
        names = {"mulshift": ("multiplier", "shift"), "tflite": ("multiplier", "shift")}
        for name in names.get(first.kind, ("thresholds", "sign")):
            values = np.stack([getattr(each, name).astype(np.int64) for each in requantisers])
            self.register_buffer(name, torch.from_numpy(values))
        self.register_buffer(
            "bias",
            torch.from_numpy(np.broadcast_to(bias, (len(requantisers), bias.shape[-1])).copy()),
        )
        self.low, count = self._results()
        ends = torch.from_numpy(low), torch.from_numpy(high)
        if dtype.is_floating_point and 0 < count <= MOST_STEPS and self._fit(*ends, count, dtype):
            self.way, self.high = "line", self.low + count
            return
        self.first_value, span = int(low.min()), int(high.max()) - int(low.min()) + 1
        channels = max(first.cols, bias.shape[-1])
        if span * channels * len(requantisers) <= TABLE_VALUES:
            self.way = "table"
            domain = torch.arange(span) + self.first_value
            domain = torch.clamp(domain, ends[0][:, None, :, None], ends[1][:, None, :, None])
            self.register_buffer("table", self._formula(domain, EVERY).to(self.out)[:, 0])

    def _results(self) -> tuple[int, int]:
        """The least result, and how many more there are."""
        first = self.first
        if isinstance(first, Thresholds):
            return first.low, first.thresholds.shape[1]
        if isinstance(first, TFLite):
            return first.low, first.high - first.low
        assert isinstance(first, MulShift)
        return first.type.low, first.type.high - first.type.low

    def forward(self, x: Tensor, chips: slice) -> Tensor:
        """Results ``(chips, lead, channels, values)`` of values of the same shape, or of 1 chip.

        Where the values are floating they are overwritten.
        """
        if self.inner is not None:
            codes = self.inner(x, chips).long() - self.low
            return taken(own(self.table, chips), codes)
        if self.way == "line":
            slope, offset = own(self.slope, chips), own(self.offset, chips)
            if len(x) == len(slope):
                x = torch.addcmul(offset, x, slope, out=x)
            else:
                x = torch.addcmul(offset, x, slope)
            return converted(x.floor_().clamp_(self.low, self.high), self.out)
        if self.way == "table":
            table = own(self.table, chips)[:, None]
            index = (x - self.first_value).long()
            lead = torch.broadcast_shapes(index.shape[:-1], table.shape[:-1])
            index = index.expand(*lead, -1)
            return table.expand(*lead, -1).gather(-1, index)
        return self._formula(x.long(), chips).to(self.out)

    def _formula(self, x: Tensor, chips: slice) -> Tensor:
        """What the contract says, on int64 tensors ``(chips, lead, channels, values)``."""
        first = self.first
        x = x + own(self.bias, chips)[:, None, :, None]
        if isinstance(first, Thresholds):
            turned = x * own(self.sign, chips)[:, None, :, None]
            limits = own(self.thresholds, chips)[:, None].expand(*turned.shape[:-1], -1)
            count = torch.searchsorted(limits.contiguous(), turned.contiguous(), right=True)
            return first.low + count
        multiplier = own(self.multiplier, chips)[:, None, :, None]
        shift = own(self.shift, chips)[:, None, :, None]
        if isinstance(first, TFLite):
            scaled = doubling_high_multiply(x << shift.clamp(min=0), multiplier)
            scaled = round_shift_away(scaled, (-shift).clamp(min=0))
            return (scaled + first.zero_point).clamp(first.low, first.high)
        assert isinstance(first, MulShift)
        scaled = round_shift(x * multiplier, shift) + first.zero_point
        return scaled.clamp(first.type.low, first.type.high)

    def _turns(self) -> Tensor:
        """Whether each channel's function rises or falls, as 1 or -1, ``(chips, channels)``."""
        if isinstance(self.first, Thresholds):
            return self.sign
        return torch.where(self.multiplier < 0, -1, 1)

    def _fit(self, low: Tensor, high: Tensor, count: int, dtype: torch.dtype) -> bool:
        """Find a line for every channel of every chip; whether there is one."""
        turns, low, high = torch.broadcast_tensors(self._turns(), low, high)
        low, high = torch.where(turns > 0, low, -high), torch.where(turns > 0, high, -low)
        thresholds = self._thresholds(turns, low, high, count)
        flat = thresholds.reshape(-1, count).numpy(), low.flatten().numpy(), high.flatten().numpy()
        number = np.float32 if dtype == torch.float32 else np.float64
        lines = fitted_lines(*flat, self.low, number)
        if lines is None:
            return False
        slope = torch.from_numpy(lines[0]).view(turns.shape) * turns
        for name, values in (("slope", slope), ("offset", torch.from_numpy(lines[1]))):
            self.register_buffer(name, values.view(turns.shape)[:, None, :, None].to(dtype))
        return True

    def _thresholds(self, turns: Tensor, low: Tensor, high: Tensor, count: int) -> Tensor:
        """Least turned value with each result, ``(chips, channels, n)``, by halving."""
        if isinstance(self.first, Thresholds):
            limits = self.thresholds - (self.bias * turns)[..., None]
            return limits
        results = self.low + 1 + torch.arange(count)
        below, above = (each[..., None].expand(-1, -1, count) for each in (low, high + 1))
        for _ in range(int((high - low + 1).max()).bit_length()):
            middle = torch.div(below + above, 2, rounding_mode="floor")
            turned = torch.minimum(middle, high[..., None]) * turns[..., None]
            found = self._formula(turned[:, None], EVERY)[:, 0]
            reached = (found >= results) & (middle < above)
            above = torch.where(reached, middle, above)
            below = torch.where(~reached & (middle < above), middle + 1, below)
        return above
