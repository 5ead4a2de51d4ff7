"""What is refused: all findings at once, each with operator and way out, and never a traceback."""

import contextlib
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from spintron_ir import ConversionError, IntType, ParameterError
from spintron_nn.converter.onnx_front import load_onnx
from spintron_nn.converter.onnx_front.parse import QUANTISERS, STANDARD
from tests.spintron_nn.converter.onnx_front.graphs import (
    DOMAIN,
    Graph,
    random_graph,
    random_linear_graph,
)
from tests.spintron_nn.converter.onnx_front.images import random_image_graph

I64 = np.int64


def findings(path, **given):
    with pytest.raises(ConversionError) as caught:
        load_onnx(path, **given)
    return list(caught.value.findings)


def start(shape=(2,)):
    return Graph(shape)


def dense(graph, **given):
    return graph.add("MatMul", graph.weight([[1.0, -1], [0, 1]], 1.0, 2.0), **given)


def quant(scale=1.0, bits=2.0, zero=0.0, **attributes):
    return start().quant(scale, bits, zero, **attributes)


def linear(kind, scale=1.0, zero=0, dtype=np.int8, graph=None, **attributes):
    graph = start() if graph is None else graph
    return graph.add(kind, graph.constant(scale), graph.constant(zero, dtype), **attributes)


def constant(graph, kind, values, dtype=np.float32, **attributes):
    return graph.add(kind, graph.constant(values, dtype), **attributes)


