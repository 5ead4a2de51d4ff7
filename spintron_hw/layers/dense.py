"""A dense layer: tiles, converters, accumulator and requantiser, joined by streams."""

from __future__ import annotations

from typing import Any

import numpy as np
from amaranth import Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from spintron_ir import MulShift, Table, TFLite, Thresholds
from spintron_ir.types import IntType

from ..cells.accumulator import ShiftAddAccumulator
from ..cells.add_bias import AddBias
from ..cells.column_adc import ColumnADC
from ..cells.folded_tile import FoldedTile
from ..cells.input_chunker import InputChunker
from ..cells.noise_source import NoiseSource
from ..cells.requantise_mulshift import RequantiseMulShift
from ..cells.requantise_table import RequantiseTable
from ..cells.requantise_tflite import RequantiseTFLite
from ..cells.requantise_thresholds import RequantiseThresholds
from ..cells.row_feeder import RowFeeder
from ..cells.sense_amplifier import SenseAmplifier
from ..cells.transition_adc import TransitionADC
from ..cells.unrolled_tile import UnrolledTile
from ..cells.width_adapter import StreamWidthAdapter
from ..mapping.dense import DensePlan
from ..stream import connect_streams, vector
from .chain import chain, side_by_side

__all__ = ["DenseLayer"]

REQUANTISERS = {
    MulShift: RequantiseMulShift,
    Thresholds: RequantiseThresholds,
    Table: RequantiseTable,
    TFLite: RequantiseTFLite,
}


