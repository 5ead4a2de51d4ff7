"""The golden numbers of a dense layer, vectorised over the batch.

Sums run in floating point where the range analysis proves that every intermediate value is an
integer the format holds exactly, or one over a power of two; elsewhere they run through the
contract on 64-bit integers. Where nothing comes between a column and the accumulator, one matrix
holds all chunks, slices and row groups together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import arith
from .dense_reads import noise_words

if TYPE_CHECKING:
    from .dense import Dense

__all__ = ["accumulate"]

BLOCK_VALUES = 1 << 19
"""Values of a block of reads: keeps the work within the processor's cache."""


def accumulate(layer: Dense, x: NDArray[Any], first_frame: int) -> NDArray[np.int64]:
    """Sum of all codes for inputs ``(batch, inputs)``, without the bias."""
    out = np.empty((len(x), layer.cols), dtype=np.int64)
    block = max(16, BLOCK_VALUES // (layer.chunks * max(layer.inputs, layer.cols)))
    for start in range(0, len(x), block):
        part, rows = x[start : start + block], slice(start, start + block)
        frames = np.arange(start, start + len(part)) + first_frame
        if layer.adc is None and layer.noise is None:
            matrix = layer.collapsed
            out[rows] = _product(layer, part.astype(matrix.dtype, copy=False), matrix, 0)
        elif layer.prepared is not None:
            out[rows] = layer.prepared(part, frames)
        else:
            out[rows] = _exact(layer, part, frames)
    return out


def _product(layer: Dense, x: NDArray[Any], matrix: NDArray[Any], first: int) -> NDArray[Any]:
    """Sums ``(..., cols)`` of inputs ``(..., inputs)`` over some rows of each block."""
    if layer.blocks is None:
        return x[..., first : first + len(matrix)] @ matrix
    parts = x.reshape(-1, layer.blocks, layer.rows)[..., first : first + len(matrix)]
    weights = matrix.reshape(-1, layer.blocks, layer.block_cols).transpose(1, 0, 2)
    sums = parts.transpose(1, 0, 2) @ weights
    return sums.transpose(1, 0, 2).reshape(*x.shape[:-1], layer.cols)


def _exact(layer: Dense, x: NDArray[Any], frames: NDArray[Any]) -> NDArray[np.int64]:
    """The contract, word for word, on 64-bit integers."""
    type_, adc, noise = layer.input, layer.adc, layer.noise
    chunks = arith.chunks(x, bits=type_.bits, signed=type_.signed, dac_bits=layer.dac_bits)
    acc = np.zeros((len(x), layer.cols), dtype=np.int64)
    for k, s, d in np.ndindex(layer.groups, layer.slices, layer.converters):
        first, stop = layer.row_groups[k]
        weights = layer.weights[s, d, first:stop].astype(np.int64)
        level = _product(layer, chunks, weights, first)
        if noise is not None:
            words = noise_words(layer, frames, k)[:, :, s * layer.converters + d]
            level = level + arith.noise_value(words, noise.at(layer)[k, s, d])
        code = level if adc is None else adc.run(level, layer, (k, s, d))
        for p in range(layer.chunks):
            acc += layer.signs[d] * (code[p] << (layer.slice_shift[s] + layer.dac_bits * p))
    return acc
