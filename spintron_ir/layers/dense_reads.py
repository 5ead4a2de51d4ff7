"""Reads of a dense layer with converters or noise, in floating point."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import arith, prng
from ..search import count_reached

if TYPE_CHECKING:
    from .dense import Dense

__all__ = ["EXACT", "Reads", "format_of", "narrow_chunks", "noise_words"]

EXACT = ((1 << 24, np.float32), (1 << 53, np.float64))

TABLE_VALUES = 1 << 23
"""Most entries of tables that give the code of every level of every converter of a layer."""


def format_of(bound: int) -> Any:
    """The least floating-point format that holds every integer up to a bound, or None."""
    return next((dtype for limit, dtype in EXACT if bound < limit), None)


def noise_words(layer: Dense, frames: NDArray[Any], k: int) -> NDArray[np.uint16]:
    """Noise words of a row group: shape ``(chunks, batch, slices * converters, cols)``."""
    assert layer.noise is not None
    parts = layer.slices * layer.converters
    return prng.noise_words(
        layer.noise.seed,
        frame=frames[None, :, None],
        read=np.arange(layer.chunks)[:, None, None],
        converters=np.arange(k * parts, (k + 1) * parts),
        cols=layer.cols,
    )


def narrow_chunks(layer: Dense, x: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Chunks of inputs in turn, as :func:`spintron_ir.arith.chunks`, in the least format."""
    x = x.astype(layer.input.dtype)
    for p in range(layer.chunks):
        part, whole = x >> (layer.dac_bits * p), layer.input.signed and p == layer.chunks - 1
        yield part if whole else part & ((1 << layer.dac_bits) - 1)


