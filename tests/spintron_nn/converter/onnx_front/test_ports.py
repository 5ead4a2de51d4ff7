"""What is refused of inputs and outputs."""

import pytest
from onnx import TensorProto

from spintron_ir import IntType, ParameterError
from spintron_nn.converter.onnx_front import load_onnx
from tests.spintron_nn.converter.onnx_front.graphs import Graph
from tests.spintron_nn.converter.onnx_front.test_models import two_inputs
from tests.spintron_nn.converter.onnx_front.test_refusals import findings, linear


def test_refuses_integers_beyond_the_file(tmp_path):
    path = linear("DequantizeLinear").save(tmp_path / "m.onnx", kind=TensorProto.INT8)
    assert findings(path) == [
        "input (input): holds int8, and uint8 does not fit; give an input type within int8"
    ]


def test_refuses_types_of_other_inputs(tmp_path):
    _, model = two_inputs()
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    message = "load_onnx: input_type must be given for input, other, not for input"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        load_onnx(tmp_path / "m.onnx", input_type={"input": IntType(8)})


def test_refuses_inputs_that_nothing_takes(tmp_path):
    _, model = two_inputs()
    del model.graph.node[0].input[1]
    model.graph.node[0].op_type = "Relu"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    assert findings(tmp_path / "m.onnx") == ["other (input): nothing takes it: leave it out"]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("input", "the graph must have an input, not none"),
        ("output", "the graph must have an output, not none: keep the scores or the class"),
    ],
)
def test_refuses_graphs_without_ends(what, message, tmp_path):
    model = Graph((2,)).quant(1.0, 4.0).model()
    del getattr(model.graph, what)[:]
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    assert message in findings(tmp_path / "m.onnx")
