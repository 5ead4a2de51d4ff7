"""A user's cell in a network: golden, planned and in hardware, without a change to this package."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.cells.check import check_file
from spintron_hw.cells.face import layer_of
from spintron_hw.cells.registry import load_file
from spintron_hw.cells.template import new_cell
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Argmax, Dense, IntType, Network, NetworkError, Node, Output, Port, plugins

LARGEST_OF_PAIRS = '''
"""A cell that works on its lanes one after the other: latency and interval depend on them."""

import numpy as np
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.stream import vector
from spintron_ir.errors import check_int
from spintron_ir.types import IntType


class LargestOfPairs(wiring.Component):
    """The larger of each two neighbours.

    Timing
    ------
    One pair each cycle; a vector takes a cycle for each pair, and one to be taken.

    Parameters
    ----------
    pairs : int, 1..64
        Pairs of a vector.
    bits : int, 1..32
        Bits of a value, which is signed.

    Members
    -------
    i : In(stream.Signature(vector(IntType(bits, signed=True), 2 * pairs)))
        Values.
    o : Out(stream.Signature(vector(IntType(bits, signed=True), pairs)))
        The larger of each pair.
    """

    examples = ({"pairs": 3, "bits": 6}, {"pairs": 1, "bits": 1}, {"pairs": 2, "bits": 20})

    def __init__(self, *, pairs, bits):
        self.pairs = check_int("LargestOfPairs", "pairs", pairs, 1, 64)
        type_ = IntType(check_int("LargestOfPairs", "bits", bits, 1, 32), signed=True)
        super().__init__({
            "i": In(stream.Signature(vector(type_, 2 * self.pairs))),
            "o": Out(stream.Signature(vector(type_, self.pairs))),
        })

    @property
    def latency(self):
        return self.pairs + 1

    @property
    def interval(self):
        return self.pairs + 2

    def compute(self, values):
        return np.asarray(values).reshape(len(values), self.pairs, 2).max(axis=2)

    def elaborate(self, platform):
        m = Module()
        held = Signal.like(self.i.payload)
        step = Signal(range(self.pairs))
        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [held.eq(self.i.payload), step.eq(0)]
                with m.If(self.i.valid):
                    m.next = "WORK"
            with m.State("WORK"):
                first, second = held[2 * step], held[2 * step + 1]
                with m.If(first > second):
                    m.d.sync += self.o.payload[step].eq(first)
                with m.Else():
                    m.d.sync += self.o.payload[step].eq(second)
                m.d.sync += step.eq(step + 1)
                with m.If(step == self.pairs - 1):
                    m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "TAKE"
        return m
'''


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(plugins, "_CELLS", {})


def dense(rows, cols, type_, seed):
    rng = np.random.default_rng(seed)
    return Dense(
        codes=rng.integers(0, 4, (1, 2, rows, cols)),
        cell_bits=2,
        scheme="pair",
        input=type_,
        dac_bits=1,
        slice_shift=(0,),
        tile_rows=4,
        bias=rng.integers(-3, 4, cols),
    )


def network_with(first, *layers):
    """An input, a dense layer, then the given layers in a row; all of them are compared."""
    layers = {"fc": first} | {f"layer{n}": layer for n, layer in enumerate(layers)}
    names = ["x", *layers]
    return Network(
        name="custom",
        inputs=(Port(name="x", shape=first.in_shape, type=first.input),),
        nodes=tuple(
            Node(name=name, layer=layer, inputs=(source,))
            for source, (name, layer) in zip(names, layers.items())
        ),
        outputs=(Output(name="y", node=names[-1]),),
    )


@pytest.fixture
def amplified(tmp_path):
    """Dense, the sense amplifier of the template, dense, argmax."""
    load_file(new_cell("my_sense_amp", tmp_path))
    first = dense(6, 5, IntType(3), 1)
    cell = layer_of("MySenseAmp", lanes=5, bits=first.type.bits, zone=4)
    return network_with(first, cell, dense(5, 3, cell.type, 2))


def inputs(network, frames=7):
    port = network.inputs[0]
    return np.random.default_rng(9).integers(
        port.type.low, port.type.high + 1, (frames, *port.shape)
    )


def assert_hardware_is_golden(network, interval=None, stall=0.0):
    plan = map_network(network, GENERIC, interval=interval)
    x = inputs(network)
    np.testing.assert_array_equal(plan.run(x), network.run(x))
    report = verify(design_of(plan, "custom"), network, x, get_engine("amaranth"), stall=stall)
    assert report.mismatches == 0, report.first
    if not stall:
        assert (report.latency, report.interval) == (plan.latency, plan.interval)


def test_golden_answer(amplified):
    x = inputs(amplified)
    trace = amplified.trace(x)
    expected = np.sign(trace["fc"]) * (np.abs(trace["fc"]) > 4)
    np.testing.assert_array_equal(trace["layer0"], expected)
    assert len(np.unique(expected)) == 3


def test_file_names_the_cell_but_never_loads_it(amplified, tmp_path, monkeypatch):
    path, x = tmp_path / "net.safetensors", inputs(amplified)
    expected = amplified.run(x)
    amplified.save(path)
    monkeypatch.setattr(plugins, "_CELLS", {})
    monkeypatch.chdir(tmp_path)
    loaded = Network.load(path)
    assert loaded.digest() == amplified.digest()
    with pytest.raises(NetworkError, match="^there is no cell 'MySenseAmp': give the file .*$"):
        loaded.run(x)
    load_file("my_sense_amp.py")
    np.testing.assert_array_equal(loaded.run(x), expected)


@pytest.mark.parametrize("interval", [None, 40])
def test_hardware(amplified, interval):
    assert_hardware_is_golden(amplified, interval)


def test_hardware_under_stalls(amplified):
    assert_hardware_is_golden(amplified, stall=0.4)


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_a_cell_that_takes_many_cycles(tmp_path, stall):
    path = tmp_path / "largest_of_pairs.py"
    path.write_text(LARGEST_OF_PAIRS)
    failed = [result for result in check_file(path, frames=10) if not result.passed]
    assert failed == []
    first = dense(5, 6, IntType(2, signed=True), 3)
    cell = layer_of("LargestOfPairs", pairs=3, bits=first.type.bits)
    network = network_with(first, cell, Argmax(input=cell.type, length=3))
    assert_hardware_is_golden(network, stall=stall)
    assert_hardware_is_golden(network_with(first, cell), stall=stall)


def test_the_same_cell_twice(tmp_path):
    load_file(new_cell("my_sense_amp", tmp_path))
    first = dense(4, 4, IntType(2), 4)
    cell = layer_of("MySenseAmp", lanes=4, bits=first.type.bits, zone=2)
    again = layer_of("MySenseAmp", lanes=4, bits=2, zone=0)
    network = network_with(first, cell, again, again)
    assert_hardware_is_golden(network)