class DenseLayer(wiring.Component):
    """The hardware of a :class:`~spintron_hw.mapping.dense.DensePlan`.

    Parameters
    ----------
    plan : DensePlan
        The layer and how it is folded.

    Members
    -------
    i : In(stream.Signature(vector(plan.layer.input, plan.i_lanes)))
        Input vectors.
    o : Out(stream.Signature(vector(plan.layer.type, plan.o_lanes)))
        Output vectors.
    w : In(stream.Signature({bank, address, data}))
        Writes of codes at run time; folded tiles only.
    """

    def __init__(self, plan: DensePlan):
        self.plan = plan
        members: dict[str, Any] = {
            "i": In(stream.Signature(vector(plan.layer.input, plan.i_lanes))),
            "o": Out(stream.Signature(vector(plan.layer.type, plan.o_lanes))),
        }
        if plan.body == "folded":
            self.tile = folded_tile(plan)
            members["w"] = self.tile.signature.members["w"]
        super().__init__(members)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        plan, layer = self.plan, self.plan.layer
        codes = self._unrolled(m) if plan.body == "unrolled" else self._folded(m)
        shifts, signs = places(plan)
        accumulator = ShiftAddAccumulator(
            code=wide_type(codes),
            lanes=plan.col_parallel,
            shifts=shifts,
            signs=signs,
            acc=plan.ranges.acc.type,
        )
        m.submodules.accumulator = accumulator
        m.d.comb += [  # the same bits: terms side by side, lanes within
            Value.cast(accumulator.i.payload).eq(Value.cast(codes.payload)),
            accumulator.i.valid.eq(codes.valid),
            codes.ready.eq(accumulator.i.ready),
        ]
        acc = plan.ranges.acc.type
        length = layer.block_cols if plan.body == "folded" else layer.cols
        cells = adapter("narrow", acc, length, plan.col_parallel, plan.o_lanes)
        result = chain(m, accumulator.o, [*cells, ("requantise", self._requantiser())])
        connect_streams(m, result, wiring.flipped(self.o))
        return m

    def _requantiser(self) -> wiring.Component:
        plan, layer = self.plan, self.plan.layer
        acc = plan.ranges.acc.type
        common: dict[str, Any] = {"acc": acc, "bias": layer.bias, "lanes": plan.o_lanes}
        if layer.requantise is None:
            return AddBias(**common, type=layer.type)
        return REQUANTISERS[type(layer.requantise)](**common, requantise=layer.requantise)

    def _folded(self, m: Module) -> Any:
        """Array read in steps, one after the other; returns the stream of codes."""
        plan, layer = self.plan, self.plan.layer
        feeder = RowFeeder(
            groups=plan.groups,
            bits=layer.input.bits,
            signed=layer.input.signed,
            dac_bits=layer.dac_bits,
            row_parallel=plan.row_parallel,
            lanes=plan.i_lanes,
            passes=plan.block_passes,
            repeats=plan.repeats,
            blocks=plan.blocks,
        )
        tile = self.tile
        m.d.comb += [
            tile.w.payload.eq(self.w.payload),
            tile.w.valid.eq(self.w.valid),
            self.w.ready.eq(tile.w.ready),
        ]
        levels = chain(m, wiring.flipped(self.i), [("feeder", feeder), ("tile", tile)])
        current = wide_type(tile.o)
        if layer.noise is not None:
            reads = layer.groups * plan.repeats
            noise = self._noise(
                current,
                [converter for _ in plan.pass_cols for converter in range(reads)],
                [cols.start for cols in plan.pass_cols for _ in range(reads)],
                plan.scheduled(layer.noise.at(layer)),
            )
            levels = chain(m, levels, [("noise", noise)])
        return chain(m, levels, self._converters(wide_type(levels)))

    def _unrolled(self, m: Module) -> Any:
        """All tiles read at once, a chunk a cycle; returns the stream of codes."""
        plan, layer = self.plan, self.plan.layer
        chunker = InputChunker(
            rows=layer.inputs,
            bits=layer.input.bits,
            signed=layer.input.signed,
            dac_bits=layer.dac_bits,
        )
        cells = adapter("widen", layer.input, layer.inputs, plan.i_lanes, layer.inputs)
        chunks = chain(m, wiring.flipped(self.i), [*cells, ("chunker", chunker)])
        tiles: list[Any] = []
        outs = []
        for group in range(layer.groups):
            for repeat in range(plan.repeats):
                index = group * plan.repeats + repeat
                out = self._blocks(m, chunks, group, repeat, tiles)
                if layer.noise is not None:
                    amplitude = layer.noise.at(layer).reshape(-1, 1, layer.cols)[index]
                    noise = self._noise(wide_type(out), [index], [0], amplitude)
                    out = chain(m, out, [(f"noise_{group}_{repeat}", noise)])
                outs.append(out)
        side_by_side(m, chunks.valid, chunks.ready, tiles)
        levels = joined(m, outs, plan.ranges.level.type, "levels")
        return chain(m, levels, self._converters(wide_type(levels)))

    def _blocks(self, m: Module, chunks: Any, group: int, repeat: int, tiles: list[Any]) -> Any:
        """Tiles of all blocks, whose inputs go to :py:`tiles`; returns the stream of currents."""
        plan, layer = self.plan, self.plan.layer
        weights = layer.weights.reshape(plan.repeats, layer.rows, plan.blocks, layer.block_cols)
        start, stop = layer.row_groups[group]
        outs = []
        for block in range(plan.blocks):
            tile = unrolled_tile(plan, weights[repeat, start:stop, block])
            name = f"tile_{group}_{repeat}" + (f"_{block}" if plan.blocks > 1 else "")
            m.submodules[name] = tile
            first = block * layer.rows + start
            m.d.comb += tile.i.p.negative.eq(chunks.p.negative)
            m.d.comb += [
                tile.i.p.bits[row].eq(chunks.p.bits[first + row]) for row in range(stop - start)
            ]
            tiles.append(tile.i)
            outs.append(tile.o)
        if len(outs) == 1:
            return outs[0]
        return joined(m, outs, plan.ranges.current.type, f"currents_{group}_{repeat}")

    def _noise(
        self,
        current: IntType,
        converters: list[int],
        first_cols: list[int],
        amplitude: NDArray[np.int64],
    ) -> NoiseSource:
        layer = self.plan.layer
        assert layer.noise is not None
        return NoiseSource(
            current=current,
            level=self.plan.ranges.level.type,
            seed=layer.noise.seed,
            cols=layer.cols,
            amplitude=amplitude,
            converter=converters,
            first_col=first_cols,
            repeat=layer.chunks,
        )

    def _converters(self, level: IntType) -> list[tuple[str, wiring.Component]]:
        """What digitizes the levels: nothing, sense amplifiers, or ADCs, linear or not."""
        plan, adc = self.plan, self.plan.layer.adc
        if adc is None:
            return []
        common: dict[str, Any] = {
            "level": level,
            "signed": adc.signed,
            "repeat": plan.layer.chunks,
        }
        if adc.bits == 1:
            threshold = plan.scheduled(adc.thresholds(plan.layer))
            return [("sense", SenseAmplifier(**common, threshold=threshold))]
        common["bits"] = adc.bits
        levels = adc.transitions_at(plan.layer)
        if levels is not None:
            # Unused lanes have levels of a used one: where all agree, they need no memory either.
            transitions = plan.scheduled(levels, fill=levels[0, 0, 0, 0])
            return [("adc", TransitionADC(**common, transitions=transitions))]
        gain, offset = adc.at(plan.layer)
        gain, offset = plan.scheduled(gain, fill=1), plan.scheduled(offset)
        return [("adc", ColumnADC(**common, shift=adc.shift, gain=gain, offset=offset))]


