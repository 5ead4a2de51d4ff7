"""What stands in the way of graphs of images, branches and integers: one finding each."""

import numpy as np
import pytest
from onnx import TensorProto

from spintron_nn.converter.onnx_front import wires
from tests.spintron_nn.converter.onnx_front.graphs import DOMAIN, Graph
from tests.spintron_nn.converter.onnx_front.test_refusals import I64, constant, findings, linear

QONNX = "qonnx.custom_op.general"


def start(shape=(2, 4, 4)):
    return Graph(shape).quant(1.0, 4.0)


def conv(shape=(3, 2, 3, 3), graph=None, scale=1.0, **given):
    graph = start() if graph is None else graph
    return graph.add("Conv", graph.weight(np.ones(shape), scale, 2.0), **given)


def shifted(zero):
    """An image whose zero is no code."""
    return Graph((2, 4, 4)).quant(1.0, 4.0, zero=zero, signed=0, narrow=0)


def wide(shape=(2,)):
    """Sums of 18 bits."""
    graph = Graph(shape)
    return graph.add("MatMul", graph.weight(np.full((shape[-1], 2), 200.0), 1.0, 9.0))


def codes():
    return linear("QuantizeLinear", graph=Graph((2, 4, 4)))


def qlinear(weights=((1, 1), (1, 1)), scale=1.0, x_zero=0, y_zero=0, w_zero=0, y_type=np.int8):
    graph = linear("QuantizeLinear")
    return graph.add(
        "QLinearMatMul", graph.constant(1.0), graph.constant(x_zero, np.int8),
        graph.constant(weights, np.float32 if isinstance(weights, float) else np.int8),
        graph.constant(scale), graph.constant(w_zero, np.int8), graph.constant(1.0),
        graph.constant(y_zero, y_type),
    )  # fmt: skip


def pooled(**given):
    return start().add("QuantAvgPool2d", domain=QONNX, kernel=2, ibits=4, obits=4, **given)


def mixed():
    """A tensor of integers beside one of real values."""
    graph = codes()
    before = graph.last
    graph.add("DequantizeLinear", graph.constant(1.0), graph.constant(0, np.int8))
    return graph.join("Concat", before, graph.last, axis=1)


def far():
    """Scales that no common unit of 62 bits holds."""
    graph = Graph((2,)).quant(2.0**40, 9.0)
    large = graph.last
    graph.last = "input"
    graph.quant(1.1 * 2.0**-20, 9.0)
    return graph.join("Add", graph.last, large).quant(1.0, 8.0)


def twice():
    """Sums of more than 48 bits that two quantisers take."""
    graph = Graph((2,)).quant(2.0**20, 8.0)
    large = graph.last
    graph.last = "input"
    graph.quant(1.1 * 2.0**-10, 8.0)
    total = graph.join("Add", graph.last, large).last
    first = graph.quant(2.0**20, 8.0).last
    graph.last = total
    return graph.quant(2.0**21, 8.0).join("Add", graph.last, first)


def scaled(graph=None, shape=(1, 2, 1, 1)):
    """A scale for each channel, or for each place."""
    graph = Graph((2, 4, 4)) if graph is None else graph
    return graph.quant(np.linspace(1, 2, int(np.prod(shape))).reshape(shape), 4.0)


