"""Tests of spintron_nn.simulation.torch_network: torch gives what Network.run gives."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spintron_ir import (
    Adc,
    Argmax,
    Dense,
    Flatten,
    IntType,
    Network,
    Node,
    Noise,
    Output,
    ParameterError,
    Port,
    Quantise,
    Thresholds,
)
from spintron_nn.simulation import TorchNetwork, torch_network
from tests.e2e.branches import random_graph
from tests.e2e.networks import random_network
from tests.e2e.test_grouped import alone, random_layer
from tests.e2e.test_pool import random_convolutions
from tests.spintron_ir.networks import everything

from .stacks import chips_of, expected, frames_of, same

U4, U16 = IntType(4), IntType(16)


def check(network, chips=3, frames=7, first=0, seed=0):
    networks = chips_of(network, chips, seed)
    x = frames_of(network, frames, seed)
    same(TorchNetwork(networks)(x, first), expected(networks, x, first))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1 << 32), st.sampled_from([0, 5, (1 << 32) - 3, (1 << 61) + 7]))
def test_random_layers(seed, first):
    check(random_network(seed), first=first, seed=seed)


@pytest.mark.parametrize("seed", range(40))
def test_random_layers_of_few_columns(monkeypatch, seed):
    monkeypatch.setattr("spintron_nn.simulation.bit_reads.LEAST_COLUMNS", 1)
    check(random_network(seed), first=(1 << 32) - seed, seed=seed)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1 << 32))
def test_random_graphs(seed):
    check(random_graph(seed), seed=seed)


@pytest.mark.parametrize("seed", range(8))
def test_random_convolutions(seed):
    check(random_convolutions(seed), seed=seed)


@pytest.mark.parametrize("seed", range(25))
def test_random_blocks(seed):
    check(alone(random_layer(seed)), first=3, seed=seed)


def test_every_record_but_a_foreign_cell():
    whole = everything()
    left = tuple(node for node in whole.nodes if node.name not in ("foreign", "right"))
    outputs = tuple(output for output in whole.outputs if output.name != "foreign")
    check(Network(name="most", inputs=whole.inputs, nodes=left, outputs=outputs), first=9)


class Foreign:
    """Sums of neighbours, as a third party's cell might compute them."""

    def __init__(self, on, text, many):
        self.times = many[0][0]

    def compute(self, x):
        return self.times * np.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1], x[:, 1]], axis=1)


def test_a_foreign_cell(monkeypatch):
    monkeypatch.setattr("spintron_ir.layers.cell.find_cell", lambda name: Foreign)
    check(everything(), first=2)


def wide(**changed):
    """A layer whose values need more than single precision."""
    rng = np.random.default_rng(0)
    rows, cols = 3000, 3
    fields = {
        "codes": rng.integers(0, 1 << 12, (1, 2, rows, cols)),
        "cell_bits": 12,
        "scheme": "pair",
        "input": U16,
        "dac_bits": 16,
        "slice_shift": (0,),
        "tile_rows": 2900,
        "bias": [(1 << 31) - 1, 0, -(1 << 31)],
    }
    return alone_of(Dense(**fields | changed))


def alone_of(layer):
    return Network(
        name="one",
        inputs=(Port(name="x", shape=layer.in_shape, type=layer.in_ports[0][1]),),
        nodes=(Node(name="fc", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="fc"),),
    )


NOISE = Noise(seed=(1 << 64) - 1, amplitude=np.full((1, 1, 1, 1), 65535))


@pytest.mark.parametrize(
    ("changed", "dtype"),
    [
        ({}, torch.float64),
        ({"noise": NOISE}, torch.float64),
        ({"slice_shift": (20,)}, torch.int64),
        ({"slice_shift": (10,), "noise": NOISE, "dac_bits": 5}, torch.float64),
        ({"adc": Adc(bits=16, shift=24)}, torch.float32),
        ({"adc": Adc(bits=16, shift=31, gain=np.full((1,) * 4, 65535))}, torch.int64),
        (
            {"adc": Adc(bits=1, signed=False, gain=np.full((1,) * 4, 65535)), "noise": NOISE},
            torch.int64,
        ),
    ],
)
def test_sums_of_any_size(changed, dtype):
    network = wide(**changed)
    assert TorchNetwork(network).layers["fc"].acc == dtype
    check(network, frames=5)


def test_transitions_beyond_a_table(monkeypatch):
    monkeypatch.setattr("spintron_nn.simulation.reads.TABLE_VALUES", 10)
    levels = np.sort(np.random.default_rng(0).integers(-(1 << 31), 1 << 31, (2, 1, 1, 3, 255)))
    check(wide(adc=Adc(bits=8, transitions=levels)))


