"""A dense layer on hardware: which tile holds what, in which order, and what that yields."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Dense, IntType, arith, prng
from spintron_ir.errors import ParameterError, check_choice, check_int
from spintron_ir.ranges import DenseRanges, dense_ranges

from . import timing
from .memo import once_each
from .words import folded_words

__all__ = ["BODIES", "DensePlan", "Gate"]

BODIES = ("unrolled", "folded")
"""How a tile is built: fixed tables read at once, or codes in block RAM read in steps."""

_ranges = once_each(dense_ranges)


class Gate:
    """When a dense layer takes one vector after the other, while its output is taken at once.

    Parameters
    ----------
    folded : bool
        A :class:`~spintron_hw.cells.row_feeder.RowFeeder` holds two vectors; otherwise an
        :class:`~spintron_hw.cells.input_chunker.InputChunker` holds one.
    widen : bool
        An adapter before it holds another.
    reads : int
        Cycles in which the array is read for a vector.

    Attributes
    ----------
    open : int
        Cycle from which on the next vector is taken.
    """

    def __init__(self, folded: bool, widen: bool, reads: int):
        self.folded, self.widen, self.reads = folded, widen, reads
        self.open, self._free = 0, 0
        self._next_open = 0

    def take(self, last: int) -> int:
        """Cycle in which the array is first read for a vector whose last beat came in :py:`last`.

        Of the cells named above this is the cycle in which the feeder offers the first word, or
        the chunker takes the vector.
        """
        if self.folded:
            start = max(last + timing.FEEDER, self._free)
            self._free = start + self.reads
            self.open, self._next_open = self._next_open, self._free - 1
            return start
        start = max(last + self.widen, self._free)
        self._free = start + self.reads
        self.open = start if self.widen else self._free
        return start


@dataclass(frozen=True, eq=False, kw_only=True)
class DensePlan:
    """One dense layer mapped: nothing here changes a number.

    Parameters
    ----------
    node : str
        Name of the node.
    layer : Dense
        What it computes.
    body : str
        ``unrolled`` or ``folded``.
    i_lanes, o_lanes : int
        Elements a beat of the input and of the output stream.
    row_parallel, col_parallel : int
        Rows and columns of codes read in a cycle. Unrolled: those of a whole tile.
    group_size : int
        Rows that share a lookup table, in the unrolled body.
    bank_bits : int
        Width of a block RAM, in the folded body.
    """

    node: str
    layer: Dense
    body: str
    i_lanes: int
    o_lanes: int
    row_parallel: int
    col_parallel: int
    group_size: int
    bank_bits: int

    def __post_init__(self) -> None:
        check_choice("DensePlan", "body", self.body, BODIES)
        check_int("DensePlan", "i_lanes", self.i_lanes, 1, self.layer.inputs)
        check_int("DensePlan", "o_lanes", self.o_lanes, 1, self.layer.cols)
        check_int("DensePlan", "row_parallel", self.row_parallel, 1, 1 << 16)
        folded = self.body == "folded"
        cols = self.layer.block_cols if folded else self.layer.cols
        check_int("DensePlan", "col_parallel", self.col_parallel, 1, cols)
        if folded and self.blocks > 1 and cols % self.o_lanes:
            raise ParameterError(
                f"DensePlan: o_lanes must divide the {cols} columns of a block, not be "
                f"{self.o_lanes}"
            )
        for name, lanes, length in (
            ("i_lanes", self.i_lanes, self.layer.inputs),
            ("o_lanes", self.o_lanes, self.layer.cols),
        ):
            if length % lanes and self.positions > 1:
                raise ParameterError(
                    f"DensePlan: {name} must divide {length}, so that every position begins with a "
                    f"beat, not {lanes}"
                )

    @property
    def positions(self) -> int:
        """Vectors of a frame."""
        return self.layer.positions or 1

    @property
    def groups(self) -> tuple[int, ...]:
        """Rows of each row group."""
        return tuple(stop - start for start, stop in self.layer.row_groups)

    @property
    def repeats(self) -> int:
        """Converters that read the same row group one after the other: slices times converters."""
        return self.layer.slices * self.layer.converters

    @property
    def blocks(self) -> int:
        """Blocks of the matrix: 1 where every column sees every input."""
        return self.layer.blocks or 1

    @property
    def block_passes(self) -> int:
        """Passes of one block, each of which sees the inputs of the block again."""
        return -(-self.layer.block_cols // self.col_parallel)

    @property
    def passes(self) -> int:
        """Passes of all blocks, each over some neighbouring columns."""
        return self.blocks * self.block_passes if self.body == "folded" else 1

    @property
    def pass_cols(self) -> tuple[slice, ...]:
        """Columns of each pass of a folded body, by their number in the layer."""
        size, step = self.layer.block_cols, self.col_parallel
        return tuple(
            slice(block + start, block + min(start + step, size))
            for block in range(0, self.layer.cols, size)
            for start in range(0, size, step)
        )

    @property
    def steps(self) -> int:
        """Code words of one read of all row groups."""
        return sum(-(-size // self.row_parallel) for size in self.groups)

    @cached_property
    def ranges(self) -> DenseRanges:
        """Intervals of every wire; in a folded tile, for all codes that can be written to it."""
        return _ranges(self.layer, self.body == "folded")

    @property
    def code_type(self) -> IntType:
        """Type of a stored code: the difference of two devices, or one device's code."""
        return IntType(self.layer.cell_bits + 1, signed=True)

    @cached_property
    def words(self) -> NDArray[np.int64]:
        """Contents of the code memory: ``(words, row_parallel, col_parallel)`` in address order."""
        weights = self.layer.weights.reshape(self.repeats, self.layer.rows, self.layer.cols)
        padded = self._padded(weights, 2, 0)
        return folded_words(padded, self.groups, self.row_parallel, self.col_parallel)

    def _padded(self, values: NDArray[Any], axis: int, fill: ArrayLike) -> NDArray[np.int64]:
        """Values with whole passes for each block on the axis of the columns."""
        before, after = values.shape[:axis], values.shape[axis + 1 :]
        wide = (self.blocks, self.block_passes * self.col_parallel)
        padded = np.full((*before, *wide, *after), fill, dtype=np.int64)
        inside = (*(slice(None),) * (axis + 1), slice(self.layer.block_cols))
        padded[inside] = values.reshape(*before, self.blocks, -1, *after)
        return padded.reshape(*before, math.prod(wide), *after)

    @property
    def i_beats(self) -> int:
        """Beats of an input vector."""
        return -(-self.layer.inputs // self.i_lanes)

    @property
    def o_beats(self) -> int:
        """Beats of an output vector."""
        return -(-self.layer.cols // self.o_lanes)

    @property
    def reads(self) -> int:
        """Cycles in which the array is read for one vector."""
        if self.body == "unrolled":
            return self.layer.chunks
        return self.passes * self.steps * self.repeats * self.layer.chunks

    @property
    def interval(self) -> int:
        """Least number of cycles between frames."""
        return self.positions * self.pace

    @property
    def pace(self) -> int:
        """Least number of cycles between vectors."""
        return max(self.i_beats, self.reads, self.o_beats)

    def gate(self) -> Gate:
        """When it takes vectors: a new reckoning, from a first vector on."""
        widen = self.body == "unrolled" and self.i_lanes != self.layer.inputs
        return Gate(self.body == "folded", widen, self.reads)

    def scheduled(self, values: NDArray[Any], fill: ArrayLike = 0) -> NDArray[np.int64]:
        """Values of converters ``(groups, slices, converters, cols, ...)`` in the order of reads.

        Returns
        -------
        ndarray of shape ``(steps, lanes, ...)``
            Unrolled: one step with all converters side by side. Folded: a step for each pass,
            group and repeat, with :py:`fill` in lanes past the last column of a block.
        """
        inner = values.shape[4:]
        if self.body == "unrolled":
            return values.reshape(1, -1, *inner)
        passes = self._padded(values, 3, fill).reshape(-1, self.passes, self.col_parallel, *inner)
        return np.moveaxis(passes, 1, 0).reshape(-1, self.col_parallel, *inner)

    def output_times(self, times: NDArray[np.int64], gate: Gate | None = None) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat.

        Of a later frame, where :py:`gate` knows of those before.
        """
        layer, gate = self.layer, gate or self.gate()
        arrived = times.reshape(self.positions, -1)[:, -1].tolist()
        start = np.array([gate.take(last) for last in arrived])[:, None]
        behind = timing.converter_latency(layer)
        if self.body == "unrolled":
            read = start + timing.CHUNKER + layer.chunks - 1
            read += timing.unrolled_tile_latency(self.row_parallel, self.group_size, layer.dac_bits)
            behind += timing.accumulator_latency(layer, layer.groups * self.repeats)
            done = read + behind
        else:
            words = self.reads // self.passes
            last = start + words * np.arange(1, self.passes + 1) - 1
            behind += timing.folded_tile_latency(self.row_parallel, layer.dac_bits)
            behind += timing.accumulator_latency(layer, 1)
            done = last + behind
        if self.col_parallel != self.o_lanes:
            each = -(-self.col_parallel // self.o_lanes)
            done = np.repeat(done + timing.ADAPTER, each, axis=1)
            blocks = self.passes // self.block_passes  # one in an unrolled body
            done = done.reshape(-1, done.shape[1] // blocks)[:, : self.o_beats // blocks]
        done = timing.paced(done.reshape(-1))
        return done + timing.requantise_latency(layer, self.ranges.acc.type)

    def run(self, x: NDArray[np.int64], first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, length)``, computed read by read in the order of the hardware."""
        frames = len(x)
        x, first_frame = x.reshape(-1, self.layer.inputs), first_frame * self.positions % (1 << 32)
        chunks = arith.chunks(
            x,
            bits=self.layer.input.bits,
            signed=self.layer.input.signed,
            dac_bits=self.layer.dac_bits,
        )
        acc = np.zeros((len(x), self.layer.cols), dtype=np.int64)
        address = 0
        for cols in self.pass_cols:
            inputs = cols.start // self.layer.block_cols * self.layer.rows
            for group, (first, stop) in enumerate(self.layer.row_groups):
                for repeat in range(self.repeats):
                    size = -(-(stop - first) // self.row_parallel)
                    words = self.words[address : address + size]
                    address += size
                    matrix = words.reshape(-1, self.col_parallel)[: stop - first]
                    own = chunks[:, :, inputs + first : inputs + stop]
                    current = own @ matrix[:, : cols.stop - cols.start]
                    acc[:, cols] += self._converted(current, group, repeat, cols, first_frame)
        total = acc + self.layer.bias
        if self.layer.requantise is not None:
            total = self.layer.requantise.run(total)
        return total.reshape(frames, -1)

    def _converted(
        self, level: NDArray[np.int64], k: int, repeat: int, cols: slice, first_frame: int
    ) -> NDArray[np.int64]:
        """What one converter block adds, for currents of shape ``(chunks, batch, columns)``."""
        layer, adc = self.layer, self.layer.adc
        s, d = divmod(repeat, layer.converters)
        if layer.noise is not None:
            words = prng.noise_words(
                layer.noise.seed,
                frame=first_frame + np.arange(level.shape[1])[None, :],
                read=np.arange(layer.chunks)[:, None],
                converters=np.array(k * self.repeats + repeat),
                cols=layer.cols,
            )
            level = level + arith.noise_value(words, layer.noise.at(layer)[k, s, d])[..., cols]
        if adc is not None:
            where = (k, s, d, cols)
            if adc.bits == 1:
                level = arith.sense(level, adc.thresholds(layer)[where], adc.signed)
            else:
                level = adc.run(level, layer, where)
        place = layer.slice_shift[s] + layer.dac_bits * np.arange(layer.chunks)[:, None, None]
        return layer.signs[d] * (level << place).sum(axis=0)
