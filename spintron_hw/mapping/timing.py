"""Cycles: the latency of every cell, and when the beats of a first frame pass.

The cells take from here what is more than a constant; tests hold all of it against their clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, MulShift, Table, Thresholds
from spintron_ir.types import IntType

if TYPE_CHECKING:
    from .dense import DensePlan
    from .plan import Plan

__all__ = [
    "LIMB",
    "argmax_latency",
    "biased",
    "common_shift",
    "dense_output_times",
    "limbs",
    "mulshift_latency",
    "plan_latency",
    "tree_stages",
]

LIMB = 17
"""Bits of an unsigned limb: with its sign bit it fills a multiplier of 18 by 18."""

ADAPTER = CHUNKER = ADD_BIAS = NOISE = 1
FEEDER = FIFO = 2

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


def requantise_latency(layer: Dense, acc: IntType) -> int:
    """Cycles through the requantiser of a layer."""
    rq = layer.requantise
    if isinstance(rq, MulShift):
        return mulshift_latency(acc, rq, layer.bias)
    if isinstance(rq, Table):
        return mulshift_latency(acc, rq.code, layer.bias) + 1
    if isinstance(rq, Thresholds):
        return 2 * rq.thresholds.shape[1].bit_length() - 1
    return ADD_BIAS


def converter_latency(layer: Dense) -> int:
    """Cycles through noise and converters."""
    cycles = 0 if layer.noise is None else NOISE
    if layer.adc is not None:
        cycles += 2 if layer.adc.bits > 1 and int(layer.adc.gain.max()) > 1 else 1
    return cycles


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


def dense_output_times(plan: DensePlan, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cycle of each output beat of a first frame of a dense layer."""
    layer, start = plan.layer, int(times[-1])
    behind = converter_latency(layer)
    if plan.body == "unrolled":
        widen = ADAPTER if plan.i_lanes != layer.rows else 0
        read = start + widen + CHUNKER + layer.chunks - 1
        read += unrolled_tile_latency(plan.row_parallel, plan.group_size, layer.dac_bits)
        behind += accumulator_latency(layer, layer.groups * plan.repeats)
        done = np.array([read + behind])
    else:
        words = plan.reads // plan.passes
        last = start + FEEDER + words * np.arange(1, plan.passes + 1) - 1
        behind += folded_tile_latency(plan.row_parallel, layer.dac_bits)
        behind += accumulator_latency(layer, 1)
        done = last + behind
    if plan.col_parallel != plan.o_lanes:
        each = -(-plan.col_parallel // plan.o_lanes)
        done = paced(np.repeat(done + ADAPTER, each)[: plan.o_beats])
    return done + requantise_latency(layer, plan.ranges.acc.type)


def plan_latency(plan: Plan) -> int:
    """Cycles from the first input beat of a first frame to the last output beat, inclusive."""
    times: dict[str, NDArray[np.int64]] = {}
    for port in plan.network.inputs:
        beats = -(-int(np.prod(port.shape)) // plan.edges[port.name].lanes)
        times[port.name] = np.arange(beats)
    for node in plan.network.nodes:
        source = node.inputs[0]
        arrive = _adapted(times[source], plan, source, node.name)
        times[node.name] = plan.layers[node.name].output_times(arrive)
    ends = [
        int(times[output.node][-1]) + (FIFO if plan.edges[output.node].depth else 0)
        for output in plan.network.outputs
    ]
    return 1 + max(ends)


def _adapted(times: NDArray[np.int64], plan: Plan, source: str, node: str) -> NDArray[np.int64]:
    """Times behind the width adapter between two layers, where there is one."""
    layer = plan.layers[node]
    i_lanes, o_lanes = plan.edges[source].lanes, layer.i_lanes
    if i_lanes == o_lanes or plan.is_wire(node):
        return times
    length = int(np.prod(layer.layer.in_shape))
    beats = np.arange(-(-length // o_lanes))
    last = np.minimum((beats + 1) * o_lanes, length) - 1  # the element that completes each beat
    return paced(times[last // i_lanes] + ADAPTER)


def paced(ready: NDArray[np.int64]) -> NDArray[np.int64]:
    """Times of beats that go one a cycle, none before it is ready.

    >>> paced(np.array([3, 3, 9])).tolist()
    [3, 4, 9]
    """
    beats = np.arange(len(ready))
    return np.maximum.accumulate(ready - beats) + beats