def wide_type(port: Any) -> IntType:
    """Type of an element of the vectors that :py:`port` carries."""
    shape = port.payload.shape().elem_shape
    return IntType(shape.width, shape.signed)


def joined(m: Module, outs: list[Any], type_: IntType, name: str) -> Any:
    """One stream of the elements of all of :py:`outs`, which run in lockstep."""
    lanes = outs[0].payload.shape().length
    whole = stream.Signature(vector(type_, lanes * len(outs))).create(path=(name,))
    for index, out in enumerate(outs):
        m.d.comb += out.ready.eq(whole.ready)
        m.d.comb += [whole.p[index * lanes + lane].eq(out.p[lane]) for lane in range(lanes)]
    m.d.comb += whole.valid.eq(outs[0].valid)
    return whole


def adapter(
    name: str, type_: IntType, length: int, i_lanes: int, o_lanes: int
) -> list[tuple[str, wiring.Component]]:
    """Return a width adapter where the lanes differ."""
    if i_lanes == o_lanes:
        return []
    cell = StreamWidthAdapter(type=type_, length=length, i_lanes=i_lanes, o_lanes=o_lanes)
    return [(name, cell)]


def folded_tile(plan: DensePlan) -> FoldedTile:
    """Return the tile of a folded plan, with its codes."""
    return FoldedTile(
        words=plan.words,
        code_width=plan.code_type.bits,
        groups=plan.groups,
        chunks=plan.layer.chunks,
        dac_bits=plan.layer.dac_bits,
        passes=plan.passes,
        repeats=plan.repeats,
        bank_bits=plan.bank_bits,
        signed=plan.layer.input.signed,
    )


def unrolled_tile(plan: DensePlan, weights: NDArray[np.int32]) -> UnrolledTile:
    """Return a tile of fixed codes, with rows of zeros where the last group is short.

    So every tile has an adder tree of the same depth, and all run in lockstep.
    """
    padded = np.zeros((plan.row_parallel, weights.shape[1]), dtype=np.int64)
    padded[: len(weights)] = weights
    return UnrolledTile(codes=padded, dac_bits=plan.layer.dac_bits, group_size=plan.group_size)


def places(plan: DensePlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Shift and sign of every code that is added, each of shape ``(beats, terms)``."""
    layer = plan.layer
    chunk = layer.dac_bits * np.arange(layer.chunks)
    terms = [
        (shift, sign)
        for _ in range(layer.groups)
        for shift in layer.slice_shift
        for sign in layer.signs
    ]
    shift, sign = (np.array(part) for part in zip(*terms, strict=True))
    shifts = shift[None, :] + chunk[:, None]
    signs = np.broadcast_to(sign, shifts.shape)
    if plan.body == "unrolled":
        return shifts, signs
    return shifts.T.reshape(-1, 1), signs.T.reshape(-1, 1)
