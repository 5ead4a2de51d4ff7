"""A quantised ONNX graph as a graph of integers, or all that stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spintron_ir import Argmax, IntType, TopK
from spintron_ir.errors import ConversionError, ParameterError

from ..input_types import InputTypes
from ..integers import IntegerGraph
from .advice import advice_for
from .attributes import check_attributes
from .beside import concatenate
from .constants import CONSTANT_OPERATORS, fold
from .conv import conv
from .elementwise import ELEMENTWISE, apply_elementwise
from .ending import CLASSES, argmax, output_of
from .functions import FUNCTIONS, apply_function
from .fusing import fused, tidied
from .integer_ops import INTEGER, integer_operator
from .joins import TOGETHER, join
from .linear import LINEAR, linear
from .matrix import check_weights, gemm, matmul
from .moves import MOVES, move, pad, split
from .multithreshold import multithreshold_of
from .names import Names
from .pooling import POOLS, pool, quantised_average
from .ports import input_values
from .quantising import quantise, quantiser_of, truncation_of
from .reading import Graph, Operation, Refusal, read_graph
from .values import Constant, Lost, Value
from .wires import Builder

__all__ = ["load_onnx"]

QONNX = ("onnx.brevitas", "finn.custom_op.general", "qonnx.custom_op.general", "qonnx")
"""Domains in which QONNX files place the quantisers."""

QUANTISERS = {
    "Quant": quantiser_of,
    "IntQuant": quantiser_of,
    "BipolarQuant": quantiser_of,
    "MultiThreshold": multithreshold_of,
    "Trunc": truncation_of,
}
OTHERS = ("QuantAvgPool2d", "MaxPoolNHWC")
STANDARD = {
    *CONSTANT_OPERATORS, *ELEMENTWISE, *FUNCTIONS, *MOVES, *CLASSES, *POOLS, *LINEAR, *INTEGER,
    "MatMul", "Gemm", "Conv", "Shape", "Split", "Pad", "Concat", "Cast",
}  # fmt: skip

WHOLE = {*MOVES, *LINEAR, *INTEGER, "Concat", "Pad", "MaxPool", "GlobalMaxPool", "ReduceMax",
         "ArgMax", "TopK", "Cast"}  # fmt: skip
"""Operators that take integer tensors."""

DAMAGE = (ValueError, TypeError, IndexError, KeyError, AttributeError, StopIteration,
          OverflowError, MemoryError, ZeroDivisionError, AssertionError,
          ParameterError)  # fmt: skip
"""What numpy and Python raise on operators that contradict themselves."""


def load_onnx(
    path: str | Path,
    *,
    input_type: IntType | Mapping[str, IntType] | None = None,
    input_scale: float | Mapping[str, float] = 1.0,
) -> IntegerGraph:
    """Read a quantised model; everything that cannot be converted exactly is listed at once.

    Parameters
    ----------
    path : path
        An ``.onnx`` file of QONNX, with QuantizeLinear and DequantizeLinear, or with operators on
        integers.
    input_type : IntType, dict of such by the name of the input, or None
        Integers that stand for the real inputs; None takes 8 bits unsigned, to look at a model.
    input_scale : float, or dict of such
        Real value of one unit of an input.

    Raises
    ------
    ConversionError
        If the file is damaged or holds what cannot be converted.
    """
    inputs = InputTypes("load_onnx", input_type, input_scale)
    graph = read_graph(path)
    walk = _Walk(graph, inputs)
    with np.errstate(all="ignore"):
        model = walk.run()
    if walk.findings or model is None:
        raise ConversionError(walk.findings)
    return model


def _text(error: BaseException) -> str:
    """What a finding says: numpy's own words say nothing to whom the model belongs."""
    return (
        str(error) if isinstance(error, Refusal) else "contradicts itself: export the model again"
    )


