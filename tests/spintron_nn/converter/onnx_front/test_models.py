"""Models as people have them, small: networks of FINN, QDQ and QLinear files."""

import numpy as np
import pytest
from onnx import TensorProto

from spintron_ir import Gather, IntType, Window
from spintron_nn.converter.onnx_front import load_onnx
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.onnx_front.graphs import DOMAIN, Graph, reference

BYTE = IntType(8)
U8, S8, I32, I64 = np.uint8, np.int8, np.int32, np.int64


def images(shape, count=12, kind=BYTE):
    rng = np.random.default_rng(5)
    x = rng.integers(kind.low, kind.high + 1, (count, *shape))
    x[0], x[1] = kind.low, kind.high
    return x


def check(graph, tmp_path, scale=1.0, of=BYTE, **given):
    """Scores, or classes, of the network and of the reference."""
    path = graph.save(tmp_path / "m.onnx", **given)
    made = convert_quantised(MTJConfig(), path, input_type=of, input_scale=scale)
    x = images(graph.shape, kind=of)
    whole = given.get("kind", TensorProto.FLOAT) != TensorProto.FLOAT
    real = x.astype(S8 if of.signed else U8) if whole else (x * scale).astype(np.float32)
    expected = reference(graph, real, **given)
    network = made.network
    found = real_outputs(network, {network.outputs[0].name: network.run(x)})
    np.testing.assert_array_equal(found[network.outputs[0].name], expected)
    assert len(np.unique(expected)) > 1  # it depends on the input at all
    return network


def normalised(graph, rng, channels, spread):
    parts = [
        rng.normal(1, 0.3, channels),
        rng.normal(0, 0.5, channels),
        rng.normal(0, spread / 4, channels),
        rng.uniform(0.5, 2, channels) * spread**2,
    ]
    return graph.add("BatchNormalization", *(graph.constant(part) for part in parts))


@pytest.mark.parametrize("bits", [1, 2])
def test_cnv(bits, tmp_path):
    """Convolutions without padding, batch normalisation, pools, dense layers and TopK."""
    rng = np.random.default_rng(bits)

    def weight(shape):
        return graph.weight(rng.normal(0, 1, shape), 1.0, None if bits == 1 else 2.0)

    def active(channels, spread):
        normalised(graph, rng, channels, spread)
        if bits == 1:
            graph.add("BipolarQuant", graph.constant(1.0), domain=DOMAIN)
        else:
            graph.quant(1.0, 2.0, narrow=1)

    graph = Graph((3, 12, 12))
    graph.add("Mul", graph.constant(2.0)).add("Sub", graph.constant(1.0)).quant(2.0**-7, 8.0)
    before = 3
    for channels, spread in ((8, 4.0), (8, 8.0), (12, 8.0)):
        graph.add("Conv", weight((channels, before, 3, 3)), kernel_shape=[3, 3], pads=[0] * 4)
        active(channels, spread)
        if channels == 8 and before == 8:
            graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        before = channels
    graph.add("Reshape", graph.constant([1, -1], I64))
    graph.add("MatMul", weight((48, 16)))
    active(16, 6.0)
    graph.add("MatMul", weight((16, 10))).add("Mul", graph.constant(0.01))
    graph.add("TopK", graph.constant([1], I64), outputs=2)
    network = check(graph, tmp_path, 1 / 255)
    assert [output.name for output in network.outputs] == ["class"]
    # The image of the user has its channels first: one gather. Flattening costs columns alone.
    assert sum(isinstance(node.layer, Gather) for node in network.nodes) == 1


