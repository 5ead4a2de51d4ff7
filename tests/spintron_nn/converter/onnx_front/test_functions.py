"""Functions between quantisers, and values elsewhere: each operator against the reference."""

import numpy as np
import pytest
from onnx import TensorProto

from spintron_ir import IntType, Join
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.onnx_front.graphs import Graph, reference

S6, I64 = IntType(6, signed=True), np.int64


def exact(graph, tmp_path, kind=S6, scale=0.25, opset=20, count=20):
    made = convert_quantised(
        MTJConfig(), graph.save(tmp_path / "m.onnx", opset=opset), input_type=kind,
        input_scale=scale,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    x = rng.integers(kind.low, kind.high + 1, (count, *graph.shape))
    found = real_outputs(made.network, {"scores": made.network.run(x)})["scores"].astype(np.float32)
    expected = reference(graph, (x * scale).astype(np.float32), opset=opset)
    np.testing.assert_array_equal(found, expected)
    return made.network


FUNCTIONS = [
    ("Abs", {}), ("Ceil", {}), ("Floor", {}), ("Round", {}), ("Sign", {}), ("Neg", {}),
    ("Erf", {}), ("Exp", {}), ("Sigmoid", {}), ("Tanh", {}), ("Softplus", {}), ("Softsign", {}),
    ("Gelu", {}), ("Gelu", {"approximate": "tanh"}), ("Mish", {}), ("HardSwish", {}),
    ("HardSigmoid", {}), ("HardSigmoid", {"alpha": 0.3, "beta": 0.25}),
    ("Elu", {}), ("Elu", {"alpha": -0.5}), ("Selu", {}), ("Celu", {"alpha": 2.0}),
    ("LeakyRelu", {"alpha": -0.5}), ("LeakyRelu", {"alpha": 0.125}),
    ("ThresholdedRelu", {"alpha": 1.5}), ("ThresholdedRelu", {"alpha": -1.0}),
    ("Shrink", {"lambd": 1.0, "bias": 0.5}), ("Shrink", {"lambd": 0.5, "bias": 2.0}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "given"), FUNCTIONS, ids=[f"{n}_{kind}" for n, (kind, _) in enumerate(FUNCTIONS)]
)
@pytest.mark.parametrize("wide", [False, True])
def test_a_function(kind, given, wide, tmp_path):
    """Of codes, and of sums that no table holds."""
    graph = Graph((4,))
    if wide:
        weights = np.random.default_rng(1).integers(-127, 128, (4, 3))
        graph.add("MatMul", graph.weight(weights, 2.0**-5, 8.0))
        graph.add("Mul", graph.constant(0.0437 if kind != "Exp" else 0.0037))
    graph.add(kind, **given).quant(0.27, 6.0, zero=3.0)
    network = exact(graph, tmp_path, kind=IntType(10, signed=True) if wide else S6)
    assert all(layer.type.bits <= 8 for layer in (node.layer for node in network.nodes))


@pytest.mark.parametrize("kind", ["Max", "Min", "Pow", "PRelu", "Div"])
@pytest.mark.parametrize("first", [False, True])
def test_a_function_with_a_constant(kind, first, tmp_path):
    graph = Graph((3, 2))
    values = {"Pow": 2.0, "PRelu": [[0.5], [-0.25], [2.0]], "Div": [1.5, -0.75]}
    constant = graph.constant(values.get(kind, [[0.5], [1.0], [-2.0]]))
    if kind == "Div" and first:
        graph.add("Add", graph.constant(20.0)).join("Div", graph.constant(50.0), graph.last)
    elif kind in ("Max", "Min") and first:
        graph.join(kind, constant, graph.last)
    else:
        graph.add(kind, constant)
    exact(graph.quant(0.3, 6.0), tmp_path)


@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "PRelu"])
@pytest.mark.parametrize("channels", [False, True])
def test_two_tensors(kind, channels, tmp_path):
    """Any function of two codes: of scales that have nothing in common, for each channel."""
    graph = Graph((3, 4))
    scale = [[0.31], [0.7], [0.123]] if channels else 0.31
    first = graph.quant(np.array(scale)[None] if channels else scale, 5.0).last
    graph.last = "input"
    graph.add("Abs").add("Mul", graph.constant(0.37)).quant(0.0456, 6.0)
    graph.add("Exp" if kind == "Div" else "Sigmoid")
    if kind == "Pow":
        first, graph.last = graph.last, first
    graph.join(kind, first, graph.last).quant(0.0437, 7.0)
    exact(graph, tmp_path)


