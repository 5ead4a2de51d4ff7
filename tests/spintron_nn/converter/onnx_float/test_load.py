"""Files as exporters write them: old opsets, batches, weights among the inputs, several ports."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from spintron_nn.converter.graph import Conv, Linear, Norm, Reshape, SoftmaxOf
from spintron_nn.converter.onnx_float import load_real_onnx
from tests.spintron_nn.converter.onnx_float.graphs import Graph
from tests.spintron_nn.converter.onnx_float.lowered_cases import lowered_differences
from tests.spintron_nn.converter.real_graph import run_model

SHARED = Path(__file__).parents[5] / "shared" / "vectors" / "onnx"

RNG = np.random.default_rng(0)


def saved(path, nodes, weights, shape, result, opset):
    """A model as in the days when weights had to be inputs, too."""
    tensors = {name: RNG.integers(-3, 4, size) / 4 for name, size in weights.items()}
    tensors = {
        name: np.abs(values) + 1 if name.startswith("var") else values
        for name, values in tensors.items()
    }
    inputs = [helper.make_tensor_value_info("0", TensorProto.FLOAT, shape)] + [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, size)
        for name, size in weights.items()
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)]
    constants = [numpy_helper.from_array(np.float32(v), name) for name, v in tensors.items()]
    graph = helper.make_graph(nodes, "old", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    path.write_bytes(model.SerializeToString())
    return path, tensors


def test_a_batch_normalisation_between_reshapes(tmp_path):
    nodes = [
        helper.make_node("Gemm", ["0", "w", "b"], ["1"], transB=1, broadcast=1),
        helper.make_node("Unsqueeze", ["1"], ["2"], axes=[2]),
        helper.make_node(
            "BatchNormalization", ["2", "g", "s", "m", "var"], ["3"], is_test=1, epsilon=0.0
        ),
        helper.make_node("Squeeze", ["3"], ["4"], axes=[2]),
        helper.make_node("Softmax", ["4"], ["y"], axis=1),
    ]
    weights = {"w": (5, 3), **dict.fromkeys(("b", "g", "s", "m", "var"), (5,))}
    path, tensors = saved(tmp_path / "m.onnx", nodes, weights, (789444, 3), (789444, 5), 6)
    model = load_real_onnx(path)
    assert list(model.inputs.values()) == [(3,)]
    linear, norm, softmax = (step.operation for step in model.steps)
    assert isinstance(linear, Linear) and isinstance(norm, Norm) and isinstance(softmax, SoftmaxOf)
    assert (linear.weight_key, linear.bias_key, norm.gamma_key) == ("w", "b", "g")
    np.testing.assert_array_equal(linear.weight, tensors["w"])


def test_one_dimension_and_a_flatten_of_all(tmp_path):
    nodes = [
        helper.make_node("Transpose", ["0"], ["1"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["1", "w", "b"], ["2"], kernel_shape=[4], pads=[1, 2]),
        helper.make_node("Transpose", ["2"], ["3"], perm=[0, 2, 1]),
        helper.make_node("Flatten", ["3"], ["4"], axis=0),
        helper.make_node("Gemm", ["4", "v", "c"], ["y"]),
    ]
    weights = {"w": (3, 4, 4), "b": (3,), "v": (30, 5), "c": (5,)}
    path, _ = saved(tmp_path / "m.onnx", nodes, weights, (1, 10, 4), (1, 5), 9)
    model = load_real_onnx(path)
    kinds = [type(step.operation) for step in model.steps]
    assert kinds.count(Conv) == kinds.count(Linear) == kinds.count(Reshape) == 1
    x = RNG.integers(-8, 8, (1, 10, 4)).astype(np.float32)
    (found,) = run_model(model, {next(iter(model.inputs)): x}).values()
    (wanted,) = ReferenceEvaluator(str(path)).run(None, {"0": x})
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(("name", "batch"), [(None, 1), (None, 4), ("n", 2), ("", 2)])
def test_a_batch_axis_may_be_a_number_or_a_name(name, batch, tmp_path):
    graph = Graph((2, 3), batch=batch, name=name).add("Flatten")
    graph.add("MatMul", graph.constant(np.ones((6, 4))))
    model = load_real_onnx(graph.save(tmp_path / "m.onnx"))
    assert model.inputs == {"x0": (2, 3)}
    assert [step.shape for step in model.steps] == [(6,), (4,)]


def test_a_whole_tensor_is_one_frame(tmp_path):
    graph = Graph((4,), batch=3).add("Transpose", perm=[1, 0])
    model = load_real_onnx(graph.save(tmp_path / "m.onnx"), batch=False)
    assert model.inputs == {"x0": (3, 4)}
    assert [step.shape for step in model.steps] == [(4, 3)]


def test_several_inputs_and_outputs(tmp_path):
    graph = Graph((2,), (2,)).add("Add", "x1").add("Relu")
    model = load_real_onnx(graph.save(tmp_path / "m.onnx", "t1_0", "t0_0", "x1"))
    assert list(model.inputs) == ["x0", "x1"]
    assert list(model.outputs) == ["t1_0", "t0_0", "x1"]
    x = {"x0": np.array([[1.0, -2]]), "x1": np.array([[-3.0, 4]])}
    found = run_model(model, x)
    assert found["t0_0"].tolist() == [[-2, 2]] and found["t1_0"].tolist() == [[0, 2]]
    assert found["x1"].tolist() == [[-3, 4]]


def test_sizes_computed_from_the_shape_with_an_open_batch(tmp_path):
    graph = Graph((2, 3, 3), batch=2, name="n")
    graph.add("Shape").add("Slice", *(graph.constant([n], np.int64) for n in (0, 2)))
    graph.add("Concat", graph.constant([6, 6], np.int64), axis=0)
    graph.join("Resize", "x0", "", "", graph.last, mode="nearest",
               coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
    model = load_real_onnx(graph.save(tmp_path / "m.onnx"))
    assert [step.shape for step in model.steps] == [(2, 6, 6)]
    (found,) = run_model(model, {"x0": graph.values["x0"]}).values()
    np.testing.assert_array_equal(found, graph.values[graph.last])


def test_names_fit_a_network(tmp_path):
    graph = Graph((2,)).add("Relu").add("Neg")
    model = graph.model("t0_0", "t1_0")
    for index, name in enumerate(("48", "Identity/Output:0")):
        model.graph.node.append(helper.make_node("Identity", [f"t{index}_0"], [name]))
        model.graph.output[index].name = name
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    assert load_real_onnx(path).outputs == {"n48": "relu_0", "identity_output_0": "neg_1"}


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_softmax_before_opset_13_is_over_all_axes_from_one_on(axis, tmp_path):
    graph = Graph((2, 3), opset=11).add("Softmax", axis=axis)
    model = load_real_onnx(graph.save(tmp_path / "m.onnx"))
    (found,) = run_model(model, {"x0": graph.values["x0"]}).values()
    powers = np.exp(graph.values["x0"])
    total = powers.sum(axis=(1, 2) if axis == 1 else 2, keepdims=True)
    np.testing.assert_array_equal(np.round(found * 1e9), np.round(powers / total * 1e9))


def test_the_files_of_others():
    """Exports of PyTorch 0.4 and Keras, where they lie next to the repository."""
    for path in sorted(SHARED.glob("*.onnx")):
        model = load_real_onnx(path)
        (port, shape), (wanted,) = *model.inputs.items(), onnx.load(path).graph.output
        x = RNG.standard_normal((4, *shape)).astype(np.float32)
        (found,) = run_model(model, {port: x}).values()
        run = ReferenceEvaluator(str(path))
        expected = [run.run([wanted.name], {run.input_names[0]: one[None]})[0][0] for one in x]
        wanted = np.array(expected, dtype=np.float64)
        np.testing.assert_array_equal(np.round(found * 10_000), np.round(wanted * 10_000))
        assert lowered_differences(path.name, model) == []