@functools.cache
def _noise_z() -> NDArray[np.float32]:
    return arith.noise_z(np.arange(1 << 16)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Group:
    """What one row group needs. Columns of a block are (slices, converters, columns), flat."""

    k: int
    start: int
    stop: int
    matrix: NDArray[Any]  # (blocks, rows + 1, columns): from chunks and a one behind them
    amplitude: NDArray[Any] | None  # (slices * converters, cols): of the noise
    step: NDArray[Any] | None  # the same: what a level of noise is worth
    transitions: NDArray[Any] | None  # (blocks, columns, levels)
    table: NDArray[Any] | None  # the codes of every level of each column in turn


class Reads:
    """A layer with converters or noise, prepared to run.

    Levels and accumulators run in the formats given; the caller has proven that these are exact.
    """

    def __init__(self, layer: Dense, level: Any, acc: Any):
        self.layer, self.level, self.acc = layer, level, acc
        self.blocks, self.parts = layer.blocks or 1, layer.slices * layer.converters
        self.place = (2.0 ** (layer.dac_bits * np.arange(layer.chunks))).astype(level)
        self.codes = None if layer.adc is None else layer.adc.type
        self.rounds = layer.adc is not None and layer.adc.shift > 0
        self.rows = layer.row_groups
        self.groups = [self._group(k, *rows) for k, rows in enumerate(self.rows)]

    def __call__(self, x: NDArray[Any], frames: NDArray[Any]) -> NDArray[Any]:
        """Accumulators ``(vectors, cols)`` of inputs ``(vectors, inputs)``."""
        layer, chunks = self.layer, self._chunks(x)
        acc = np.zeros((self.blocks, len(x), layer.block_cols), dtype=self.acc)
        scales = [float(sign << shift) for shift in layer.slice_shift for sign in layer.signs]
        for group in self.groups:
            rows = chunks[..., group.start + group.k : group.stop + group.k + 1]
            rows = rows.reshape(-1, *rows.shape[2:]).transpose(1, 0, 2)
            level = np.matmul(rows, group.matrix)
            if layer.noise is not None:
                self._add_noise(level, frames, group)
            self._convert(level, group)
            digits = self.place @ level.reshape(self.blocks, layer.chunks, -1)
            digits = digits.reshape(self.blocks, len(x), self.parts, -1)
            for part, scale in enumerate(scales):
                acc += np.multiply(digits[:, :, part], scale, dtype=self.acc)
        return acc.transpose(1, 0, 2).reshape(len(x), -1)

    def _by_column(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values ``(slices, converters, cols, ...)`` as ``(blocks, columns of a block, ...)``."""
        inner = values.shape[3:]
        parts = values.reshape(self.parts, self.blocks, -1, *inner)
        return np.moveaxis(parts, 0, 1).reshape(self.blocks, -1, *inner)

    def _group(self, k: int, start: int, stop: int) -> _Group:
        layer, adc = self.layer, self.layer.adc
        weights = layer.weights[:, :, start:stop].transpose(0, 1, 3, 2)
        matrix = self._by_column(weights).transpose(0, 2, 1)
        matrix = np.concatenate([matrix, np.zeros_like(matrix[:, :1])], 1).astype(self.level)
        amplitude = step = transitions = table = None
        if layer.noise is not None:
            amplitude = layer.noise.at(layer)[k].reshape(self.parts, -1)
            amplitude = (amplitude * 2.0**-arith.NOISE_SHIFT).astype(self.level)
        levels = None if adc is None else adc.transitions_at(layer)
        if levels is not None:
            transitions = self._by_column(levels[k])
            span = layer.ranges.level.high - layer.ranges.level.low + 1
            if span * self.parts * layer.cols * layer.groups <= TABLE_VALUES:
                table = self._table(transitions.reshape(-1, levels.shape[-1]), span)
                first = span * np.arange(len(table) // span) - layer.ranges.level.low
                matrix[:, -1] = first.reshape(self.blocks, -1)
        elif adc is not None:
            gain, offset = (values[k] for values in adc.at(layer))
            scale = 2.0**-adc.shift
            matrix *= (self._by_column(gain) * scale).astype(self.level)[:, None]
            matrix[:, -1] = self._by_column(offset + ((1 << adc.shift) >> 1)) * scale
            if adc.shift or np.any(gain != 1):
                step = (gain.reshape(self.parts, -1) * scale).astype(self.level)
        return _Group(k, start, stop, matrix, amplitude, step, transitions, table)

    def _table(self, transitions: NDArray[Any], span: int) -> NDArray[np.int16]:
        """Code of every level of every column, one column after the other."""
        assert self.codes is not None
        reached = np.clip(transitions.astype(np.int64) - self.layer.ranges.level.low, 0, span)
        places = reached + (span + 1) * np.arange(len(transitions))[:, None]
        steps = np.bincount(places.ravel(), minlength=(span + 1) * len(transitions))
        steps = steps.reshape(-1, span + 1)[:, :-1]
        codes: NDArray[np.int16] = np.cumsum(steps, axis=1, dtype=np.int16)
        return (codes + np.int16(self.codes.low)).reshape(-1)

    def _chunks(self, x: NDArray[Any]) -> NDArray[Any]:
        """Chunks ``(chunks, vectors, blocks, rows)``, with a one behind each row group."""
        layer = self.layer
        shape = (layer.chunks, len(x), self.blocks, layer.rows + layer.groups)
        out = np.empty(shape, dtype=self.level)
        for p, part in enumerate(narrow_chunks(layer, x.reshape(len(x), self.blocks, -1))):
            for k, (start, stop) in enumerate(self.rows):
                out[p, :, :, start + k : stop + k] = part[:, :, start:stop]
        for k, (_, stop) in enumerate(self.rows):
            out[..., stop + k] = 1
        return out

    def _add_noise(self, level: NDArray[Any], frames: NDArray[Any], group: _Group) -> None:
        layer = self.layer
        noise = _noise_z().astype(self.level, copy=False).take(noise_words(layer, frames, group.k))
        noise *= group.amplitude
        noise += self.level(0.5)
        np.floor(noise, out=noise)
        if group.step is not None:
            noise *= group.step
        shape = (layer.chunks, len(frames), self.parts, self.blocks, layer.block_cols)
        inside = level.reshape(self.blocks, *shape[:3], -1)
        inside += noise.reshape(shape).transpose(3, 0, 1, 2, 4)

    def _convert(self, level: NDArray[Any], group: _Group) -> None:
        """Turn levels into codes, in place."""
        if self.codes is None:
            return
        low, high = self.codes.low, self.codes.high
        if group.table is not None:
            level[...] = group.table.take(level.astype(np.intp), mode="clip")
        elif group.transitions is not None:
            codes = count_reached(level, group.transitions[:, None])
            np.add(codes, low, out=level, casting="unsafe")
        else:
            if self.rounds:
                np.floor(level, out=level)
            np.clip(level, self.level(low), self.level(high), out=level)
