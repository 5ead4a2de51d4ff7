"""Cycles: the latency of every cell.

The cells take from here what is more than a constant; tests hold all of it against their clocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, MulShift, Table, TFLite, Thresholds
from spintron_ir.requantise import Requantiser
from spintron_ir.types import IntType

__all__ = [
    "ADAPTER",
    "CHUNKER",
    "CONCAT",
    "FEEDER",
    "FIFO",
    "FIFO_AT_SPEED",
    "LIMB",
    "LINE_BUFFER",
    "POOL",
    "accumulator_latency",
    "argmax_latency",
    "biased",
    "common_shift",
    "converter_latency",
    "folded_tile_latency",
    "join_latency",
    "limbs",
    "mulshift_latency",
    "paced",
    "requantise_latency",
    "requantiser_latency",
    "search_latency",
    "tflite_latency",
    "tflite_multipliers",
    "tree_stages",
    "unrolled_tile_latency",
]

LIMB = 17
"""Bits of an unsigned limb: with its sign bit it fills a multiplier of 18 by 18."""

ADAPTER = CHUNKER = ADD_BIAS = CONCAT = NOISE = POOL = 1
FEEDER = FIFO = LINE_BUFFER = 2

FIFO_AT_SPEED = 3
"""Least depth at which a FIFO passes a beat every cycle."""


def tree_stages(count: int) -> int:
    """Registers in a tree that reduces :py:`count` values: one after every two levels.

    >>> [tree_stages(count) for count in (1, 2, 4, 5, 16, 17)]
    [0, 1, 1, 2, 2, 3]
    """
    stages = 0
    while count > 1:
        count, stages = -(-count // 4), stages + 1
    return stages


def limbs(type_: IntType) -> int:
    """Parts that a factor is cut into so that each fits a multiplier."""
    return max(1, -(-(type_.bits - type_.signed) // LIMB))


def argmax_latency(lanes: int) -> int:
    """Cycles from the last beat of a vector to its index."""
    return tree_stages(lanes) + 1


def common_shift(requantise: MulShift) -> tuple[list[int], int]:
    """Multipliers that give the same results when all are shifted by the same, and that shift."""
    pairs = []
    for multiplier, shift in zip(
        requantise.multiplier.tolist(), requantise.shift.tolist(), strict=True
    ):
        while multiplier % 2 == 0 and shift:
            multiplier, shift = multiplier // 2, shift - 1
        pairs.append((multiplier, shift))
    most = max(shift for _, shift in pairs)
    return [multiplier << (most - shift) for multiplier, shift in pairs], most


def biased(acc: IntType, bias: NDArray[np.integer]) -> IntType:
    """Type of an accumulator of type :py:`acc` with its bias."""
    return IntType.of_range(acc.low + min(0, int(bias.min())), acc.high + max(0, int(bias.max())))


def mulshift_latency(acc: IntType, requantise: MulShift, bias: NDArray[np.integer]) -> int:
    """Cycles through a :class:`~spintron_hw.cells.requantise_mulshift.RequantiseMulShift`."""
    multipliers, _ = common_shift(requantise)
    wide = IntType.of_range(min(multipliers), max(multipliers))
    return 3 + tree_stages(limbs(biased(acc, bias)) * limbs(wide))


def tflite_multipliers(requantise: TFLite) -> list[int]:
    """Multipliers that shift left too: no bit is lost, so the product is the same."""
    return (requantise.multiplier.astype(np.int64) << requantise.left).tolist()


def tflite_latency(acc: IntType, requantise: TFLite, bias: NDArray[np.integer]) -> int:
    """Cycles through a :class:`~spintron_hw.cells.requantise_tflite.RequantiseTFLite`."""
    multipliers, right = tflite_multipliers(requantise), requantise.right
    wide = IntType.of_range(min(multipliers), max(multipliers))
    align = bool(right.min() != right.max())
    return 4 + align + tree_stages(limbs(biased(acc, bias)) * limbs(wide))


def search_latency(count: int) -> int:
    """Cycles of a binary search of :py:`count` thresholds: a read and a comparison a bit.

    The first comparison needs no read.
    """
    return 2 * count.bit_length() - 1


def join_latency(mode: str, terms: Sequence[IntType]) -> int:
    """Cycles through a :class:`~spintron_hw.cells.join.StreamJoin` of terms of these types."""
    if mode == "product":
        return 3 + tree_stages(math.prod(limbs(type_) for type_ in terms))
    return 1 + max(1, tree_stages(len(terms)))


def requantise_latency(layer: Dense, acc: IntType) -> int:
    """Cycles through the requantiser of a dense layer."""
    return requantiser_latency(layer.requantise, acc, layer.bias)


def requantiser_latency(
    requantise: Requantiser | None, acc: IntType, bias: NDArray[np.integer]
) -> int:
    """Cycles through the cell of a requantiser, or through an adder of the bias."""
    if isinstance(requantise, MulShift):
        return mulshift_latency(acc, requantise, bias)
    if isinstance(requantise, TFLite):
        return tflite_latency(acc, requantise, bias)
    if isinstance(requantise, Table):
        return mulshift_latency(acc, requantise.code, bias) + 1
    if isinstance(requantise, Thresholds):
        return search_latency(requantise.thresholds.shape[1])
    return ADD_BIAS


def converter_latency(layer: Dense) -> int:
    """Cycles through noise and converters."""
    cycles = 0 if layer.noise is None else NOISE
    if layer.adc is None:
        return cycles
    if layer.adc.transitions is not None:
        return cycles + search_latency(layer.adc.transitions.shape[-1])
    return cycles + (2 if layer.adc.bits > 1 and int(layer.adc.gain.max()) > 1 else 1)


def accumulator_latency(layer: Dense, terms: int) -> int:
    """Cycles from the last code of a vector to its sum."""
    places = layer.chunks if terms > 1 else layer.chunks * len(set(layer.slice_shift))
    return tree_stages(terms) + (places > 1) + 1


def unrolled_tile_latency(rows: int, group_size: int, dac_bits: int) -> int:
    """Cycles through an :class:`~spintron_hw.cells.unrolled_tile.UnrolledTile`."""
    return 1 + max(1, tree_stages(-(-rows // group_size)) + tree_stages(dac_bits))


def folded_tile_latency(row_parallel: int, dac_bits: int) -> int:
    """Cycles from the last word of a read to its currents."""
    return 3 + tree_stages(row_parallel) + tree_stages(dac_bits)


def paced(ready: NDArray[np.int64]) -> NDArray[np.int64]:
    """Times of beats that go one a cycle, none before it is ready.

    >>> paced(np.array([3, 3, 9])).tolist()
    [3, 4, 9]
    """
    beats = np.arange(len(ready))
    return np.maximum.accumulate(ready - beats) + beats