CASES = {
    "Softmax_0 (Softmax): Softmax is not converted: leave it out, the scores before it have the "
    "same largest class": lambda: start().add("Softmax"),
    "Trunc_0 (Trunc): its scale, zero point and bits must be constants: export it again": (
        lambda: start().add("Trunc", domain=DOMAIN)
    ),
    "FloatQuant_0 (FloatQuant): onnx.brevitas.FloatQuant is not converted: export the model with "
    "Quant, or with QuantizeLinear and DequantizeLinear": lambda: start().add(
        "FloatQuant", domain=DOMAIN
    ),
    "Quant_0 (Quant): its scale must be positive: absorb the sign into the weights": lambda: quant(
        -1.0
    ),
    "Quant_0 (Quant): its zero point must be an integer below 2**16: round it": lambda: quant(
        zero=0.5
    ),
    "Quant_0 (Quant): its bits must be one integer in 1..32: use one width for all channels": (
        lambda: quant(bits=[2.0, 3.0])
    ),
    "Quant_0 (Quant): its rounding mode must be one of ROUND, HALF_EVEN, CEIL, FLOOR, UP, DOWN, "
    "ROUND_TO_ZERO, HALF_UP, HALF_DOWN, not NEAREST: export it again": lambda: quant(
        rounding_mode="NEAREST"
    ),
    "Quant_0 (Quant): its scale of shape (3,) does not fit values of shape (1, 2): reshape it": (
        lambda: quant([1.0, 2, 3])
    ),
    "Quant_2 (Quant): has 65536 codes, and at most 256 are converted: use 8 bits": lambda: (
        constant(start(), "MatMul", [[200.0] * 2] * 2)
        .add("Relu")
        .quant(2.0**-3, 16.0, signed=0, narrow=0)
    ),
    "Quant_0 (Quant): has thresholds of their own for too many values: use one scale": lambda: (
        start((40_000,)).quant(np.ones(40_000), 8.0, signed=0, narrow=0)
    ),
    "MatMul_0 (MatMul): has weights that are not quantised: put a Quant behind them": lambda: (
        constant(start(), "MatMul", [[0.5, 1], [1, 1]])
    ),
    "MatMul_0 (MatMul): has weights beyond 8 bits and a sign: quantise them to 8 bits or fewer": (
        lambda: constant(start(), "MatMul", [[256.0, 1], [1, 1]])
    ),
    "MatMul_0 (MatMul): multiplies the shapes (1, 2) and (3, 1), which do not fit: "
    "reshape one": lambda: constant(start(), "MatMul", [[1.0], [1], [1]]),
    "MatMul_2 (MatMul): takes real values: put a Quant in front of it": lambda: dense(
        constant(start(), "Mul", 2.0)
    ),
    "MatMul_2 (MatMul): takes values with a scale for each channel: use one scale in its Quant": (
        lambda: dense(quant([1.0, 2.0]))
    ),
    "MatMul_1 (MatMul): has weights with a scale for each input: use one scale, or one for each "
    "output": lambda: (graph := start()).add(
        "MatMul", graph.weight([[1.0, 0], [0, 1]], [[1.0], [2.0]], 2.0)
    ),
    "MatMul_1 (MatMul): must multiply values that depend on the input, on its left, by constant "
    "weights: transpose it; attention is not converted": lambda: (graph := start()).join(
        "MatMul", graph.weight([[1.0, 0], [0, 1]], 1.0, 2.0), "input"
    ),
    "Add_2 (Add): joins the shapes (1, 2) and (1, 3), which do not fit: reshape one": lambda: (
        (graph := start())
        .add("MatMul", graph.weight(np.ones((2, 3)), 1.0, 2.0))
        .join("Add", "input", "t1_0")
    ),
    "Sum_0 (Sum): Sum is not converted: join two tensors at a time with Add, Sub, Mul or Concat": (
        lambda: start().add("Sum", "input")
    ),
    "Add_0 (Add): its constant of shape (3, 2) does not fit values of shape (1, 2): reshape it": (
        lambda: constant(start(), "Add", np.ones((3, 2)))
    ),
    "Div_0 (Div): divides by zero: correct its constant": lambda: constant(
        start(), "Div", [0.0, 1]
    ),
    "Reshape_0 (Reshape): gives the shape (2, 1), without the batch first: keep it there": (
        lambda: constant(start(), "Reshape", [2, 1], I64)
    ),
    "Reshape_0 (Reshape): cannot give 2 values the shape (1, 3): correct its sizes": lambda: (
        constant(start(), "Reshape", [1, 3], I64)
    ),
    "Transpose_0 (Transpose): gives the shape (2, 1, 3), without the batch first: keep it there": (
        lambda: start((2, 3)).add("Transpose", perm=[1, 0, 2])
    ),
    "LeakyRelu_0 (LeakyRelu): its alpha must be a finite number, not inf: export it again": (
        lambda: start().add("LeakyRelu", alpha=np.inf)
    ),
    "Relu_0 (Relu): takes 'nowhere', which is nowhere in the graph: export the model again": (
        lambda: start().join("Relu", "nowhere")
    ),
    "ArgMax_0 (ArgMax): looks along the axis 1, not along all values: flatten first": lambda: start(
        (2, 3)
    ).add("ArgMax", axis=1),
    "TopK_0 (TopK): gives the largest [3], and one number up to 256 and to that of all values is "
    "converted: take fewer": lambda: constant(start(), "TopK", [3], I64, outputs=2),
    "TopK_0 (TopK): gives the least values: turn signs in the last layer, take the largest": (
        lambda: constant(start(), "TopK", [2], I64, outputs=2, largest=0)
    ),
    "TopK_0 (TopK): leaves the order of its results open: take them sorted": (
        lambda: constant(start(), "TopK", [2], I64, outputs=2, sorted=0)
    ),
    "QuantizeLinear_0 (QuantizeLinear): its scale must be positive and float32: absorb the sign "
    "into the weights": lambda: linear("QuantizeLinear", 0.0),
    "QuantizeLinear_0 (QuantizeLinear): its scale of shape (3,) does not fit axis 1 of values of "
    "shape (1, 2): give one, or one for each channel": lambda: linear(
        "QuantizeLinear", [1.0, 2, 3]
    ),
    "QuantizeLinear_0 (QuantizeLinear): its zero point must be of integers, not float32: export it "
    "again": lambda: linear("QuantizeLinear", dtype=np.float32),
    "QuantizeLinear_0 (QuantizeLinear): gives codes of 32 bits: use int8 or uint8": lambda: linear(
        "QuantizeLinear", dtype=np.int32
    ),
    "QuantizeLinear_0 (QuantizeLinear): has a scale for each block: use one for each channel": (
        lambda: linear("QuantizeLinear", block_size=2)
    ),
    "QuantizeLinear_0 (QuantizeLinear): its scale and zero point must be constants: export it "
    "again": lambda: start().add("QuantizeLinear", "input"),
    "DequantizeLinear_0 (DequantizeLinear): takes real values, not integers: leave it out": (
        lambda: linear("DequantizeLinear")
    ),
    "QuantizeLinear_1 (QuantizeLinear): quantises integers: put a DequantizeLinear in front of "
    "it": (lambda: linear("QuantizeLinear", graph=linear("QuantizeLinear"))),
    "MatMul_2 (MatMul): takes integers: put a DequantizeLinear in front of it": lambda: dense(
        linear("QuantizeLinear")
    ),
    "QLinearMatMul_0 (QLinearMatMul): takes no integers that depend on the input: put "
    "QuantizeLinear in front": lambda: start().add("QLinearMatMul"),
    "t1_0 (output): is no straight line of the last integers: put a Quant at the end": lambda: (
        quant().add("Relu")
    ),
    "t1_0 (output): falls, or stays, where the last sums rise: turn signs in the last layer": (
        lambda: quant().add("Neg")
    ),
}


@pytest.mark.parametrize("message", CASES)
def test_a_finding(message, tmp_path):
    assert findings(CASES[message]().save(tmp_path / "m.onnx")) == [message]


