"""Node tests of quantised operators, through the front end that reads integers."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from spintron_ir import ConversionError, IntType
from spintron_nn.converter.onnx_front import load_onnx
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["QUANTISED", "quantised_differences", "quantised_outcome"]

QUANTISED = (
    "ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv",
    "QLinearMatMul", "QuantizeLinear",
)  # fmt: skip

TYPES = {
    f"{'' if signed else 'u'}int{bits}": IntType(bits, signed)
    for bits in (2, 4, 8, 16)
    for signed in (False, True)
}


def _frames(case):
    """The case with an open batch axis in front; one-dimensional tensors are one frame."""
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    (name,) = case.inputs
    shape = case.inputs[name].shape
    for value in model.graph.input:
        sizes = ["frames", *(shape[1:] if len(shape) > 1 else shape)]
        number = value.type.tensor_type.elem_type
        value.CopyFrom(helper.make_tensor_value_info(name, number, sizes))
    return model


def _input(values):
    """Integers that stand for an input: their type and scale, and the integers themselves."""
    kind = TYPES.get(str(values.dtype))
    if kind is not None:
        return kind, 1.0, values.astype(np.int64)
    top = float(np.abs(values.astype(np.float64)).max(initial=0)) or 1.0
    scale = 2.0 ** np.ceil(np.log2(top / 2047))
    codes = np.round(values.astype(np.float64) / scale).astype(np.int64)
    return IntType(12, signed=True), float(scale), codes


def quantised_outcome(case):
    """Findings about a case; none where it is converted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.onnx"
        path.write_bytes(_frames(case).SerializeToString())
        kind, scale, _ = _input(next(iter(case.inputs.values())))
        try:
            load_onnx(path, input_type=kind, input_scale=scale)
        except ConversionError as error:
            return tuple(error.findings)
    return ()


def quantised_differences(case):
    """How the network on an ideal chip and the case differ: its own data, then other integers."""
    (name,), (values,) = case.inputs, case.inputs.values()
    kind, scale, codes = _input(values)
    flat = codes.shape if codes.ndim > 1 else (1, *codes.shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.onnx"
        path.write_bytes(_frames(case).SerializeToString())
        made = convert_quantised(
            MTJConfig(), path, input_type=kind, input_scale=scale, crossbar_size=4
        )
    if str(values.dtype) in TYPES:
        found = _results(made, codes.reshape(flat), case.outputs[0])
        if not np.array_equal(found, case.outputs[0]):
            return [f"{case.name}: its own data give {found} for {case.outputs[0]}"]
    rng = np.random.default_rng(0)
    run = ReferenceEvaluator(case.model)
    for _ in range(8):
        given = (codes * scale).astype(values.dtype)
        (wanted,) = run.run(None, {name: given})
        found = _results(made, codes.reshape(flat), wanted)
        if not np.array_equal(found, wanted):
            return [f"{case.name}: {given} gives {found} for {wanted}"]
        codes = rng.integers(kind.low, kind.high + 1, codes.shape)
    return []


def _results(made, codes, like):
    """What a network gives, as integers where the case has integers."""
    found = made.network.run(codes)
    if like.dtype.kind == "f":
        (output,) = made.network.outputs
        found = real_outputs(made.network, {output.name: found})[output.name].astype(like.dtype)
    return np.asarray(found).reshape(like.shape)
