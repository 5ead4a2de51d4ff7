"""The digital side of the word-line drivers: an input vector as a row of chunks."""

from typing import Any

import numpy as np
from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike

from spintron_ir import arith as contract
from spintron_ir.errors import check_bool, check_int
from spintron_ir.types import IntType

from ..stream import chunk, vector

__all__ = ["InputChunker"]


class InputChunker(wiring.Component):
    """Cuts each input vector into chunks of :py:`dac_bits` bits, the lowest one first.

    A tile reads its rows once for each chunk; this cell holds the vector meanwhile. The chunks are
    those of :func:`spintron_ir.arith.chunks`.

    Timing
    ------
    The first chunk is offered 1 cycle (:attr:`latency`) after the vector was taken, the others in
    the cycles that follow. A vector every ``ceil(bits / dac_bits)`` cycles (:attr:`interval`): the
    next one is taken in the cycle in which the last chunk leaves.

    Parameters
    ----------
    rows : int, 1..65536
        Elements of the vector.
    bits : int, 1..32
        Bits of an element.
    signed : bool
        Whether elements are signed.
    dac_bits : int, 1..bits
        Bits of a chunk.

    Members
    -------
    i : In(stream.Signature(vector(IntType(bits, signed), rows)))
        Input vectors, one beat each.
    o : Out(stream.Signature(chunk(rows, dac_bits)))
        Chunks.

    Attributes
    ----------
    chunks : int
        Chunks of a vector.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = 1

    def __init__(self, *, rows: int, bits: int, signed: bool, dac_bits: int):
        self.rows = check_int("InputChunker", "rows", rows, 1, 1 << 16)
        self.bits = check_int("InputChunker", "bits", bits, 1, 32)
        self.signed = check_bool("InputChunker", "signed", signed)
        self.dac_bits = check_int("InputChunker", "dac_bits", dac_bits, 1, self.bits)
        self.chunks = -(-self.bits // self.dac_bits)
        self.interval = self.chunks
        super().__init__(
            {
                "i": In(stream.Signature(vector(IntType(self.bits, self.signed), self.rows))),
                "o": Out(stream.Signature(chunk(self.rows, self.dac_bits))),
            }
        )

    def compute(self, vectors: ArrayLike) -> list[dict[str, Any]]:
        """Payloads of :py:`o` for :py:`vectors`, shape ``(vectors, rows)``."""
        values = contract.chunks(
            vectors, bits=self.bits, signed=self.signed, dac_bits=self.dac_bits
        )
        bits = np.moveaxis(values, 0, 1) & ((1 << self.dac_bits) - 1)
        return [
            {"bits": row.tolist(), "negative": int(self.signed and p == self.chunks - 1)}
            for element in bits
            for p, row in enumerate(element)
        ]

    def elaborate(self, platform: Any) -> Module:
        m = Module()

        left = Signal(range(self.chunks))
        last = left == 0
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | (self.o.ready & last)),
            self.o.payload.negative.eq(last & self.signed),
        ]
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), left.eq(self.chunks - 1)]
        with m.Elif(self.o.ready):
            m.d.sync += left.eq(left - 1)

        move = self.i.ready | self.o.ready
        for row in range(self.rows):
            element = self.i.payload[row]
            padding = element[-1] & self.signed
            padded = Cat(element, padding.replicate(self.chunks * self.dac_bits - self.bits))
            held = Signal(len(padded), name=f"row_{row}", reset_less=True)
            m.d.comb += self.o.payload.bits[row].eq(held)
            with m.If(move):
                m.d.sync += held.eq(Mux(self.i.ready, padded, held >> self.dac_bits))

        return m