def test_mobilenet(tmp_path):
    """Depthwise and pointwise convolutions of four bits, a mean, and Trunc."""
    rng = np.random.default_rng(0)

    def conv(before, after, kernel, stride, groups=1):
        values = rng.normal(0, 1, (after, before // groups, kernel, kernel))
        scale = 2.0 ** -rng.integers(1, 4, (after, 1, 1, 1))
        graph.add(
            "Conv",
            graph.weight(values, scale, 4.0),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[kernel // 2] * 4,
            group=groups,
        )
        normalised(graph, rng, after, 4.0).add("Relu").quant(0.25, 4.0, signed=0, narrow=0)

    graph = Graph((3, 12, 12)).quant(2.0**-6, 8.0, narrow=0)
    conv(3, 8, 3, 2)
    for before, after, stride in ((8, 12, 1), (12, 16, 2)):
        conv(before, before, 3, stride, before)
        conv(before, after, 1, 1)
    graph.add("AveragePool", kernel_shape=[3, 3]).add("Mul", graph.constant(9.0))
    graph.trunc(0.25, 8.0, 4.0).add("Flatten")
    weight = graph.weight(rng.normal(0, 1, (10, 16)), 0.25, 4.0)
    graph.add("Gemm", weight, graph.constant(rng.integers(-9, 9, 10) / 8), transB=1)
    network = check(graph, tmp_path, 2.0**-6)
    layers = [node.layer for node in network.nodes]
    # Pointwise convolutions need no windows.
    assert sum(isinstance(layer, Window) for layer in layers) == 4
    assert {layer.groups for layer in layers if isinstance(layer, Window)} == {1, 8, 12}


class QDQ(Graph):
    """Convolutions and activations as static quantisers write them."""

    def codes(self, scale, zero=0, dtype=U8):
        parts = (self.constant(scale), self.constant(zero, dtype))
        return self.add("QuantizeLinear", *parts).add("DequantizeLinear", *parts)

    def kernel(self, rng, shape, scale):
        before, self.last = self.last, self.constant(rng.integers(-127, 128, shape), S8)
        zero = self.constant(np.zeros(shape[0]), S8)
        self.add("DequantizeLinear", self.constant(scale), zero, axis=0)
        found, self.last = self.last, before
        return found

    def bias(self, rng, scale):
        before = self.last
        self.last = self.constant(rng.integers(-999, 999, len(scale)), I32)
        self.add("DequantizeLinear", self.constant(scale), self.constant(0 * scale, I32), axis=0)
        found, self.last = self.last, before
        return found

    def conv(self, rng, before, after, size, step, **given):
        scale = 2.0 ** -rng.integers(5, 9, after)
        parts = (self.kernel(rng, (after, before, size, size), scale), self.bias(rng, scale * step))
        return self.add("Conv", *parts, kernel_shape=[size, size], **given)


def test_residual_network(tmp_path):
    """Two branches of different scales, added, rectified and quantised; the scores, too."""
    rng = np.random.default_rng(3)
    graph = QDQ((3, 8, 8))
    graph.codes(2.0**-6, 128).conv(rng, 3, 6, 3, 2.0**-6, auto_pad="SAME_UPPER", strides=[2, 2])
    graph.add("Relu").codes(2.0**-4)
    skip = graph.last
    graph.conv(rng, 6, 6, 3, 2.0**-4, pads=[1] * 4).add("Relu").codes(2.0**-3)
    graph.conv(rng, 6, 6, 3, 2.0**-3, pads=[1] * 4).codes(0.0737, 131)
    graph.join("Add", graph.last, skip).add("Relu").codes(2.0**-3)
    graph.add("GlobalAveragePool").codes(2.0**-4).add("Flatten")
    weight = graph.kernel(rng, (5, 6), np.full(5, 2.0**-6))
    graph.add("Gemm", weight, graph.bias(rng, np.full(5, 2.0**-10)), transB=1)
    check(graph, tmp_path, 2.0**-6)


def test_values_moved_between_layers(tmp_path):
    """A convolution, its positions as tokens, a dense layer for each, and their mean."""
    rng = np.random.default_rng(4)
    graph = QDQ((2, 6, 6))
    graph.conv(rng, 2, 8, 3, 1.0).codes(2.0, 128)
    graph.add("Reshape", graph.constant([1, 8, 16], I64)).add("Transpose", perm=[0, 2, 1])
    before = graph.last
    graph.last = graph.kernel(rng, (5, 8), np.full(5, 2.0**-5))
    weight = graph.add("Transpose", perm=[1, 0]).last
    graph.join("MatMul", before, weight).add("Add", graph.constant(rng.integers(-9, 9, 5)))
    graph.add("Gelu").codes(2.0**-1, 20)
    graph.add("ReduceMean", graph.constant([1], I64), keepdims=0).codes(0.25, 30)
    check(graph, tmp_path, 1.0, opset=20)


def qlinear(graph, kind, weights, scales, **given):
    """QLinearConv or QLinearMatMul with any float32 scales."""
    x, w, y, *bias = (*scales, None)[: 3 + ("bias" in given)]
    parts = [
        graph.constant(x[0]), graph.constant(x[1], U8), graph.constant(weights, S8),
        graph.constant(w), graph.constant(np.zeros_like(w), S8),
        graph.constant(y[0]), graph.constant(y[1], U8),
    ]  # fmt: skip
    if "bias" in given:
        parts.append(graph.constant(given.pop("bias"), I32))
    return graph.add(kind, *parts, **given)


def test_operators_on_integers(tmp_path):
    """A file of bytes throughout: convolutions, a pool, a matrix; scales are any float32."""
    rng = np.random.default_rng(5)
    graph = Graph((3, 8, 8))
    first, second, third = (0.0173, 117), (0.0411, 9), (0.0667, 101)
    qlinear(graph, "QLinearConv", rng.integers(-99, 99, (6, 3, 3, 3)),
            (first, rng.uniform(0.001, 0.01, 6), second), pads=[1] * 4, kernel_shape=[3, 3],
            bias=rng.integers(-999, 999, 6))  # fmt: skip
    graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    qlinear(graph, "QLinearConv", rng.integers(-99, 99, (6, 1, 3, 3)),
            (second, np.float32(0.0123), third), kernel_shape=[3, 3], group=6)  # fmt: skip
    graph.add("Flatten")
    qlinear(graph, "QLinearMatMul", rng.integers(-99, 99, (24, 4)),
            (third, np.float32(0.0077), (0.19, 120)))  # fmt: skip
    network = check(graph, tmp_path, kind=TensorProto.UINT8)
    assert network.inputs[0].type == IntType(8)
    assert network.inputs[0].scale == 1.0


def test_integer_sums_that_are_scaled_as_real_numbers(tmp_path):
    """ConvInteger and MatMulInteger, with Cast, Mul and Add behind."""
    rng = np.random.default_rng(6)
    graph = Graph((2, 5, 5))
    codes = (graph.constant(0.125), graph.constant(11, U8))
    graph.add("QuantizeLinear", *codes)
    zeros = (graph.constant(11, U8), graph.constant(0, S8))
    weight = graph.constant(rng.integers(-50, 50, (4, 2, 3, 3)), S8)
    graph.add("ConvInteger", weight, *zeros, pads=[1, 0, 0, 1]).add("Cast", to=1)
    graph.add("Mul", graph.constant(rng.uniform(0.001, 0.01, (4, 1, 1))))
    graph.add("Add", graph.constant(rng.normal(0, 1, (4, 1, 1)))).add("Relu")
    graph.add("QuantizeLinear", *codes).add("Flatten")
    weight = graph.constant(rng.integers(-50, 50, (64, 3)), S8)
    graph.add("MatMulInteger", weight, *zeros).add("Cast", to=1)
    graph.add("Mul", graph.constant(0.25))
    check(graph, tmp_path, 0.125)


def test_four_bits(tmp_path):
    """Codes of uint4 and weights of int4."""
    rng = np.random.default_rng(7)
    graph = Graph((6,))
    codes = (graph.constant(2.0), graph.narrow([3], TensorProto.UINT4))
    graph.add("QuantizeLinear", *codes).add("DequantizeLinear", *codes)
    before = graph.last
    graph.last = graph.narrow(rng.integers(-8, 8, (6, 3)), TensorProto.INT4)
    weight = graph.add("DequantizeLinear", graph.constant(0.5)).last
    graph.join("MatMul", before, weight)
    graph.add("QuantizeLinear", graph.constant(4.0), output_dtype=TensorProto.INT4)
    network = check(graph, tmp_path, 1.0, opset=21)
    assert network.nodes[0].layer.type == IntType(4)


def test_zero_around_signs(tmp_path):
    """Between -1 and 1 there is a code for the zero of the padding."""
    rng = np.random.default_rng(8)
    graph = Graph((2, 4, 4))
    graph.add("Sub", graph.constant(7.5))
    graph.add("BipolarQuant", graph.constant(1.0), domain=DOMAIN)
    weight = graph.weight(rng.normal(0, 1, (3, 2, 3, 3)))
    graph.add("Conv", weight, kernel_shape=[3, 3], pads=[1] * 4)
    network = check(graph, tmp_path, 1.0, IntType(4))
    assert network.outputs[0].name == "scores"


def test_scores_and_class(tmp_path):
    """Two outputs share what leads to them."""
    graph = Graph((2,))
    graph.add("MatMul", graph.weight([[1.0, -1.0, 0.5], [0.25, 0.5, -0.75]], 0.25, 4.0))
    scores = graph.add("Add", graph.constant([0.5, -0.25, 0.0])).last
    graph.add("ArgMax", axis=1)
    model = graph.model()
    output = type(model.graph.output[0])()
    output.CopyFrom(model.graph.output[0])
    output.name = scores
    model.graph.output.append(output)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    made = convert_quantised(
        MTJConfig(), tmp_path / "m.onnx", input_type=IntType(4), input_scale=0.5
    )
    x = images((2,), kind=IntType(4))
    expected = reference(graph, (x * 0.5).astype(np.float32))
    found = made.network.run(x)
    assert set(found) == {"scores", "class"}
    np.testing.assert_array_equal(found["class"], expected)
    np.testing.assert_array_equal(made.run(x * 0.5).argmax(axis=1), expected[:, 0])
    assert len(made.report.layers) == 1


def two_inputs():
    graph = Graph((3,))
    graph.add("Add", "other").quant(0.7, 5.0)
    model = graph.model()
    other = type(model.graph.input[0])()
    other.CopyFrom(model.graph.input[0])
    other.name = "other"
    model.graph.input.append(other)
    return graph, model


def test_two_inputs(tmp_path):
    """Each with integers of its own."""
    _, model = two_inputs()
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    kinds = {"input": IntType(5, signed=True), "other": IntType(3)}
    scales = {"input": 0.3, "other": 1.1}
    graph = load_onnx(tmp_path / "m.onnx", input_type=kinds, input_scale=scales)
    assert [(port.name, port.type, port.scale) for port in graph.inputs] == [
        ("input", kinds["input"], 0.3),
        ("other", kinds["other"], 1.1),
    ]
    made = convert_quantised(MTJConfig(), tmp_path / "m.onnx", input_type=kinds, input_scale=scales)
    x = {name: images((3,), 40, kind) for name, kind in kinds.items()}
    real = [(x[name] * scales[name]).astype(np.float32) for name in kinds]
    exact = (real[0] + real[1]) / np.float32(0.7)
    expected = np.clip(np.rint(exact), -15, 15)
    np.testing.assert_array_equal(made.network.run(x), expected)
