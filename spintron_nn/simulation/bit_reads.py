"""Reads of single bits: sums of four rows are looked up, where a product would add each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from spintron_ir import Dense

from .words import SINGLE

__all__ = ["BitReads"]

TABLE_VALUES = 1 << 23
"""Most entries of the tables of a layer in all chips."""

LEAST_COLUMNS = 8
"""Columns below which a product is faster."""

ROWS = 4
"""Rows that one entry is the sum of: tables four times as large as the matrix."""

LOWEST_BITS = 0x01010101
GATHER = 0x01020408
"""Multiplied by it, the lowest bits of four bytes come to stand side by side in the uppermost."""


def nibbles(codes: Tensor, bits: int) -> Tensor:
    """Each bit of four codes at a time, as a number 0..15.

    Parameters
    ----------
    codes : uint8 tensor ``(chips, vectors, 4 * n)``, contiguous
        Codes.
    bits : int
        How many bits, from the lowest.

    Returns
    -------
    int32 tensor ``(chips, bits, vectors, n)``
    """
    place = torch.arange(bits, dtype=torch.int32, device=codes.device)[:, None, None]
    found = (codes.view(torch.int32)[:, None] >> place).bitwise_and_(LOWEST_BITS)
    return found.mul_(GATHER).bitwise_right_shift_(24).bitwise_and_((1 << ROWS) - 1)


class BitReads(nn.Module):
    """The reads of a dense layer whose inputs are applied bit by bit, in every chip.

    Parameters
    ----------
    layers : sequence of Dense, one a chip
        Of one structure, which :meth:`suits` holds for.
    """

    def __init__(self, layers: Sequence[Dense]) -> None:
        super().__init__()
        layer = self.layer = layers[0]
        self.parts = layer.slices * layer.converters
        eye = torch.eye(ROWS, dtype=torch.uint8)[None]
        order = nibbles(eye, 1).flatten()  # which bit a row is, on this machine
        columns = self.parts * layer.cols
        weights = np.stack([each.weights for each in layers]).astype(np.float32)
        weights = weights.reshape(len(layers), self.parts, layer.rows, layer.cols)
        bits = ((torch.arange(1 << ROWS)[:, None] & order) > 0).float()
        for k, (start, stop) in enumerate(layer.row_groups):
            gains, offsets = zip(*(_line(each, k) for each in layers), strict=True)
            part = weights[:, :, start:stop] * np.stack(gains)[:, :, None]
            part = np.pad(part, ((0, 0), (0, 0), (0, (start - stop) % ROWS), (0, 0)))
            rows = torch.from_numpy(np.ascontiguousarray(part.transpose(0, 2, 1, 3)))
            table = bits @ rows.reshape(len(layers), -1, ROWS, columns)
            table[:, 0] += torch.from_numpy(np.stack(offsets)).reshape(-1, 1, columns)
            self.register_buffer(f"table{k}", table.flatten(1, 2))

    @staticmethod
    def suits(layers: Sequence[Dense]) -> bool:
        """Whether inputs are bits without a sign, converters linear, sums exact, tables small."""
        layer = layers[0]
        columns = layer.slices * layer.converters * layer.cols
        entries = len(layers) * (1 << ROWS) * (-(-layer.rows // ROWS) + layer.groups) * columns
        return (
            layer.dac_bits == 1
            and not layer.input.signed
            and layer.input.bits <= 8
            and (layer.blocks or 1) == 1
            and layer.noise is None
            and layer.adc is not None
            and layer.adc.transitions is None
            and columns >= LEAST_COLUMNS
            and entries <= TABLE_VALUES
            and max(_bound(each) for each in layers) < SINGLE
        )

    def forward(self, x: Tensor, chips: slice) -> Tensor:
        """Accumulators ``(chips, vectors, columns)`` of codes ``(chips or 1, vectors, inputs)``."""
        layer, acc = self.layer, None
        assert layer.adc is not None
        for k, (start, stop) in enumerate(layer.row_groups):
            table = self.get_buffer(f"table{k}")[chips]
            rows = pad(x[..., start:stop], (0, (start - stop) % ROWS)).contiguous()
            found = nibbles(rows, layer.chunks)
            first = torch.arange(0, table.shape[1], 1 << ROWS, dtype=torch.int32, device=x.device)
            die = torch.arange(len(table), dtype=torch.int32, device=x.device) * table.shape[1]
            index = found.add_(first) + die[:, None, None, None]
            level = embedding_bag(index.flatten(0, 2), table.flatten(0, 1), mode="sum")
            codes = level.floor_().clamp_(layer.adc.type.low, layer.adc.type.high)
            codes = codes.view(len(table), layer.chunks, x.shape[1], self.parts, layer.cols)
            for part in range(self.parts):
                shift, sign = part // layer.converters, layer.signs[part % layer.converters]
                for p in range(layer.chunks):
                    place = sign << (layer.slice_shift[shift] + p)
                    read = codes[:, p, :, part]
                    acc = read * place if acc is None else acc.add_(read, alpha=place)
        assert acc is not None
        return acc


def _line(layer: Dense, k: int) -> tuple[np.ndarray, np.ndarray]:
    """What a level is multiplied by and what is added, ``(parts, cols)``, before rounding down."""
    assert layer.adc is not None
    gain, offset = (each[k].reshape(-1, layer.cols) for each in layer.adc.at(layer))
    scale = 2.0**-layer.adc.shift
    half = (1 << layer.adc.shift) >> 1
    return (gain * scale).astype(np.float32), ((offset + half) * scale).astype(np.float32)


def _bound(layer: Dense) -> int:
    """More than any sum on the way, in any order, and than any accumulator."""
    assert layer.adc is not None
    gain, offset = layer.adc.at(layer)
    weights = np.abs(layer.weights).sum(axis=2)
    level = weights * gain.max(axis=0) + np.abs(offset).max(axis=0) + (1 << layer.adc.shift)
    places = sum(1 << shift for shift in layer.slice_shift) * layer.converters
    return max(int(level.max()), (layer.groups * places << (layer.adc.bits + layer.chunks)))
