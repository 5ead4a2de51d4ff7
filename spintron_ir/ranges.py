"""Interval analysis: the least safe width of every wire of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import arith
from .types import Interval

if TYPE_CHECKING:
    from .layers.dense import Dense

__all__ = ["DenseRanges", "dense_ranges"]

Pair = tuple[NDArray[np.int64], NDArray[np.int64]] | NDArray[np.int64]


@dataclass(frozen=True)
class DenseRanges:
    """Intervals that no value of a dense layer can leave, whatever the input.

    Attributes
    ----------
    chunk : Interval
        Input chunks.
    current : Interval
        Column currents, before noise.
    level : Interval
        Column currents with noise.
    product : Interval
        Level times the gain of its converter.
    scaled : Interval
        What a converter rounds: the product plus offset, with half a step.
    code : Interval
        Codes of the converters.
    acc : Interval
        The accumulator without the bias, every partial sum included.
    total : Interval
        Accumulator plus bias.
    out : Interval
        Outputs.
    """

    chunk: Interval
    current: Interval
    level: Interval
    product: Interval
    scaled: Interval
    code: Interval
    acc: Interval
    total: Interval
    out: Interval

    @property
    def bound(self) -> int:
        """Largest magnitude on any wire before the requantiser."""
        wires = (self.current, self.level, self.product, self.scaled, self.acc)
        return max(wire.bound for wire in wires)


def _hull(ends: Pair) -> Interval:
    return Interval(int(ends[0].min()), int(ends[1].max()))


def _chunk_ends(layer: Dense) -> NDArray[np.int64]:
    """Low and high end of each chunk, the lowest first, with four axes behind."""
    ends = np.zeros((2, layer.chunks, 1, 1, 1, 1), dtype=np.int64)
    top = (1 << (layer.input.bits - layer.dac_bits * (layer.chunks - 1))) >> layer.input.signed
    ends[1] = (1 << layer.dac_bits) - 1
    ends[:, -1] = np.reshape((-top * layer.input.signed, top - 1), (2, 1, 1, 1, 1))
    return ends


def _sums(layer: Dense, any_codes: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum of the positive and of the negative weights of every converter, four axes each."""
    if any_codes:
        limit = (1 << layer.cell_bits) - 1
        sizes = np.array([stop - start for start, stop in layer.row_groups])
        full = np.broadcast_to(
            sizes[:, None, None, None], (layer.groups, layer.slices, layer.converters, layer.cols)
        )
        return full * limit, full * ~limit
    starts = [start for start, _ in layer.row_groups]
    parts = (np.maximum(layer.weights, 0), np.minimum(layer.weights, 0))  # sums of 28 bits
    positive, negative = (np.add.reduceat(part, starts, axis=2).astype(np.int64) for part in parts)
    return np.moveaxis(positive, 2, 0), np.moveaxis(negative, 2, 0)


def dense_ranges(layer: Dense, any_codes: bool = False) -> DenseRanges:
    """Intervals of every wire of :py:`layer`, each the hull over all its columns and reads.

    Currents are exact: some input reaches each end. Later intervals are safe, and as tight as
    treating the reads of a column as independent allows. With :py:`any_codes` they hold for all
    signed codes of :py:`cell_bits + 1` bits: for arrays that are written at run time.
    """
    positive, negative = _sums(layer, any_codes)
    chunk = _chunk_ends(layer)
    current = level = negative * chunk[::-1] + positive * chunk
    if layer.noise is not None:
        noise = arith.round_shift(arith.NOISE_BOUND * layer.noise.at(layer), arith.NOISE_SHIFT)
        level = current + np.stack([-noise, noise])[:, None]
    product, scaled, code = _digitize(layer, level)
    order = np.arange(layer.chunks).reshape(-1, 1, 1, 1, 1)
    places = np.array(layer.slice_shift)[:, None, None] + layer.dac_bits * order
    ends = code * np.array(layer.signs)[:, None] << places
    low, high, axes = ends.min(axis=0), ends.max(axis=0), (0, 1, 2, 3)
    acc = np.minimum(low, 0).sum(axes), np.maximum(high, 0).sum(axes)
    total = _hull((low.sum(axes) + layer.bias, high.sum(axes) + layer.bias))
    requantised = layer.requantise
    out = total if requantised is None else Interval(requantised.type.low, requantised.type.high)
    wires = {"current": current, "level": level, "product": product, "scaled": scaled, "code": code}
    return DenseRanges(
        chunk=_hull(chunk),
        **{name: _hull(wire) for name, wire in wires.items()},
        acc=_hull(acc),
        total=total,
        out=out,
    )


def _digitize(layer: Dense, level: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Product, what is rounded, and code at both ends: a converter never falls."""
    adc = layer.adc
    if adc is None:
        return level, level, level
    gain, offset = adc.at(layer)
    product = level * gain
    scaled = product + offset
    scaled[1] += (1 << adc.shift) >> 1
    return product, scaled, adc.run(level, layer)
