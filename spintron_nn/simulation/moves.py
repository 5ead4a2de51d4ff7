"""Layers that move values and change none, in torch: frames are the last axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from spintron_ir import Concat, Flatten, Gather, Window

from .words import carrier, hull

__all__ = ["ConcatChips", "FlattenChips", "GatherChips", "WindowChips"]


class FlattenChips(nn.Module):
    """All values in another shape."""

    def __init__(self, layers: Sequence[Flatten]) -> None:
        super().__init__()
        self.layer = layers[0]

    def forward(self, x: Tensor) -> Tensor:
        """Values ``(chips, *in_shape, frames)`` as ``(chips, *shape, frames)``."""
        return x.reshape(len(x), *self.layer.shape, x.shape[-1])


class WindowChips(nn.Module):
    """The values under a kernel at each of its positions.

    Results lie in memory as ``(chips, values, positions, frames)``, as a matrix takes them.
    """

    def __init__(self, layers: Sequence[Window]) -> None:
        super().__init__()
        self.layer = layers[0]

    def forward(self, x: Tensor) -> Tensor:
        """Windows ``(chips, positions, values, frames)`` of images."""
        layer, frames = self.layer, x.shape[-1]
        top, left, bottom, right = layer.padding
        x = x.reshape(len(x), *layer.in_shape, frames)
        if any(layer.padding):
            x = pad(x, (0, 0, 0, 0, left, right, top, bottom), value=layer.pad_value)
        (high, wide), (down, along) = layer.grid, layer.stride
        x = x.unflatten(3, (layer.groups, -1))
        inside = x.shape[4]
        out = x.new_empty(len(x), layer.groups, math.prod(layer.kernel), inside, high, wide, frames)
        for place in range(math.prod(layer.kernel)):
            row, col = divmod(place, layer.kernel[1])
            y, z = row * layer.dilation[0], col * layer.dilation[1]
            seen = x[
                :, y : y + down * (high - 1) + 1 : down, z : z + along * (wide - 1) + 1 : along
            ]
            out[:, :, place] = seen.permute(0, 3, 4, 1, 2, 5)
        return out.flatten(1, 3).flatten(2, 3).transpose(1, 2)


class GatherChips(nn.Module):
    """One value of the input for each value of the output."""

    index: Tensor

    def __init__(self, layers: Sequence[Gather]) -> None:
        super().__init__()
        layer = self.layer = layers[0]
        index = torch.from_numpy(layer.index.astype("int64"))
        self.padded = bool((index < 0).any())
        count = math.prod(layer.in_shape)
        self.register_buffer("index", torch.where(index < 0, count, index))

    def forward(self, x: Tensor) -> Tensor:
        """Values ``(chips, *out_shape, frames)``; the padding stands behind all values."""
        x = x.flatten(1, -2)
        if self.padded:
            x = pad(x, (0, 0, 0, 1), value=self.layer.pad_value)
        found = x.index_select(1, self.index)
        return found.view(len(x), *self.layer.out_shape, x.shape[-1])


class ConcatChips(nn.Module):
    """Inputs side by side along an axis."""

    def __init__(self, layers: Sequence[Concat]) -> None:
        super().__init__()
        self.axis = layers[0].axis + 1
        self.out = carrier(hull(layer.type for layer in layers))

    def forward(self, *inputs: Tensor) -> Tensor:
        """All values, of every chip where one input has them all."""
        chips = max(len(x) for x in inputs)
        parts = [x.to(self.out).expand(chips, *x.shape[1:]) for x in inputs]
        return torch.cat(parts, dim=self.axis)
