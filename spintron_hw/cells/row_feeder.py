"""Input buffer of a folded tile: holds a vector while the tile reads it again and again."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory, ReadPort, WritePort
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike

from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError, check_bool, check_int
from spintron_ir.types import IntType

from ..loops import Loop, by_index, nest
from ..stream import chunk, shape_of, vector

__all__ = ["RowFeeder"]


class RowFeeder(wiring.Component):
    """Stores an input vector and replays it in the order in which a folded tile needs it.

    The order, the last one fastest: block, pass, row group, repeat, chunk, step. A step is a word
    of :py:`row_parallel` rows of a group; rows that the group does not have are zero. While one
    vector is replayed the next one is loaded.

    Timing
    ------
    The first word of a vector is offered 2 cycles (:attr:`latency`) after its last beat was taken,
    or, if the words of the vector before are not through by then, directly after the last of them.
    From there on a word is offered in each cycle. Beats are taken in each cycle until two vectors
    are held; the place of a vector is free again 1 cycle after its last word was read, which is
    the cycle in which that word is offered. So a vector takes ``max(load_beats, words)`` cycles
    (:attr:`interval`).

    Parameters
    ----------
    groups : sequence of int, 1..65536
        Rows of each row group, of one block.
    bits : int, 1..32
        Bits of an input.
    signed : bool
        Whether inputs are signed.
    dac_bits : int, 1..bits
        Bits of a chunk.
    row_parallel : int, 1..65536
        Rows in a word.
    lanes : int
        Inputs in a beat. Must divide :py:`row_parallel`, and every group but the last of all.
    passes : int, 1..65536
        How often a block is replayed as a whole: its columns, :py:`col_parallel` at a time.
    repeats : int, 1..65536
        How often each group is replayed in a pass: converters that read it one after the other.
    blocks : int, 1..65536
        Parts of the vector, all with the same row groups, that are replayed one after the other.

    Members
    -------
    i : In(stream.Signature(vector(IntType(bits, signed), lanes)))
        Input vectors, in beats.
    o : Out(stream.Signature(chunk(row_parallel, dac_bits)))
        Words.

    Attributes
    ----------
    load_beats, words : int
        Beats of :py:`i` and of :py:`o` for each vector.
    chunks : int
        Chunks of an input.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range, or :py:`lanes` does not divide what it must.
    """

    latency = 2

    def __init__(
        self,
        *,
        groups: Sequence[int],
        bits: int,
        signed: bool,
        dac_bits: int,
        row_parallel: int,
        lanes: int,
        passes: int,
        repeats: int,
        blocks: int = 1,
    ):
        self.groups = tuple(check_int("RowFeeder", "groups", size, 1, 1 << 16) for size in groups)
        self.bits = check_int("RowFeeder", "bits", bits, 1, 32)
        self.signed = check_bool("RowFeeder", "signed", signed)
        self.dac_bits = check_int("RowFeeder", "dac_bits", dac_bits, 1, self.bits)
        self.row_parallel = check_int("RowFeeder", "row_parallel", row_parallel, 1, 1 << 16)
        self.lanes = check_int("RowFeeder", "lanes", lanes, 1, self.row_parallel)
        self.passes = check_int("RowFeeder", "passes", passes, 1, 1 << 16)
        self.repeats = check_int("RowFeeder", "repeats", repeats, 1, 1 << 16)
        if not self.groups:
            raise ParameterError("RowFeeder: groups must name at least one row group, not ()")
        self.blocks = check_int("RowFeeder", "blocks", blocks, 1, 1 << 16)
        full = self.groups[:-1] if self.blocks == 1 else self.groups
        if any(size % self.lanes for size in (self.row_parallel, *full)):
            but = "but the last " if self.blocks == 1 else ""
            raise ParameterError(
                f"RowFeeder: lanes must divide row_parallel {self.row_parallel} and every group "
                f"{but}of {self.groups}, which {self.lanes} does not; use fewer lanes"
            )
        self.chunks = -(-self.bits // self.dac_bits)
        self.steps = tuple(-(-size // self.row_parallel) for size in self.groups)
        self.rows = sum(self.groups)
        self.load_beats = -(-self.blocks * self.rows // self.lanes)
        self.words = self.blocks * self.passes * sum(self.steps) * self.repeats * self.chunks
        self.interval = max(self.load_beats, self.words)
        self.type = IntType(self.bits, self.signed)
        super().__init__(
            {
                "i": In(stream.Signature(vector(self.type, self.lanes))),
                "o": Out(stream.Signature(chunk(self.row_parallel, self.dac_bits))),
            }
        )

    def compute(self, beats: ArrayLike) -> list[dict[str, Any]]:
        """Words for whole vectors of :py:`beats`, shape ``(beats, lanes)``."""
        vectors = contract.as_int(beats).reshape(-1, self.load_beats * self.lanes)
        values = contract.chunks(
            vectors[:, : self.blocks * self.rows],
            bits=self.bits,
            signed=self.signed,
            dac_bits=self.dac_bits,
        )
        values = values & ((1 << self.dac_bits) - 1)
        starts = np.cumsum((0, *self.groups[:-1])).tolist()
        words = []
        for block in values.reshape(self.chunks, -1, self.rows).transpose(1, 0, 2):
            one_pass = []
            for start, size, steps in zip(starts, self.groups, self.steps, strict=True):
                rows = np.zeros((self.chunks, steps * self.row_parallel), dtype=np.int64)
                rows[:, :size] = block[:, start : start + size]
                one_pass += [
                    {"bits": word.tolist(), "negative": int(self.signed and p == self.chunks - 1)}
                    for p, read in enumerate(rows)
                    for word in read.reshape(steps, -1)
                ] * self.repeats
            words += one_pass * self.passes
        return words

    def elaborate(self, platform: Any) -> Module:
        m = Module()

        address_bits = (self.blocks * sum(self.steps) - 1).bit_length()
        word = data.ArrayLayout(shape_of(self.type), self.row_parallel)
        m.submodules.buffer = buffer = Memory(shape=word, depth=2 << address_bits, init=[])
        store, fetch = buffer.write_port(), buffer.read_port()

        full, writing, reading, active = Signal(2), Signal(), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~full.bit_select(writing, 1)),
            active.eq(full.bit_select(reading, 1)),
            store.addr[-1].eq(writing),
            fetch.addr[-1].eq(reading),
        ]
        with m.If(self._load(m, store)):
            m.d.sync += [writing.eq(~writing), full.bit_select(writing, 1).eq(1)]
        with m.If(self._replay(m, fetch, active)):
            m.d.sync += [reading.eq(~reading), full.bit_select(reading, 1).eq(0)]

        return m

    def _load(self, m: Module, store: WritePort) -> Value:
        """Gather beats into words and store them; return when a vector is complete."""
        beats = [
            -(-min(self.row_parallel, size - first) // self.lanes)
            for size in self.groups
            for first in range(0, size, self.row_parallel)
        ]
        word, block = Loop(m, "word", len(beats)), Loop(m, "block", self.blocks)
        slot = Loop(m, "slot", by_index(m, word.index, beats, "slots"), max(beats))
        taken = self.i.valid & self.i.ready
        done = nest(m, taken, [slot, word, block])

        used = self.blocks * self.rows - (self.load_beats - 1) * self.lanes
        beat = [self.i.payload[lane] for lane in range(self.lanes)]
        beat[used:] = [Mux(done, 0, element) for element in beat[used:]]
        for place in range(self.row_parallel // self.lanes):
            here = slot.index == place
            for lane, element in enumerate(beat):
                held = Signal.like(self.i.payload[lane], name=f"held_{place}_{lane}")
                row = store.data[place * self.lanes + lane]
                m.d.comb += row.eq(Mux(here, element, held))
                if place < max(beats) - 1:
                    with m.If(taken & slot.last):
                        m.d.sync += held.eq(0)
                    with m.Elif(taken & here):
                        m.d.sync += held.eq(element)
        address = word.index
        if self.blocks > 1:
            address = Signal(len(store.addr) - 1, name="word_of_all")
            with m.If(word.advance):
                m.d.sync += address.eq(Mux(done, 0, address + 1))
        m.d.comb += [store.addr[:-1].eq(address), store.en.eq(taken & slot.last)]
        return done

    def _replay(self, m: Module, fetch: ReadPort, active: Signal) -> Value:
        """Read the words of a vector in order; return when the last one is read."""
        group = Loop(m, "group", len(self.groups))
        steps = by_index(m, group.index, self.steps, "steps")
        step = Loop(m, "step", steps, max(self.steps))
        read = Loop(m, "read", self.chunks)
        repeat = Loop(m, "repeat", self.repeats)
        again = Loop(m, "again", self.passes)
        block = Loop(m, "block_read", self.blocks)
        move = ~self.o.valid | self.o.ready
        done = nest(m, active & move, [step, read, repeat, group, again, block])

        address, base = Signal(len(fetch.addr) - 1), Signal(len(fetch.addr) - 1)
        start: Value = Const(0)  # of the pass to come
        if self.blocks > 1:
            first = Signal.like(base)
            start = Mux(again.last, Mux(block.last, 0, address + 1), first)
            with m.If(block.advance):
                m.d.sync += first.eq(start)
        m.d.comb += [fetch.addr[:-1].eq(address), fetch.en.eq(active & move)]
        with m.If(again.advance):
            m.d.sync += [address.eq(start), base.eq(start)]
        with m.Elif(group.advance):
            m.d.sync += [address.eq(address + 1), base.eq(address + 1)]
        with m.Elif(read.advance):
            m.d.sync += address.eq(base)
        with m.Elif(step.advance):
            m.d.sync += address.eq(address + 1)

        chunk_index = Signal.like(read.index)
        with m.If(move):
            m.d.sync += [self.o.valid.eq(active), chunk_index.eq(read.index)]
        top = chunk_index == self.chunks - 1
        m.d.comb += self.o.payload.negative.eq(top & self.signed)
        for row in range(self.row_parallel):
            bits = self.o.payload.bits[row]
            with m.Switch(chunk_index):
                for p in range(self.chunks):
                    with m.Case(p):
                        part = fetch.data[row][p * self.dac_bits : (p + 1) * self.dac_bits]
                        m.d.comb += bits.eq(part.as_signed() if self.signed else part)
        return done
