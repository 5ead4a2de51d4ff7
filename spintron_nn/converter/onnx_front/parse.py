"""A quantised ONNX graph as a chain of integers and thresholds, or all that stands in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spintron_ir import IntType
from spintron_ir.errors import ConversionError, ParameterError

from ..integers import IntegerGraph
from .advice import advice_for
from .constants import CONSTANT_OPERATORS, fold, integers, reshape_target
from .elementwise import ELEMENTWISE, apply_elementwise
from .ending import finish
from .linear import LINEAR, linear, real_codes
from .matrix import check_weights, multiply
from .model import QuantisedModel, integer_graph
from .multithreshold import multithreshold_of
from .names import Names
from .quantising import quantise, quantiser_of
from .reading import Graph, Operation, read_graph
from .state import Stages
from .values import Coded, Constant, Lost, Value

__all__ = ["load_onnx"]

QONNX = ("onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general", "qonnx")
"""Domains in which QONNX files place the quantisers."""

QUANTISERS = ("Quant", "IntQuant", "BipolarQuant", "MultiThreshold")
RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")
CLASSES = ("TopK", "ArgMax")
STANDARD = {
    *CONSTANT_OPERATORS,
    *ELEMENTWISE,
    *RESHAPES,
    *CLASSES,
    "MatMul",
    "Gemm",
    "Shape",
    *LINEAR,
}

DAMAGE = (ValueError, TypeError, IndexError, KeyError, AttributeError, StopIteration,
          OverflowError, MemoryError, ZeroDivisionError, ParameterError)  # fmt: skip
"""What numpy and Python raise on operators that contradict themselves."""


def load_onnx(
    path: str | Path, *, input_type: IntType | None = None, input_scale: float = 1.0
) -> IntegerGraph:
    """Read a quantised model; everything that cannot be converted exactly is listed at once.

    Parameters
    ----------
    path : path
        An ``.onnx`` file with Quant, or with QuantizeLinear and DequantizeLinear: dense layers in
        a row.
    input_type : IntType or None
        Integers that stand for the real input; None takes 8 bits unsigned, to look at a model.
    input_scale : float
        Real value of one unit of the input.

    Raises
    ------
    ConversionError
        If the file is damaged or holds what cannot be converted.
    """
    graph = read_graph(path)
    kind = IntType(8) if input_type is None else input_type
    if kind.bits > 16:
        raise ParameterError(f"load_onnx: input_type must have at most 16 bits, not {kind.bits}")
    scale = _checked_scale(input_scale)
    walk = _Walk(graph, kind, scale)
    with np.errstate(all="ignore"):
        model = walk.run()
    if walk.findings or model is None:
        raise ConversionError(walk.findings)
    return integer_graph(model)


def _checked_scale(scale: Any) -> float:
    real = isinstance(scale, (int, float, np.floating)) and not isinstance(scale, bool)
    if not real or not 1e-30 <= scale <= 1e30:
        raise ParameterError(f"load_onnx: input_scale must be in 1e-30..1e30, not {scale!r}")
    return float(scale)


class _Walk:
    """One pass over the operators of a graph, in order."""

    def __init__(self, graph: Graph, kind: IntType, scale: float) -> None:
        self.graph, self.kind, self.scale = graph, kind, scale
        self.findings = list(graph.findings)
        self.tensors: dict[str, Any] = {
            name: Constant(values) for name, values in graph.constants.items()
        }
        self.names = Names("x")
        self.stages = Stages(kind)
        self.taken: dict[str, Operation] = {}

    def run(self) -> QuantisedModel | None:
        graph = self.graph
        if graph.input_name:
            self.tensors[graph.input_name] = self._input() if graph.input_shape else Lost()
        made = {name for op in graph.operations for name in op.outputs if name}
        for operation in graph.operations:
            self._operate(operation, made)
        return self._end()

    def _input(self) -> Value:
        kind, scale, shape = self.kind, self.scale, self.graph.input_shape
        count = int(np.prod(shape))

        def real(codes: Any) -> Any:
            return (codes * scale).astype(np.float32).reshape(len(codes), *shape[1:])

        return Value(
            shape=shape,
            low=np.full(count, kind.low),
            high=np.full(count, kind.high),
            steps=(real,),
            rises=np.ones(count, dtype=np.int8),
            gain=np.full(count, scale),
            offset=np.zeros(count),
            scale=np.full(count, scale),
            zero=np.zeros(count, dtype=np.int64),
            uniform=True,
        )

    def _operate(self, op: Operation, made: set[str]) -> None:
        try:
            parts = [self._tensor(op, name, made) for name in op.inputs]
            result = self._result(op, parts)
        except DAMAGE as error:
            known = isinstance(error, ValueError) and len(error.args) == 1
            text = str(error) if known else "contradicts itself: export the model again"
            self.findings.append(op.says(" ".join(text.split())))
            result = Lost()
        for index, name in enumerate(op.outputs):
            if name in self.tensors:
                self.findings.append(op.says(f"gives {name!r}, which is given twice; rename one"))
            # Of TopK the indices come second; no other operator here has a second output in use.
            wanted = 1 if op.kind == "TopK" else 0
            self.tensors[name] = result if index == wanted else Lost()

    def _tensor(self, op: Operation, name: str, made: set[str]) -> Any:
        if not name:
            return None
        if name not in self.tensors:
            why = (
                "stands behind it or in a circle with it: sort the graph"
                if name in made
                else "is nowhere in the graph: export the model again"
            )
            self.findings.append(op.says(f"takes {name!r}, which {why}"))
            return Lost()
        found = self.tensors[name]
        if isinstance(found, (Value, Coded)) and op.kind != "Shape":
            other = self.taken.setdefault(name, op)
            if other is not op:
                raise ValueError(
                    f"takes {name!r} as {other.name} does, and branches are not converted by this "
                    "version: make the model a plain sequence"
                )
        return found

    def _result(self, op: Operation, parts: list[Any]) -> Any:
        quantiser = op.kind in QUANTISERS and op.domain in QONNX
        if not quantiser and not (op.domain == "" and op.kind in STANDARD):
            named = f"{op.domain}." if op.domain else ""
            self.findings.append(
                op.says(f"{named}{op.kind} is not converted: {advice_for(op.kind)}")
            )
            return Lost()
        if any(isinstance(part, Lost) for part in parts):
            # What does not hang on the lost input is judged all the same.
            if quantiser and op.kind != "MultiThreshold":
                quantiser_of(op, parts)
            elif op.kind in ("MatMul", "Gemm") and isinstance(parts[1], Constant):
                check_weights(parts[1])
            return Lost()
        if op.kind == "Shape":
            found: Any = parts[0]
            if found is not None:
                shape = found.values.shape if isinstance(found, Constant) else found.shape
                return Constant(np.array(shape, dtype=np.int64))
            raise ValueError("lacks its input: export the model again")
        if quantiser:
            return self._quantised(op, parts)
        if op.kind in LINEAR and parts[0] is not None:
            return linear(op, parts, self.stages, self.names)
        if isinstance(parts[0], Coded) and op.kind in RESHAPES:
            return replace(parts[0], shape=self._reshaped(op, parts))
        if any(isinstance(part, Coded) for part in parts):
            raise ValueError("takes integers: put a DequantizeLinear in front of it")
        if not any(isinstance(part, Value) for part in parts):
            if op.kind not in CONSTANT_OPERATORS:
                raise ValueError("takes constants alone: fold them into one tensor")
            return fold(op, parts)
        return self._of_data(op, parts)

    def _quantised(self, op: Operation, parts: list[Any]) -> Any:
        if op.kind == "MultiThreshold":
            quantiser, bits = multithreshold_of(op, parts)
        else:
            quantiser, bits = quantiser_of(op, parts)
        if isinstance(parts[0], Value):
            return quantise(op, parts[0], quantiser, bits, self.stages, self.names)
        values = parts[0].values
        if values.dtype != np.float32:
            raise ValueError(f"quantises {values.dtype}, not float32: cast it")
        shape = values.shape
        codes = np.broadcast_to(quantiser.codes(values), shape)
        return Constant(
            quantiser.values(codes),
            codes,
            np.broadcast_to(quantiser.scale, shape),
            np.broadcast_to(quantiser.zero, shape),
        )

    def _of_data(self, op: Operation, parts: list[Any]) -> Any:
        if op.kind in ("MatMul", "Gemm"):
            return multiply(op, parts, self.stages, self.names)
        if op.kind in ELEMENTWISE:
            return apply_elementwise(op, parts)
        value = parts[0]
        if not isinstance(value, Value):
            raise ValueError("takes sizes that depend on the input: export with a fixed shape")
        if op.kind == "Transpose":
            moved = [size for size in op.attributes.get("perm", ())]
            kept = [axis for axis in moved if value.shape[axis] > 1]
            if kept != sorted(kept) or not moved:
                raise ValueError("moves values, and only reshapes are converted: leave it out")
            return value.reshaped(tuple(value.shape[axis] for axis in moved))
        if op.kind in RESHAPES:
            return value.reshaped(self._reshaped(op, parts))
        if op.kind in CLASSES:
            self._check_class(op, parts, value)
            self.stages.classified = True
            return replace(value, steps=(*value.steps,))
        raise ValueError(f"is converted for constants alone: {advice_for(op.kind)}")

    def _reshaped(self, op: Operation, parts: list[Any]) -> tuple[int, ...]:
        """Shape that an operator gives to its first input."""
        sizes = parts[1].values if len(parts) > 1 and op.kind != "Dropout" else None
        shape = reshape_target(op, parts[0].shape, sizes)
        if not shape or shape[0] != 1:
            raise ValueError(f"gives the shape {shape}, without the batch first: keep it there")
        return shape

    def _check_class(self, op: Operation, parts: list[Any], value: Value) -> None:
        axis = int(op.attributes.get("axis", -1 if op.kind == "TopK" else 0))
        axis += len(value.shape) if axis < 0 else 0
        if value.count != value.shape[axis] or axis == 0:
            raise ValueError(f"looks along the axis {axis}, not along all values: flatten first")
        if op.attributes.get("select_last_index", 0):
            raise ValueError("takes the last of equal values: take the first")
        if op.kind == "TopK":
            if integers(parts[1].values) != [1] or not op.attributes.get("largest", 1):
                raise ValueError("gives more than the largest: take the first alone (k = 1)")
            if op.outputs[:1] == (self.graph.output_name,):
                raise ValueError("gives values, not their index: take its second output")

    def _end(self) -> QuantisedModel | None:
        result = self.tensors.get(self.graph.output_name)
        if isinstance(result, Coded):
            result = real_codes(result)
        if (
            self.graph.output_name
            and self.graph.input_name
            and not isinstance(result, (Value, Lost))
        ):
            self.findings.append(
                f"{self.graph.output_name} (output): does not depend on the input: export it again"
            )
        if not isinstance(result, Value) or self.findings:
            return None
        try:
            return finish(
                self.stages, result, self.graph.input_shape[1:], self.kind, self.scale, self.names
            )
        except DAMAGE as error:
            self.findings.append(f"{self.graph.output_name} (output): {error}")
        return None
