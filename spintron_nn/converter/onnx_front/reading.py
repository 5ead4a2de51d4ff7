"""ONNX files: parsed, checked and decoded, without trust in any of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper

from spintron_ir.errors import ConversionError, ParameterError

__all__ = ["MAX_VALUES", "Argument", "Graph", "Operation", "Refusal", "read_graph"]

MAX_BYTES = 1 << 30
"""Largest file that is read."""

MAX_VALUES = 1 << 26
"""Most values of one tensor."""

MAX_NODES = 1 << 16
"""Most operators of a graph."""

OPSETS = range(9, 29)
"""Versions of the standard operators whose meaning is known here."""

STANDARD = ("", "ai.onnx")

NARROW = ("int2", "int4", "uint2", "uint4")
"""Types of integers that numpy has not by itself."""


class Refusal(ValueError):
    """What is wrong with an operator, and what to do: the text of a finding."""


@dataclass(frozen=True, eq=False)
class Operation:
    """One operator of a graph.

    Parameters
    ----------
    name : str
        Name, made up where the file has none.
    kind : str
        Operator.
    domain : str
        Who defines it; empty for the standard.
    inputs, outputs : tuple of str
        Tensors; an input left out is empty.
    attributes : dict
        Numbers, texts, arrays and tuples of these, by name.
    """

    name: str
    kind: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    def says(self, what: str) -> str:
        """A finding about this operator."""
        return f"{self.name} ({self.kind}): {what}"


@dataclass(frozen=True)
class Argument:
    """An input of a graph, as the file declares it.

    Parameters
    ----------
    name : str
        Its tensor.
    kind : int
        Type of its values, by ONNX's number; 0 where it is no tensor.
    sizes : tuple of int or str, or None
        Its axes: a name, or an empty one, where a size is left open; None without a shape.
    """

    name: str
    kind: int
    sizes: tuple[int | str, ...] | None


@dataclass(eq=False)
class Graph:
    """A graph of operators in the order of their execution.

    Parameters
    ----------
    operations : list of Operation
        Those that lead to the output.
    constants : dict of str to array
        Tensors that the file holds.
    opset : int
        Version of the standard operators.
    findings : list of str
        What is wrong so far.
    inputs : list of Argument
        All inputs that are no constants, as they are declared: not judged.
    outputs : list of str
        All outputs.
    """

    operations: list[Operation] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    opset: int = 0
    findings: list[str] = field(default_factory=list)
    inputs: list[Argument] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def read_graph(path: str | Path, *, opsets: range = OPSETS) -> Graph:
    """Read an ``.onnx`` file.

    Parameters
    ----------
    path : path
        The file.
    opsets : range
        Versions of the standard operators whose meaning is known.

    Raises
    ------
    ConversionError
        If it is no ONNX model at all. What is wrong inside is left in ``findings``.
    """
    path = Path(path)
    if not path.is_file():
        raise ParameterError(f"load_onnx: path must name a file, and there is no {str(path)!r}")
    if path.stat().st_size > MAX_BYTES:
        raise ConversionError([f"{path.name}: is larger than {MAX_BYTES >> 30} GiB; split it"])
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except (DecodeError, RecursionError) as error:
        raise ConversionError(
            [f"{path.name}: is no ONNX model; save it again with onnx.save"]
        ) from error
    if not model.HasField("graph") or not model.graph.node:
        raise ConversionError(
            [f"{path.name}: holds no graph of operators; save it again with onnx.save"]
        )
    found = Graph()
    _versions(model, found, opsets)
    _constants(model.graph, found)
    _operations(model.graph, found)
    _ports(model.graph, found)
    return found


def _versions(model: onnx.ModelProto, found: Graph, opsets: range) -> None:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    # QONNX files leave the domain of their own operators out of the list now and then.
    found.opset = versions.get("", versions.get("ai.onnx", 0))
    if found.opset not in opsets:
        found.findings.append(
            f"opset {found.opset}: versions {opsets[0]} to {opsets[-1]} of the standard operators "
            "are read; convert the model with onnx.version_converter"
        )
    if model.functions:
        found.findings.append(
            "functions: the model defines operators of its own; inline them with onnx.inliner"
        )


def _array(tensor: onnx.TensorProto) -> NDArray[Any]:
    """Values of a tensor; ValueError where there are none to trust."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise ValueError("lies in another file, and those are not read: save the model in one file")
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MAX_VALUES:
        raise ValueError(f"has the shape {tuple(tensor.dims)}, beyond 2**26 values")
    try:
        values = numpy_helper.to_array(tensor)
    except Exception as error:  # whatever the decoder raises, the file caused it
        raise ValueError("has values that do not fit its type and shape: save it again") from error
    if values.dtype.kind not in "fiub" and values.dtype.name not in NARROW:
        raise ValueError(f"holds {values.dtype}, not numbers: use float32")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("holds values that are not finite: train it again")
    return values


def _constants(graph: onnx.GraphProto, found: Graph) -> None:
    for tensor in graph.initializer:
        if tensor.name in found.constants:
            found.findings.append(f"{tensor.name} (initializer): stands twice; names must differ")
            continue
        try:
            found.constants[tensor.name] = _array(tensor)
        except ValueError as error:
            found.findings.append(f"{tensor.name} (initializer): {error}")
            found.constants[tensor.name] = np.zeros(0, dtype=np.float32)
    if len(graph.sparse_initializer):
        found.findings.append("sparse initializers are not read: save them as dense ones")


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        elif isinstance(value, onnx.TensorProto):
            value = _array(value)
        elif not isinstance(value, (int, float)):
            value = tuple(value) if attribute.type in (6, 7) else attribute.name  # lists of numbers
        values[attribute.name] = value
    return values


def _operations(graph: onnx.GraphProto, found: Graph) -> None:
    """Operators that lead to the outputs, in order."""
    if len(graph.node) > MAX_NODES:
        found.findings.append(f"the graph has {len(graph.node)} operators; at most 65536 are read")
        return
    wanted = {output.name for output in graph.output}
    kept: list[Operation] = []
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if not wanted & set(node.output):
            continue
        wanted.update(node.input)
        name = node.name or f"{node.op_type}_{index}"
        try:
            attributes = _attributes(node)
        except (ValueError, TypeError) as error:
            found.findings.append(f"{name} ({node.op_type}): its attribute {error}")
            attributes = {}
        domain = "" if node.domain in STANDARD else node.domain
        inputs, outputs = tuple(node.input), tuple(node.output)
        kept.append(Operation(name, node.op_type, domain, inputs, outputs, attributes))
    found.operations = kept[::-1]


def _ports(graph: onnx.GraphProto, found: Graph) -> None:
    for value in graph.input:
        if value.name in found.constants:
            continue
        tensor = value.type.tensor_type
        sizes = tuple(
            dim.dim_value if dim.HasField("dim_value") else dim.dim_param
            for dim in tensor.shape.dim
        )
        shaped = tensor.HasField("shape")
        found.inputs.append(Argument(value.name, tensor.elem_type, sizes if shaped else None))
    found.outputs = [value.name for value in graph.output]
