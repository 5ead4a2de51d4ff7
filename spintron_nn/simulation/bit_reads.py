"""Dense layers whose inputs are applied bit by bit, in every chip, in one pass over the weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_ir import Dense

from .bit_kernel import BLOCK_READS, LANES, ROWS, SEGMENT, read_bits
from .requantise import Requantise
from .words import SINGLE

__all__ = ["BitReads"]

LEAST_COLUMNS = 8
"""Columns below which a product is faster."""

LEAST_SUMS = 1 << 17
"""Sums of four rows and 32 columns that a thread is worth: about a tenth of a millisecond."""


class BitReads:
    """The reads of a dense layer whose inputs are applied bit by bit, on the processor.

    Parameters
    ----------
    layers : sequence of Dense, one a chip
        Of one structure, which :meth:`suits` holds for.
    requantise : Requantise or None
        Requantisers of the layers.
    """

    def __init__(self, layers: Sequence[Dense], requantise: Requantise | None) -> None:
        self.layers, layer = layers, layers[0]
        self.layer = layer
        assert layer.adc is not None
        self.chips, parts = len(layers), layer.slices * layer.converters
        self.block = max(1, BLOCK_READS // layer.chunks)
        self.words = [-(-(stop - start) // ROWS) for start, stop in layer.row_groups]
        self.whole = all((stop - start) % ROWS == 0 for start, stop in layer.row_groups)
        cuts = [list(range(0, count, SEGMENT)) for count in self.words]
        first = np.cumsum([0, *self.words])
        places = [first[k] + cut for k, some in enumerate(cuts) for cut in some]
        self.segments = np.array([*places, first[-1]], dtype=np.uint64)
        self.ends = np.array([cut == some[-1] for some in cuts for cut in some])
        blocks = -(-layer.cols // LANES)
        width = blocks * LANES
        rows = np.zeros((self.chips, parts, int(first[-1]) * ROWS, width), dtype=np.int16)
        gains = np.zeros((self.chips, parts, layer.groups, width), dtype=np.float32)
        offsets = np.zeros_like(gains)
        for chip, each in enumerate(layers):
            weights = each.weights.reshape(parts, layer.rows, layer.cols)
            for k, (start, stop) in enumerate(layer.row_groups):
                place = int(first[k]) * ROWS
                rows[chip, :, place : place + stop - start, : layer.cols] = weights[:, start:stop]
            for into, values in zip((gains, offsets), _lines(each), strict=True):
                into[chip, ..., : layer.cols] = values
        split = rows.reshape(self.chips, parts, -1, blocks, LANES).swapaxes(2, 3)
        self.rows, self.gains, self.offsets = split.ravel(), gains, offsets
        kind = layer.adc.type
        self.limits = np.float32(kind.low), np.float32(kind.high)
        places = [shift + np.arange(layer.chunks) for shift in layer.slice_shift]
        signs = np.array(layer.signs)[:, None]
        self.scales = np.concatenate([signs << place for place in places]).astype(np.float32)
        self.requantise, self.line = requantise, None
        if requantise is not None and requantise.way == "line":
            line = (requantise.slope, requantise.offset)
            slope, offset = (part.expand(self.chips, 1, -1, 1).flatten(1) for part in line)
            ends = np.float32(requantise.low), np.float32(requantise.high)
            self.line = slope.numpy(), offset.numpy(), *ends

    @staticmethod
    def suits(layers: Sequence[Dense]) -> bool:
        """Whether inputs are bits without a sign, converters linear, sums exact in few bits."""
        layer = layers[0]
        return (
            layer.dac_bits == 1
            and not layer.input.signed
            and layer.input.bits <= 8
            and (layer.blocks or 1) == 1
            and layer.noise is None
            and layer.adc is not None
            and layer.adc.transitions is None
            and layer.cols >= LEAST_COLUMNS
            and all(_fits(each) for each in layers)
        )

    def __call__(self, x: Tensor, chips: slice) -> Tensor:
        """Results of codes where a line gives them, else accumulators, in float32.

        Parameters
        ----------
        x : uint8 Tensor of shape ``(chips or 1, vectors, inputs)``
            Codes.
        chips : slice
            Which chips.

        Returns
        -------
        Tensor of shape ``(chips, vectors, columns)``
        """
        words, gains = self._words(x.to(torch.uint8).numpy()), self.gains[chips]
        count, vectors, size = len(gains), x.shape[1], self.rows.size // self.chips
        first = chips.indices(self.chips)[0] * size
        matrix = self.rows[first : first + count * size], self.segments, self.ends
        dtype, line = torch.float32, self.line
        if line is not None and self.requantise is not None:
            dtype, line = self.requantise.out, (line[0][chips], line[1][chips], *line[2:])
        found = torch.empty((count, vectors, self.layer.cols), dtype=dtype)
        converters = gains, self.offsets[chips], self.limits, self.scales
        given = words, *matrix, *converters, line, found.numpy()
        sums = vectors * self.layer.chunks * count * size // (ROWS * LANES)
        shared(
            lambda start, stop: read_bits(start, stop, *given),
            count * -(-vectors // self.block),
            max(1, min(torch.get_num_threads(), sums // LEAST_SUMS)),
        )
        return found

    def _words(self, x: NDArray[np.uint8]) -> NDArray[np.uint32]:
        """Four codes of a row group a word, the first the lowest byte."""
        if not self.whole:
            wide = np.zeros((*x.shape[:2], sum(self.words) * ROWS), dtype=np.uint8)
            place = 0
            for count, (start, stop) in zip(self.words, self.layer.row_groups, strict=True):
                wide[..., place : place + stop - start] = x[..., start:stop]
                place += count * ROWS
            x = wide
        return np.ascontiguousarray(x).view("<u4").astype(np.uint32, copy=False)


@cache
def _pool(_: int) -> ThreadPoolExecutor:
    """Threads of a process; a fork of it has none of them and gets its own."""
    return ThreadPoolExecutor(os.cpu_count())


def shared(work: Callable[[int, int], None], pieces: int, threads: int) -> None:
    """Let threads do pieces of work, the first and the one past the last of which each is given."""
    cuts = [pieces * thread // threads for thread in range(threads + 1)]
    ends = list(pairwise(cuts))
    others = [_pool(os.getpid()).submit(work, *each) for each in ends[1:]]
    work(*ends[0])
    for other in others:
        other.result()


def _lines(layer: Dense) -> tuple[NDArray[Any], NDArray[Any]]:
    """What levels are multiplied by and what is added, before rounding down.

    Both are of shape ``(parts, groups, cols)``.
    """
    assert layer.adc is not None
    shape = (layer.groups, -1, layer.cols)
    gain, offset = (part.reshape(shape).swapaxes(0, 1) for part in layer.adc.at(layer))
    half = (1 << layer.adc.shift) >> 1
    return gain * 2.0**-layer.adc.shift, (offset + half) * 2.0**-layer.adc.shift


def _fits(layer: Dense) -> bool:
    """Whether sums of rows fit 16 bits, and what comes of them is exact in single precision."""
    assert layer.adc is not None
    gain, offset = layer.adc.at(layer)
    starts = [start for start, _ in layer.row_groups]
    # (slices, converters, groups, cols), as of gains once the groups come first
    sums = np.add.reduceat(np.abs(layer.weights), starts, axis=2)
    scaled = np.moveaxis(sums, 2, 0) * gain + np.abs(offset) + (1 << layer.adc.shift)
    places = sum(1 << shift for shift in layer.slice_shift) * layer.converters
    code = layer.groups * places << (layer.adc.bits + layer.chunks)
    return int(sums.max()) < 1 << 15 and max(int(scaled.max()), code) < SINGLE
