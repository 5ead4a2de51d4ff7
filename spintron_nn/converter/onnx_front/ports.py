"""Inputs of a graph: which integers stand for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from spintron_ir import IntType

from ..input_types import InputTypes
from .reading import Argument, Graph
from .values import Function, Lost, Value
from .wires import Builder

__all__ = ["input_values"]

INTEGERS: dict[int, IntType] = {
    onnx.TensorProto.UINT8: IntType(8),
    onnx.TensorProto.INT8: IntType(8, signed=True),
    onnx.TensorProto.UINT16: IntType(16),
    onnx.TensorProto.INT16: IntType(16, signed=True),
    onnx.TensorProto.UINT4: IntType(4),
    onnx.TensorProto.INT4: IntType(4, signed=True),
    25: IntType(2),  # UINT2 and INT2, which older onnx has no names for
    26: IntType(2, signed=True),
}


def input_values(
    graph: Graph, inputs: InputTypes, builder: Builder, findings: list[str]
) -> dict[str, Any]:
    """Tensors of the inputs by name; what is wrong with them is added to the findings."""
    if not graph.inputs:
        findings.append("the graph must have an input, not none")
    if not graph.outputs:
        findings.append("the graph must have an output, not none: keep the scores or the class")
    inputs.check([argument.name for argument in graph.inputs], every=True)
    found: dict[str, Any] = {}
    for argument in graph.inputs:
        title = "x" if len(graph.inputs) == 1 else argument.name
        shape = _shape(argument, findings)
        kind, scale = inputs.kind(argument.name) or IntType(8), inputs.scale(argument.name)
        whole = INTEGERS.get(argument.kind)
        if whole is None and argument.kind != onnx.TensorProto.FLOAT:
            findings.append(f"{argument.name} (input): must be float32; export the model again")
        elif whole is not None and (kind.low < whole.low or kind.high > whole.high):
            findings.append(
                f"{argument.name} (input): holds {whole}, and {kind} does not fit; give an input "
                f"type within {whole}"
            )
        found[argument.name] = Lost()
        if shape is not None:
            scale = scale if whole is None else 1.0
            wire = builder.input(title, shape, kind, scale)
            rows = np.zeros((1,) * len(wire.index.shape), dtype=np.int64)
            if whole is not None:
                found[argument.name] = Value.of_integers(wire, rows, kind.low, kind.high)
            else:
                found[argument.name] = Value(wire, rows, _real(kind, scale))
    return found


def _real(kind: IntType, scale: float) -> Function:
    """Integers times the scale of an input."""
    one = np.ones(1)
    return Function(
        low=np.array([kind.low]),
        high=np.array([kind.high]),
        evaluate=lambda q, r: (q * scale).astype(np.float32),
        rises=np.ones(1, dtype=np.int8),
        gain=one * scale,
        offset=0 * one,
        scale=one * scale,
        zero=np.zeros(1, dtype=np.int64),
    )


def _shape(argument: Argument, findings: list[str]) -> tuple[int, ...] | None:
    """Shape of an input without its batch; None with a finding."""
    dims = argument.sizes or ()
    sizes = tuple(size if isinstance(size, int) else 0 for size in dims)
    if not 2 <= len(sizes) <= 9 or sizes[0] not in (0, 1):
        findings.append(
            f"{argument.name} (input): must have a batch axis of 1 or of a free size and 1 to 8 "
            f"axes more, not the shape {sizes}; export the model with a batch of 1"
        )
    elif min(sizes[1:]) < 1 or math.prod(sizes[1:]) > 1 << 24:
        findings.append(
            f"{argument.name} (input): every axis but the batch must have a fixed size, not "
            f"{sizes}, with at most 2**24 values; export the model with a fixed shape"
        )
    else:
        return sizes[1:]
    return None