class _Walk:
    """One pass over the operators of a graph, in order."""

    def __init__(self, graph: Graph, inputs: InputTypes) -> None:
        self.graph, self.inputs = graph, inputs
        self.findings = list(graph.findings)
        self.tensors: dict[str, Any] = {
            name: Constant(values) for name, values in graph.constants.items()
        }
        self.builder = Builder(Names())
        self.taken = {name for op in graph.operations for name in op.inputs} | set(graph.outputs)

    def run(self) -> IntegerGraph | None:
        graph = self.graph
        self.tensors |= input_values(graph, self.inputs, self.builder, self.findings)
        made = {name for op in graph.operations for name in op.outputs if name}
        last = {name: op for op in graph.operations for name in (*op.outputs, *op.inputs)}
        for operation in graph.operations:
            self._operate(operation, made)
            for name in (*operation.inputs, *operation.outputs):
                # Places of large tensors take room; nothing asks for these any more.
                gone = last[name] is operation and name not in graph.outputs
                if gone and isinstance(self.tensors.get(name), Value):
                    self.tensors[name] = Lost()
        return self._end()

    def _operate(self, op: Operation, made: set[str]) -> None:
        try:
            parts = [self._tensor(op, name, made) for name in op.inputs]
            result = self._result(op, parts)
        except DAMAGE as error:
            self.findings.append(op.says(_text(error)))
            result = Lost()
        for index, name in enumerate(op.outputs):
            if name in self.tensors:
                self.findings.append(op.says(f"gives {name!r}, which is given twice; rename one"))
            # Of TopK the indices come second; other operators have one result that is converted.
            if isinstance(result, list):
                self.tensors[name] = result[index]
            else:
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
        return self.tensors[name]

    def _result(self, op: Operation, parts: list[Any]) -> Any:
        own = op.domain in QONNX and (op.kind in QUANTISERS or op.kind in OTHERS)
        if not own and not (op.domain == "" and op.kind in STANDARD):
            named = f"{op.domain}." if op.domain else ""
            self.findings.append(
                op.says(f"{named}{op.kind} is not converted: {advice_for(op.kind)}")
            )
            return Lost()
        check_attributes(op)
        if any(isinstance(part, Lost) for part in parts):
            # What does not hang on the lost input is judged all the same.
            if own and op.kind in ("Quant", "IntQuant", "BipolarQuant"):
                quantiser_of(op, parts)
            elif op.kind in ("MatMul", "Gemm", "Conv") and isinstance(parts[1], Constant):
                check_weights(op, parts[1])
            return Lost()
        if op.kind != "Constant" and (not parts or parts[0] is None):
            raise Refusal("lacks its input: export the model again")
        if op.kind == "Shape":
            given = slice(op.attributes.get("start", 0), op.attributes.get("end"))
            return Constant(np.array(parts[0].shape[given], dtype=np.int64))
        if own:
            return self._quantised(op, parts)
        if op.kind in LINEAR:
            return linear(op, parts, self.builder)
        values = [part for part in parts if isinstance(part, Value)]
        if not values:
            if op.kind == "Split":
                return split(op, parts)
            if op.kind in MOVES and op.kind not in CONSTANT_OPERATORS:
                return parts[0].moved(MOVES[op.kind](op, parts, parts[0].shape))
            if op.kind not in CONSTANT_OPERATORS:
                raise Refusal("takes constants alone: fold them into one tensor")
            return fold(op, parts)
        if any(value.integer for value in values) and op.kind not in WHOLE and op.kind != "Split":
            raise Refusal("takes integers: put a DequantizeLinear in front of it")
        return self._of_data(op, parts, values)

    def _quantised(self, op: Operation, parts: list[Any]) -> Any:
        if op.kind == "QuantAvgPool2d":
            return quantised_average(op, parts, self.builder)
        if op.kind == "MaxPoolNHWC":
            raise Refusal("has its channels last: convert it to MaxPool")
        quantiser, bits = QUANTISERS[op.kind](op, parts)
        if isinstance(parts[0], Value):
            if parts[0].integer:
                raise Refusal("takes integers: put a DequantizeLinear in front of it")
            return quantise(op, parts[0], quantiser, bits, self.builder)
        values = parts[0].values
        if values.dtype != np.float32:
            raise Refusal(f"quantises {values.dtype}, not float32: cast it")
        shape = values.shape
        codes = np.broadcast_to(quantiser.codes(values), shape)
        return Constant(
            quantiser.values(codes),
            codes,
            np.broadcast_to(quantiser.scale, shape),
            np.broadcast_to(quantiser.zero, shape),
        )

    def _of_data(self, op: Operation, parts: list[Any], values: list[Value]) -> Any:
        kind, builder = op.kind, self.builder
        if kind in INTEGER:
            return integer_operator(op, parts, builder)
        if kind in ("MatMul", "Gemm"):
            return (matmul if kind == "MatMul" else gemm)(op, parts, builder)
        if kind == "Conv":
            return conv(op, parts, builder)
        if kind == "Concat":
            if len(values) != len(parts):
                raise Refusal("joins values and constants: put the constants elsewhere")
            return concatenate(op, values, builder)
        if len(values) > 1 and kind in TOGETHER:
            if len(values) > 2:
                raise Refusal("joins more than two tensors: join two at a time")
            return join(op, values[0], values[1], builder)
        if kind in ELEMENTWISE:
            return apply_elementwise(op, parts)
        if not isinstance(parts[0], Value):
            raise Refusal("takes sizes that depend on the input: export with a fixed shape")
        if kind == "Cast":
            return self._cast(op, parts[0])
        if kind == "Split":
            return split(op, parts)
        if kind == "Pad":
            return pad(op, parts, builder)
        if kind in MOVES:
            return move(op, parts)
        if kind in FUNCTIONS:
            return apply_function(op, parts, builder.notes)
        if kind in POOLS:
            return pool(op, parts, builder)
        if kind in CLASSES:
            return argmax(op, parts, self.taken, builder)
        raise Refusal(f"is converted for constants alone: {advice_for(kind)}")

    @staticmethod
    def _cast(op: Operation, value: Value) -> Value:
        wanted = op.attributes.get("to")
        if wanted == 1:
            return replace(value, integer=False)
        if value.integer and wanted in (6, 7):
            return value
        raise Refusal("casts to a type that is not converted: use float32")

    def _end(self) -> IntegerGraph | None:
        results: list[tuple[str, Value]] = []
        for name in self.graph.outputs:
            result = self.tensors.get(name)
            if isinstance(result, Value):
                results.append((name, result))
            elif not isinstance(result, Lost) and self.graph.inputs:
                self.findings.append(
                    f"{name} (output): does not depend on the input: export it again"
                )
        outputs = []
        for (name, value), title in zip(results, self._titles(results), strict=True):
            try:
                outputs.append(output_of(title, value, self.builder))
            except DAMAGE as error:
                self.findings.append(f"{name} (output): {_text(error)}")
        if self.findings:
            return None
        try:
            nodes, renamed = fused(self.builder.nodes, {output.node for output in outputs})
        except DAMAGE as error:
            self.findings.append(f"the graph: {_text(error)}")
            return None
        nodes, names = tidied(nodes, {port.name for port in self.builder.ports})
        used = {source for node in nodes for source in node.inputs}

        def left(node: str) -> str:
            kept = renamed.get(node, node)
            return names.get(kept, kept)

        for port in self.builder.ports:
            if port.name not in used:
                self.findings.append(f"{port.name} (input): nothing takes it: leave it out")
        return IntegerGraph(
            tuple(self.builder.ports),
            tuple(nodes),
            tuple(replace(output, node=left(output.node)) for output in outputs),
            tuple(dict.fromkeys(self.builder.notes)),
        )

    def _titles(self, results: list[tuple[str, Value]]) -> list[str]:
        """Names of the results: ``class`` and ``scores`` where there is one of each."""
        nodes = {node.name: node.op for node in self.builder.nodes}
        classes = [isinstance(nodes.get(value.wire.node), (Argmax, TopK)) for _, value in results]
        names = Names()
        if sum(classes) <= 1 and len(results) - sum(classes) <= 1:
            return ["class" if found else "scores" for found in classes]
        return [names.free(name) for name, _ in results]
