"""Tests of spintron convert, lint and run with a quantised ONNX model."""

import json

import numpy as np
import pytest

from spintron_ir import Network
from tests.spintron_nn.converter.onnx_front.graphs import Graph, reference

INPUT = ("--input-type", "uint4", "--input-scale", "0.25")


@pytest.fixture
def graph(tmp_path):
    made = Graph((2, 2)).add("Flatten").quant(0.5, 3.0)
    made.add("MatMul", made.weight([[1.0, -0.5], [0.5, 2], [-1, 1], [0, 1]], 0.5, 4.0))
    made.add("Add", made.constant([0.25, -1.5]))
    made.save(tmp_path / "m.onnx")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 16, (30, 2, 2)))
    return made


def test_convert_and_run(spintron, graph, tmp_path):
    result = spintron("convert", "m.onnx", *INPUT, "-o", "net.safetensors", "--json")
    assert result.code == 0, result.err
    network = Network.load(tmp_path / "net.safetensors")
    assert result.json["digest"] == network.digest()
    assert json.loads(network.metadata["chip"])["ideal"]
    x = np.load(tmp_path / "x.npy")
    expected = reference(graph, (x * 0.25).astype(np.float32))
    words = ("run", "net.safetensors", "--input", "x.npy", "-o", "y.npy")
    assert spintron(*words).code == 0
    codes = np.load(tmp_path / "y.npy")
    assert (codes.dtype, codes.shape) == (np.int64, (30, 2))
    np.testing.assert_array_equal(codes.argmax(axis=1), expected.argmax(axis=1))
    assert spintron(*words, "--scores").code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)


def test_a_sampled_chip(spintron, graph, tmp_path):
    words = ("convert", "m.onnx", *INPUT, "-o", "net.safetensors", "--chip", 3)
    result = spintron(*words)
    assert result.code == 1
    assert result.err.splitlines()[-1] == (
        "error: convert: calibration must be given for converters of 8 bits, whose range it "
        "fixes: some hundred inputs; or take lossless converters, adc_bits=None (--adc-bits 0), "
        "or an ideal chip"
    )
    for more in (("--adc-bits", 0), ("--calibrate", "x.npy")):
        assert spintron(*words, *more).code == 0
        network = Network.load(tmp_path / "net.safetensors")
        chip = json.loads(network.metadata["chip"])
        assert (chip["seed"], chip["ideal"]) == (3, False)
    assert spintron(*words, "--ideal").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            (),
            "A quantised model needs --input-type uint1 to uint16 or int1 to int16, the integers "
            "that stand for its real input, and --input-scale, the real value of one unit.",
        ),
        (
            ("--input-type", "float32"),
            "A quantised model needs --input-type uint1 to uint16 or int1 to int16, the integers "
            "that stand for its real input, and --input-scale, the real value of one unit.",
        ),
        (
            (*INPUT, "--weight-bits", 2),
            "A quantised model has bits of its own; leave --weight-bits, --activation-bits, "
            "--layer-bits and --layer-activation-bits out.",
        ),
    ],
)
def test_refuses_options(spintron, graph, words, message):
    result = spintron("convert", "m.onnx", "-o", "net.safetensors", *words)
    assert result.code == 2
    assert " ".join(result.err.split()).endswith(f"Error: {message}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Missing option '--calibrate'."),
        (
            ("--calibrate", "x.npy", "--input-type", "uint8"),
            "--input-type and --input-scale are for quantised models.",
        ),
    ],
)
def test_refuses_options_of_torch_models(spintron, graph, tmp_path, words, message):
    (tmp_path / "m.pt2").write_bytes(b"")
    result = spintron("convert", "m.pt2", "-o", "net.safetensors", *words)
    assert result.code == 2
    assert result.err.rstrip().endswith(f"Error: {message}")


def test_lint(spintron, graph, tmp_path):
    assert spintron("lint", "m.onnx", "--json").json["findings"] == []
    # What lint says depends on the integers: with 14 bits sums have 17, and reach 4096 codes.
    many = Graph((4,))
    many.add("MatMul", many.weight(np.ones((4, 1)), 1.0, 3.0)).quant(1.0, 12.0, signed=0, narrow=0)
    many.save(tmp_path / "many.onnx")
    assert spintron("lint", "many.onnx", "--json").json["findings"] == []
    words = ("many.onnx", "--input-type", "uint15")
    finding = "Quant_2 (Quant): has 4096 codes, and at most 256 are converted: use 8 bits"
    assert spintron("lint", *words, "--json").json["findings"] == [finding]
    assert spintron("convert", *words, "-o", "net.safetensors").err.splitlines()[-1] == (
        f"error: the model cannot be converted (1 finding): {finding}"
    )
    graph.add("Softmax").add("LSTM").save(tmp_path / "m.onnx")
    result = spintron("lint", "m.onnx")
    assert (result.code, result.out.splitlines()) == (
        1,
        [
            "Softmax_5 (Softmax): Softmax is not converted: leave it out, the scores before it "
            "have the same largest class",
            "LSTM_6 (LSTM): LSTM is not converted: unroll it, or make the model a plain sequence",
            "2 findings",
        ],
    )


def test_scores_of_any_network(spintron, net, network, tmp_path):
    """Without a note of lines: the codes times the scale of their output."""
    x = np.random.default_rng(0).integers(0, 4, (5, 6))
    np.save(tmp_path / "x.npy", x)
    assert spintron("run", net, "--input", "x.npy", "--scores", "-o", "y.npz").code == 0
    golden = network.run(x)
    with np.load(tmp_path / "y.npz", allow_pickle=False) as written:
        for output in network.outputs:
            np.testing.assert_array_equal(written[output.name], golden[output.name] * output.scale)