CASES = {
    "Conv_2 (Conv): convolves the shape (1, 2, 4, 4) with weights (3, 1, 3, 3) in 1 groups, which "
    "do not fit: export it again": lambda: conv((3, 1, 3, 3)),
    "Conv_2 (Conv): has the kernel (1, 3) and weights (3, 2, 3, 3): export it again": lambda: conv(
        kernel_shape=[1, 3]
    ),
    "Conv_1 (Conv): must have constant weights: export the model again": lambda: start().add(
        "Conv", "input"
    ),
    "Conv_2 (Conv): its strides must be 2 integers of at least 1, not (0, 1): export it again": (
        lambda: conv(strides=[0, 1])
    ),
    "Conv_2 (Conv): has the auto_pad 'SAME': export it with pads": lambda: conv(auto_pad="SAME"),
    "Conv_2 (Conv): its kernel reaches over 5 places of 4: use a smaller kernel, or pad": (
        lambda: conv(dilations=[2, 1])
    ),
    "Conv_2 (Conv): takes values with a scale for each channel: use one scale in its Quant": (
        lambda: conv(graph=scaled())
    ),
    "Conv_2 (Conv): takes values with a scale for each place: use one for each channel": (
        lambda: conv(graph=scaled(shape=(1, 1, 4, 1)))
    ),
    "Conv_2 (Conv): pads with zero, which is no one code of its input: use a zero point that is a "
    "code, the same for all channels": lambda: conv(graph=shifted(-3.0), pads=[1] * 4),
    "Conv_2 (Conv): takes real values: put a Quant in front of it": lambda: conv(
        graph=Graph((2, 4, 4)).add("Relu")
    ),
    "Conv_2 (Conv): takes the shape (1, 2, 3, 3, 3): only images and sequences are converted": (
        lambda: conv((1, 2, 1, 1, 1), graph=start((2, 3, 3, 3)))
    ),
    "Conv_2 (Conv): has a bias of shape (2,): give one float32 for each output": lambda: (
        (graph := start()).add("Conv", graph.weight(np.ones((3, 2, 1, 1)), 1.0, 2.0),
                               graph.constant([1.0, 2.0]))
    ),
    "Conv_2 (Conv): its bias depends on the input: use Add": lambda: (
        (graph := start()).add("Conv", graph.weight(np.ones((3, 2, 1, 1)), 1.0, 2.0), "input")
    ),
    "MatMul_3 (MatMul): takes sums of 17 bits, and inputs have at most 16: put a Quant in front of "
    "it": lambda: (graph := wide()).add("MatMul", graph.weight(np.ones((2, 2)), 1.0, 2.0)),
    "MatMul_0 (MatMul): multiplies the shapes (1, 2) and (1, 2, 2); only matrices (inputs, "
    "outputs) are converted: reshape it": lambda: constant(
        Graph((2,)), "MatMul", np.ones((1, 2, 2))
    ),
    "Gemm_2 (Gemm): takes the shape (1, 2, 2), which is no vector: flatten first": lambda: (
        (graph := start((2, 2))).add("Gemm", graph.weight(np.ones((2, 2)), 1.0, 2.0))
    ),
    "Gemm_2 (Gemm): transposes its input: leave transA out": lambda: (
        (graph := start((2,))).add("Gemm", graph.weight(np.ones((2, 2)), 1.0, 2.0), transA=1)
    ),
    "MaxPool_0 (MaxPool): lacks its kernel_shape: export it again": lambda: Graph((2, 4, 4)).add(
        "MaxPool"
    ),
    "MaxPool_2 (MaxPool): takes values that fall where their integers rise: put a Quant in front": (
        lambda: start().add("Neg").add("MaxPool", kernel_shape=[2, 2])
    ),
    "MaxPool_1 (MaxPool): pads by whole windows: use pads below the size of the kernel": (
        lambda: start().add("MaxPool", kernel_shape=[2, 2], pads=[2] * 4)
    ),
    "MaxPool_1 (MaxPool): takes values with parameters for each place: use one for each channel": (
        lambda: scaled(shape=(1, 1, 4, 1)).add("MaxPool", kernel_shape=[2, 2])
    ),
    "GlobalMaxPool_1 (GlobalMaxPool): takes values with parameters for each place: use one for "
    "each channel": lambda: scaled(shape=(1, 1, 4, 1)).add("GlobalMaxPool"),
    "GlobalMaxPool_0 (GlobalMaxPool): takes the shape (1, 2), which is no image: leave it out": (
        lambda: Graph((2,)).add("GlobalMaxPool")
    ),
    "AveragePool_1 (AveragePool): takes real values: put a Quant in front of it": lambda: (
        Graph((2, 4, 4)).add("Relu").add("AveragePool", kernel_shape=[2, 2])
    ),
    "AveragePool_1 (AveragePool): averages fewer values at the edge: pad in front of it with Pad, "
    "or set count_include_pad": lambda: start().add(
        "AveragePool", kernel_shape=[2, 2], pads=[1] * 4
    ),
    "ReduceMean_1 (ReduceMean): needs axes of its input: export it again": lambda: start().add(
        "ReduceMean"
    ),
    "ReduceMean_1 (ReduceMean): reduces the batch: leave its axis out": lambda: constant(
        start(), "ReduceMean", [0, 2], I64
    ),
    "ReduceMean_1 (ReduceMean): takes axes that depend on the input: export it again": lambda: (
        start().add("ReduceMean", "input")
    ),
    "QuantAvgPool2d_1 (QuantAvgPool2d): has its channels last: convert it to the layout NCHW": (
        lambda: pooled(data_layout="NHWC")
    ),
    "QuantAvgPool2d_1 (QuantAvgPool2d): takes values that are no integers: give its Quant a scale "
    "of 1": lambda: Graph((2, 4, 4)).quant(0.5, 4.0).add(
        "QuantAvgPool2d", domain=QONNX, kernel=2, ibits=4, obits=4
    ),
    "QuantAvgPool2d_1 (QuantAvgPool2d): takes no image that depends on the input: export it "
    "again": lambda: start((2,)).add("QuantAvgPool2d", domain=QONNX, kernel=2, ibits=4, obits=4),
    "MaxPoolNHWC_1 (MaxPoolNHWC): has its channels last: convert it to MaxPool": lambda: (
        start().add("MaxPoolNHWC", domain=QONNX)
    ),
    "Trunc_1 (Trunc): gives 4 bits of 3: export it again": lambda: start().trunc(1.0, 3.0, 4.0),
    "Trunc_1 (Trunc): has a scale for its result: export it with five inputs": lambda: (
        (graph := start()).add("Trunc", *(graph.constant(v) for v in (1.0, 0.0, 4.0, 3.0, 1.0)),
                               domain=DOMAIN)
    ),
    "Add_3 (Add): takes sums of 17 bits, which no table holds: put a Quant in front of it": (
        lambda: constant(wide(), "Mul", 0.3).add("Add", "input")
    ),
    "Add_2 (Add): joins values that span more bits than a sum may have, 62: quantise both to "
    "scales nearer to each other": far,
    "the graph: takes sums of 54 bits in two places, and at most 48 are: put a Quant behind the "
    "sum": twice,
    "Concat_0 (Concat): joins along the axis 0, which no tensor of one frame has: use 1": lambda: (
        Graph((2,)).join("Concat", "input", "input", axis=0)
    ),
    "Concat_2 (Concat): joins integers and real values: put a DequantizeLinear in front": mixed,
    "Concat_1 (Concat): joins the shapes (1, 2, 4, 4) and (1, 2, 4, 3), which do not fit along "
    "axis 1: reshape": lambda: (
        (graph := Graph((2, 4, 4)))
        .add("Slice", *(graph.constant([v], I64) for v in (0, 3, 3)))
        .join("Concat", "input", "t0_0", axis=1)
    ),
    "Concat_0 (Concat): joins values and constants: put the constants elsewhere": lambda: (
        constant(Graph((2,)), "Concat", [[1.0, 2.0]], axis=1)
    ),
    "QuantizeLinear_0 (QuantizeLinear): its zero point must be of integers, not other numbers: "
    "export it again": lambda: (graph := Graph((2,))).add(
        "QuantizeLinear", graph.constant(1.0), output_dtype=TensorProto.FLOAT8E4M3FN
    ),
    "Relu_0 (Relu): has the attribute 'axis', which is not converted: leave it out": lambda: (
        Graph((2,)).add("Relu", axis=1)
    ),
    "QuantizeLinear_0 (QuantizeLinear): has precision = 10, which is not converted: leave it out": (
        lambda: linear("QuantizeLinear", precision=TensorProto.FLOAT16)
    ),
    "Dropout_0 (Dropout): is in training mode: export the model after model.eval()": lambda: (
        (graph := Graph((2,))).add("Dropout", "", graph.constant(1, np.bool_))
    ),
    "Add_1 (Add): gives 67108864 values, and at most 2**24 are converted: use fewer": lambda: (
        Graph((1 << 13, 1)).add("Transpose", perm=[0, 2, 1]).add("Add", "input")
    ),
    "Quant_2 (Quant): needs tables of their own for 360000 values: use one scale": lambda: (
        scaled(Graph((30, 30, 400)), (1, 30, 30, 1)).add("Abs").quant(1.0, 4.0)
    ),
    "Add_1 (Add): needs tables of their own for 360000 values: use one scale": lambda: (
        scaled(Graph((30, 30, 400)), (1, 30, 30, 1)).add("Add", "input")
    ),
    "Max_1 (Max): looks up codes of 9 and 8 bits, and at most 16 together have a table: quantise "
    "one to fewer": lambda: Graph((2,)).quant(1.0, 9.0).add("Max", "input"),
    "Max_0 (Max): joins more than two tensors: join two at a time": lambda: Graph((2,)).add(
        "Max", "input", "input"
    ),
    "Pow_0 (Pow): has its input as exponent: use another function": lambda: (
        (graph := Graph((2,))).join("Pow", graph.constant(2.0), "input")
    ),
    "Celu_0 (Celu): has an alpha that is not positive: export it again": lambda: Graph((2,)).add(
        "Celu", alpha=-1.0
    ),
    "Tanh_0 (Tanh): takes one input: export the model again": lambda: constant(
        Graph((2,)), "Tanh", 1.0
    ),
    "Quant_1 (Quant): is not finite over the whole range: check the scales before it": lambda: (
        (graph := Graph((2,))).join("Div", graph.constant(2.0), "input").quant(1.0, 4.0)
    ),
    "Quant_3 (Quant): has 512 intervals of codes, and at most 256 are converted: use fewer bits": (
        lambda: wide().add("Abs").quant(1.0, 9.0, signed=0, narrow=0)
    ),
    "Relu_1 (Relu): takes integers: put a DequantizeLinear in front of it": lambda: codes().add(
        "Relu"
    ),
    "Quant_1 (Quant): takes integers: put a DequantizeLinear in front of it": lambda: codes().quant(
        1.0, 4.0
    ),
    "Cast_0 (Cast): casts to a type that is not converted: use float32": lambda: Graph((2,)).add(
        "Cast", to=TensorProto.INT32
    ),
    "QLinearMatMul_1 (QLinearMatMul): has weights of float32, not integers: export it again": (
        lambda: qlinear(weights=1.0)
    ),
    "QLinearMatMul_1 (QLinearMatMul): has weights of shape (1, 2, 2): only matrices are "
    "converted": lambda: qlinear(weights=[[[1, 1], [1, 1]]]),
    "QLinearMatMul_1 (QLinearMatMul): has a zero point for each row of its input: use one": (
        lambda: qlinear(x_zero=[0, 1])
    ),
    "QLinearMatMul_1 (QLinearMatMul): has zero points that do not fit its weights: use one for "
    "each output": lambda: qlinear(w_zero=[0, 1, 2]),
    "QLinearMatMul_1 (QLinearMatMul): needs one scale and zero point of 8 bits for its result: "
    "export it again": lambda: qlinear(y_type=np.int16),
    "QLinearMatMul_1 (QLinearMatMul): its scales must be positive and float32: absorb the sign "
    "into weights": lambda: qlinear(scale=-1.0),
    "QLinearMatMul_1 (QLinearMatMul): has 3 scales of weights: use one for each output": lambda: (
        qlinear(scale=[1.0, 2.0, 3.0])
    ),
    "ConvInteger_1 (ConvInteger): its weights, scales and zero points must be constants: export it "
    "again": lambda: codes().add("ConvInteger", "input"),
    "ConvInteger_1 (ConvInteger): its zero point must be of integers, not float32: export it "
    "again": lambda: (
        (graph := codes()).add("ConvInteger", graph.constant(np.ones((1, 2, 1, 1)), np.int8),
                               graph.constant(0.5))
    ),
    "Pad_1 (Pad): has 2 amounts for 4 axes: export it again": lambda: constant(
        start(), "Pad", [1, 1], I64
    ),
    "Pad_1 (Pad): pads by [0, 0, -1, 0, 0, 0, 0, 0]: use Slice to cut, and leave the batch alone": (
        lambda: constant(start(), "Pad", [0, 0, -1, 0, 0, 0, 0, 0], I64)
    ),
    "Pad_1 (Pad): has the mode 'circle': use constant, edge or reflect": lambda: constant(
        start(), "Pad", [0, 0, 1, 0, 0, 0, 0, 0], I64, mode="circle"
    ),
    "Pad_1 (Pad): pads values that are not quantised: put a Quant in front of it": lambda: constant(
        Graph((2, 4, 4)).add("Relu"), "Pad", [0, 0, 1, 0, 0, 0, 0, 0], I64
    ),
    "Pad_1 (Pad): pads with 0.5, which is no one code of its quantiser: use a zero point that is a "
    "code, the same for all channels": lambda: (
        (graph := start()).add("Pad", graph.constant([0, 0, 1, 0, 0, 0, 0, 0], I64),
                               graph.constant(0.5))
    ),
    "Pad_0 (Pad): its pads must be constant: export the model with fixed shapes": lambda: Graph(
        (2,)
    ).add("Pad", "input"),
    "Transpose_0 (Transpose): has the order (0, 2) for 2 axes: export the model again": lambda: (
        Graph((2,)).add("Transpose", perm=[0, 2])
    ),
    "Split_0 (Split): has no axis 5 in 2 axes: export the model again": lambda: Graph((2,)).add(
        "Split", axis=5
    ),
    "Split_0 (Split): cuts 2 places into [3]: export the model again": lambda: constant(
        Graph((2,)), "Split", [3], I64, axis=1
    ),
    "Slice_0 (Slice): has starts, ends, axes and steps that do not fit: export it again": lambda: (
        (graph := Graph((2,))).add("Slice", graph.constant([0], I64), graph.constant([1, 2], I64))
    ),
    "Gather_0 (Gather): has indices beyond the 2 places of axis 1: export it again": lambda: (
        constant(Graph((2,)), "Gather", [2], I64, axis=1)
    ),
    "Gather_0 (Gather): its indices must be constant integers: export the model again": lambda: (
        constant(Graph((2,)), "Gather", [0.5], axis=1)
    ),
    "Tile_0 (Tile): has repeats [2] for 2 axes: export it again": lambda: constant(
        Graph((2,)), "Tile", [2], I64
    ),
    "Tile_0 (Tile): gives 33554432 values, and at most 2**24 are converted: use fewer": lambda: (
        constant(Graph((2,)), "Tile", [1, 1 << 24], I64)
    ),
    "DepthToSpace_0 (DepthToSpace): has blocks of 3 for 2 channels: export it again": lambda: (
        Graph((2, 4, 4)).add("DepthToSpace", blocksize=3)
    ),
    "SpaceToDepth_0 (SpaceToDepth): has blocks of 3 for 4 x 4: export it again": lambda: Graph(
        (2, 4, 4)
    ).add("SpaceToDepth", blocksize=3),
    "Resize_0 (Resize): mixes neighbouring values: use the mode nearest": lambda: Graph(
        (2, 4, 4)
    ).add("Resize", mode="linear"),
    "Resize_0 (Resize): has axes or antialiasing: give scales for all axes": lambda: Graph(
        (2, 4, 4)
    ).add("Resize", axes=[2]),
    "Resize_0 (Resize): keeps an aspect ratio: give the sizes themselves": lambda: Graph(
        (2, 4, 4)
    ).add("Resize", keep_aspect_ratio_policy="not_larger"),
    "Resize_0 (Resize): needs a positive scale for each axis: export it again": lambda: Graph(
        (2, 4, 4)
    ).add("Resize"),
    "Resize_0 (Resize): gives the sizes [2, 2, 4, 4]: export it with a batch of 1": lambda: (
        (graph := Graph((2, 4, 4))).add("Resize", "", graph.constant([2.0, 1, 1, 1]))
    ),
    "Resize_0 (Resize): has the coordinates 'tf_crop_and_resize': use half_pixel or asymmetric": (
        lambda: (graph := Graph((2, 4, 4))).add(
            "Resize", "", graph.constant([1.0, 1, 1, 1]),
            coordinate_transformation_mode="tf_crop_and_resize")
    ),
    "ArgMax_1 (ArgMax): takes the largest of values that are no rising line of their integers: put "
    "a Quant before it": lambda: Graph((2,)).add("Relu").add("ArgMax", axis=1),
    "TopK_0 (TopK): needs a constant k: export the model again": lambda: Graph((2,)).add(
        "TopK", outputs=2
    ),
    "Clip_1 (Clip): takes a constant first, and its parameters from the input: swap them": lambda: (
        (graph := Graph((2,))).add("Relu").join("Clip", graph.constant(1.0), graph.last)
    ),
    "MultiThreshold_0 (MultiThreshold): its thresholds must be constants, and its values not: "
    "export it again": lambda: Graph((2,)).add("MultiThreshold", "input", domain=QONNX),
    "Relu_0 (Relu): lacks its input: export the model again": lambda: Graph((2,)).join("Relu", ""),
}  # fmt: skip


@pytest.mark.parametrize("message", CASES)
def test_a_finding(message, tmp_path):
    assert findings(CASES[message]().save(tmp_path / "m.onnx")) == [message]


def test_refuses_more_moves_than_memory_has_room_for(tmp_path, monkeypatch):
    monkeypatch.setattr(wires, "MOST", 40)
    graph = Graph((3, 3, 3))
    for axes in ([0, 2, 3, 1], [0, 3, 1, 2]):
        graph.add("Transpose", perm=axes).quant(np.ones((1, 1, 1, 3)), 4.0)
    assert findings(graph.save(tmp_path / "m.onnx")) == [
        "Quant_3 (Quant): is one of many that move values, more than 40 altogether: keep one order "
        "of axes"
    ]
