"""Dense layers whose inputs are applied bit by bit, in every chip, in one pass over the weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_ir import Dense
from spintron_ir.arith import NOISE_BOUND, NOISE_SHIFT
from spintron_nn.compiled import shared

from .bit_arrays import Converters, Line, Matrix, ReadNoise, words_of
from .bit_kernel import BLOCK_READS, LANES, ROWS, read_bits
from .requantise import Requantise
from .words import SINGLE, carrier

__all__ = ["BitReads"]

LEAST_COLUMNS = 8
"""Columns below which a product is faster."""

LEAST_SUMS = 1 << 20
"""Sums of four rows and 32 columns that a thread is worth: about a millisecond."""


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
        self.layers, self.layer, self.requantise = layers, layers[0], requantise
        self.words = words_of(self.layer)
        self.matrix, self.converters = Matrix.of(layers), Converters.of(layers)
        self.noise, self.line = ReadNoise.of(layers), Line.of(len(layers), requantise)

    @property
    def closes(self) -> bool:
        """Whether results are codes, not accumulators."""
        return self.line.slopes.size > 0

    @staticmethod
    def suits(layers: Sequence[Dense]) -> bool:
        """Whether inputs are bits, with converters, sums exact in few bits."""
        layer = layers[0]
        return (
            layer.dac_bits == 1
            and layer.input.bits <= 8
            and (layer.blocks or 1) == 1
            and layer.adc is not None
            and layer.cols >= LEAST_COLUMNS
            and all(_fits(each) for each in layers)
        )

    def __call__(self, x: Tensor, chips: slice, first: int, threads: int) -> Tensor:
        """Results of codes where a line gives them, else accumulators, in float32.

        Parameters
        ----------
        x : uint8 or int8 Tensor of shape ``(chips or 1, vectors, inputs)``
            Codes.
        chips : slice
            Which chips.
        first : int
            Number of the first frame, for the noise.
        threads : int
            Most threads that share the work.

        Returns
        -------
        Tensor of shape ``(chips, vectors, columns)``
        """
        words, matrix = self._words(x), self.matrix.some(chips)
        count, vectors, bits = len(matrix.rows), x.shape[1], self.layer.chunks
        noise = self.noise.some(chips, first * (self.layer.positions or 1) & 0xFFFFFFFF)
        dtype = torch.float32
        if self.closes and self.requantise is not None:
            dtype = self.requantise.out
        found = torch.empty((count, vectors, self.layer.cols), dtype=dtype)
        codes = found.view(torch.uint8) if dtype == torch.int8 else found  # one kernel for both
        given = matrix, self.converters.some(chips), noise, self.line.some(chips), codes.numpy()
        sums = vectors * bits * matrix.rows.size // (ROWS * LANES)
        shared(
            lambda start, stop: read_bits(start, stop, words, *given),
            count * -(-vectors // max(1, BLOCK_READS // bits)),
            min(threads, sums // LEAST_SUMS),
        )
        return found

    def _words(self, codes: Tensor) -> NDArray[np.uint32]:
        """Four codes of a row group a word, the first the lowest byte."""
        x = codes.to(carrier(self.layer.input)).numpy().view(np.uint8)
        if ROWS * sum(self.words) > self.layer.rows:
            wide = np.zeros((*x.shape[:2], sum(self.words) * ROWS), dtype=np.uint8)
            place = 0
            for count, (start, stop) in zip(self.words, self.layer.row_groups, strict=True):
                wide[..., place : place + stop - start] = x[..., start:stop]
                place += count * ROWS
            x = wide
        return np.ascontiguousarray(x).view("<u4").astype(np.uint32, copy=False)


def _fits(layer: Dense) -> bool:
    """Whether sums of rows fit 16 bits, and what comes of them is exact in single precision."""
    assert layer.adc is not None
    gain, offset = layer.adc.at(layer)
    starts = [start for start, _ in layer.row_groups]
    # (slices, converters, groups, cols), as of gains once the groups come first
    sums = np.moveaxis(np.add.reduceat(np.abs(layer.weights), starts, axis=2), 2, 0)
    if layer.noise is not None:
        sums = sums + ((NOISE_BOUND * layer.noise.at(layer)) >> NOISE_SHIFT) + 1
    scaled = sums * gain + np.abs(offset) + (1 << layer.adc.shift)
    places = sum(1 << shift for shift in layer.slice_shift) * layer.converters
    code = layer.groups * places << (layer.adc.bits + layer.chunks)
    return int(sums.max()) < (1 << 15) - 1 and max(int(scaled.max()), code) < SINGLE
