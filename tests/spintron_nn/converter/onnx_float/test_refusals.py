"""What is refused: all findings at once, each with operator and way out, and never a traceback."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from spintron_ir import ConversionError
from spintron_nn.converter.onnx_float import load_real_onnx
from tests.spintron_nn.converter.onnx_float.graphs import Graph

I64 = np.int64


class Plain(Graph):
    """A graph that nothing evaluates: tensors have the shape of the first input."""

    def _evaluate(self, node):
        return [self.values["x0"] for _ in node.output]


def start(*shape, **given):
    return Plain(shape or (2, 4, 4), **given)


def findings(path, **given):
    with pytest.raises(ConversionError) as caught:
        load_real_onnx(path, **given)
    return list(caught.value.findings)


def constant(graph, kind, *values, **attributes):
    parts = [graph.constant(v, I64 if isinstance(v, list) else np.float64) for v in values]
    return graph.add(kind, *parts, **attributes)


def conv(shape, **attributes):
    return constant(start(), "Conv", np.ones(shape), **attributes)


def dense(shape, *inputs):
    return constant(start(*inputs), "MatMul", np.ones(shape))


AGAIN = "export the model again"
BATCH = "works along the batch axis: frames are converted one by one; keep it first"
WRAP = "computes with integers, which may wrap round: cast them to float32"

CASES = {
    f"Conv_0 (Conv): has weights of shape (3, 3, 3, 3) and 1 groups for 2 channels: {AGAIN}": (
        lambda: conv((3, 3, 3, 3))
    ),
    f"Conv_0 (Conv): has weights of shape (3, 2, 3) for frames of shape (2, 4, 4): {AGAIN}": (
        lambda: conv((3, 2, 3))
    ),
    f"Conv_0 (Conv): has another kernel_shape than its weights (3, 2, 3, 3): {AGAIN}": lambda: conv(
        (3, 2, 3, 3), kernel_shape=[2, 2]
    ),
    f"Conv_0 (Conv): has both auto_pad and pads: {AGAIN}": lambda: conv(
        (3, 2, 3, 3), auto_pad="VALID", pads=[1, 1, 1, 1]
    ),
    f"Conv_0 (Conv): its auto_pad must be one of NOTSET, SAME_UPPER, SAME_LOWER, VALID, not "
    f"'SAME': {AGAIN}": lambda: conv((3, 2, 3, 3), auto_pad="SAME"),
    f"Conv_0 (Conv): its strides must be 2 integers of at least 1, not (0, 1): {AGAIN}": (
        lambda: conv((3, 2, 3, 3), strides=[0, 1])
    ),
    "Conv_0 (Conv): has a kernel that spans 5 of 4 values along a spatial axis: pad its input, or "
    "use a smaller one": lambda: conv((3, 2, 5, 5)),
    f"Conv_0 (Conv): has the attribute 'scale', which Conv does not have: {AGAIN}": lambda: conv(
        (3, 2, 3, 3), scale=2.0
    ),
    "Conv_0 (Conv): needs constant weights of real numbers: put them into the model": lambda: (
        start().add("Conv", "x0")
    ),
    f"Conv_0 (Conv): has a bias of shape (1,): {AGAIN}": lambda: constant(
        start(), "Conv", np.ones((3, 2, 3, 3)), np.ones(1)
    ),
    "Conv_0 (Conv): takes values of shape (1, 2, 2, 2, 2), and 1 to 2 spatial axes are converted: "
    "reshape them": lambda: constant(start(2, 2, 2, 2), "Conv", np.ones((3, 2, 1, 1, 1))),
    "MaxPool_0 (MaxPool): has windows of padding alone: use less padding": lambda: start().add(
        "MaxPool", kernel_shape=[1, 1], pads=[1, 0, 0, 0]
    ),
    "MaxPool_0 (MaxPool): gives 't0_1' besides, which is not converted: take the first only": (
        lambda: start().add("MaxPool", kernel_shape=[1, 1], outputs=2, take=1)
    ),
    "MaxPool_0 (MaxPool): has a last window in the padding, which opset 22 drops and earlier ones "
    "leave open: use ceil_mode = 0": lambda: start(opset=13).add(
        "MaxPool", kernel_shape=[2, 2], ceil_mode=1, pads=[0, 0, 1, 1], strides=[4, 4]
    ),
    "AveragePool_1 (AveragePool): takes the mean of integers, which ONNX does not define: cast "
    "them": lambda: start().add("ArgMax", axis=1).add("AveragePool", kernel_shape=[1, 1]),
    "BatchNormalization_0 (BatchNormalization): is in training mode: export the model after "
    "model.eval()": lambda: constant(
        start(), "BatchNormalization", *np.ones((4, 2)), training_mode=1
    ),
    f"BatchNormalization_0 (BatchNormalization): needs a number for each of its 2 channels: "
    f"{AGAIN}": lambda: constant(start(), "BatchNormalization", *np.ones((4, 3))),
    "BatchNormalization_0 (BatchNormalization): has a variance that is not positive: train it "
    "again": lambda: constant(start(), "BatchNormalization", *-np.ones((4, 2))),
    f"MatMul_0 (MatMul): multiplies the shape (1, 3) by a matrix of 2 inputs: {AGAIN}": (
        lambda: dense((2, 2), 3)
    ),
    "MatMul_0 (MatMul): multiplies two tensors that depend on the input, as attention does, and "
    "that is not converted: make one of them constant": lambda: start().add("MatMul", "x0"),
    "MatMul_0 (MatMul): multiplies by integers (int64): cast them to float32": lambda: constant(
        start(2), "MatMul", [1, 2]
    ),
    "Gemm_0 (Gemm): takes the shape (1, 2, 3), not two axes: flatten first": lambda: constant(
        start(2, 3), "Gemm", np.ones((3, 2))
    ),
    "Div_0 (Div): divides by what depends on the input: multiply by a constant": lambda: (
        start().add("Div", "x0")
    ),
    "Div_0 (Div): divides by zero: correct its constant": lambda: constant(start(), "Div", 0.0),
    "Pow_0 (Pow): has another exponent than 1, 2 or 3: multiply instead": lambda: constant(
        start(), "Pow", 0.5
    ),
    "Max_0 (Max): compares tensors that depend on the input: write Relu(x - y) + y, or "
    "y - Relu(y - x)": lambda: start().add("Max", "x0"),
    "Clip_0 (Clip): its lower limit must be one constant number: use one for all values": lambda: (
        constant(start(), "Clip", np.ones(2))
    ),
    f"Neg_1 (Neg): {WRAP}": lambda: start().add("ArgMax", axis=1).add("Neg"),
    f"Add_1 (Add): {WRAP}": lambda: constant(start().add("ArgMax", axis=1), "Add", 1.0),
    "Cast_0 (Cast): casts to a type that rounds values: leave it out, or use float32": lambda: (
        start().add("Cast", to=TensorProto.INT32)
    ),
    "Erf_0 (Erf): is converted as a part of GELU alone, x * (1 + Erf(x / sqrt(2))) / 2: use Gelu": (
        lambda: start().add("Erf")
    ),
    "Transpose_0 (Transpose): " + BATCH: lambda: start(batch=3).add("Transpose", perm=[1, 0, 2, 3]),
    "ReduceMean_0 (ReduceMean): " + BATCH: lambda: constant(start(batch=3), "ReduceMean", [0]),
    "Concat_0 (Concat): " + BATCH: lambda: start(batch=3).add("Concat", "x0", axis=0),
    "Reshape_0 (Reshape): gives the shape (96,) of (3, 2, 4, 4), without the batch axis first: "
    "keep it there": lambda: constant(start(batch=3), "Reshape", [-1]),
    "Reshape_0 (Reshape): gives (batch, 2, 4, 4) a shape with a fixed batch: make its first size 0 "
    "or -1": lambda: constant(start(name="n"), "Reshape", [1, 32]),
    "Add_0 (Add): has a constant for each frame of a batch: use one for all": lambda: constant(
        start(batch=3), "Add", np.ones((3, 1, 1, 1))
    ),
    "Add_1 (Add): joins the shapes (3, 32), (3, 2, 4, 4), which moves the batch axis: reshape "
    "them": lambda: start(batch=3).add("Flatten").add("Add", "x0"),
    "Reshape_0 (Reshape): cannot give 32 values the shape (5, 6): correct its sizes": lambda: (
        constant(start(), "Reshape", [5, 6])
    ),
    "Concat_0 (Concat): joins constants to frames of a batch: use Pad, or a batch of 1": lambda: (
        constant(start(batch=3), "Concat", np.ones((3, 2, 4, 4)), axis=1)
    ),
    "ArgMax_0 (ArgMax): takes the last of equal values: take the first (select_last_index = 0)": (
        lambda: start().add("ArgMax", select_last_index=1)
    ),
    "Gather_0 (Gather): takes places that depend on the input: use constant indices": lambda: (
        start().add("Gather", "x0", axis=1)
    ),
    f"Gather_0 (Gather): takes places outside of its axis of 2: {AGAIN}": lambda: constant(
        start(), "Gather", [2], axis=1
    ),
    "Slice_0 (Slice): gives the shape (1, 0, 4, 4), without a value: leave it out": lambda: (
        constant(start(), "Slice", [1], [1], [1])
    ),
    f"Split_0 (Split): splits 2 values into parts of (1, 2): {AGAIN}": lambda: constant(
        start(), "Split", [1, 2], axis=1, outputs=2
    ),
    "Pad_0 (Pad): pads (0, 4) around 4 values: use 0..3, or Slice": lambda: constant(
        start(), "Pad", [0, 0, 0, 0, 0, 0, 0, 4], mode="reflect"
    ),
    "Resize_0 (Resize): has the mode linear, which mixes values: use mode nearest": lambda: (
        constant(start(), "Resize", np.ones(1), np.ones(4), mode="linear")
    ),
    "Resize_0 (Resize): lies on ties that rounding decides: use a whole factor": lambda: (
        graph := start()
    ).add(
        "Resize",
        "",
        graph.constant([1, 1, 2 / 3, 1], np.float32),
        mode="nearest",
        nearest_mode="round_prefer_ceil",
        coordinate_transformation_mode="asymmetric",
    ),
    f"TopK_0 (TopK): takes (3,) of 2 values along its axis: {AGAIN}": lambda: constant(
        start(), "TopK", [3], axis=1, outputs=2
    ),
    f"Softmax_0 (Softmax): has no axis 7 in 4 axes: {AGAIN}": lambda: start().add(
        "Softmax", axis=7
    ),
    "Add_0 (Add): takes 'nowhere', which is nowhere in the graph: export the model again": (
        lambda: start().add("Add", "nowhere")
    ),
    "Add_0 (Add): joins the shapes (1, 2, 4, 4), (3,), which do not fit: reshape them": lambda: (
        constant(start(), "Add", np.ones(3))
    ),
    f"Relu_0 (Relu): has 2 inputs: {AGAIN}": lambda: start().add("Relu", "x0"),
    "Mish_0 (Mish): Mish is not converted: use HardSwish, or x * Sigmoid(x)": lambda: start().add(
        "Mish"
    ),
    "ConvTranspose_0 (ConvTranspose): ConvTranspose is not converted: use Resize (nearest), then "
    "Conv": lambda: constant(start(), "ConvTranspose", np.ones((2, 2, 2, 2))),
    "Quant_0 (Quant): onnx.brevitas.Quant is not converted: use an operator of the table in the "
    "documentation": lambda: start().add("Quant", domain="onnx.brevitas"),
    "Where_0 (Where): is converted for constants alone: move it behind the network": lambda: (
        start().add("Where", "x0", "x0")
    ),
    "t0_0 (output): does not depend on an input: leave it out": lambda: start().add("Shape"),
}


@pytest.mark.parametrize("message", CASES)
def test_a_finding(message, tmp_path):
    assert findings(CASES[message]().save(tmp_path / "m.onnx")) == [message]


def test_all_findings_at_once(tmp_path):
    graph = start().add("Mish").add("Conv", "x0").add("ConvTranspose", "x0").add("Relu")
    graph.join("Div", "x0", "x0").add("Sin").add("Asin")
    found = findings(graph.save(tmp_path / "m.onnx", "t3_0", "t6_0"))
    assert [text.split(":")[0] for text in found] == [
        "Mish_0 (Mish)",
        "Conv_1 (Conv)",
        "ConvTranspose_2 (ConvTranspose)",
        "Div_4 (Div)",
        "Sin_5 (Sin)",
        "Asin_6 (Asin)",
    ]


def changed(graph, change, tmp_path):
    model = graph.model()
    change(model)
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def no_shape(model):
    model.graph.input[0].type.tensor_type.ClearField("shape")


def open_axis(model):
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "width"


def text_input(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def spare_input(model):
    model.graph.input.append(helper.make_tensor_value_info("spare", TensorProto.FLOAT, (1, 2)))


def other_batch(model):
    model.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, (2, 2)))
    model.graph.node.append(helper.make_node("Relu", ["y"], ["z"], name="more"))
    model.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, None))


def old(model):
    model.opset_import[0].version = 5


def sparse(model):
    model.graph.sparse_initializer.add()


def functions(model):
    model.functions.add(name="own", domain="own")


def circle(model):
    model.graph.node.insert(0, helper.make_node("Relu", ["t0_0"], ["loop"], name="again"))
    model.graph.node[1].input[1] = "loop"


CHANGES = {
    no_shape: "x0 (input): has no shape; export the model with a fixed one",
    open_axis: "x0 (input): must have a fixed size along every axis but the batch, up to 8 of "
    "them, not (1, width, 4, 4); export the model so",
    text_input: "x0 (input): must be float32, not ONNX's type 8; export the model again",
    spare_input: "spare (input): reaches no output: leave it out",
    other_batch: "inputs: must have one batch axis in front, and have the shapes (1, 2, 4, 4), "
    "(2, 2); export the model so",
    old: "opset 5: versions 6 to 28 of the standard operators are read; convert the model with "
    "onnx.version_converter",
    sparse: "sparse initializers are not read: save them as dense ones",
    functions: "functions: the model defines operators of its own; inline them with onnx.inliner",
    circle: "again (Relu): takes 't0_0', which stands behind it or in a circle with it: sort the "
    "graph",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_refuses_inputs_and_files(change, tmp_path):
    assert findings(changed(start().add("Add", "x0"), change, tmp_path)) == [CHANGES[change]]
