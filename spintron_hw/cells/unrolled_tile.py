"""A crossbar tile with fixed codes, all of it read in every cycle."""

from typing import Any

import numpy as np
from amaranth import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import check_bool, check_int

from ..checks import check_table
from ..mapping.timing import tree_stages
from ..pipeline import Pipeline
from ..stream import chunk, chunk_values, vector
from ..terms import Columns, fitted, registered, signed_type, tree_stage
from .mtj_table import MTJTable

__all__ = ["UnrolledTile"]


class UnrolledTile(wiring.Component):
    """The column currents of a tile for one chunk of its inputs, by distributed arithmetic.

    A column carries the sum over all rows of chunk times code. Rows are cut into groups of
    :py:`group_size`; for each group and each bit of a chunk an :class:`MTJTable` gives the
    currents of the rows where that bit is set, and an adder tree sums them with their weights.

    Timing
    ------
    One chunk each cycle (:attr:`interval` = 1). Currents are offered ``1 + max(1,
    tree_stages(ceil(rows / group_size)) + tree_stages(dac_bits))`` cycles (:attr:`latency`) after
    their chunk was taken: the adder tree has a register after every two levels. Backpressure on
    :py:`o` stalls :py:`i` in the same cycle, once the pipeline is full up to its last register.

    Parameters
    ----------
    codes : array of int, 16 bits signed, shape ``(rows, cols)``
        Conductance codes.
    dac_bits : int, 1..16
        Bits of a chunk.
    group_size : int, 1..8
        Rows that share a table: the inputs of a LUT of the target fit best.
    signed : bool
        Whether ``negative`` of a chunk is ever 1. Where false it is ignored, which saves logic.

    Members
    -------
    i : In(stream.Signature(chunk(rows, dac_bits)))
        Chunks.
    o : Out(stream.Signature(vector(type, cols)))
        Currents, in the order of the columns.

    Attributes
    ----------
    type : IntType
        The narrowest signed type that holds every current.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Source
    ------
    A. Croisier et al., US patent 3,777,130 (1973); S. A. White, "Applications of distributed
    arithmetic to digital signal processing", IEEE ASSP Magazine 6(3), 1989.
    """

    interval = 1

    def __init__(self, *, codes: ArrayLike, dac_bits: int, group_size: int, signed: bool = True):
        self.codes = check_table("UnrolledTile", "codes", codes, -(1 << 15), (1 << 15) - 1)
        self.dac_bits = check_int("UnrolledTile", "dac_bits", dac_bits, 1, 16)
        self.group_size = check_int("UnrolledTile", "group_size", group_size, 1, 8)
        self.signed = check_bool("UnrolledTile", "signed", signed)
        self.rows, self.cols = self.codes.shape
        self._tree = tree_stages(-(-self.rows // self.group_size))
        self.latency = 1 + max(1, self._tree + tree_stages(self.dac_bits))

        least = np.minimum(self.codes, 0).sum(axis=0)
        most = np.maximum(self.codes, 0).sum(axis=0)
        high, top = (1 << self.dac_bits) - 1, 1 << self.dac_bits - 1
        low, high = int(least.min()) * high, int(most.max()) * high
        if self.signed:
            low = min(low, int((least * (top - 1) - most * top).min()))
            high = max(high, int((most * (top - 1) - least * top).max()))
        self.type = signed_type(low, high)
        super().__init__(
            {
                "i": In(stream.Signature(chunk(self.rows, self.dac_bits))),
                "o": Out(stream.Signature(vector(self.type, self.cols))),
            }
        )

    def compute(self, chunks: list[dict[str, Any]]) -> NDArray[np.int64]:
        """Currents of shape ``(beats, cols)`` for :py:`chunks`, which are payloads of :py:`i`."""
        if not self.signed:
            chunks = [beat | {"negative": 0} for beat in chunks]
        return chunk_values(chunks, self.dac_bits) @ self.codes

    def elaborate(self, platform: Any) -> Module:
        m = Module()

        pipe = Pipeline(m, self.i, self.o, self.latency)
        columns, negative = self._tables(m, pipe), None
        if self.signed:
            negative = pipe.register(self.i.payload.negative, "negative")
        columns = tree_stage(columns, 0, self._tree, negative)
        for stage in range(1, self.latency):
            if stage > 1:
                columns = registered(pipe, columns)
                negative = None if negative is None else pipe.register(negative, "negative")
            columns = tree_stage(columns, stage, self._tree, negative)
        for col, [[term]] in enumerate(columns):
            pipe.finish(self.o.payload[col], term.value)

        return m

    def _tables(self, m: Module, pipe: Pipeline) -> Columns:
        """The first stage: for each column and bit plane, the sums of all groups of rows."""
        columns: Columns = [[[] for _ in range(self.dac_bits)] for _ in range(self.cols)]
        for start in range(0, self.rows, self.group_size):
            codes = self.codes[start : start + self.group_size]
            low = np.minimum(codes, 0).sum(axis=0).tolist()
            high = np.maximum(codes, 0).sum(axis=0).tolist()
            for plane in range(self.dac_bits):
                table = MTJTable(codes=codes)
                m.submodules[f"table_{start // self.group_size}_{plane}"] = table
                rows = [self.i.payload.bits[start + n][plane] for n in range(len(codes))]
                m.d.comb += [
                    table.i.payload.eq(Cat(rows)),
                    table.i.valid.eq(pipe.taken[0]),
                    table.o.ready.eq(pipe.enable),
                ]
                for col in range(self.cols):
                    term = fitted(table.o.payload[col], low[col], high[col])
                    columns[col][plane].append(term)
        return columns
