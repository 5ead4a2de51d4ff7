"""Tests of spintron_hw.contents: memories whose contents are written apart from the rest."""

import re
import subprocess

import numpy as np
import pytest
from amaranth import Instance, Module, Shape, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw import contents
from spintron_hw.build.verilog import WAIVED, Design, design_of, emit
from spintron_hw.contents import ContentsApart, StoredWords
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.ports import StreamPort
from spintron_hw.mapping.target import GENERIC
from spintron_hw.stream import vector
from spintron_ir import Adc, Dense, IntType, Network, Node, Output, Port

KIND = IntType(32)
WORDS = np.random.default_rng(0).integers(-(1 << 9), 1 << 9, 300)


class Store(wiring.Component):
    """A memory of 300 words of 10 bits; each beat reads a word, then may write another.

    A beat holds the address that is read, that which is written, and one more than what is.
    """

    streams = (
        StreamPort("i_x", "input", "x", 1, KIND, 1),
        StreamPort("o_y", "output", "y", 1, IntType(10, signed=True), 1),
    )

    def __init__(self):
        kinds = [vector(port.type, 1) for port in self.streams]
        super().__init__(
            {"i_x": In(stream.Signature(kinds[0])), "o_y": Out(stream.Signature(kinds[1]))}
        )

    @staticmethod
    def trace(x, first_frame=0):
        words, found = WORDS.copy(), []
        for beat in np.asarray(x["x"] if isinstance(x, dict) else x).reshape(-1).tolist():
            found.append(words[beat & 511])
            if beat >> 20:
                words[beat >> 10 & 511] = (((beat >> 20) - 1) ^ 512) - 512
        return {"y": np.array(found).reshape(-1, 1)}

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = StoredWords(
            shape=Shape(10, signed=True), contents=WORDS, writes=True
        )
        x, taken = self.i_x.payload[0], self.i_x.valid & self.i_x.ready
        m.d.comb += [
            self.i_x.ready.eq(~self.o_y.valid | self.o_y.ready),
            words.addr.eq(x[:9]),
            words.en.eq(taken),
            words.w_addr.eq(x[10:19]),
            words.w_data.eq(x[20:] - 1),
            words.w_en.eq(taken & (x[20:] != 0)),
            self.o_y.payload[0].eq(words.data),
        ]
        with m.If(self.i_x.ready):
            m.d.sync += self.o_y.valid.eq(self.i_x.valid)
        return m


def beats(count):
    rng = np.random.default_rng(1)
    read, written = rng.integers(0, 300, (2, count))
    written = np.where(read == written, (written + 1) % 300, written)
    value = rng.integers(0, 1 << 10, count) * rng.integers(0, 2, count)
    return (read | written << 10 | value << 20)[:, None]


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_reads_and_writes(stall):
    design = Design("store", Store.streams, emit(Store(), name="store"), component=Store)
    verify(design, Store, beats(400), "amaranth", stall=stall, seed=2).check()


@pytest.mark.toolchain
@pytest.mark.parametrize("engine", ["cxxrtl", "icarus"])
def test_reads_and_writes_in_verilog(engine, require_tool):
    simulator = get_engine(engine)
    require_tool(engine, simulator.unavailable())
    text = emit(Store(), name="store")
    assert len(re.findall(r"^m\[\d{3}\]=10'h[0-9a-f]{3};$", text, re.MULTILINE)) == 300
    verify(Design("store", Store.streams, text), Store, beats(400), simulator).check()


@pytest.mark.toolchain
def test_verilator_finds_no_fault(tmp_path, require_tool):
    engine = get_engine("verilator")
    require_tool("verilator", engine.unavailable())
    path = tmp_path / "store.v"
    path.write_text(emit(Store(), name="store"))
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "store", str(path)]
    done = subprocess.run(command, env=engine.environment(), capture_output=True, check=False)
    found = set(re.findall(r"%\w+-(\w+):", done.stderr.decode()))
    assert (done.returncode, found) == (0, set()), WAIVED


def converting():
    """Two row groups, two column passes, six-bit converters: long tables, and long codes."""
    rng = np.random.default_rng(3)
    levels = np.sort(rng.integers(-300, 300, (2, 1, 1, 6, 63)), axis=-1)
    layer = Dense(
        codes=rng.integers(0, 16, (1, 2, 40, 6)), cell_bits=4, scheme="pair", input=IntType(3),
        dac_bits=1, slice_shift=(0,), tile_rows=32, bias=rng.integers(-9, 9, 6),
        adc=Adc(bits=6, transitions=levels),
    )  # fmt: skip
    return Network(
        name="one",
        inputs=(Port(name="x", shape=(40,), type=IntType(3)),),
        nodes=(Node(name="fc", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="fc"),),
    )


@pytest.mark.toolchain
@pytest.mark.parametrize("engine", ["cxxrtl", "icarus"])
def test_a_layer_is_the_same_with_all_contents_apart(engine, require_tool, monkeypatch):
    simulator = get_engine(engine)
    require_tool(engine, simulator.unavailable())
    network = converting()
    plan = map_network(network, GENERIC, interval=800, body="folded")
    x = np.random.default_rng(4).integers(0, 8, (6, 40))
    monkeypatch.setattr(contents, "LONG", 1)
    design = design_of(plan, "apart")
    assert design.verilog.count("module apart_memory_") > 5
    report = verify(design, network, x, simulator)
    report.check()
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.parametrize("width", [1, 4, 13, 62, 63, 80])
def test_contents_are_written_bit_by_bit(width):
    words = [0, 1, (1 << width) - 1, *(3**n % (1 << width) for n in range(8))]
    stored = StoredWords(shape=unsigned(width), contents=np.array(words, dtype=object))
    text = stored.verilog("words")
    found = re.findall(rf"^m\[(\d\d)\]={width}'h([0-9a-f]+);$", text, re.MULTILINE)
    assert [(int(place), int(word, 16)) for place, word in found] == list(enumerate(words))


def test_short_contents_stay():
    stored = StoredWords(shape=unsigned(3), contents=np.arange(7))
    apart = ContentsApart("top")
    assert not isinstance(stored.elaborate(apart), Instance)
    assert apart.verilog() == ""