def test_one_network_has_no_axis_of_chips():
    network = random_network(1)
    x = frames_of(network, 4)
    (name,) = x
    one, stack = TorchNetwork(network)(x), TorchNetwork([network])(torch.from_numpy(x[name]))
    wanted = expected([network], x)
    same(stack, wanted)
    same(one, {name: values[0] for name, values in wanted.items()})


@pytest.mark.parametrize("values", [1, 700])
def test_blocks_of_chips_and_frames_change_nothing(monkeypatch, values):
    monkeypatch.setattr(torch_network, "BLOCK_VALUES", values)
    monkeypatch.setattr(torch_network, "LEAST_VECTORS", 3)
    for seed in range(6):
        check(random_network(seed), chips=5, frames=11, first=(1 << 32) - 4)


def test_no_frames_give_no_results():
    network = random_network(3)
    check(network, frames=0)


def test_other_settings_of_torch_change_nothing():
    network = random_network(6)
    x = frames_of(network, 50)
    wanted, made = expected([network], x), TorchNetwork([network])
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            same(made(x), wanted)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_state_moves_with_the_module():
    made = TorchNetwork(chips_of(random_network(1), 2))
    assert {tensor.device.type for tensor in made.to("meta").buffers()} == {"meta"}
    assert not list(made.parameters())


def quantised(type_=U4):
    step = Thresholds(thresholds=[[2, 5]], sign=[1], low=0, type=IntType(2))
    return Network(
        name="two",
        inputs=(
            Port(name="a", shape=(2, 3), type=type_, scale=0.25),
            Port(name="b", shape=(3,), type=U4),
        ),
        nodes=(
            Node(name="q", layer=Quantise(in_shape=(2, 3), input=type_, requantise=step),
                 inputs=("a",)),
            Node(name="f", layer=Flatten(in_shape=(2, 3), type=IntType(2)), inputs=("q",)),
            Node(name="best", layer=Argmax(input=U4, length=3), inputs=("b",)),
        ),
        outputs=(Output(name="f", node="f"), Output(name="best", node="best")),
    )  # fmt: skip


A, B = np.zeros((2, 2, 3), int), np.zeros((2, 3), int)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (A, "codes must be a dict with tensors for a, b, not one array"),
        ({"a": A}, "codes must be a dict with tensors for a, b, not a"),
        ({}, "codes must be a dict with tensors for a, b, not none"),
        (
            {"a": A / 2, "b": B},
            "input a must hold integers, not torch.float64: divide by its scale (0.25) and round",
        ),
        (
            {"a": B, "b": B},
            "input a must have the shape (batch, 2, 3), not (2, 3)",
        ),
        ({"a": A, "b": B + 16}, "input b must lie in 0..15, not in 16..16"),
        ({"a": A - 1, "b": B}, "input a must lie in 0..15, not in -1..-1"),
        ({"a": A, "b": B[:1]}, "every input must have the same number of frames, not 2, 1"),
    ],
)
def test_refuses_inputs(codes, message):
    made = TorchNetwork(quantised())
    with pytest.raises(ParameterError, match=rf"^TorchNetwork: {re.escape(message)}$"):
        made(codes)


def test_refuses_a_frame_number():
    wanted = f"first_frame must be an integer in 0..{(1 << 62) - 1}, not -1"
    with pytest.raises(ParameterError, match=rf"^TorchNetwork: {wanted}$"):
        TorchNetwork(random_network(0))(B, -1)


@pytest.mark.parametrize(
    ("networks", "found"), [([], "none"), ([random_network(0), 3], "Network, int"), (3, "int")]
)
def test_refuses_what_is_no_network(networks, found):
    with pytest.raises(
        ParameterError, match=rf"^TorchNetwork: networks must be one Network or more, not {found}$"
    ):
        TorchNetwork(networks)


def bitwise(**changed):
    """A layer whose inputs are applied bit by bit to linear converters: sums are looked up."""
    rng = np.random.default_rng(2)
    fields = {
        "codes": rng.integers(0, 8, (2, 2, 22, 6)),
        "cell_bits": 3,
        "scheme": "pair",
        "input": U4,
        "dac_bits": 1,
        "slice_shift": (0, 1),
        "tile_rows": 9,
        "bias": rng.integers(-20, 20, 6),
        "adc": Adc(
            bits=4, shift=2, gain=rng.integers(1, 4, (3, 2, 1, 6)),
            offset=rng.integers(-9, 9, (3, 2, 1, 6)),
        ),
    }  # fmt: skip
    return Dense(**fields | changed)


