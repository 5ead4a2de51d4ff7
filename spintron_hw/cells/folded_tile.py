"""A crossbar tile with its codes in block RAM, read a few rows and columns at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_bool, check_int
from spintron_ir.types import IntType

from ..checks import check_table
from ..contents import StoredWords
from ..loops import Loop, by_index, nest
from ..mapping.timing import tree_stages
from ..mapping.words import Banks
from ..pipeline import Pipeline
from ..stream import chunk, chunk_values, vector
from ..terms import Columns, Term, registered, signed_type, tree_stage

__all__ = ["FoldedTile"]


class FoldedTile(wiring.Component):
    """The column currents of a layer, one read of a few columns and one row group after another.

    Each word of chunks from a :class:`~spintron_hw.cells.row_feeder.RowFeeder` meets the word of
    codes of the same rows; their products are summed over the rows of the word, and over the words
    (steps) of a row group. The order is that of the feeder: pass, row group, repeat, chunk, step;
    every chunk reads the same codes again. Products are made bit by bit in logic, never in DSP
    blocks, so that a tile costs the same on every target. For the layout of the codes see
    :func:`~spintron_hw.mapping.words.folded_words` and :class:`~spintron_hw.mapping.words.Banks`.

    Timing
    ------
    One word each cycle. Currents are offered ``3 + tree_stages(row_parallel) +
    tree_stages(dac_bits)`` cycles (:attr:`latency`) after the last word of their row group was
    taken: memory, products of single bits, adder trees with a register after every two levels, and
    the sum over the steps. They wait while the next ones are summed; :py:`i` stalls only where
    those are complete too. A vector takes
    ``len(words) * chunks`` words (:attr:`interval`, in cycles). Each write stalls the tile in the
    cycle after it was taken; the words that are taken from then on see it, and no others.

    Parameters
    ----------
    words : array of int, shape ``(words, row_parallel, col_parallel)``
        Codes at the start, in address order.
    code_width : int, 1..16
        Bits of a code, which is signed.
    groups : sequence of int, 1..65536
        Rows of each row group.
    repeats : int, 1..65536
        Converters that read each group one after the other.
    passes : int, 1..65536
        Column blocks.
    chunks : int, 1..32
        Chunks of an input.
    dac_bits : int, 1..16
        Bits of a chunk.
    bank_bits : int, 1..65536
        Width of a block RAM. A bank is at most that wide, but holds at least one code.
    signed : bool
        Whether ``negative`` of a chunk is ever 1. Where false it is ignored, which saves logic.

    Members
    -------
    i : In(stream.Signature(chunk(row_parallel, dac_bits)))
        Words of chunks.
    o : Out(stream.Signature(vector(type, col_parallel)))
        Currents, one beat each pass, group, repeat and chunk.
    w : In(stream.Signature(StructLayout({"bank", "address", "data"})))
        Writes of codes at run time, always ready: :py:`data` replaces what :py:`bank` holds at
        :py:`address`.

    Attributes
    ----------
    type : IntType
        The narrowest signed type that holds every current, whatever codes are written.
    banks : Banks
        Where each code of a word lies.
    row_parallel, col_parallel : int
        Rows and columns in a word.
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range, or the number of words does not fit the others.
    """

    def __init__(
        self,
        *,
        words: ArrayLike,
        code_width: int,
        groups: Sequence[int],
        repeats: int,
        passes: int,
        chunks: int,
        dac_bits: int,
        bank_bits: int = 36,
        signed: bool = True,
    ):
        self.code_width = check_int("FoldedTile", "code_width", code_width, 1, 16)
        code = IntType(self.code_width, signed=True)
        self.words = check_table("FoldedTile", "words", words, code.low, code.high, (None,) * 3)
        self.groups = tuple(check_int("FoldedTile", "groups", size, 1, 1 << 16) for size in groups)
        self.repeats = check_int("FoldedTile", "repeats", repeats, 1, 1 << 16)
        self.passes = check_int("FoldedTile", "passes", passes, 1, 1 << 16)
        self.chunks = check_int("FoldedTile", "chunks", chunks, 1, 32)
        self.dac_bits = check_int("FoldedTile", "dac_bits", dac_bits, 1, 16)
        self.signed = check_bool("FoldedTile", "signed", signed)
        depth, self.row_parallel, self.col_parallel = self.words.shape
        self.steps = tuple(-(-size // self.row_parallel) for size in self.groups)
        if depth != self.passes * self.repeats * sum(self.steps):
            raise ParameterError(
                f"FoldedTile: words must be passes * repeats * steps = {self.passes} * "
                f"{self.repeats} * {sum(self.steps)} in number, not {depth}; lay them out with "
                "folded_words"
            )
        self.banks = Banks(
            code_width=self.code_width,
            bank_bits=bank_bits,
            row_parallel=self.row_parallel,
            col_parallel=self.col_parallel,
        )
        self._tree = tree_stages(self.row_parallel)
        self.latency = 3 + self._tree + tree_stages(self.dac_bits)
        self.interval = depth * self.chunks

        least, most = -(self.signed << self.dac_bits - 1), (1 << self.dac_bits) - 1
        products = [a * b for a in (least, most) for b in (code.low, code.high)]
        rows = max(self.groups)
        self.type = signed_type(rows * min(products), rows * max(products))
        write = {
            "bank": range(self.banks.count),
            "address": range(depth),
            "data": unsigned(self.banks.width),
        }
        super().__init__(
            {
                "i": In(stream.Signature(chunk(self.row_parallel, self.dac_bits))),
                "o": Out(stream.Signature(vector(self.type, self.col_parallel))),
                "w": In(stream.Signature(data.StructLayout(write))),
            }
        )

    def compute(self, words: list[dict[str, Any]]) -> NDArray[np.int64]:
        """Currents for whole vectors of :py:`words`, payloads of :py:`i`; nothing is written.

        Returns
        -------
        array of int64, shape ``(beats, col_parallel)``
        """
        if not self.signed:
            words = [word | {"negative": 0} for word in words]
        values = chunk_values(words, self.dac_bits)
        order = [steps for steps in self.steps for _ in range(self.repeats)] * self.passes
        sums, taken = [], 0
        while taken < len(values):
            address = 0
            for steps in order:
                for _ in range(self.chunks):
                    codes = self.words[address : address + steps]
                    sums.append(np.einsum("sr,src->c", values[taken : taken + steps], codes))
                    taken += steps
                address += steps
        return np.array(sums)

    def elaborate(self, platform: Any) -> Module:
        m = Module()

        first, last = Signal(), Signal()
        pipe = _ReadPipeline(m, self.i, self.o, self.latency, first, last)
        address, ends = self._addresses(m, pipe.taken[0])
        codes = self._memory(m, pipe, address)
        marks = pipe.register(Cat(self.i.payload.negative, ends), "marks")
        chunks = pipe.register(self.i.payload.bits, "chunks")
        columns = registered(pipe, self._products(codes, chunks))
        marks = pipe.register(marks, "marks")
        for stage in range(self.latency - 2):
            columns = tree_stage(columns, stage, self._tree, marks[0] if self.signed else None)
            if stage > 0:
                columns = registered(pipe, columns)
                marks = pipe.register(marks, "marks")
        m.d.comb += Cat(first, last).eq(marks[1:])

        for col, [[term]] in enumerate(columns):
            total = term.value
            if max(self.steps) > 1:
                partial = Signal.like(self.o.payload[col], name=f"partial_{col}")
                total = total + Mux(first, 0, partial)
                with m.If(pipe.taken[-1]):
                    m.d.sync += partial.eq(total)
            pipe.finish(self.o.payload[col], total)

        return m

    def _addresses(self, m: Module, advance: Value) -> tuple[Signal, Value]:
        """Address of the next word, and whether the word is the first and the last of its read."""
        group = Loop(m, "group", len(self.groups))
        step = Loop(m, "step", by_index(m, group.index, self.steps, "steps"), max(self.steps))
        read = Loop(m, "read", self.chunks)
        repeat = Loop(m, "repeat", self.repeats)
        again = Loop(m, "again", self.passes)
        done = nest(m, advance, [step, read, repeat, group, again])

        address, base = Signal(range(len(self.words))), Signal(range(len(self.words)))
        with m.If(done):
            m.d.sync += [address.eq(0), base.eq(0)]
        with m.Elif(repeat.advance):
            m.d.sync += [address.eq(address + 1), base.eq(address + 1)]
        with m.Elif(read.advance):
            m.d.sync += address.eq(base)
        with m.Elif(step.advance):
            m.d.sync += address.eq(address + 1)
        return address, Cat(step.index == 0, step.last)

    def _memory(self, m: Module, pipe: Pipeline, address: Signal) -> list[list[Value]]:
        """The banks; returns the codes of a word, row by row, 1 cycle after its address."""
        write, writes = Signal.like(self.w.payload), Signal()
        m.d.comb += self.w.ready.eq(1)
        m.d.sync += [write.eq(self.w.payload), writes.eq(self.w.valid)]
        with m.If(writes):  # no read meets a write, which spares logic around the block RAM
            m.d.comb += pipe.enable.eq(0)

        ports = []
        for n, contents in enumerate(self.banks.contents(self.words)):
            bank = StoredWords(shape=unsigned(self.banks.width), contents=contents, writes=True)
            m.submodules[f"bank_{n}"] = bank
            m.d.comb += [
                bank.w_addr.eq(write.address),
                bank.w_data.eq(write.data),
                bank.w_en.eq(writes & (write.bank == n)),
                bank.addr.eq(address),
                bank.en.eq(pipe.enable),
            ]
            ports.append(bank)

        codes = []
        for row in range(self.row_parallel):
            places = [self.banks.place(row, col) for col in range(self.col_parallel)]
            codes.append([ports[n].data[at : at + self.code_width].as_signed() for n, at in places])
        return codes

    def _products(self, codes: list[list[Value]], chunks: Value) -> Columns:
        """Each code where a bit of its row's chunk is set; the trees weight the bits."""
        code = IntType(self.code_width, signed=True)
        columns: Columns = [[[] for _ in range(self.dac_bits)] for _ in range(self.col_parallel)]
        for row, values in enumerate(codes):
            for planes, value in zip(columns, values, strict=True):
                for plane, terms in enumerate(planes):
                    bit = chunks[row * self.dac_bits + plane]
                    terms.append(Term(Mux(bit, value, 0), code.low, code.high))
        return columns


class _ReadPipeline(Pipeline):
    """A pipeline whose last register gathers as many beats as are marked."""

    def __init__(
        self,
        m: Module,
        i: stream.Interface,
        o: stream.Interface,
        stages: int,
        first: Value,
        last: Value,
    ):
        self._marks = first, last
        super().__init__(m, i, o, stages)

    def _count(self, beats: int) -> tuple[Value, Value]:
        return self._marks
