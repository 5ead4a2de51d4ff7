"""Reads of one row group of a dense layer, in every chip: product, noise, converters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spintron_ir import Dense
from spintron_ir.arith import NOISE_BOUND, NOISE_SHIFT

from .requantise import own
from .words import float_of, noise_words

__all__ = ["RowGroup", "by_block", "product"]

TABLE_VALUES = 1 << 24
"""Most entries of the tables of a row group's converters in all chips, where they are no line."""

Ints = NDArray[np.int64]


def by_block(values: Ints, blocks: int) -> Ints:
    """Values ``(chips, parts, rows, cols)`` as ``(chips, blocks, parts * columns, rows)``."""
    chips, parts, rows, cols = values.shape
    split = values.reshape(chips, parts, rows, blocks, cols // blocks)
    return np.ascontiguousarray(split.transpose(0, 3, 1, 4, 2)).reshape(chips, blocks, -1, rows)


def product(matrix: Tensor, x: Tensor, offset: Tensor | None = None) -> Tensor:
    """Matrices ``(chips, blocks, n, rows)`` by values ``(chips or 1, blocks, rows, m)``.

    Where all chips see the same values, their matrices stand above each other in one product.
    """
    chips, blocks, columns, rows = matrix.shape
    if len(x) == 1 and blocks == 1:
        wide = matrix.reshape(-1, rows)
        if offset is None:
            found = wide @ x[0, 0]
        else:
            found = torch.addmm(offset.reshape(-1, 1), wide, x[0, 0])
    else:
        if len(x) < chips:
            x = x.expand(chips, *x.shape[1:])
        batch = matrix.flatten(0, 1), x.flatten(0, 1)
        found = torch.bmm(*batch) if offset is None else _added(offset, *batch)
    return found.view(chips, blocks, columns, -1)


def _added(offset: Tensor, matrix: Tensor, x: Tensor) -> Tensor:
    return torch.baddbmm(offset.flatten(0, 1), matrix, x)


def _noise_z() -> Tensor:
    """Noise of each word of 16 bits: thirteen bits counted, the other three between the steps."""
    word = torch.arange(1 << 16)
    count = sum((word >> bit) & 1 for bit in range(3, 16))
    return (2 * (8 * count + (word & 7)) - NOISE_BOUND).float()


class RowGroup(nn.Module):
    """One row group of a dense layer with converters or noise.

    Parameters
    ----------
    layers : sequence of Dense, one a chip
        Of one structure.
    k : int
        Which row group.

    Attributes
    ----------
    level : torch.dtype
        In which levels, and the codes that come of them, are exact: float32, float64 or int64.
    """

    matrix: Tensor
    gain: Tensor
    shift: Tensor
    offset: Tensor | None
    amplitude: Tensor
    step: Tensor
    noise_z: Tensor
    seeds: Tensor
    table: Tensor | None
    limits: Tensor

    def __init__(self, layers: Sequence[Dense], k: int) -> None:
        super().__init__()
        layer = self.layer = layers[0]
        self.blocks = layer.blocks or 1
        self.parts = layer.slices * layer.converters
        self.converters = range(k * self.parts, (k + 1) * self.parts)
        start, stop = layer.row_groups[k]
        weights = np.stack([each.weights[:, :, start:stop] for each in layers]).astype(np.int64)
        weights = weights.reshape(len(layers), self.parts, stop - start, layer.cols)
        chunk = max(layer.ranges.chunk.high, -layer.ranges.chunk.low)
        level = np.abs(weights).sum(axis=2) * chunk  # (chips, parts, cols): more than any sum
        single = float_of(int(level.max())) == torch.float32
        noise = [each.noise.at(each)[k] for each in layers if each.noise is not None]
        if noise:
            amplitude = np.stack(noise).reshape(level.shape)
            level = level + ((NOISE_BOUND * amplitude) >> NOISE_SHIFT) + 1
        scale = offset = np.zeros((1, 1, 1), dtype=np.int64)
        gain = np.ones((1, 1, 1), dtype=np.int64)
        adcs = [(each.adc, each) for each in layers if each.adc is not None]
        self.curved = layer.adc is not None and layer.adc.transitions is not None
        if adcs and not self.curved:
            gains, offsets = zip(*(adc.at(each) for adc, each in adcs), strict=True)
            gain = np.stack([each[k] for each in gains]).reshape(level.shape)
            offset = np.stack([each[k] for each in offsets]).reshape(level.shape)
            scale = np.array([adc.shift for adc, _ in adcs])[:, None, None]
            offset = offset + ((1 << scale) >> 1)
            level = level * gain + np.abs(offset)
        self.bound = int(level.max())
        self.level = float_of(self.bound)
        exact = self.level == torch.int64
        dtype = torch.float64 if exact else self.level
        if exact and single:
            dtype = torch.float32
        step = np.ones((1, 1, 1)) if exact else gain * 2.0**-scale
        matrix = by_block(weights, self.blocks)
        if np.any(step != 1):
            matrix = matrix * self._column(step, level.shape)
        self._keep("matrix", matrix, dtype)
        self.rounds = bool(np.any(scale))
        if exact:
            self._keep("gain", self._column(gain, level.shape), torch.int64)
            self._keep("shift", self._column(scale, level.shape), torch.int64)
            self._keep("offset", self._column(offset, level.shape), torch.int64)
        elif np.any(offset):
            self._keep("offset", self._column(offset * 2.0**-scale, level.shape), dtype)
        else:
            self.register_buffer("offset", None)
        if noise:
            amplitude = self._column(amplitude, level.shape)
            self._keep("amplitude", amplitude * 2.0**-NOISE_SHIFT, torch.float32)
            steps = self._column(step, level.shape)
            self._keep("step", steps, torch.float64 if exact else dtype)
            self.register_buffer("noise_z", _noise_z())
            seeds = [each.noise.seed for each in layers if each.noise is not None]
            words = [[seed & 0xFFFFFFFF for seed in seeds], [seed >> 32 for seed in seeds]]
            self.register_buffer("seeds", torch.tensor(words))
        if self.curved:
            self._prepare_transitions(layers, k, dtype)

    def _keep(self, name: str, values: NDArray[Any], dtype: torch.dtype) -> None:
        self.register_buffer(name, torch.from_numpy(np.array(values)).to(dtype))

    def _column(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Values ``(chips, parts, cols)`` as ``(chips, blocks, parts * columns, 1)``."""
        return by_block(np.broadcast_to(values, shape)[:, :, None], self.blocks)

    def _prepare_transitions(self, layers: Sequence[Dense], k: int, dtype: torch.dtype) -> None:
        """A table of the codes of all levels, or transition levels to search."""
        found = [each.adc.transitions_at(each) for each in layers if each.adc is not None]
        levels = np.stack([each[k] for each in found if each is not None]).astype(np.int64)
        shape = (len(layers), self.parts, levels.shape[-1], self.layer.cols)
        levels = by_block(np.moveaxis(levels.reshape(*shape[:2], shape[3], -1), 3, 2), self.blocks)
        low = min(each.ranges.level.low for each in layers)
        high = max(each.ranges.level.high for each in layers)
        reached = np.clip(levels - low, 0, high - low + 1)
        assert self.layer.adc is not None
        first, span = self.layer.adc.type.low, high - low + 1
        if reached[..., 0].size * span > TABLE_VALUES:
            self._keep("limits", np.clip(levels, low, high + 1), dtype)
            self.register_buffer("table", None)
            return
        flat = reached.reshape(-1, reached.shape[-1])
        places = flat + (span + 1) * np.arange(len(flat))[:, None]
        steps = np.bincount(places.ravel(), minlength=(span + 1) * len(flat))
        codes = np.cumsum(steps.reshape(-1, span + 1)[:, :-1], axis=1) + first
        self._keep("table", codes.reshape(*reached.shape[:-1], span), torch.int16)
        self._keep("offset", np.full((1, 1, 1, 1), -low), dtype)

    def forward(self, chunks: Tensor, frames: Tensor, chips: slice) -> Tensor:
        """Codes ``(chips, blocks, parts * columns, reads * vectors)``.

        Parameters
        ----------
        chunks : tensor ``(chips or 1, blocks, rows, reads * vectors)``
            Chunks of the inputs of this row group, in the type of :py:`matrix`.
        frames : int32 tensor ``(vectors,)``
            Numbers of the vectors, for the noise.
        chips : slice
            Which chips.
        """
        matrix = self.matrix[chips]
        if self.level == torch.int64:
            return self._exact(product(matrix, chunks).long(), frames, chips)
        offset = None
        if self.offset is not None:
            offset = own(self.offset, chips).expand(len(matrix), *matrix.shape[1:3], 1)
        level = product(matrix, chunks, offset)
        if self.layer.noise is not None:
            level += self._noise(frames, chips) * self.step[chips]
        if self.layer.adc is None:
            return level
        if self.curved:
            return self._search(level, chips)
        if self.rounds:
            level.floor_()
        return level.clamp_(self.layer.adc.type.low, self.layer.adc.type.high)

    def _exact(self, level: Tensor, frames: Tensor, chips: slice) -> Tensor:
        """Codes of levels, as int64."""
        if self.layer.noise is not None:
            level = level + self._noise(frames, chips).long()
        if self.layer.adc is None:
            return level
        assert self.offset is not None
        level = (level * self.gain[chips] + self.offset[chips]) >> self.shift[chips]
        return level.clamp_(self.layer.adc.type.low, self.layer.adc.type.high)

    def _search(self, level: Tensor, chips: slice) -> Tensor:
        """Codes of levels of converters whose transition levels were sampled."""
        if self.table is not None:
            return self.table[chips].gather(3, level.long()).to(self.level)
        assert self.layer.adc is not None
        count = torch.searchsorted(self.limits[chips], level, right=True)
        return (count + self.layer.adc.type.low).to(self.level)

    def _noise(self, frames: Tensor, chips: slice) -> Tensor:
        """Noise in codes, for every level."""
        layer = self.layer
        words = noise_words(
            self.seeds[:, chips],
            frames,
            reads=layer.chunks,
            converters=self.converters,
            cols=layer.cols,
        )
        split = words.unflatten(3, (self.blocks, layer.block_cols)).permute(0, 3, 2, 4, 1, 5)
        z = self.noise_z.index_select(0, split.reshape(-1))
        z = z.view(len(words), self.blocks, -1, layer.chunks * len(frames))
        # At most 111 * 65,535 steps of 2**-12, and the half: exact in single precision.
        return z.mul_(self.amplitude[chips]).add_(0.5).floor_()
