"""A first estimate of resources, in milliseconds and without synthesis.

Rules of thumb for four- and six-input tables, fitted to what Yosys reports for ECP5 over the sizes
in ``docs/estimates.md``; the error there is part of the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Adc, IntType, MulShift, Table, TFLite, Thresholds
from spintron_ir.prng import BLOCK_LANES
from spintron_ir.requantise import Requantiser

from .dense import DensePlan
from .gather import GatherPlan, nest_of, steps_of
from .join import ConcatPlan, JoinPlan, constant_period
from .memo import once_each
from .simple import ArgmaxPlan, CellPlan, PoolPlan, QuantisePlan, WirePlan
from .target import Target
from .timing import LIMB
from .vectors import TopKPlan
from .window import WindowPlan

__all__ = ["Resources", "estimate", "estimate_fifo", "estimate_layer"]

LUT_RAM_WORDS = 32
"""Memories of at most this depth go to look-up tables rather than block RAM."""

ROM_BITS = 3000
"""Tables of constants of at most this many bits go to look-up tables: Yosys' line for ECP5."""

SMALL_RAM_BITS = 1024
"""Memories of at most this many bits go to look-up tables, whatever their depth."""

HOST_LINK = (900, 900, 3)
"""LUTs, flip-flops and block RAMs of the link to the host."""


@dataclass(frozen=True)
class Resources:
    """Resources of a target, used or available.

    Attributes
    ----------
    luts, ffs, brams, dsps : int
        Look-up tables, flip-flops, block RAMs and multipliers.
    """

    luts: int = 0
    ffs: int = 0
    brams: int = 0
    dsps: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.luts + other.luts,
            self.ffs + other.ffs,
            self.brams + other.brams,
            self.dsps + other.dsps,
        )

    def within(self, target: Target, share: float = 1.0) -> bool:
        """Whether all of it fits on a share of :py:`target`."""
        return max(self.shares(target)) <= share

    def shares(self, target: Target) -> tuple[float, float, float, float]:
        """Parts of the look-up tables, flip-flops, block RAMs and multipliers of a target."""
        return (
            self.luts / target.luts,
            self.ffs / target.ffs,
            self.brams / (target.brams or 1 / 2),
            self.dsps / (target.dsps or 1 / 2),
        )


