"""The rows of an image that lie under a kernel, read out window by window."""

from typing import Any

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory, ReadPort
from amaranth.lib.wiring import In, Out
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Window
from spintron_ir.errors import ParameterError

from ..loops import Loop, nest
from ..mapping.timing import LINE_BUFFER
from ..mapping.window import WindowPlan
from ..stream import vector

__all__ = ["LineBuffer"]


class LineBuffer(wiring.Component):
    """Takes images value by value and gives the values under a kernel at each of its positions.

    It holds only the rows that the kernel reaches over, in a ring of memory whose words are
    beats. A word gives way once no position to come needs it; the next image follows in the same
    ring.

    Timing
    ------
    An element is offered :attr:`latency` = 2 cycles after its beat was taken, or as soon as all
    elements before it are through; padding is offered as the first element of the image is. From
    there on a beat is offered in each cycle in which its elements are there. Beats are taken in
    each cycle until :attr:`WindowPlan.capacity <spintron_hw.mapping.window.WindowPlan.capacity>`
    words are held; words that a position was the last to need give way 1 cycle after its last beat
    was read, which is the cycle in which that beat is offered. All of this makes images follow each
    other every :attr:`interval` cycles. Ready of :py:`i` never depends on ready of :py:`o` in the
    same cycle.

    Parameters
    ----------
    window : Window
        The layer: sizes of image and kernel, type, padding.
    lanes : int, 1..channels of a group
        Channels in a beat. Must divide the number of channels of a group.

    Members
    -------
    i : In(stream.Signature(vector(window.type, lanes)))
        Images: rows, in each the columns, in each the channels.
    o : Out(stream.Signature(vector(window.type, lanes)))
        Windows: positions, in each the groups, the rows of the kernel, its columns, the channels.

    Attributes
    ----------
    latency, interval : int, cycles
        See Timing.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """

    latency = LINE_BUFFER

    def __init__(self, *, window: Window, lanes: int):
        if not isinstance(window, Window):
            raise ParameterError(f"LineBuffer: window must be a Window, not {window!r}")
        self.window, self.lanes = window, lanes
        self.plan = WindowPlan(node="window", layer=window, i_lanes=lanes, o_lanes=lanes)
        shape = vector(window.type, lanes)
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    @property
    def interval(self) -> int:
        """Cycles between images at full speed."""
        return self.plan.interval

    def compute(self, beats: ArrayLike) -> NDArray[np.int64]:
        """Beats of all windows of whole images, beats of shape ``(beats, lanes)``."""
        images = np.asarray(beats).reshape(-1, *self.window.in_shape)
        return self.window.run(images).reshape(-1, self.lanes)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        size = self.plan.i_beats
        m.submodules.rows = rows = Memory(
            shape=vector(self.window.type, self.lanes), depth=self.plan.depth, init=[]
        )
        store, fetch = rows.write_port(), rows.read_port()

        count, ahead = Signal(range(size)), Signal(signed(2))  # images written but not yet read
        move, done, base = Signal(), Signal(), Signal(range(size))
        held = count + Mux(ahead == 1, size, Mux(ahead == 0, 0, -size)) - base
        m.d.comb += self.i.ready.eq(held < self.plan.capacity)

        taken = self.i.valid & self.i.ready
        complete = taken & (count == size - 1)
        m.d.comb += [store.en.eq(taken), store.data.eq(self.i.payload)]
        with m.If(taken):
            m.d.sync += [
                store.addr.eq(store.addr + 1),
                count.eq(Mux(count == size - 1, 0, count + 1)),
            ]
        m.d.sync += ahead.eq(ahead + complete - done)

        place, inside = Signal(range(size)), Signal()
        there = (ahead == 1) | ((ahead == 0) & (place < count))
        m.d.comb += move.eq(~self.o.valid | self.o.ready)
        m.d.comb += fetch.en.eq(there & move)
        self._walk(m, fetch, place, inside, base, done)

        padding = Signal()
        with m.If(move):
            m.d.sync += [self.o.valid.eq(there), padding.eq(~inside)]
        for lane, value in enumerate(self.o.payload):
            pad = Const(self.window.pad_value, Value.cast(value).shape())
            m.d.comb += value.eq(Mux(padding, pad, fetch.data[lane]))
        return m

    def _walk(
        self, m: Module, fetch: ReadPort, place: Signal, inside: Signal, base: Signal, done: Signal
    ) -> None:
        """Go through all windows, a word for each read: where it lies, and what still is needed.

        Rows, columns and words are counted from the first of the image, with numbers below 0 and
        above its size in the padding: each step adds a constant.
        """
        window, (height, width, channels) = self.window, self.window.in_shape
        counts = {
            "word": channels // window.groups // self.lanes,
            "kernel_col": window.kernel[1],
            "kernel_row": window.kernel[0],
            "group": window.groups,
            "col": window.grid[1],
            "row": window.grid[0],
        }
        loops = [Loop(m, name, count) for name, count in counts.items()]
        m.d.comb += done.eq(nest(m, fetch.en, loops))

        lasts = [count - 1 for count in counts.values()]
        first, end = self._at(*[0] * len(lasts)), self._at(*lasts)
        y, x, word = (
            Signal(Const(low).shape() if low == high else range(low, high + 1), init=low, name=name)
            for name, low, high in zip(("y", "x", "at"), first, end, strict=True)
        )
        address = Signal(len(fetch.addr), init=first[2] % self.plan.depth)
        steps = [(done, [a - b for a, b in zip(first, end, strict=True)], self.plan.i_beats)]
        for index in reversed(range(len(lasts))):
            after, before = [0] * len(lasts), [*lasts[:index], *[0] * (len(lasts) - index)]
            after[index] = 1
            delta = [a - b for a, b in zip(self._at(*after), self._at(*before), strict=True)]
            steps.append((loops[index].advance, delta, 0))
        for number, (condition, delta, more) in enumerate(steps):
            with m.If(condition) if number == 0 else m.Elif(condition):
                m.d.sync += [
                    *(part.eq(part + d) for part, d in zip((y, x, word), delta, strict=True)),
                    address.eq(address + delta[2] + more),
                ]
        m.d.comb += fetch.addr.eq(address)
        m.d.comb += inside.eq((y >= 0) & (y < height) & (x >= 0) & (x < width))
        m.d.comb += place.eq(Mux(inside, word, 0))
        self._give_way(m, base, loops[-2].advance, loops[-1].advance)

    def _at(
        self, word: int, kernel_col: int, kernel_row: int, group: int, col: int, row: int
    ) -> list[int]:
        """Row and column of the image, and word, that the walk reads at these counters."""
        window = self.window
        y = row * window.stride[0] + kernel_row * window.dilation[0] - window.padding[0]
        x = col * window.stride[1] + kernel_col * window.dilation[1] - window.padding[1]
        words = window.in_shape[2] // self.lanes
        at = (y * window.in_shape[1] + x) * words + group * (words // window.groups) + word
        return [y, x, at]

    def _give_way(self, m: Module, base: Signal, next_col: Value, next_row: Value) -> None:
        """The first word that the position being read, or a later one, needs."""
        window, words = self.window, self.window.in_shape[2] // self.lanes
        height, width = window.in_shape[0], window.in_shape[1] * words
        rows, cols = (count - 1 for count in window.grid)
        top_step, left_step = window.stride[0] * width, window.stride[1] * words
        top_first, left_first = -window.padding[0] * width, -window.padding[1] * words
        top = Signal(range(top_first, top_first + rows * top_step + 2), init=top_first)
        left = Signal(range(left_first, left_first + cols * left_step + 2), init=left_first)
        row_ends, col_ends = Signal(), Signal()
        m.d.comb += [
            row_ends.eq(top == top_first + rows * top_step),
            col_ends.eq(left == left_first + cols * left_step),
        ]
        with m.If(next_col):
            m.d.sync += left.eq(Mux(col_ends, left_first, left + left_step))
        with m.If(next_row):
            m.d.sync += top.eq(Mux(row_ends, top_first, top + top_step))
        beyond = Mux(left < 0, 0, Mux(left > width - 1, width - 1, left))
        with m.If(top >= height * width):
            m.d.comb += base.eq(height * width - 1)
        with m.Elif(top >= 0):
            m.d.comb += base.eq(top + beyond)