@pytest.mark.parametrize("kind", ["Add", "Mul"])
def test_scales_far_from_each_other(kind, tmp_path):
    """No common unit of 62 bits: both codes are looked up together."""
    graph = Graph((4,)).quant(1.3e8, 5.0, narrow=0)
    first = graph.add("Mul", graph.constant(4e9)).last
    graph.last = "input"
    graph.quant(0.31, 6.0).add("Exp")
    graph.join(kind, graph.last, first).quant(1e7, 8.0)
    made = exact(graph, tmp_path, scale=5e7)
    assert sum(isinstance(node.layer, Join) for node in made.nodes) == 2


def test_codes_beyond_all_thresholds_come_from_a_table(tmp_path):
    graph = Graph((4,)).quant(0.001, 14.0)
    network = exact(graph, tmp_path, kind=IntType(12, signed=True), scale=0.004)
    assert isinstance(network.nodes[-1].layer, Join)
    assert network.nodes[-1].layer.type == IntType(14, signed=True)


def image():
    return Graph((4, 4, 6)).quant(0.25, 6.0)


MOVED = {
    "DepthToSpace": lambda g: g.add("DepthToSpace", blocksize=2),
    "DepthToSpace by columns": lambda g: g.add("DepthToSpace", blocksize=2, mode="CRD"),
    "SpaceToDepth": lambda g: g.add("SpaceToDepth", blocksize=2),
    "Tile": lambda g: g.add("Tile", g.constant([1, 2, 1, 3], I64)),
    "Expand": lambda g: (
        g.add("Slice", *(g.constant([v], I64) for v in (0, 1, 2)))
        .add("Expand", g.constant([1, 1, 5, 1], I64))
    ),
    "Gather of one": lambda g: g.add("Gather", g.constant(2, I64), axis=1),
    "Gather backwards": lambda g: g.add("Gather", g.constant([-1, 0, 0], I64), axis=3),
    "Slice backwards": lambda g: g.add("Slice", *(g.constant([v], I64) for v in (-1, -5, 2, -2))),
    "Split": lambda g: g.add("Split", outputs=2, axis=-1, num_outputs=2),
    "Transpose": lambda g: g.add("Transpose", perm=[0, 3, 1, 2]),
    "Squeeze": lambda g: (
        g.add("Unsqueeze", g.constant([1], I64)).add("Squeeze", g.constant([1], I64))
    ),
    "Resize": lambda g: g.add("Resize", "", g.constant([1, 1, 2.0, 0.5]), mode="nearest"),
    "Resize to sizes": lambda g: g.add(
        "Resize", "", "", g.constant([1, 4, 7, 5], I64), mode="nearest",
        coordinate_transformation_mode="align_corners", nearest_mode="round_prefer_ceil"),
    "Resize from corners": lambda g: g.add(
        "Resize", "", g.constant([1, 1, 1.5, 3.0]), mode="nearest", nearest_mode="floor",
        coordinate_transformation_mode="asymmetric"),
    "Pad": lambda g: g.add("Pad", g.constant([0, 0, 1, 2, 0, 1, 0, 0], I64)),
    "Pad with a value": lambda g: g.add(
        "Pad", g.constant([1, 2], I64), g.constant(-1.5), g.constant([3], I64)),
    "Pad twice": lambda g: (
        g.add("Pad", g.constant([0, 0, 1, 0, 0, 0, 0, 0], I64))
        .add("Pad", g.constant([0, 0, 0, 1, 0, 0, 0, 0], I64), g.constant(0.5))
    ),
    "Pad by edges": lambda g: g.add("Pad", g.constant([0, 0, 1, 1, 0, 0, 1, 1], I64), mode="edge"),
    "Pad by mirrors": lambda g: g.add(
        "Pad", g.constant([0, 0, 2, 1, 0, 0, 1, 2], I64), mode="reflect"),
    "ReduceMax": lambda g: g.add("ReduceMax", g.constant([1, 3], I64)),
    "ReduceMean": lambda g: g.add("ReduceMean", g.constant([-1], I64), keepdims=0).quant(0.3, 5.0),
    "ArgMax": lambda g: g.add("Flatten").add("ArgMax", axis=1),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
@pytest.mark.parametrize("channels", [False, True])
def test_values_elsewhere(name, channels, tmp_path):
    """Scales of each channel go along."""
    graph = MOVED[name](image())
    if channels and name != "ArgMax":
        scales = np.float32([1.25, 0.5, 2.0])
        last = graph.last
        size = reference(graph, np.zeros((1, 4, 4, 6), np.float32), opset=20).shape[-1]
        graph.last = last
        graph.add("Mul", graph.constant(np.resize(scales, size))).quant(0.2, 7.0)
    kind = IntType(5, signed=True)
    made = convert_quantised(
        MTJConfig(), graph.save(tmp_path / "m.onnx", opset=20), input_type=kind, input_scale=0.25
    )
    x = np.random.default_rng(0).integers(kind.low, kind.high + 1, (6, 4, 4, 6))
    title = made.network.outputs[0].name
    found = real_outputs(made.network, {title: made.network.run(x)})[title].astype(np.float32)
    expected = reference(graph, (x * 0.25).astype(np.float32), opset=20)
    np.testing.assert_array_equal(found, expected)


def test_parameters_go_along(tmp_path):
    """Scales of channels that are cut, turned and put side by side before they are quantised."""
    graph = image()
    graph.add("Mul", graph.constant(np.float32([[[1.5]], [[0.3]], [[2.0]], [[0.7]]])))
    first = graph.add("Slice", *(graph.constant([v], I64) for v in (1, 4, 1, 2))).last
    graph.add("Relu").join("Concat", first, graph.last, axis=1)
    graph.add("Transpose", perm=[0, 2, 3, 1])
    graph.add("Reshape", graph.constant([1, 8, 12], I64)).quant(0.25, 6.0)
    exact(graph, tmp_path, count=10)


def test_shapes_worked_out_in_the_graph(tmp_path):
    """As tracers write them: parts of shapes, put together and multiplied."""
    graph = Graph((4, 3, 3)).quant(0.25, 6.0)
    value = graph.last
    first = graph.add("Shape", start=0, end=2).last
    graph.join("Concat", first, graph.constant([-1], I64), axis=0)
    value = graph.join("Reshape", value, graph.last).last
    graph.add("Unsqueeze", graph.constant([3], I64)).add("Shape").add("Cast", to=1)
    graph.add("Mul", graph.constant([1, 1, 2, 2.0])).add("Cast", to=7)
    size = graph.last
    graph.last = value
    image = graph.add("Unsqueeze", graph.constant([3], I64)).last
    graph.join("Resize", image, "", "", size, mode="nearest").quant(0.5, 5.0)
    exact(graph, tmp_path)


@pytest.mark.parametrize("opset", [9, 11])
def test_older_files(opset, tmp_path):
    """Attributes that became inputs later."""
    graph = Graph((2, 4, 4)).quant(0.25, 6.0)
    if opset == 9:
        graph.add("Upsample", graph.constant([1, 1, 2, 2.0]), mode="nearest")
        graph.add("Slice", axes=[2], starts=[1], ends=[6])
    graph.add("Clip", *([] if opset == 9 else [graph.constant(-2.0), graph.constant(3.0)]))
    graph.add("Split", axis=2, split=[1, 5 - (opset - 9) // 2 - 1], outputs=2)
    graph.add("Unsqueeze", axes=[1]).add("Squeeze", axes=[1]).quant(0.25, 5.0)
    exact(graph, tmp_path, opset=opset)


def test_a_sum_of_pools(tmp_path):
    """QuantAvgPool2d of FINN: sums of two by two values, less the bits that are too many."""
    graph = Graph((2, 4, 4)).quant(1.0, 4.0, signed=0, narrow=0)
    graph.add("QuantAvgPool2d", domain="qonnx.custom_op.general", kernel=2, stride=2, ibits=4,
              obits=3, signed=0)  # fmt: skip
    made = convert_quantised(MTJConfig(), graph.save(tmp_path / "m.onnx"), input_type=IntType(4))
    x = np.random.default_rng(0).integers(0, 16, (20, 2, 4, 4))
    sums = x.reshape(20, 2, 2, 2, 2, 2).sum(axis=(3, 5))
    np.testing.assert_array_equal(made.network.run(x), sums >> 3)  # 60 has 6 bits


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL"])
def test_bits_left_out(mode, tmp_path):
    graph = Graph((5,)).quant(0.25, 8.0, zero=3.0, signed=1)
    graph.trunc(0.25, 8.0, 3.0, zero=3.0, rounding_mode=mode)
    exact(graph, tmp_path, kind=IntType(8, signed=True))


def test_a_file_of_signed_bytes(tmp_path):
    """Integers throughout: the network takes them as they are."""
    graph = Graph((2, 3))
    graph.add("DequantizeLinear", graph.constant(0.5), graph.constant(-3, np.int8))
    graph.quant(0.7, 5.0)
    path = graph.save(tmp_path / "m.onnx", kind=TensorProto.INT8)
    made = convert_quantised(MTJConfig(), path, input_type=IntType(8, signed=True), input_scale=9.0)
    x = np.random.default_rng(0).integers(-128, 128, (30, 2, 3))
    found = real_outputs(made.network, {"scores": made.network.run(x)})["scores"].astype(np.float32)
    expected = reference(graph, x.astype(np.int8), kind=TensorProto.INT8)
    np.testing.assert_array_equal(found, expected)
    assert made.network.inputs[0].scale == 1.0
