"""Memories with long contents, which stay out of the way of what need not look at them."""

from __future__ import annotations

from typing import Any

import numpy as np
from amaranth import ClockSignal, Elaboratable, Instance, Shape, Signal, unsigned
from amaranth.hdl import MemoryData, MemoryInstance
from numpy.typing import ArrayLike, NDArray

__all__ = ["LONG", "ContentsApart", "StoredWords"]

LONG = 256
"""Words from which on contents are written apart."""

WIDEST = 62
"""Bits of a word that are written by whole arrays."""


class ContentsApart:
    """Takes the place of a platform where Verilog is written: keeps long contents apart.

    Amaranth and Yosys look at every bit of a memory several times. Here they see an instance, and
    :meth:`verilog` gives its module.

    Parameters
    ----------
    name : str
        What the names of the modules begin with.
    """

    def __init__(self, name: str):
        self._name = name
        self._kept: list[StoredWords] = []

    def instance(self, words: StoredWords) -> Instance:
        """Return an instance of a module that is still to be written, wired to its signals."""
        self._kept.append(words)
        ports: dict[str, Any] = {"i_clk": ClockSignal()}
        ports |= {f"i_{name}": getattr(words, name) for name in words.inputs}
        return Instance(f"{self._name}_memory_{len(self._kept) - 1}", **ports, o_data=words.data)

    def verilog(self) -> str:
        """Return the modules of all instances."""
        parts = []
        for number, words in enumerate(self._kept):
            parts.append(f"\n\n{words.verilog(f'{self._name}_memory_{number}')}")
        return "".join(parts)


class StoredWords(Elaboratable):
    """A memory that is read a word a cycle, and may be written.

    In Verilog it has the name under which it is a submodule; written apart, that is an instance,
    whose words are its memory ``m``.

    Timing
    ------
    The word is there 1 cycle after its address, where :attr:`en` is high. A cycle that reads what
    it writes reads anything.

    Parameters
    ----------
    shape : Shape
        Of a word.
    contents : array of int
        Words at the start, signed or not.
    writes : bool
        Whether it has a write port.

    Attributes
    ----------
    addr, en, data : Signal
        The read port.
    w_addr, w_data, w_en : Signal
        The write port; nothing but signals where there is none.
    """

    def __init__(self, *, shape: Shape, contents: ArrayLike, writes: bool = False):
        self.shape, self.writes = Shape.cast(shape), writes
        exact = np.int64 if self.shape.width <= WIDEST else object
        self.contents: NDArray[Any] = np.asarray(contents, dtype=exact)
        address = range(len(self.contents))
        self.addr, self.en, self.data = Signal(address), Signal(), Signal(self.shape)
        self.w_addr, self.w_data, self.w_en = (
            Signal(address),
            Signal(unsigned(self.shape.width)),
            Signal(),
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the signals that go in."""
        return ("addr", "en", "w_addr", "w_data", "w_en") if self.writes else ("addr", "en")

    def elaborate(self, platform: Any) -> MemoryInstance | Instance:
        if isinstance(platform, ContentsApart) and len(self.contents) >= LONG:
            return platform.instance(self)
        words = MemoryInstance(
            data=MemoryData(shape=self.shape, depth=len(self.contents), init=self.contents.tolist())
        )
        if self.writes:
            words.write_port(domain="sync", addr=self.w_addr, data=self.w_data, en=self.w_en)
        words.read_port(
            domain="sync", addr=self.addr, data=self.data, en=self.en, transparent_for=()
        )
        return words

    def verilog(self, name: str) -> str:
        """Return a module with the same ports and the clock ``clk``.

        Examples
        --------
        >>> words = StoredWords(shape=Shape(3, signed=True), contents=[3, -1])
        >>> print(words.verilog("pair"))
        module pair(input clk, input addr, input en, output reg [2:0] data);
          reg [2:0] m [0:1];
          initial begin
        m[0]=3'h3;
        m[1]=3'h7;
          end
          always @(posedge clk) if (en) data <= m[addr];
        endmodule
        """
        width, depth = self.shape.width, len(self.contents)
        kinds = {each: _range(len(getattr(self, each))) for each in self.inputs}
        ports = ", ".join(f"input {kind}{each}" for each, kind in kinds.items())
        stores = "  always @(posedge clk) if (w_en) m[w_addr] <= w_data;\n" if self.writes else ""
        return (
            f"module {name}(input clk, {ports}, output reg {_range(width)}data);\n"
            f"  reg {_range(width)}m [0:{depth - 1}];\n"
            f"  initial begin\n{_assignments(self.contents, width)}  end\n{stores}"
            "  always @(posedge clk) if (en) data <= m[addr];\nendmodule"
        )


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _assignments(contents: NDArray[Any], width: int) -> str:
    """A line for each word, all of the same length."""
    digits, places = -(-width // 4), len(str(len(contents) - 1))
    if width > WIDEST:
        mask = (1 << width) - 1
        return "".join(
            f"m[{n:0{places}}]={width}'h{int(word) & mask:0{digits}x};\n"
            for n, word in enumerate(contents)
        )
    words = contents & ((1 << width) - 1)
    ascii_ = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    numbers, middle = np.arange(len(words)), f"]={width}'h".encode()
    columns = [np.uint8(ord("m")), np.uint8(ord("["))]
    columns += [ascii_[numbers // 10**place % 10] for place in reversed(range(places))]
    columns += [np.uint8(byte) for byte in middle]
    columns += [ascii_[words >> 4 * digit & 15] for digit in reversed(range(digits))]
    columns += [np.uint8(ord(";")), np.uint8(ord("\n"))]
    text = np.empty((len(words), len(columns)), dtype=np.uint8)
    for place, column in enumerate(columns):
        text[:, place] = column
    return text.tobytes().decode("ascii")
