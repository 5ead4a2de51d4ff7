"""A matrix on crossbars, in every chip at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from spintron_ir import Dense

from .bit_reads import BitReads
from .reads import RowGroup, by_block, product
from .requantise import Requantise
from .words import SINGLE, carrier, converted, float_of, hull

__all__ = ["PROCESSOR", "DenseChips"]


PROCESSOR = "cpu"
"""Kind of device that compiled reads are for."""


class DenseChips(nn.Module):
    """A dense layer of several chips: one batched product for each row group.

    Values are ``(chips, [positions,] values, frames)``, of one chip where all see the same.

    Parameters
    ----------
    layers : sequence of Dense, one a chip
        Of one structure.
    """

    matrix: Tensor
    bias: Tensor

    def __init__(self, layers: Sequence[Dense]) -> None:
        super().__init__()
        layer = self.layer = layers[0]
        self.blocks = layer.blocks or 1
        self.parts = layer.slices * layer.converters
        self.scales = [sign << shift for shift in layer.slice_shift for sign in layer.signs]
        self.whole = layer.adc is None and layer.noise is None and self._collapse(layers)
        self.groups: list[RowGroup] = []
        bitwise = not self.whole and BitReads.suits(layers)
        if bitwise:
            self.acc, self.bound = torch.float32, SINGLE - 1
        elif not self.whole:
            self._make_groups(layers)
            self.acc = self._accumulator()
        bias = np.stack([each.bias for each in layers]).astype(np.int64)
        self.requantise: Requantise | None = None
        if layer.requantise is None:
            self.out = carrier(hull(each.type for each in layers))
            added = float_of(self.bound + int(np.abs(bias).max()))
            self.added = self.acc if added == self.acc else torch.int64
            self.register_buffer("bias", torch.from_numpy(bias)[:, None, :, None].to(self.added))
        else:
            totals = [each.ranges.total for each in layers]
            low = np.array([[total.low] for total in totals]) - bias
            high = np.array([[total.high] for total in totals]) - bias
            requantisers = [each.requantise for each in layers if each.requantise is not None]
            self.requantise = Requantise(requantisers, low, high, bias, self.acc)
        self.bits = BitReads(layers, self.requantise) if bitwise else None

    def _collapse(self, layers: Sequence[Dense]) -> bool:
        """One matrix of all slices, where nothing comes between a column and the accumulator."""
        layer = self.layer
        weights = np.stack([each.weights for each in layers]).astype(np.int64)
        weights = weights.reshape(len(layers), self.parts, layer.rows, layer.cols)
        weights = (weights * np.array(self.scales)[:, None, None]).sum(axis=1, keepdims=True)
        reach = max(-layer.input.low, layer.input.high)
        self.bound = int(np.abs(weights).sum(axis=2).max()) * reach
        self.acc = float_of(self.bound)
        if self.acc == torch.int64:  # of each part by itself the sums are exact in floating point
            return False
        matrix = torch.from_numpy(by_block(weights, self.blocks)).to(self.acc)
        self.register_buffer("matrix", matrix)
        return True

    def _make_groups(self, layers: Sequence[Dense]) -> None:
        self.groups = [RowGroup(layers, k) for k in range(self.layer.groups)]
        self.kept = nn.ModuleList(self.groups)

    def _accumulator(self) -> torch.dtype:
        """In which type the sum of all codes is exact, whatever the order."""
        layer, places = self.layer, sum(abs(scale) for scale in self.scales)
        if layer.adc is not None:
            code = max(-layer.adc.type.low, layer.adc.type.high)
        else:
            code = max(group.bound for group in self.groups)
        reads = sum(1 << layer.dac_bits * p for p in range(layer.chunks))
        self.bound = code * places * reads * layer.groups
        exact = any(group.level == torch.int64 for group in self.groups)
        return torch.int64 if exact else float_of(self.bound)

    def forward(self, x: Tensor, *, chips: slice, first: int, threads: int) -> Tensor:
        """Results of codes, the first of them of the frame number :py:`first`."""
        layer, count = self.layer, x.shape[-1]
        if self.bits is not None:
            if x.device.type == PROCESSOR:
                return self._bits(x, chips, first, threads)
            if not self.groups:
                self._make_groups(self.bits.layers)
                self.kept.to(x.device)
        if layer.positions is not None:
            x = x.transpose(1, 2)
        x = x.reshape(len(x), self.blocks, layer.rows, -1)
        if self.whole:
            acc = product(self.matrix[chips], converted(x, self.acc))
        else:
            acc = self._reads(x, chips, self._frames(x, count, first))
        y = self._close(acc.flatten(1, 2)[:, None], chips)[:, 0]
        if layer.positions is None:
            return y
        return y.view(len(y), layer.cols, layer.positions, count).transpose(1, 2)

    def _close(self, acc: Tensor, chips: slice) -> Tensor:
        """Results of accumulators ``(chips, lead, columns, values)``."""
        if self.requantise is not None:
            return self.requantise(acc, chips)
        return converted(acc.to(self.added) + self.bias[chips], self.out)

    def _bits(self, x: Tensor, chips: slice, first: int, threads: int) -> Tensor:
        """Results of codes that are applied bit by bit; in memory the columns are the last axis."""
        layer = self.layer
        assert self.bits is not None
        rows = x.movedim(-1, 1)
        y = self.bits(rows.reshape(len(x), -1, layer.inputs), chips, first, threads)
        if not self.bits.closes:  # each column's values together, as tables and searches want
            y = self._close(y.transpose(1, 2)[:, None].contiguous(), chips)[:, 0].transpose(1, 2)
        return y.reshape(len(y), *rows.shape[1:-1], layer.cols).movedim(1, -1)

    def _frames(self, x: Tensor, count: int, first: int) -> Tensor:
        """Numbers of the vectors, of 32 bits, as int32."""
        positions = self.layer.positions or 1
        frames = torch.arange(count, device=x.device) + first % (1 << 32)
        place = torch.arange(positions, device=x.device)
        low = (frames * positions + place[:, None]).flatten() & 0xFFFFFFFF
        return (low - ((low & 0x80000000) << 1)).to(torch.int32)

    def _chunks(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """Chunks ``(chips, blocks, rows, reads * vectors)`` of codes ``(..., vectors)``."""
        layer = self.layer
        if layer.chunks == 1:
            return converted(x, dtype)
        places = torch.arange(layer.chunks, dtype=x.dtype, device=x.device) * layer.dac_bits
        parts = x[:, :, :, None] >> places[:, None]
        mask = (1 << layer.dac_bits) - 1
        (parts[:, :, :, :-1] if layer.input.signed else parts).bitwise_and_(mask)
        return converted(parts.flatten(3), dtype)

    def _reads(self, x: Tensor, chips: slice, frames: Tensor) -> Tensor:
        """Accumulators ``(chips, blocks, columns, vectors)`` of reads that are digitized."""
        layer, acc = self.layer, None
        dtypes = {group.matrix.dtype for group in self.groups}
        chunks = {dtype: self._chunks(x, dtype) for dtype in dtypes}
        for group, (start, stop) in zip(self.groups, layer.row_groups, strict=True):
            codes = group(chunks[group.matrix.dtype][:, :, start:stop], frames, chips)
            codes = codes.view(len(codes), self.blocks, self.parts, -1, layer.chunks, x.shape[3])
            if codes.dtype != self.acc and self.acc == torch.int64:
                codes = codes.long()
            for part, scale in enumerate(self.scales):
                for p in range(layer.chunks):
                    read, place = codes[:, :, part, :, p], scale << (layer.dac_bits * p)
                    if acc is None:
                        acc = torch.mul(read.to(self.acc), place)
                    else:
                        acc.add_(read, alpha=place)
        assert acc is not None
        return acc
