"""The golden numbers of a dense layer, vectorised over the batch.

Sums run in floating point where the range analysis proves that every intermediate value is an
integer the format holds exactly, or one over a power of two; elsewhere they run through the
contract on 64-bit integers. Where nothing comes between a column and the accumulator, one matrix
holds all chunks, slices and row groups together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import arith
from .dense_reads import Reads, format_of, noise_words

if TYPE_CHECKING:
    from .dense import Dense

__all__ = ["accumulate", "collapsed", "currents"]

BLOCK_VALUES = 1 << 18
"""Values of a block of reads: keeps the work within the processor's cache."""


def accumulate(layer: Dense, x: NDArray[Any], first_frame: int) -> NDArray[np.int64]:
    """Sum of all codes for inputs ``(batch, inputs)``, without the bias."""
    out = np.empty((len(x), layer.cols), dtype=np.int64)
    if layer.adc is None and layer.noise is None:
        work: Callable[..., NDArray[Any]] = _lossless
    else:
        formats = _formats(layer)
        work = _exact if formats is None else Reads(layer, len(x), *formats)
    block = max(16, BLOCK_VALUES // (layer.chunks * max(layer.inputs, layer.cols)))
    for start in range(0, len(x), block):
        part = x[start : start + block]
        frames = np.arange(start, start + len(part)) + first_frame
        out[start : start + len(part)] = work(layer, part, frames)
    return out


def collapsed(layer: Dense) -> NDArray[Any]:
    """Weight of every input where nothing comes between columns and accumulator.

    Its format holds every partial sum of its products with inputs.
    """
    places = [sign << shift for shift in layer.slice_shift for sign in (1, -1)]
    weights = layer.weights.astype(np.int64)
    signs = np.array(places).reshape(layer.slices, 2)[:, : layer.converters]
    total = np.einsum("sd,sdrc->rc", signs, weights)
    largest = max(-layer.input.low, layer.input.high)
    dtype = format_of(largest * int(np.abs(total).sum(axis=0).max()))
    return total if dtype is None else total.astype(dtype)


def _lossless(layer: Dense, x: NDArray[Any], frames: NDArray[Any]) -> NDArray[Any]:
    matrix = layer.collapsed
    return product(layer, x.astype(matrix.dtype, copy=False), matrix, slice(None))


def product(layer: Dense, x: NDArray[Any], matrix: NDArray[Any], rows: slice) -> NDArray[Any]:
    """Sums ``(..., cols)`` over some rows of each block, for inputs ``(..., inputs)``."""
    if layer.blocks is None:
        return x[..., rows] @ matrix
    parts = x.reshape(-1, layer.blocks, layer.rows)[..., rows].transpose(1, 0, 2)
    weights = matrix.reshape(-1, layer.blocks, layer.block_cols).transpose(1, 0, 2)
    return (parts @ weights).transpose(1, 0, 2).reshape(*x.shape[:-1], layer.cols)


def _places(layer: Dense) -> Iterator[tuple[int, int, int, slice]]:
    """Index of every converter: group, slice, converter, and the rows that it sums."""
    for k, (start, stop) in enumerate(layer.row_groups):
        for s in range(layer.slices):
            for d in range(layer.converters):
                yield k, s, d, slice(start, stop)


def currents(layer: Dense, x: NDArray[Any]) -> NDArray[np.int64]:
    """Column currents ``(groups, slices, converters, chunks, batch, cols)``, before noise."""
    chunks = _cut(layer, x)
    shape = (layer.groups, layer.slices, layer.converters, layer.chunks, len(x), layer.cols)
    out = np.empty(shape, dtype=np.int64)
    dtype = format_of(layer.ranges.current.bound) or np.int64
    chunks, weights = chunks.astype(dtype), layer.weights.astype(dtype)
    for k, s, d, rows in _places(layer):
        out[k, s, d] = product(layer, chunks, weights[s, d, rows], rows)
    return out


def _cut(layer: Dense, x: NDArray[Any]) -> NDArray[np.int64]:
    return arith.chunks(
        x, bits=layer.input.bits, signed=layer.input.signed, dac_bits=layer.dac_bits
    )


def _exact(layer: Dense, x: NDArray[Any], frames: NDArray[Any]) -> NDArray[np.int64]:
    """The contract, word for word, on 64-bit integers."""
    chunks, weights, adc = _cut(layer, x), layer.weights.astype(np.int64), layer.adc
    acc = np.zeros((len(x), layer.cols), dtype=np.int64)
    for k, s, d, rows in _places(layer):
        level = product(layer, chunks, weights[s, d, rows], rows)
        if layer.noise is not None:
            words = noise_words(layer, frames, k)[:, :, s * layer.converters + d]
            level = level + arith.noise_value(words, layer.noise.at(layer)[k, s, d])
        code = level if adc is None else adc.run(level, layer, (k, s, d))
        for p in range(layer.chunks):
            acc += layer.signs[d] * (code[p] << (layer.slice_shift[s] + layer.dac_bits * p))
    return acc


def _formats(layer: Dense) -> tuple[Any, Any] | None:
    """Formats of levels and of accumulators that are exact, if there are."""
    ranges = layer.ranges
    wires = (ranges.current, ranges.level, ranges.product, ranges.scaled)
    level = max(wire.bound for wire in wires)
    if layer.adc is not None:  # the offset may come first, then the rows in any order
        level += int(np.abs(layer.adc.offset.astype(np.int64)).max()) + (1 << layer.adc.shift)
    level = max(level, ranges.code.bound << layer.dac_bits * layer.chunks)
    formats = format_of(level), format_of(ranges.acc.bound)
    return None if None in formats else formats
