"""What the kernel of bit reads is given of layers: matrices, converters, noise and lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Adc, Dense
from spintron_ir.prng import BLOCK_LANES

from .bit_kernel import LANES, ROWS, SEGMENT
from .requantise import Requantise

__all__ = ["Converters", "Line", "Matrix", "ReadNoise", "words_of"]


class Matrix(NamedTuple):
    """Matrices of chips.

    Attributes
    ----------
    rows : int16 array of shape ``(chips, parts, blocks of columns, 4 * words, LANES)``
        Weights; row groups are filled up with zeros to whole words.
    segments : uint64 array of shape ``(m + 1,)``
        Where words are cut, at the ends of row groups and after SEGMENT words at the latest.
    ends : bool array of shape ``(m,)``
        Whether a row group ends with a segment.
    places : uint32 array of shape ``(words,)``
        Where the table of each word starts, among those of its segment.
    signed : bool
        Whether the last bit of an input counts below 0.
    """

    rows: NDArray[np.int16]
    segments: NDArray[np.uint64]
    ends: NDArray[np.bool_]
    places: NDArray[np.uint32]
    signed: bool

    @classmethod
    def of(cls, layers: Sequence[Dense]) -> Matrix:
        """Pack the matrices of layers."""
        layer = layers[0]
        parts, blocks = layer.slices * layer.converters, -(-layer.cols // LANES)
        words = words_of(layer)
        first = np.cumsum([0, *words])
        rows = np.zeros((len(layers), parts, first[-1] * ROWS, blocks * LANES), dtype=np.int16)
        for chip, each in enumerate(layers):
            weights = each.weights.reshape(parts, layer.rows, layer.cols)
            for word, (start, stop) in zip(first * ROWS, layer.row_groups, strict=False):
                rows[chip, :, word : word + stop - start, : layer.cols] = weights[:, start:stop]
        split = rows.reshape(len(layers), parts, -1, blocks, LANES).swapaxes(2, 3)
        cuts = [range(0, count, SEGMENT) for count in words]
        places = [start + cut for start, some in zip(first, cuts, strict=False) for cut in some]
        segments = np.array([*places, first[-1]], dtype=np.uint64)
        ends = np.array([cut == some[-1] for some in cuts for cut in some])
        tables = np.concatenate([np.arange(count) % SEGMENT for count in words])
        tables = (tables * (LANES << ROWS)).astype(np.uint32)
        return cls(np.ascontiguousarray(split), segments, ends, tables, layer.input.signed)

    def some(self, chips: slice) -> Matrix:
        """Those of some chips."""
        return self._replace(rows=self.rows[chips])


class Converters(NamedTuple):
    """Converters of chips: a level's code is ``floor(step * x + offset)``, within limits.

    The ``x`` is the level, or the number of transition levels that it reached.

    Attributes
    ----------
    steps, offsets : float32 arrays of shape ``(chips, parts, groups, columns)``
        The line.
    low, high : float32
        The limits.
    scales : float32 array of shape ``(parts, bits)``
        What a code counts.
    transitions : int16 array of shape ``(chips, parts, groups, blocks of columns, n, LANES)``
        Transition levels, none below the one before; :math:`n = 0` for linear converters.
    """

    steps: NDArray[np.float32]
    offsets: NDArray[np.float32]
    low: np.float32
    high: np.float32
    scales: NDArray[np.float32]
    transitions: NDArray[np.int16]

    @classmethod
    def of(cls, layers: Sequence[Dense]) -> Converters:
        """Pack the converters of layers."""
        layer, adcs = layers[0], [each.adc for each in layers if each.adc is not None]
        kind, curved = adcs[0].type, adcs[0].transitions is not None

        def line(adc: Adc, each: Dense) -> tuple[NDArray[Any], NDArray[Any]]:
            gain, offset = adc.at(each)
            if curved:
                return gain, np.full_like(offset, kind.low)
            half = (1 << adc.shift) >> 1
            return gain * 2.0**-adc.shift, (offset + half) * 2.0**-adc.shift

        lines = zip(*(line(*pair) for pair in zip(adcs, layers, strict=True)), strict=True)
        steps, offsets = (_by_column(values, layer).astype(np.float32) for values in lines)
        places = [shift + np.arange(layer.chunks) for shift in layer.slice_shift]
        signs = np.array(layer.signs)[:, None]
        scales = np.concatenate([signs << place for place in places]).astype(np.float32)
        shape = *steps.shape[:3], steps.shape[3] // LANES
        transitions = np.zeros((*shape, 0, LANES), dtype=np.int16)
        if curved:
            found = [adc.transitions_at(each) for adc, each in zip(adcs, layers, strict=True)]
            levels = [np.moveaxis(each, -1, 0) for each in found if each is not None]
            limits = np.iinfo(np.int16)
            table = _by_column([np.clip(each, limits.min, limits.max) for each in levels], layer)
            split = table.reshape(len(layers), -1, *shape[1:], LANES)
            transitions = np.ascontiguousarray(np.moveaxis(split, 1, 4), dtype=np.int16)
        return cls(steps, offsets, np.float32(kind.low), np.float32(kind.high), scales, transitions)

    def some(self, chips: slice) -> Converters:
        """Those of some chips."""
        steps, offsets = self.steps[chips], self.offsets[chips]
        return self._replace(steps=steps, offsets=offsets, transitions=self.transitions[chips])


class ReadNoise(NamedTuple):
    """Read noise of chips.

    Attributes
    ----------
    seeds : uint32 array of shape ``(chips, 2)``
        Seeds, the low word first.
    amplitudes : int32 array of shape ``(chips, parts, groups, columns)``
        As of :class:`spintron_ir.Noise`; no columns where there is no noise.
    blocks : int
        Blocks of four columns that each converter draws words for.
    first : uint32
        Number of the first vector.
    """

    seeds: NDArray[np.uint32]
    amplitudes: NDArray[np.int32]
    blocks: int
    first: np.uint32

    @classmethod
    def of(cls, layers: Sequence[Dense]) -> ReadNoise:
        """Pack the noise of layers."""
        layer = layers[0]
        found = [each.noise for each in layers if each.noise is not None]
        words = [(noise.seed & 0xFFFFFFFF, noise.seed >> 32) for noise in found]
        seeds = np.array(words, dtype=np.uint32).reshape(-1, 2)
        amplitudes = np.zeros((len(layers), 1, 1, 0), dtype=np.int32)
        if found:
            every = [noise.at(each) for noise, each in zip(found, layers, strict=True)]
            amplitudes = _by_column(every, layer).astype(np.int32)
        return cls(seeds, amplitudes, -(-layer.cols // BLOCK_LANES), np.uint32(0))

    def some(self, chips: slice, first: int) -> ReadNoise:
        """That of some chips, from a vector on."""
        seeds, amplitudes = self.seeds[chips], self.amplitudes[chips]
        return self._replace(seeds=seeds, amplitudes=amplitudes, first=np.uint32(first))


class Line(NamedTuple):
    """Requantisers of chips, ``floor(slope * acc + offset)`` within limits.

    Attributes
    ----------
    slopes, offsets : float32 arrays of shape ``(chips, columns)``
        The line; no columns where accumulators are wanted.
    low, high : float32
        The limits.
    """

    slopes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    low: np.float32
    high: np.float32

    @classmethod
    def of(cls, chips: int, requantise: Requantise | None) -> Line:
        """Pack the lines of a requantiser, if it has any."""
        if requantise is None or requantise.way != "line":
            none = np.zeros((chips, 0), dtype=np.float32)
            return cls(none, none, np.float32(0), np.float32(0))
        line = (requantise.slope, requantise.offset)
        slopes, offsets = (part.expand(chips, 1, -1, 1).reshape(chips, -1).numpy() for part in line)
        return cls(slopes, offsets, np.float32(requantise.low), np.float32(requantise.high))

    def some(self, chips: slice) -> Line:
        """Those of some chips."""
        return self._replace(slopes=self.slopes[chips], offsets=self.offsets[chips])


def words_of(layer: Dense) -> list[int]:
    """Words of each row group."""
    return [-(-(stop - start) // ROWS) for start, stop in layer.row_groups]


def _by_column(values: Sequence[NDArray[Any]], layer: Dense) -> NDArray[Any]:
    """Values ``(..., groups, slices, converters, cols)`` of chips as those of all parts.

    That is ``(chips, ..., parts, groups, columns)``; columns are filled up with zeros to whole
    lanes.
    """
    every = np.stack([*values])
    lead = every.shape[:-4]
    parted = every.reshape(*lead, layer.groups, -1, layer.cols).swapaxes(-3, -2)
    found = np.zeros((*parted.shape[:-1], -(-layer.cols // LANES) * LANES), dtype=parted.dtype)
    found[..., : layer.cols] = parted
    return found
