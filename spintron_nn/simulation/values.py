"""Layers that compute with single values or along an axis, in torch: frames are the last axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from spintron_ir import Argmax, Cell, Join, Pool, Quantise, Softmax, TopK
from spintron_ir.layers.softmax import SUM_SHIFT

from .formulas import doubling_high_multiply, reciprocal, round_shift_away
from .requantise import Requantise, Requantiser, own, stacked, taken
from .words import SINGLE, carrier, hull

__all__ = [
    "ArgmaxChips",
    "CellChips",
    "JoinChips",
    "PoolChips",
    "QuantiseChips",
    "SoftmaxChips",
    "TopKChips",
]


def _by_channel(x: Tensor, channels: int) -> Tensor:
    """Values ``(chips, *shape, frames)`` as ``(chips, lead, channels, values)``."""
    if channels == 1:
        return x.reshape(len(x), 1, 1, -1)
    return x.reshape(len(x), -1, channels, x.shape[-1])


class QuantiseChips(nn.Module):
    """Each value requantised by itself."""

    def __init__(self, layers: Sequence[Quantise]) -> None:
        super().__init__()
        type_ = hull(layer.input for layer in layers)
        self.channels = layers[0].requantise.cols
        self.dtype = torch.float32 if max(-type_.low, type_.high) < SINGLE else torch.int64
        requantisers = _once(layers)
        count = len(requantisers)
        low = np.array([[layer.input.low] for layer in layers[:count]])
        high = np.array([[layer.input.high] for layer in layers[:count]])
        zero = np.zeros((1, 1), dtype=np.int64)
        self.requantise = Requantise(requantisers, low, high, zero, self.dtype)

    def forward(self, x: Tensor, *, chips: slice) -> Tensor:
        """Codes of values ``(chips, *in_shape, frames)``."""
        values = _by_channel(x.to(self.dtype), self.channels)
        y = self.requantise(values, chips)
        return y.view(len(y), *x.shape[1:])


def _once(layers: Sequence[Quantise]) -> list[Requantiser]:
    """Requantisers of the chips: one where they are all the same, of values of one type."""
    found = [layer.requantise for layer in layers]
    if any(layer.input != layers[0].input for layer in layers):
        return found
    first, fields = found[0], vars(found[0])
    same = all(
        np.array_equal(value, vars(other)[name])
        for other in found[1:]
        for name, value in fields.items()
        if isinstance(value, np.ndarray)
    )
    return [first] if same and first.kind != "table" else found


class JoinChips(nn.Module):
    """Numbers of tables for the values of several inputs, their sum or product, requantised."""

    tables: Tensor

    def __init__(self, layers: Sequence[Join]) -> None:
        super().__init__()
        layer = self.layer = layers[0]
        bound = max(
            sum(max(abs(int(low.min())), abs(int(high.max()))) for low, high in each.row_ranges)
            for each in layers
        )
        if layer.mode == "product":
            bound = max(max(abs(each.total.low), abs(each.total.high), bound) for each in layers)
        self.dtype = torch.float32 if bound < SINGLE else torch.int64
        if layer.tables is not None:
            tables = stacked([each.tables for each in layers if each.tables is not None])
            if bound < SINGLE:  # entries past the last code of an input are not used
                tables = tables.clamp(-SINGLE, SINGLE)
            self.register_buffer("tables", tables.to(self.dtype))
        self.requantise: Requantise | None = None
        if layer.requantise is None:
            self.out = carrier(hull(each.type for each in layers))
            return
        self.channels = layer.requantise.cols
        low = np.array([[each.total.low] for each in layers])
        high = np.array([[each.total.high] for each in layers])
        zero = np.zeros((1, 1), dtype=np.int64)
        requantisers = [each.requantise for each in layers if each.requantise is not None]
        self.requantise = Requantise(requantisers, low, high, zero, self.dtype)

    def _values(self, number: int, x: Tensor, chips: slice) -> Tensor:
        if self.layer.tables is None:
            return x.to(self.dtype)
        tables = own(self.tables, chips)[:, number]
        rows, entries = tables.shape[1:]
        index = x.long() - self.layer.inputs[number].low
        if rows > 1:
            index = index + (torch.arange(rows, device=x.device) * entries)[:, None]
        return taken(tables.flatten(1), index)

    def forward(self, *inputs: Tensor, chips: slice) -> Tensor:
        """Results ``(chips, *in_shape, frames)`` of inputs of the same shape."""
        parts = [self._values(number, x, chips) for number, x in enumerate(inputs)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part if self.layer.mode == "sum" else total * part
        if self.requantise is None:
            return total.to(self.out)
        y = self.requantise(_by_channel(total, self.channels), chips)
        return y.view(len(y), *total.shape[1:])


class PoolChips(nn.Module):
    """The largest value of each channel in each window, or their sum."""

    def __init__(self, layers: Sequence[Pool]) -> None:
        super().__init__()
        self.layer, self.out = layers[0], carrier(hull(layer.type for layer in layers))

    def forward(self, x: Tensor) -> Tensor:
        """Values ``(chips, positions, channels, frames)`` of windows."""
        split = x.unflatten(2, (self.layer.places, self.layer.channels))
        if self.layer.mode == "max":
            return split.amax(dim=2)
        return split.sum(dim=2, dtype=self.out)


class ArgmaxChips(nn.Module):
    """The index of the largest value; the lowest where several are equal."""

    def __init__(self, layers: Sequence[Argmax]) -> None:
        super().__init__()
        self.out, self.length = carrier(layers[0].type), layers[0].length
        type_ = hull(layer.input for layer in layers)
        reach = (max(-type_.low, type_.high) + 1) * self.length
        self.keys = torch.int32 if reach < 1 << 31 else torch.int64
        self.wide = reach >= 1 << 63

    def forward(self, x: Tensor) -> Tensor:
        """Indices ``(chips, 1, frames)`` of values ``(chips, length, frames)``."""
        if self.wide:
            return x.argmax(dim=1, keepdim=True).to(self.out)
        # Value and place in one number: its maximum is found many times faster than a place.
        place = torch.arange(self.length, dtype=self.keys, device=x.device)
        keys = (x.to(self.keys) * self.length).sub_(place[:, None]).amax(dim=1, keepdim=True)
        return keys.neg_().remainder_(self.length).to(self.out)


class TopKChips(nn.Module):
    """The largest values along the last axis, or where they stand."""

    def __init__(self, layers: Sequence[TopK]) -> None:
        super().__init__()
        self.layer, self.out = layers[0], carrier(hull(layer.type for layer in layers))

    def forward(self, x: Tensor) -> Tensor:
        """Results ``(chips, ..., k, frames)`` of values ``(chips, ..., size, frames)``."""
        # Bitwise not turns the order round, without the overflow that minus has.
        order = torch.sort(~x, dim=-2, stable=True).indices[..., : self.layer.k, :]
        return (x.gather(-2, order) if self.layer.values else order).to(self.out)


class SoftmaxChips(nn.Module):
    """Each value's share of the exponentials along the last axis, in fixed point."""

    exponential: Tensor

    def __init__(self, layers: Sequence[Softmax]) -> None:
        super().__init__()
        self.layer, self.out = layers[0], carrier(hull(layer.type for layer in layers))
        self.register_buffer("exponential", stacked([each.exponential for each in layers]))

    def forward(self, x: Tensor, *, chips: slice) -> Tensor:
        """Shares of values ``(chips, *in_shape, frames)``."""
        x, type_ = x.long(), self.layer.type
        exponential = taken(own(self.exponential, chips), x.amax(dim=-2, keepdim=True) - x)
        total = round_shift_away(exponential, SUM_SHIFT).sum(dim=-2, keepdim=True)
        scale, bits = reciprocal(total)
        share = doubling_high_multiply(scale, exponential)
        rounded = round_shift_away(share, bits + SUM_SHIFT - 1 - type_.bits) + type_.low
        return rounded.clamp(type_.low, type_.high).to(self.out)


class CellChips(nn.Module):
    """What the ``compute`` of a third party's hardware cell says, frame by frame of all chips."""

    def __init__(self, layers: Sequence[Cell]) -> None:
        super().__init__()
        self.layer, self.out = layers[0], carrier(hull(layer.type for layer in layers))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ``(chips, outputs, frames)`` of values ``(chips, length, frames)``."""
        rows = x.transpose(1, 2).reshape(-1, x.shape[1]).cpu().numpy()
        found = torch.from_numpy(self.layer.run(rows)).to(x.device, self.out)
        return found.view(len(x), x.shape[2], -1).transpose(1, 2)
