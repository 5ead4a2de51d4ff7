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

Pair = tuple[NDArray[np.int64], NDArray[np.int64]]


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


def _hull(*pairs: Pair) -> Interval:
    return Interval(
        min(int(low.min()) for low, _ in pairs), max(int(high.max()) for _, high in pairs)
    )


def _chunk_intervals(layer: Dense) -> list[Interval]:
    """Interval of each chunk, the lowest first."""
    left = layer.input.bits - layer.dac_bits * (layer.chunks - 1)
    below = Interval(0, (1 << layer.dac_bits) - 1)
    top = Interval(0, (1 << left) - 1)
    if layer.input.signed:
        top = Interval(-(1 << (left - 1)), (1 << (left - 1)) - 1)
    return [below] * (layer.chunks - 1) + [top]


def _sums(layer: Dense, any_codes: bool) -> Pair:
    """Sum of the positive and of the negative weights of every converter, four axes each."""
    if any_codes:
        limit = (1 << layer.cell_bits) - 1
        sizes = np.array([stop - start for start, stop in layer.row_groups])
        full = np.broadcast_to(
            sizes[:, None, None, None], (layer.groups, layer.slices, layer.converters, layer.cols)
        )
        return full * limit, full * ~limit
    weights = layer.weights.astype(np.int64)
    starts = [start for start, _ in layer.row_groups]
    parts = (np.maximum(weights, 0), np.minimum(weights, 0))
    positive, negative = (np.add.reduceat(part, starts, axis=2) for part in parts)
    return np.moveaxis(positive, 2, 0), np.moveaxis(negative, 2, 0)


def dense_ranges(layer: Dense, any_codes: bool = False) -> DenseRanges:
    """Intervals of every wire of :py:`layer`, each the hull over all its columns and reads.

    Currents are exact: some input reaches each end. Later intervals are safe, and as tight as
    treating the reads of a column as independent allows. With :py:`any_codes` they hold for all
    signed codes of :py:`cell_bits + 1` bits: for arrays that are written at run time.
    """
    positive, negative = _sums(layer, any_codes)
    intervals = _chunk_intervals(layer)
    noise: NDArray[np.int64] | int = 0
    if layer.noise is not None:
        noise = arith.round_shift(arith.NOISE_BOUND * layer.noise.at(layer), arith.NOISE_SHIFT)
    signs = np.array(layer.signs)[:, None]
    weights = np.array([1 << shift for shift in layer.slice_shift])[:, None, None]
    zero = np.zeros(layer.cols, dtype=np.int64)
    names = ("current", "level", "product", "scaled", "code")
    wires: dict[str, list[Pair]] = {name: [] for name in names}
    final, partial = (zero, zero), (zero, zero)
    for p, chunk in enumerate(intervals):
        low = negative * chunk.high + positive * chunk.low
        high = positive * chunk.high + negative * chunk.low
        level = low - noise, high + noise
        pairs = (low, high), level, *_digitize(layer, level)
        for name, pair in zip(names, pairs):
            wires[name].append(pair)
        ends = [end * signs * weights << (layer.dac_bits * p) for end in pairs[-1]]
        term = np.minimum(*ends), np.maximum(*ends)
        axes = (0, 1, 2)
        final = final[0] + term[0].sum(axes), final[1] + term[1].sum(axes)
        partial = (
            partial[0] + np.minimum(term[0], 0).sum(axes),
            partial[1] + np.maximum(term[1], 0).sum(axes),
        )
    total = _hull((final[0] + layer.bias, final[1] + layer.bias))
    requantised = layer.requantise
    out = total if requantised is None else Interval(requantised.type.low, requantised.type.high)
    return DenseRanges(
        chunk=_hull(*((np.array(part.low), np.array(part.high)) for part in intervals)),
        **{name: _hull(*pairs) for name, pairs in wires.items()},
        acc=_hull(partial),
        total=total,
        out=out,
    )


def _digitize(layer: Dense, level: Pair) -> tuple[Pair, Pair, Pair]:
    """Product, what is rounded, and code at both ends: a converter never falls."""
    adc = layer.adc
    if adc is None:
        return level, level, level
    gain, offset = adc.at(layer)
    product = level[0] * gain, level[1] * gain
    scaled = product[0] + offset, product[1] + offset + ((1 << adc.shift) >> 1)
    return product, scaled, (adc.run(level[0], layer), adc.run(level[1], layer))
