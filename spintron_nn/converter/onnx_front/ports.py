"""Inputs of a graph: which integers stand for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from spintron_ir import IntType
from spintron_ir.errors import ParameterError

from .reading import Argument, Graph
from .values import Function, Lost, Value
from .wires import Builder

__all__ = ["Inputs", "input_values"]

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


class Inputs:
    """Integers that stand for the inputs of a graph, checked.

    Parameters
    ----------
    kinds : IntType, dict of IntType by the name of the input, or None
        Their types; None takes 8 bits unsigned.
    scales : float or dict of float by the name of the input
        Real value of one unit.

    Raises
    ------
    ParameterError
        If a type has more than 16 bits, or a scale is out of range.
    """

    def __init__(self, kinds: Any, scales: Any) -> None:
        self.kinds, self.scales = kinds, scales
        for kind in kinds.values() if isinstance(kinds, Mapping) else [kinds or IntType(8)]:
            if kind.bits > 16:
                raise ParameterError(
                    f"load_onnx: input_type must have at most 16 bits, not {kind.bits}"
                )
        for scale in scales.values() if isinstance(scales, Mapping) else [scales]:
            real = isinstance(scale, (int, float, np.floating)) and not isinstance(scale, bool)
            if not real or not 1e-30 <= scale <= 1e30:
                raise ParameterError(
                    f"load_onnx: input_scale must be in 1e-30..1e30, not {scale!r}"
                )

    def check(self, names: list[str]) -> None:
        """Refuse types or scales that name other inputs than the graph's."""
        for what, given in (("input_type", self.kinds), ("input_scale", self.scales)):
            if isinstance(given, Mapping) and set(given) != set(names):
                raise ParameterError(
                    f"load_onnx: {what} must be given for {', '.join(names)}, not for "
                    f"{', '.join(map(str, given)) or 'none'}"
                )

    def kind(self, name: str) -> IntType:
        """Type of an input."""
        found = self.kinds[name] if isinstance(self.kinds, Mapping) else self.kinds
        return IntType(8) if found is None else found

    def scale(self, name: str) -> float:
        """Real value of one unit of an input."""
        return float(self.scales[name] if isinstance(self.scales, Mapping) else self.scales)


def input_values(
    graph: Graph, inputs: Inputs, builder: Builder, findings: list[str]
) -> dict[str, Any]:
    """Tensors of the inputs by name; what is wrong with them is added to the findings."""
    if not graph.inputs:
        findings.append("the graph must have an input, not none")
    if not graph.outputs:
        findings.append("the graph must have an output, not none: keep the scores or the class")
    inputs.check([argument.name for argument in graph.inputs])
    found: dict[str, Any] = {}
    for argument in graph.inputs:
        title = "x" if len(graph.inputs) == 1 else argument.name
        shape = _shape(argument, findings)
        kind, scale = inputs.kind(argument.name), inputs.scale(argument.name)
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
