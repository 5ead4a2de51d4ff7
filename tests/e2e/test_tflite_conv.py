"""An int8 convolution of a real network against the bytes that TensorFlow Lite computed for it."""

from dataclasses import replace

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Dense, IntType, Network, Node, Output, Port, TFLite, Window
from spintron_ir.arith import round_shift, saturate
from tests.outside import DATA

CASE = DATA / "tflite_conv" / "conv_05.npz"
INT8 = IntType(8, signed=True)


@pytest.fixture(scope="module")
def conv():
    """The file of the case: no padding, a stride of 1, weights as output, row, column, input."""
    with np.load(CASE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.fixture(scope="module")
def image(conv):
    return conv["input"].reshape(conv["input_dims"])[0].astype(np.int64)


@pytest.fixture(scope="module")
def patches(conv, image):
    """Inputs of each output position: one row of rows, columns and channels of the kernel."""
    _, height, width, _ = conv["filter_dims"]
    windows = np.lib.stride_tricks.sliding_window_view(image, (height, width), axis=(0, 1))
    return np.moveaxis(windows, 2, -1).reshape(-1, conv["filter"].size // 16)


@pytest.fixture(scope="module")
def weights(conv):
    """The matrix of the convolution: rows as in a patch, a column for each output channel."""
    return conv["filter"].reshape(16, -1).T.astype(np.int64)


@pytest.fixture(scope="module")
def expected(conv):
    return conv["expected_output"].reshape(-1, 16)


@pytest.fixture(scope="module")
def requantise(conv):
    return TFLite(
        multiplier=conv["output_multipliers"],
        shift=conv["output_shifts"],
        zero_point=int(conv["output_offset"]),
        low=int(conv["output_min"]),
        high=int(conv["output_max"]),
        type=INT8,
    )


@pytest.fixture(scope="module")
def matrix(conv, weights, requantise):
    """The matrix on an ideal chip; what TFLite adds to the inputs stands in the bias."""
    return Dense(
        codes=np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)])[None],
        cell_bits=7,
        scheme="pair",
        input=INT8,
        dac_bits=8,
        slice_shift=(0,),
        tile_rows=256,
        bias=conv["output_biases"] + int(conv["input_offset"]) * weights.sum(axis=0),
        requantise=requantise,
    )


def network(*layers):
    names = ["x", *(f"layer{n}" for n, _ in enumerate(layers))]
    return Network(
        name="conv",
        inputs=(Port(name="x", shape=layers[0].in_shape, type=INT8),),
        nodes=tuple(
            Node(name=name, layer=layer, inputs=(source,))
            for source, name, layer in zip(names, names[1:], layers)
        ),
        outputs=(Output(name="y", node=names[-1]),),
    )


def convolution(image, matrix):
    """The layer for images of this size."""
    window = Window(in_shape=image.shape, type=INT8, kernel=(4, 4))
    return network(window, replace(matrix, positions=window.shape[0]))


def test_every_byte_of_plain_accumulators(conv, patches, weights, expected, requantise):
    acc = (patches + int(conv["input_offset"])) @ weights + conv["output_biases"]
    assert expected.shape == acc.shape == (3520, 16)
    np.testing.assert_array_equal(requantise.run(acc), expected)
    # The oracle tells the two roundings of TFLite from the one that it can be compiled with.
    once = round_shift(acc * requantise.multiplier.astype(np.int64), 31 + requantise.right)
    assert np.sum(saturate(once + requantise.zero_point, 8) != expected) == 22


def test_every_byte_of_the_network(image, matrix, expected):
    np.testing.assert_array_equal(convolution(image, matrix).run(image[None]), expected[None])


def verified(net, frames, require_tool):
    """Outputs of the network, to which the emitted Verilog is equal."""
    simulator = get_engine("cxxrtl")
    require_tool("cxxrtl", simulator.unavailable())
    plan = map_network(net, GENERIC, body="folded")
    report = verify(design_of(plan, "conv"), net, frames, simulator)
    assert (report.vectors, report.mismatches) == (len(frames), 0), report.first
    assert report.latency == plan.latency
    return net.run(frames)


@pytest.mark.toolchain
def test_every_byte_of_the_hardware(patches, matrix, expected, require_tool):
    found = verified(network(matrix), patches, require_tool)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.toolchain
def test_a_part_of_the_image_through_the_line_buffer(image, matrix, expected, require_tool):
    """Six rows and twenty columns of the input, from which three rows of seventeen come."""
    part = image[9:15, 70:90]
    found = verified(convolution(part, matrix), part[None], require_tool)
    wanted = expected.reshape(22, 160, 16)[9:12, 70:87]
    np.testing.assert_array_equal(found.reshape(wanted.shape), wanted)