CURVED = Adc(
    bits=4,
    transitions=np.sort(np.random.default_rng(5).integers(-40, 40, (3, 2, 1, 6, 15)), axis=-1),
)
LARGE = np.multiply.outer(np.array([[3500, 0]] * 2), np.ones((22, 6), int))
"""Sums of nine rows fit 16 bits, but not with noise."""
COLUMNS = {
    "scheme": "columns",
    "adc": Adc(bits=1, shift=3, signed=False, offset=np.arange(12).reshape(1, 1, 2, 6)),
}
STEPS = Thresholds(
    thresholds=np.sort(np.random.default_rng(0).integers(-99, 99, (6, 7)), axis=1),
    sign=[1, -1, 1, 1, -1, 1], low=0, type=IntType(3),
)  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [{}, {"positions": 5}, COLUMNS, {"input": IntType(8)}, {"input": IntType(1)},
     {"requantise": STEPS}, {"requantise": STEPS, "positions": 3}, {"noise": NOISE},
     {"noise": NOISE, "positions": 5, **COLUMNS}, {"noise": NOISE, "requantise": STEPS},
     {"codes": LARGE, "cell_bits": 12}, {"input": IntType(4, signed=True)},
     {"input": IntType(8, signed=True), "noise": NOISE}, {"adc": CURVED},
     {"adc": CURVED, "noise": NOISE}],
)  # fmt: skip
def test_reads_of_single_bits(changed, monkeypatch):
    monkeypatch.setattr("spintron_nn.simulation.bit_reads.LEAST_COLUMNS", 1)
    network = alone_of(bitwise(**changed))
    assert TorchNetwork(network).layers["fc"].bits is not None
    check(network, frames=40)


def test_reads_of_single_bits_off_the_processor(monkeypatch):
    monkeypatch.setattr("spintron_nn.simulation.bit_reads.LEAST_COLUMNS", 1)
    monkeypatch.setattr("spintron_nn.simulation.dense.PROCESSOR", "cuda")
    network = alone_of(bitwise(requantise=STEPS))
    check(network, frames=40)
    made = TorchNetwork(network)
    made(frames_of(network, 3))
    assert made.layers["fc"].bits is not None and len(made.layers["fc"].groups) == 3


def test_reads_of_single_bits_of_a_large_matrix():
    rng = np.random.default_rng(3)
    codes, bias = rng.integers(0, 8, (2, 2, 161, 70)), rng.integers(-20, 20, 70)
    adc = Adc(bits=6, shift=3, offset=rng.integers(-9, 9, (3, 2, 1, 70)))
    noise = Noise(seed=(7 << 60) + 5, amplitude=rng.integers(0, 999, (3, 2, 1, 70)))
    network = alone_of(bitwise(codes=codes, bias=bias, adc=adc, noise=noise, tile_rows=80))
    assert TorchNetwork(network).layers["fc"].bits is not None
    check(network, frames=150)


@pytest.mark.parametrize("dac_bits", [1, 2])
@pytest.mark.parametrize("quiet", [0, 1])
def test_chips_of_which_some_have_no_noise(quiet, dac_bits, monkeypatch):
    monkeypatch.setattr("spintron_nn.simulation.bit_reads.LEAST_COLUMNS", 1)
    noises = [NOISE, NOISE, NOISE]
    noises[quiet] = None
    networks = [alone_of(bitwise(noise=noise, dac_bits=dac_bits)) for noise in noises]
    x = frames_of(networks[0], 30)
    same(TorchNetwork(networks)(x, 5), expected(networks, x, 5))


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("changed", [{}, {"positions": 5}, {"requantise": STEPS}])
def test_reads_of_single_bits_on_several_threads(changed, threads, monkeypatch):
    monkeypatch.setattr("spintron_nn.simulation.bit_reads.LEAST_COLUMNS", 1)
    monkeypatch.setattr("spintron_nn.simulation.bit_reads.LEAST_SUMS", 1)
    network, before = alone_of(bitwise(**changed)), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        check(network, frames=200)
        check(network, chips=1, frames=1)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    "changed",
    [
        {"input": IntType(9)},
        {"dac_bits": 2},
        {"blocks": 2},
        {"noise": NOISE, "codes": LARGE, "cell_bits": 12},
        {"adc": Adc(bits=9, gain=np.full((1,) * 4, 65535)), "tile_rows": 22, "cell_bits": 12,
         "codes": np.arange(528).reshape(2, 2, 22, 6) * 7},
        {"adc": Adc(bits=16, shift=2), "slice_shift": (0, 4)},
    ],
)  # fmt: skip
def test_reads_that_need_a_product(changed, monkeypatch):
    monkeypatch.setattr("spintron_nn.simulation.bit_reads.LEAST_COLUMNS", 1)
    network = alone_of(bitwise(**changed))
    assert TorchNetwork(network).layers["fc"].bits is None
    check(network, frames=40)
