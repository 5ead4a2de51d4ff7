"""The golden numbers of a dense layer, vectorised over the batch.

Sums run in floating point where the range analysis proves that every intermediate value is an
integer the format holds exactly; elsewhere they run through the contract on 64-bit integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import arith, prng

if TYPE_CHECKING:
    from .dense import Dense

__all__ = ["accumulate"]

BLOCK_VALUES = 1 << 20
"""Values of a block of reads: keeps the work within the processor's cache."""

EXACT = ((1 << 24, np.float32), (1 << 53, np.float64))
"""Formats with the bound below which they hold every integer."""


def accumulate(layer: Dense, x: NDArray[np.int64], first_frame: int) -> NDArray[np.int64]:
    """Sum of all codes for inputs ``(batch, rows)``, without the bias."""
    bound = layer.ranges.bound
    fast = next((dtype for limit, dtype in EXACT if bound < limit), None)
    block = max(1, BLOCK_VALUES // (layer.chunks * max(layer.inputs, layer.cols)))
    out = np.empty((len(x), layer.cols), dtype=np.int64)
    for start in range(0, len(x), block):
        part = x[start : start + block]
        frames = np.arange(start, start + len(part)) + first_frame
        out[start : start + len(part)] = (
            _exact(layer, part, frames) if fast is None else _fast(layer, part, frames, fast)
        )
    return out


def _places(layer: Dense) -> Iterator[tuple[int, int, int, slice]]:
    """Index of every converter: group, slice, converter, and the rows that it sums."""
    for k, (start, stop) in enumerate(layer.row_groups):
        for s in range(layer.slices):
            for d in range(layer.converters):
                yield k, s, d, slice(start, stop)


def _words(layer: Dense, frames: NDArray[Any], k: int, s: int, d: int) -> NDArray[np.uint16]:
    """Noise words of one converter: shape ``(chunks, batch, cols)``."""
    assert layer.noise is not None
    return prng.noise_words(
        layer.noise.seed,
        frame=frames[None, :],
        read=np.arange(layer.chunks)[:, None],
        converters=np.array((k * layer.slices + s) * layer.converters + d),
        cols=layer.cols,
    )


def _cut(layer: Dense, x: NDArray[np.int64]) -> NDArray[np.int64]:
    return arith.chunks(
        x, bits=layer.input.bits, signed=layer.input.signed, dac_bits=layer.dac_bits
    )


def _product(layer: Dense, chunks: NDArray[Any], matrix: NDArray[Any], rows: slice) -> NDArray[Any]:
    """Currents ``(..., cols)`` of some rows of each block, for chunks ``(..., inputs)``."""
    if layer.blocks is None:
        return chunks[..., rows] @ matrix
    parts = chunks.reshape(-1, layer.blocks, layer.rows)[..., rows].transpose(1, 0, 2)
    weights = matrix.reshape(-1, layer.blocks, layer.block_cols).transpose(1, 0, 2)
    return (parts @ weights).transpose(1, 0, 2).reshape(*chunks.shape[:-1], layer.cols)


def _exact(layer: Dense, x: NDArray[np.int64], frames: NDArray[Any]) -> NDArray[np.int64]:
    """The contract, word for word, on 64-bit integers."""
    chunks, weights, adc = _cut(layer, x), layer.weights.astype(np.int64), layer.adc
    acc = np.zeros((len(x), layer.cols), dtype=np.int64)
    for k, s, d, rows in _places(layer):
        level = _product(layer, chunks, weights[s, d, rows], rows)
        if layer.noise is not None:
            amplitude = layer.noise.at(layer)[k, s, d]
            level = level + arith.noise_value(_words(layer, frames, k, s, d), amplitude)
        code = level if adc is None else adc.run(level, layer, (k, s, d))
        for p in range(layer.chunks):
            acc += layer.signs[d] * (code[p] << (layer.slice_shift[s] + layer.dac_bits * p))
    return acc


def _fast(
    layer: Dense, x: NDArray[np.int64], frames: NDArray[Any], dtype: Any
) -> NDArray[np.int64]:
    """The same in floating point; the caller has proven that every value is exact in it."""
    chunks, weights = _cut(layer, x).astype(dtype), layer.weights.astype(dtype)
    batch = len(x)
    acc = np.zeros((batch, layer.cols), dtype=dtype)
    place = (2.0 ** (layer.dac_bits * np.arange(layer.chunks))).astype(dtype)
    for k, s, d, rows in _places(layer):
        flat = chunks.reshape(layer.chunks * batch, -1)
        level = _product(layer, flat, weights[s, d, rows], rows)
        level = level.reshape(layer.chunks, batch, layer.cols)
        if layer.noise is not None:
            amplitude = layer.noise.at(layer)[k, s, d]
            level += arith.noise_value(_words(layer, frames, k, s, d), amplitude)
        _convert(layer, level, k, s, d)
        sign = layer.signs[d] * 2.0 ** layer.slice_shift[s]
        for p in range(layer.chunks):
            level[p] *= dtype(sign * place[p])
            acc += level[p]
    return acc.astype(np.int64)


def _convert(layer: Dense, level: NDArray[Any], k: int, s: int, d: int) -> None:
    """Turn levels into codes, in place."""
    adc, dtype = layer.adc, level.dtype.type
    if adc is None:
        return
    transitions = adc.transitions_at(layer)
    if transitions is not None:
        _search(level, transitions[k, s, d], adc.type.low)
        return
    gain, offset = (values[k, s, d] for values in adc.at(layer))
    if np.any(gain != 1):
        level *= gain.astype(dtype)
    level += (offset + ((1 << adc.shift) >> 1)).astype(dtype)
    if adc.shift:
        level *= dtype(2.0**-adc.shift)
        np.floor(level, out=level)
    np.clip(level, dtype(adc.type.low), dtype(adc.type.high), out=level)


def _search(level: NDArray[Any], transitions: NDArray[np.int32], low: int) -> None:
    """Turn levels into :py:`low` plus the transitions they reach, in place, by halving."""
    cols, count = transitions.shape
    # Rounding a transition keeps its order with every level, which the format holds exactly.
    flat = transitions.astype(level.dtype).ravel()
    first = np.arange(cols, dtype=np.int32) * count
    place = np.broadcast_to(first, level.shape).copy()
    for bit in reversed(range(count.bit_length())):
        reached = level >= flat.take(place + ((1 << bit) - 1))
        place += reached.astype(np.int32) << bit
    np.subtract(place, first - low, out=level, casting="unsafe")