def test_all_findings_at_once(tmp_path):
    graph = start((2, 2)).add("Conv").add("LSTM")
    constant(graph, "MatMul", [[0.5, 1], [1, 1]]).quant(-1.0, 4.0).add("Softmax")
    assert [text.split(":")[0] for text in findings(graph.save(tmp_path / "m.onnx"))] == [
        "Conv_0 (Conv)",
        "LSTM_1 (LSTM)",
        "MatMul_2 (MatMul)",
        "Quant_3 (Quant)",
        "Softmax_4 (Softmax)",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch": 3}, "input (input): must have a batch axis of 1 or of a free size and 1 to 8 "
         "axes more, not the shape (3, 2); export the model with a batch of 1"),
        ({"kind": TensorProto.DOUBLE}, "input (input): must be float32; export the model again"),
    ],
)  # fmt: skip
def test_refuses_inputs(given, message, tmp_path):
    assert findings(quant().save(tmp_path / "m.onnx", **given)) == [message]


def changed(graph, change, tmp_path):
    model = graph.model()
    change(model)
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def external(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def test_refuses_other_files(tmp_path):
    assert findings(changed(quant(), external, tmp_path))[0] == (
        "c0 (initializer): lies in another file, and those are not read: save the model in one file"
    )


def circle(model):
    node = helper.make_node("Relu", [model.graph.node[-1].output[0]], ["loop"], name="again")
    model.graph.node.insert(0, node)
    model.graph.node[1].input[0] = "loop"


def test_refuses_circles(tmp_path):
    assert findings(changed(quant(), circle, tmp_path)) == [
        "again (Relu): takes 't0_0', which stands behind it or in a circle with it: sort the graph"
    ]


def old(model):
    model.opset_import[0].version = 6


def test_refuses_other_versions(tmp_path):
    assert findings(changed(quant(), old, tmp_path)) == [
        "opset 6: versions 9 to 28 of the standard operators are read; convert the model with "
        "onnx.version_converter"
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not a model", "m.onnx: is no ONNX model; save it again with onnx.save"),
        (b"", "m.onnx: holds no graph of operators; save it again with onnx.save"),
    ],
)
def test_refuses_other_data(data, message, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    assert findings(path) == [message]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_type": IntType(17)}, "input_type must have at most 16 bits, not 17"),
        ({"input_scale": 0.0}, "input_scale must be in 1e-30..1e30, not 0.0"),
    ],
)
def test_refuses_arguments(given, message, tmp_path):
    with pytest.raises(ParameterError, match=f"^load_onnx: {re.escape(message)}$"):
        load_onnx(quant().save(tmp_path / "m.onnx"), **given)


def test_damage_gives_findings_or_a_model(tmp_path):
    """Bytes and fields changed at random: never another exception."""
    graph = quant(0.5, 4.0)
    dense(graph).add("Relu")
    linear("DequantizeLinear", graph=linear("QuantizeLinear", 0.25, 3, graph=graph))
    graph.add("Reshape", graph.constant([1, -1], I64))
    graph.add("ArgMax", axis=1)
    good = graph.model().SerializeToString()
    assert onnx.load_model_from_string(good).graph.node
    rng = np.random.default_rng(0)
    path = tmp_path / "m.onnx"
    for _ in range(400):
        data = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(
            bytes(data[: len(data) if rng.random() < 0.9 else rng.integers(len(data))])
        )
        with contextlib.suppress(ConversionError):
            load_onnx(path)


KINDS = sorted({*STANDARD, *QUANTISERS})


def damage(model, rng):
    """Change one field of a model: an edge, an operator, an attribute or a size."""
    node = model.graph.node[rng.integers(len(model.graph.node))]
    what = rng.integers(6)
    if what == 0 and node.input:
        names = [name for other in model.graph.node for name in (*other.input, *other.output)]
        node.input[rng.integers(len(node.input))] = str(rng.choice([*names, ""]))
    elif what == 1:
        node.op_type = str(rng.choice(KINDS))
    elif what == 2:
        node.domain = str(rng.choice(["", DOMAIN, "other"]))
    elif what == 3 and node.input:
        del node.input[rng.integers(len(node.input)) :]
    elif what == 4 and node.attribute:
        attribute = node.attribute[rng.integers(len(node.attribute))]
        attribute.i = int(rng.choice([0, 1, -1, 1 << 62]))
        attribute.f = float(rng.choice([0, np.nan, 1e38]))
        attribute.type = int(rng.choice([1, 2, 3, 4, 6, 7]))
    elif model.graph.initializer:
        tensor = model.graph.initializer[rng.integers(len(model.graph.initializer))]
        if tensor.dims:
            tensor.dims[0] = int(rng.choice([0, 1, 2, -1, 1 << 40]))


def test_contradictions_give_findings_or_a_model(tmp_path):
    rng = np.random.default_rng(1)
    makers = (random_graph, random_linear_graph, random_image_graph)
    models = [make(seed)[0].model() for make in makers for seed in range(15)]
    path = tmp_path / "m.onnx"
    converted = 0
    for _ in range(600):
        model = onnx.ModelProto()
        model.CopyFrom(models[rng.integers(len(models))])
        for _ in range(rng.integers(1, 4)):
            damage(model, rng)
        path.write_bytes(model.SerializeToString())
        with contextlib.suppress(ConversionError):
            load_onnx(path)
            converted += 1
    assert 40 < converted < 560
