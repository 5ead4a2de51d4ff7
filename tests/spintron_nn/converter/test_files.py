"""Tests of spintron_nn.converter.files."""

import pytest

from spintron_ir import ConversionError
from spintron_nn.converter.files import is_quantised, read_real
from tests.spintron_nn.converter.onnx_front.graphs import Graph


def test_operators_of_quantised_models_tell_them(tmp_path):
    real = Graph((2,)).add("Relu").save(tmp_path / "real.onnx")
    whole = Graph((2,)).quant(0.5, 3.0).save(tmp_path / "whole.onnx")
    assert (is_quantised(real), is_quantised(whole)) == (False, True)
    assert (is_quantised("m.tflite"), is_quantised("m.pt2")) == (True, False)
    assert [step.name for step in read_real(real).steps]


def test_a_quantised_model_is_no_real_one(tmp_path):
    path = Graph((2,)).quant(0.5, 3.0).save(tmp_path / "m.onnx")
    message = (
        r"the model cannot be converted \(1 finding\): m.onnx: is quantised already; convert it "
        "with convert_quantised, and --input-type on the command line"
    )
    with pytest.raises(ConversionError, match=f"^{message}$"):
        read_real(path)


def test_a_damaged_file_says_so(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"nonsense")
    message = (
        r"the model cannot be converted \(1 finding\): m.onnx: is no ONNX model; save it again "
        "with onnx.save"
    )
    with pytest.raises(ConversionError, match=f"^{message}$"):
        read_real(tmp_path / "m.onnx")
