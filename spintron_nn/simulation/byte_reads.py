"""Reads whose chunks and weights are bytes: the products that processors are fastest at."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_ir import Dense

from .requantise import Requantise
from .words import SINGLE, exact_bytes

__all__ = ["ByteReads"]

LEVELS = 1 << 18
"""Levels that are worked on at a time: they stay in the cache until they are codes."""

LEAST_VECTORS = 64
"""Vectors that a product has at least, where there are as many."""

BYTE = 127
"""Largest magnitude of a byte with a sign."""

Array = NDArray[Any]


class ByteReads:
    """The reads of a dense layer in every chip, on the processor.

    The levels of a row group are one product of bytes a chip; one pass over them makes codes and
    adds these up. Other reads go by way of :class:`~spintron_nn.simulation.reads.RowGroup`.

    Parameters
    ----------
    layers : sequence of Dense, one a chip
        Of one structure, which :meth:`suits` holds for.
    """

    def __init__(self, layers: Sequence[Dense]) -> None:
        layer = self.layer = layers[0]
        self.chips, parts = len(layers), layer.slices * layer.converters
        self.columns = parts * layer.cols
        weights = np.stack([each.weights for each in layers]).astype(np.int8)
        weights = weights.reshape(self.chips, parts, layer.rows, layer.cols).swapaxes(1, 2)
        self.matrices = [
            torch.from_numpy(np.ascontiguousarray(weights[:, start:stop])).flatten(2).unbind()
            for start, stop in layer.row_groups
        ]
        # Row groups come first: what lies side by side is what becomes fast code.
        lines = zip(*(_lines(each) for each in layers), strict=True)
        self.gain, self.offset = (np.stack(part, axis=1) for part in lines)
        self.shift = np.array([each.adc.shift for each in layers if each.adc], dtype=np.int32)
        self.places = [layer.dac_bits * read for read in range(layer.chunks)]
        scales = [sign << shift for shift in layer.slice_shift for sign in layer.signs]
        self.scales = np.array(scales, np.int32)[:, None] << np.array(self.places, np.int32)

    @staticmethod
    def suits(layers: Sequence[Dense]) -> bool:
        """Whether chunks and weights are bytes, converters linear, and all sums small enough."""
        layer = layers[0]
        chunk = layer.ranges.chunk
        return (
            exact_bytes()
            and chunk.high <= BYTE
            and chunk.low >= -BYTE - 1
            and (layer.blocks or 1) == 1
            and layer.noise is None
            and layer.adc is not None
            and layer.adc.transitions is None
            # Of a single row torch mixes up what is a row and what a column.
            and min(stop - start for start, stop in layer.row_groups) > 1
            and all(_fits(each) for each in layers)
        )

    def __call__(self, x: Tensor, chips: slice, lines: Requantise | None = None) -> Tensor:
        """Accumulators ``(chips, vectors, columns)`` of codes ``(chips or 1, vectors, inputs)``.

        Of a requantiser whose way is that of lines, its results in their place.
        """
        from .byte_kernels import on_lines  # loads Numba, which only this needs

        layer, codes = self.layer, np.ascontiguousarray(x.numpy())
        numbers = range(self.chips)[chips]
        shape = len(numbers), codes.shape[1], layer.cols
        given = torch.empty(shape, dtype=torch.float32 if lines is None else lines.out)
        out, levels = given.numpy(), layer.chunks * self.columns  # of a vector
        step = max(LEAST_VECTORS, LEVELS // levels)
        for first in range(0, shape[1], step):
            part = codes[:, first : first + step]
            together = max(1, LEVELS // (levels * part.shape[1]))
            for start in range(0, len(numbers), together):
                some = numbers[start : start + together]
                acc = _scratch("acc", (len(some), part.shape[1], layer.cols), np.float32)
                acc.fill(0)
                for k in range(layer.groups):
                    own = part if len(part) == 1 else part[start : start + together]
                    self._group(k, own, some, acc)
                found = out[start : start + together]
                if lines is None:
                    found[:, first : first + step] = acc
                else:
                    line = [_of(values, some) for values in (lines.slope, lines.offset)]
                    on_lines(acc, *line, lines.low, lines.high, found, first)
        return given

    def _group(self, k: int, codes: Array, chips: range, acc: Array) -> None:
        """Add what a row group of some chips gives."""
        from .byte_kernels import digitise

        layer, adc = self.layer, self.layer.adc
        assert adc is not None
        rows = self._chunks(codes[:, :, slice(*layer.row_groups[k])])
        shape = len(chips), layer.chunks, codes.shape[1], self.columns
        level = _scratch("level", shape, np.int32)
        for place, found in enumerate(torch.from_numpy(level).flatten(1, 2).unbind()):
            given = rows[place if len(rows) > 1 else 0]
            torch._int_mm(given, self.matrices[k][chips[place]], out=found)
        own = slice(chips[0], chips[-1] + 1)
        line = self.gain[k, own], self.offset[k, own], self.shift[own]
        digitise(level, *line, adc.type.low, adc.type.high, self.scales, acc)

    def _chunks(self, codes: Array) -> Sequence[Tensor]:
        """Of each chip the bytes ``(reads * vectors, rows)`` that are applied one after another."""
        kind = codes.dtype if codes.itemsize == 1 else np.dtype(np.int8)
        found = _scratch("chunks", (len(codes), len(self.places), *codes.shape[1:]), kind)
        for read, place in enumerate(self.places):
            part = codes >> place
            if not self.layer.input.signed or read < len(self.places) - 1:
                part &= (1 << self.layer.dac_bits) - 1
            found[:, read] = part
        return torch.from_numpy(found).view(torch.int8).flatten(1, 2).unbind()


_KEPT = threading.local()


def _scratch(name: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """Memory of this thread for what is soon overwritten: fresh pages cost more than the work."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    kept = getattr(_KEPT, name, None)
    if kept is None or kept.size < size:
        kept = np.empty(size, np.uint8)
        setattr(_KEPT, name, kept)
    found: Array = kept[:size].view(dtype).reshape(shape)
    return found


def _of(values: Tensor, chips: range) -> Array:
    """What some chips have of values ``(chips, 1, columns, 1)``."""
    found: Array = values[chips[0] : chips[-1] + 1, 0, :, 0].numpy()
    return found


def _lines(layer: Dense) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Gain of each converter ``(groups, columns)``, and offset with half a step."""
    assert layer.adc is not None
    gain, offset = (each.reshape(layer.groups, -1) for each in layer.adc.at(layer))
    return gain.astype(np.int32), (offset + ((1 << layer.adc.shift) >> 1)).astype(np.int32)


def _fits(layer: Dense) -> bool:
    """Whether weights are bytes and every value on the way fits its type."""
    assert layer.adc is not None
    chunk, half = layer.ranges.chunk, (1 << layer.adc.shift) >> 1
    level = int(np.abs(layer.weights).sum(axis=2).max()) * max(-chunk.low, chunk.high)
    scaled = level * int(layer.adc.gain.max()) + int(np.abs(layer.adc.offset.astype(int)).max())
    places = sum(1 << shift for shift in layer.slice_shift) * layer.converters
    code = max(-layer.adc.type.low, layer.adc.type.high)
    acc = layer.groups * places * code << layer.dac_bits * layer.chunks
    return int(np.abs(layer.weights).max()) <= BYTE and scaled + half < 1 << 31 and acc < SINGLE
