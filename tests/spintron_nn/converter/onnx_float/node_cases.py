"""The node tests that ship inside the onnx package, and what becomes of each."""

import functools
import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from onnx.backend.test import loader
from onnx.reference import ReferenceEvaluator

from spintron_ir import ConversionError
from spintron_nn.converter.lower import check
from spintron_nn.converter.onnx_float import load_real_onnx
from spintron_nn.converter.onnx_float.operators import HANDLERS
from tests.spintron_nn.converter.real_graph import run_model

__all__ = ["Case", "Outcome", "bound", "cases", "differences", "outcome"]

DATA = dict.fromkeys(("Add", "Sub", "Mul", "Sum", "Mean", "Concat", "Max", "Min"), 256)
"""Inputs, from the first, that carry data; others, as weights and sizes, are bound as constants."""

LETTERED = re.compile(r"_expanded(_ver\d+)?$")


@dataclass(frozen=True, eq=False)
class Case:
    """One node test: its operator, its graph with constants bound, inputs and results."""

    name: str
    kind: str
    model: onnx.ModelProto
    inputs: dict
    outputs: list


@dataclass(frozen=True)
class Outcome:
    """What became of a case: the model, whether its first axis is a batch, and the findings."""

    model: object = None
    batch: bool = True
    findings: tuple = ()


@functools.cache
def cases():
    """All node tests, in order of their names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = loader.load_model_tests(kind="node")
    found = [_Test(test.name, *_content(test)) for test in found]
    kinds = {}
    for test in found:
        nodes = test.model.graph.node
        if len(nodes) == 1:
            domain = nodes[0].domain
            kinds[test.name] = f"{domain}.{nodes[0].op_type}" if domain else nodes[0].op_type
    made = []
    for test in sorted(found, key=lambda test: test.name):
        base = LETTERED.sub("", test.name)
        kind = kinds.get(test.name) or kinds.get(base, "several operators")
        made.append(_case(test, kind))
    return tuple(made)


class _Test(NamedTuple):
    """A node test: its graph, inputs and results."""

    name: str
    model: onnx.ModelProto
    inputs: list
    outputs: list


def _content(test):
    """Graph, inputs and results; older versions of onnx have them in files."""
    if test.model is not None:
        return (test.model, *test.data_sets[0])
    folder = Path(test.model_dir)
    model = onnx.load(folder / "model.onnx")
    parts = []
    for what in ("input", "output"):
        paths = (folder / "test_data_set_0").glob(f"{what}_*.pb")
        paths = sorted(paths, key=lambda path: int(path.stem.split("_")[-1]))
        parts.append([_stored(path) for path in paths])
    return model, *parts


def _stored(path):
    tensor = onnx.TensorProto()
    try:
        tensor.ParseFromString(path.read_bytes())
        numpy_helper.to_array(tensor)
    except (DecodeError, ValueError, TypeError, KeyError):  # a sequence, or nothing at all
        return None
    return tensor


def _case(test, kind):
    arrays, results = test.inputs, test.outputs
    names = [value.name for value in test.model.graph.input]
    given = dict(zip(names, arrays, strict=False))
    free = names[: DATA.get(kind, 1)]
    outputs = [_array(value) for value in results]
    model = bound(test.model, {name: given[name] for name in names[len(free) :] if name in given})
    return Case(test.name, kind, model, {name: _array(given.get(name)) for name in free}, outputs)


def _array(value):
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def bound(model, constants):
    """The model with some of its inputs as initialisers."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    kept = [value for value in graph.input if value.name not in constants]
    del graph.input[:]
    graph.input.extend(kept)
    for name, values in constants.items():
        if isinstance(values, onnx.TensorProto):
            graph.initializer.append(values)
            graph.initializer[-1].name = name
        elif isinstance(values, (np.ndarray, np.generic)):
            graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
    return model


@functools.cache
def outcome(case):
    """Load a case: with its first axis as a batch, else as one frame."""
    refused = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.onnx"
        path.write_bytes(case.model.SerializeToString())
        for batch in (True, False):
            try:
                model = load_real_onnx(path, batch=batch)
                return Outcome(model, batch, tuple(check(model)))
            except ConversionError as error:
                refused.append(tuple(error.findings))
    first, second = refused
    return Outcome(findings=second if any("batch" in text for text in first) else first)


WEIGHTED = ("Conv", "Gemm", "MatMul", "PRelu", "BatchNormalization")
"""Operators whose constants are weights: made small integers times a power of two."""

ROUNDED = (
    "BatchNormalization", "Celu", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu",
    "LogSoftmax", "PRelu", "Selu", "Sigmoid", "Softmax", "Softplus", "Swish", "Tanh",
)  # fmt: skip
"""Operators whose results float32 rounds: their 8-bit codes are compared, all others' values."""


def small(values, bits):
    """The values as integers of some bits times a power of two."""
    top = (1 << (bits - 1)) - 1
    scale = 2.0 ** np.ceil(np.log2(max(float(np.abs(values).max(initial=0)), 1e-30) / top))
    return (np.round(values / scale) * scale).astype(values.dtype)


def codes(values, like):
    """8-bit codes on the scale of other values."""
    scale = float(np.abs(like).max(initial=0)) / 120 or 1.0
    return np.round(np.asarray(values, dtype=np.float64) / scale)


def interpreted(case, found, inputs):
    """Results of the model, in the shapes of the graph."""
    model, feeds = found.model, {}
    names = [value.name for value in case.model.graph.input if value.name in inputs]
    for name, (port, shape) in zip(names, model.inputs.items(), strict=True):
        frames = len(inputs[name]) if found.batch else 1
        feeds[port] = inputs[name].reshape(frames, *shape)
    return list(run_model(model, feeds).values())


def differences(case, found):
    """How a model and the reference differ: on the case's own data, and on integers times 2**n."""
    own = _compared(case, found, case.inputs, case.outputs, exact=False)
    if own or any(values.dtype.kind != "f" for values in case.inputs.values()):
        return own
    inputs = {name: small(values, 8) for name, values in case.inputs.items()}
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    if case.kind in WEIGHTED:
        for tensor in model.graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.dtype.kind == "f":
                tensor.CopyFrom(numpy_helper.from_array(small(values, 4), tensor.name))
    narrow = any(values.dtype == np.float16 for values in inputs.values())
    changed = Case(case.name, case.kind, model, inputs, [])
    again = outcome(changed)
    results = ReferenceEvaluator(model).run(None, inputs)
    return _compared(changed, again, inputs, results, exact=not narrow)


def _compared(case, found, inputs, expected, exact):
    exact = exact and case.kind in HANDLERS and case.kind not in ROUNDED
    for got, wanted in zip(interpreted(case, found, inputs), expected, strict=True):
        shapes = {got.shape, got.shape[1:] if got.shape[0] == 1 else got.shape}
        shapes |= {shape[:-1] for shape in shapes if shape[-1:] == (1,)}
        if wanted.shape not in shapes:
            return [f"{case.name}: {got.shape} for {wanted.shape}"]
        got = got.reshape(wanted.shape)
        with np.errstate(all="ignore"):
            same = np.array_equal(got.astype(wanted.dtype), wanted, equal_nan=True)
        if not exact and wanted.dtype.kind == "f":
            same = same or (codes(got, wanted) == codes(wanted, wanted)).all()
        if not same:
            return [f"{case.name}: {'values' if exact else 'codes'} differ"]
    return []