def estimate(layers: Iterable[object], target: Target) -> Resources:
    """Resources of the plans of all layers, and of the host link."""
    total = Resources(*HOST_LINK)
    for layer in layers:
        total += estimate_layer(layer, target)
    if target.ff_takes_lut:  # about half of them stand alone
        total += Resources(luts=total.ffs // 2)
    return total


def estimate_layer(plan: object, target: Target) -> Resources:
    """Resources of one layer's plan."""
    if isinstance(plan, WindowPlan):
        return _window(plan, target)
    if isinstance(plan, PoolPlan):
        ring = plan.layer.channels * plan.layer.type.bits
        joined = plan.i_lanes * plan.layer.type.bits
        return Resources(20 + 3 * joined, 8 + ring + joined)
    if isinstance(plan, JoinPlan):
        return _join(plan, target)
    if isinstance(plan, ConcatPlan):
        bits, inputs = plan.layer.type.bits * plan.i_lanes, len(plan.layer.inputs)
        return Resources(30 + bits * inputs // 2 + 3 * inputs, 20 + bits)
    if isinstance(plan, GatherPlan):
        return _gather(plan, target)
    if isinstance(plan, QuantisePlan):
        rq, lanes = plan.layer.requantise, plan.i_lanes
        cols = constant_period(rq.cols, plan.length, lanes)
        return _requantise(rq, cols, lanes, plan.layer.input.bits, target)
    if isinstance(plan, DensePlan):
        return _dense(plan, target)
    return _of_vectors(plan, target)


def _dense(plan: DensePlan, target: Target) -> Resources:
    ranges, layer = plan.ranges, plan.layer
    level, acc = ranges.level.type.bits, ranges.acc.type.bits
    if plan.body == "unrolled":
        array, lanes = _unrolled(plan, target), layer.groups * plan.repeats * layer.cols
    else:
        array, lanes = _folded(plan, target), plan.col_parallel
    code = ranges.code.type.bits
    converters = _converters(plan, lanes, level, target)
    luts = (lanes + plan.col_parallel) * (acc if lanes > plan.col_parallel else 2 * acc)
    ffs = lanes * code + 2 * plan.col_parallel * acc
    logic = Resources(luts, ffs) + _noise(plan, lanes) + _requantiser(plan, acc, target)
    return array + converters + logic


def _of_vectors(plan: Any, target: Target) -> Resources:
    """Layers that look at whole vectors; for a cell from outside, its inputs and outputs twice."""
    layer = plan.layer
    if isinstance(plan, WirePlan):
        return Resources()
    if isinstance(plan, CellPlan):
        bits = sum(
            math.prod(shape) * type_.bits
            for shape, type_ in (*layer.in_ports, (layer.shape, layer.type))
        )
        return Resources(2 * bits, 2 * bits)
    value, result = layer.input.bits, layer.type.bits
    place = (layer.in_shape[-1] - 1).bit_length()
    if isinstance(plan, ArgmaxPlan):
        lanes = plan.i_lanes
        kept = value + 2 * place + 5 if plan.interval > 1 else 0
        comparisons = lanes - (not kept)
        ffs = -(-(lanes - 1) // 3) * (value + 2) + kept + place
        return Resources(20 + comparisons * (4 * value + 2 * place), ffs)
    if isinstance(plan, TopKPlan):
        values = layer.values
        luts = 5 * value // 2 + 7 * result + values * value
        ffs = value + 1 + result + (not values) * place
        return Resources(20 + layer.k * luts, layer.k * ffs + place + layer.k.bit_length())
    stored = _memory(plan.length, value, target)
    table = Resources(brams=_ram(target, 1 << value, 31))
    return stored + table + Resources(1150, 300 + 2 * (place + value) + result, dsps=8)


def _memory(depth: int, width: int, target: Target) -> Resources:
    """A memory of one write and one read port; with the multiplexers of look-up tables."""
    if target.lut_ram and depth * width <= SMALL_RAM_BITS:
        return Resources(luts=-(-width // 4) * -(-depth // 16) * 12)
    return Resources(brams=_ram(target, depth, width))


def estimate_fifo(depth: int, width: int, target: Target) -> Resources:
    """Resources of a FIFO of so many words; none where there is none."""
    if not depth:
        return Resources()
    counter = depth.bit_length()
    logic = Resources(26 + 9 * counter, 8 + 4 * counter)
    if target.lut_ram and depth * width <= SMALL_RAM_BITS:
        return logic + Resources(luts=-(-width // 4) * -(-depth // 16) * 4)
    return logic + Resources(brams=_ram(target, depth, width))


def _gather(plan: GatherPlan, target: Target) -> Resources:
    if plan.body == "wires":
        return Resources()
    words, index = plan.block
    bits, padded = plan.layer.type.bits * plan.i_lanes, bool(index.min() < 0)
    if plan.body == "stream":
        runs = steps_of(index, words)
        counter = int(runs[:, 4].max()).bit_length()
        logic = Resources(12 + 3 * counter + bits * padded, 8 + counter + bits * (1 + padded))
        return logic + _table(runs, 4 + counter, target)
    place = (words - 1).bit_length()
    loops = None if padded else nest_of(index)
    logic = Resources(55 + 3 * place + bits + 12 * len(loops or ()), 20 + 3 * place + 2 * bits)
    memory = Resources(brams=_ram(target, 2 * words, bits))
    if target.lut_ram and 2 * words * bits <= SMALL_RAM_BITS:
        memory = Resources(luts=-(-bits // 4) * -(-words // 8) * 4)
    if loops is None:
        memory += _table(index, place + padded + 1, target)
    return logic + memory


def _table(rows: NDArray[np.int64], width: int, target: Target) -> Resources:
    """A table of constants that are read in turn, a word ahead; logic where few rows differ."""
    if len(rows) == 1:
        return Resources()
    if len(rows) * width > ROM_BITS:
        return Resources(brams=_ram(target, len(rows), width))
    kinds = min(width, (len(np.unique(rows, axis=0)) - 1).bit_length())
    luts = kinds * -(-len(rows) >> target.lut_inputs) * 5 // 4
    return Resources(luts + width // 2, width // 2)


def _join(plan: JoinPlan, target: Target) -> Resources:
    layer, lanes = plan.layer, plan.i_lanes
    length, acc = math.prod(layer.in_shape), layer.total.type.bits
    total = Resources(10 + 3 * len(layer.inputs))
    for term, type_ in zip(plan.terms, layer.inputs, strict=True):
        bits = term.type.bits
        held = Resources(ffs=lanes * bits)
        if term.table is None:
            total += held
            wide = bool((abs(term.multiplier) != 1).any() or len(term.multiplier) > 1)
            total += Resources(luts=lanes * bits * bool(term.offset.any()), dsps=lanes * wide)
            continue
        rows = constant_period(len(term.table), length, lanes) // lanes
        words = rows << type_.bits
        if words * bits > ROM_BITS:
            total += Resources(brams=lanes * _ram(target, words, bits))
        else:
            tables = lanes * bits * -(-words >> target.lut_inputs) * 5 // 4
            total += held + Resources(luts=tables)
    if layer.mode == "product":
        total += Resources(ffs=2 * lanes * acc, dsps=lanes)
    else:
        count = len(layer.inputs)
        total += Resources(lanes * acc * (count - 1), lanes * acc * (1 + (count - 1) // 4))
    if layer.requantise is None:
        return total
    cols = constant_period(layer.requantise.cols, length, lanes)
    return total + _requantise(layer.requantise, cols, lanes, acc, target)


def _window(plan: WindowPlan, target: Target) -> Resources:
    bits, counter = plan.layer.type.bits * plan.i_lanes, plan.i_beats.bit_length()
    logic = Resources(70 + 20 * counter + 2 * bits, 30 + 6 * counter + 2 * bits)
    if target.lut_ram and plan.depth * bits <= SMALL_RAM_BITS:
        return logic + Resources(luts=-(-bits // 4) * -(-plan.depth // 16) * 4)
    return logic + Resources(brams=_ram(target, plan.depth, bits))


def _ram(target: Target, words: int, width: int) -> int:
    """Block RAMs of one memory, in the form of a block that takes the least."""
    narrow, depth = target.bram_width, target.bram_bits // target.bram_width
    counts = []
    while narrow:
        counts.append(-(-width // narrow) * -(-words // depth))
        narrow, depth = narrow // 2, depth * 2
    return min(counts)


def _unrolled(plan: DensePlan, target: Target) -> Resources:
    layer, bits = plan.layer, plan.ranges.current.type.bits
    groups = -(-layer.tile_rows // plan.group_size)
    tables = groups * layer.dac_bits * layer.cols * plan.repeats * layer.groups
    wide = 1 if plan.group_size <= target.lut_inputs else 1 << (plan.group_size - target.lut_inputs)
    table_bits = layer.cell_bits + 2
    luts = tables * (table_bits * wide + bits)
    return Resources(luts, tables * table_bits * 5 // 4 + layer.inputs * layer.input.bits * 2)


def _folded(plan: DensePlan, target: Target) -> Resources:
    layer = plan.layer
    products = plan.row_parallel * plan.col_parallel
    width = plan.code_type.bits
    current = plan.ranges.current.type.bits
    words = plan.passes * plan.steps * plan.repeats
    luts = products * layer.dac_bits * 2 * (width + 1)  # a gate and an adder a bit
    luts += plan.col_parallel * current * 2 + plan.row_parallel * layer.input.bits * 2 + 150
    ffs = products * layer.dac_bits * (width + (width + 2) // 3)
    ffs += plan.col_parallel * current * 3 + plan.row_parallel * layer.input.bits * 3 + 100
    shallow = LUT_RAM_WORDS if target.lut_ram else 0
    each = min(max(1, plan.bank_bits // width), products)
    memory = Resources()
    if words <= shallow:
        luts += -(-products // each) * each * width * -(-words // 16) // 2
    else:
        banks, left = divmod(products, each)
        brams = banks * _ram(target, words, each * width)
        memory += Resources(brams=brams + (_ram(target, words, left * width) if left else 0))
    feed_bits = plan.row_parallel * layer.input.bits
    depth = 2 * plan.steps * plan.blocks
    if depth <= shallow:
        luts += feed_bits * -(-depth // 16)
    else:
        memory += Resources(brams=_ram(target, depth, feed_bits))
    return Resources(luts, ffs) + memory


def _blocks(target: Target, words: int, width: int) -> int:
    """Block RAMs of one memory no wider than a block."""
    depth = target.bram_bits // target.bram_width
    return max(1, -(-words // depth)) if width else 0


def _converters(plan: DensePlan, lanes: int, level: int, target: Target) -> Resources:
    adc = plan.layer.adc
    if adc is None:
        return Resources()
    if adc.bits == 1:
        return Resources(lanes * level)
    if adc.transitions is None:
        dsps = lanes if int(adc.gain.max()) > 1 else 0
        return Resources(lanes * (2 * level + 2 * adc.bits), dsps=dsps)
    luts = adc.bits * (level + 5)  # a comparison a bit
    ffs = 3 * (adc.bits - 1) * level + adc.bits * (adc.bits - 1)
    brams = 0
    roms = _roms(plan, level)
    ffs += roms[0][1] if roms[0][0] > 1 else 0  # the first word stands in a register
    for words, width in roms:
        if words * width > ROM_BITS:
            brams += _ram(target, words, width)
        elif words > 1:
            luts += width * -(-words >> target.lut_inputs) * 5 // 4
    return Resources(lanes * luts, lanes * ffs, lanes * brams)


def _roms(plan: DensePlan, level: int) -> list[tuple[int, int]]:
    """Words and bits of the tables in which one lane's transitions lie, one a bit of the code."""
    adc = plan.layer.adc
    assert adc is not None and adc.transitions is not None
    *places, cols, count = adc.transitions.shape
    agree = places == [1, 1, 1] and (cols == 1 or plan.passes == 1)
    steps = (
        1 if agree or plan.body == "unrolled" else plan.passes * plan.layer.groups * plan.repeats
    )
    return [(steps << bit, min(level, width)) for bit, width in enumerate(_rom_widths(adc))]


@once_each
def _rom_widths(adc: Adc) -> list[int]:
    """Bits of the transitions that a binary search meets, one level of it after the other."""
    assert adc.transitions is not None
    count = adc.transitions.shape[-1]
    widths = []
    for bit in range(count.bit_length()):
        step = (count + 1) >> bit
        words = adc.transitions[..., step // 2 - 1 :: step]
        widths.append(IntType.of_range(int(words.min()), int(words.max())).bits)
    return widths


def _noise(plan: DensePlan, lanes: int) -> Resources:
    """Generators of 13 rounds, 64 bits each, for four columns; then a small multiplier a lane.

    Lanes whose columns lie in the same four at every step share one.
    """
    if plan.layer.noise is None:
        return Resources()
    generators = -(-lanes // BLOCK_LANES)
    if plan.body == "folded":
        starts = np.unique(np.array([cols.start for cols in plan.pass_cols]) % BLOCK_LANES)
        blocks = (starts[:, None] + np.arange(lanes)) // BLOCK_LANES
        generators = len(np.unique(blocks, axis=1).T)
    return Resources(1200 * generators + 50 * lanes, 960 * generators + 45 * lanes, dsps=lanes)


def _requantiser(plan: DensePlan, acc: int, target: Target) -> Resources:
    return _requantise(plan.layer.requantise, plan.layer.cols, plan.o_lanes, acc, target)


def _requantise(
    rq: Requantiser | None, cols: int, lanes: int, acc: int, target: Target
) -> Resources:
    steps = -(-cols // lanes)
    rom = 0 if steps == 1 else -(-steps // 16)
    blocks = 0
    if not target.lut_ram and steps > 1:
        rom, words = 0, _words_of(rq, steps)
        wide = -(-acc * lanes // target.bram_width)
        blocks = sum(wide * _blocks(target, depth, acc) for depth in words)
    if isinstance(rq, Thresholds):
        count = rq.thresholds.shape[1]
        depth = count.bit_length()
        return Resources(lanes * acc * (2 * depth + count * rom), lanes * acc * 2 * depth, blocks)
    if isinstance(rq, TFLite):  # a multiplier of two limbs, a shifter, two roundings
        limbs = 2 * -(-acc // LIMB)
        return Resources(lanes * acc * (16 + rom), lanes * acc * 11, blocks, lanes * limbs)
    if isinstance(rq, (MulShift, Table)):
        return Resources(lanes * acc * (4 + rom), lanes * acc * 3, blocks, 2 * lanes)
    return Resources(lanes * acc * (1 + rom), lanes * acc, blocks)


def _words_of(rq: MulShift | Thresholds | Table | TFLite | None, steps: int) -> list[int]:
    """Depth of each table of constants of a requantiser."""
    if isinstance(rq, Thresholds):  # one table for each step of the search
        return [steps << level for level in range(rq.thresholds.shape[1].bit_length())]
    return [steps] if rq is None else [steps, steps]
