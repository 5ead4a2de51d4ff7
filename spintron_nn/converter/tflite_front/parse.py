"""A TFLite graph as a graph of integers, or all that stands in the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spintron_ir import Argmax, Flatten, IntType, Port
from spintron_ir.errors import ConversionError

from ..integers import IntegerGraph, IntegerNode, IntegerOutput
from .advice import advice_for
from .joins import JOINS, concatenation, join
from .linear import convolution, fully_connected
from .moves import MOVES, PADS, RESHAPES, SPLITS, fold, integers, move, pad, pieces, reshape
from .pools import POOLS, REDUCTIONS, pool, reduction
from .ports import Inputs
from .reading import Graph, Operation, read_graph
from .refusal import DAMAGE, Refusal, told
from .softmax import softmax
from .state import Constant, Lost, State, Value, inner, of_tensor
from .tables import TABLES, dequantise, look_up, prelu, quantise

__all__ = ["load_tflite"]

Maker = Callable[[Operation, list[Any], State], Any]

MAKERS: dict[str, Maker] = {
    "CONV_2D": convolution,
    "DEPTHWISE_CONV_2D": convolution,
    "FULLY_CONNECTED": fully_connected,
    **dict.fromkeys(POOLS, pool),
    **dict.fromkeys(REDUCTIONS, reduction),
    **dict.fromkeys(JOINS, join),
    "CONCATENATION": concatenation,
    **dict.fromkeys(TABLES, look_up),
    "SOFTMAX": softmax,
    "PRELU": prelu,
    "QUANTIZE": quantise,
    "DEQUANTIZE": dequantise,
    **dict.fromkeys(RESHAPES, reshape),
    **dict.fromkeys(PADS, pad),
    **dict.fromkeys(MOVES, move),
    **dict.fromkeys(SPLITS, pieces),
}

MOVING = {*RESHAPES, *PADS, *MOVES, *SPLITS}
"""Operators that keep codes as they are."""

REAL = {"QUANTIZE", *RESHAPES, *MOVES, *SPLITS, "ARG_MAX"}
"""Operators that take the real numbers behind codes."""

FOLDED = ("SHAPE", "PACK", "STRIDED_SLICE")
"""Operators on sizes, which exporters put in front of a RESHAPE."""


def load_tflite(
    path: str | Path,
    *,
    input_type: IntType | Mapping[str, IntType] | None = None,
    input_scale: float | Mapping[str, float] = 1.0,
) -> IntegerGraph:
    """Read a quantised model; everything that cannot be converted exactly is listed at once.

    Parameters
    ----------
    path : path
        A ``.tflite`` file with activations of 8 bits.
    input_type : IntType, dict of such by the name of the input, or None
        Integers that stand for inputs of float32. Inputs of int8 and uint8 are integers already,
        and need none.
    input_scale : float, or dict of such
        Real value of one unit of inputs of float32.

    Raises
    ------
    ConversionError
        If the file is damaged or holds what cannot be converted.
    """
    inputs = Inputs("load_tflite", input_type, input_scale)
    walk = _Walk(read_graph(path), inputs)
    with np.errstate(all="ignore"):
        found = walk.run()
    if walk.findings or found is None:
        raise ConversionError(walk.findings)
    return found


class _Walk:
    """One pass over the operators of a graph, in order."""

    def __init__(self, graph: Graph, inputs: Inputs) -> None:
        self.graph, self.inputs = graph, inputs
        self.findings = list(graph.findings)
        self.state = State(graph.tensors)
        self.ports: list[Port] = []
        self.parts: dict[int, Any] = {-1: None}

    def run(self) -> IntegerGraph | None:
        for index, tensor in self.graph.tensors.items():
            if tensor.values is not None:
                self.parts[index] = Constant(tensor, tensor.values)
        if not self.graph.inputs:
            self.findings.append("the model has no input: export it again")
        self.inputs.check([self._title(index) for index in self.graph.inputs], every=False)
        for index in self.graph.inputs:
            self.parts[index] = self._part(f"{self._title(index)} (input)", self._input, index)
        for op in self.graph.operations:
            found = self._part(f"{op.name} ({op.kind})", self._operate, op)
            if isinstance(found, Lost):
                found = [self._stand_in(index) for index in op.outputs]
            several = found if isinstance(found, list) else [found] * len(op.outputs)
            self.parts.update(zip(op.outputs, several, strict=False))
        outputs = [
            self._part(f"{self._title(index)} (output)", self._output, index)
            for index in self.graph.outputs
        ]
        if not outputs:
            self.findings.append("the model has no output: export it again")
        if self.findings:
            return None
        return IntegerGraph(
            tuple(self.ports), _used(self.state.nodes, outputs), tuple(outputs),
            tuple(self.state.notes),
        )  # fmt: skip

    def _title(self, index: int) -> str:
        tensor = self.graph.tensors.get(index)
        return f"tensor {index}" if tensor is None else tensor.name

    def _part(self, title: str, make: Callable[[Any], Any], given: Any) -> Any:
        """What a step makes, or its finding."""
        try:
            return make(given)
        except DAMAGE as error:
            text = told(error, "contradicts itself: export the model again")
            self.findings.append(f"{title}: {text}")
            return Lost()

    def _stand_in(self, index: int) -> Any:
        """What an operator with a finding should have given, to judge those behind it."""
        tensor = self.graph.tensors.get(index)
        if tensor is None or not 0 < math.prod(tensor.shape) <= 1 << 24:
            return Lost()
        if tensor.kind == "float32":
            return Value("lost", tensor.shape, inner(tensor.shape), IntType(8), 1.0, 0, True)
        try:
            return Value("lost", tensor.shape, inner(tensor.shape), *of_tensor(tensor))
        except Refusal:
            return Lost()

    def _input(self, index: int) -> Any:
        tensor = self.graph.tensors.get(index)
        if tensor is None:
            return Lost()
        if len(tensor.shape) < 2 or tensor.shape[0] != 1 or min(tensor.shape) < 1:
            raise Refusal(
                f"must have a batch axis of 1 and 1 to 7 axes more, not the shape {tensor.shape}: "
                "export the model with a batch of 1"
            )
        if any(tensor.free):
            raise Refusal(
                f"must have fixed axes behind the batch, not free ones {tensor.free}: export the "
                "model with a fixed shape"
            )
        kind, scale, zero, real = self.inputs.of(tensor)
        if kind is None:
            kind = IntType(8)
            self.findings.append(
                f"{tensor.name} (input): takes real numbers: say which integers stand for them, "
                "--input-type uint8 --input-scale 0.00392156862745098 for example"
            )
        single = len(self.graph.inputs) == 1
        name = self.state.name("x" if single else tensor.name)
        self.ports.append(Port(name=name, shape=tensor.shape[1:], type=kind, scale=scale))
        return Value(name, tensor.shape, tensor.shape[1:], kind, scale, zero, real)

    def _operate(self, op: Operation) -> Any:
        if not op.kind:
            return Lost()
        parts = [self._taken(index) for index in op.inputs]
        if any(output not in self.graph.tensors for output in op.outputs):
            return Lost()  # has a finding of its own
        if any(output in self.parts for output in op.outputs):
            raise Refusal("gives a tensor that something else gives, too: export it again")
        lost = any(isinstance(part, Lost) for part in parts)
        constant = not any(isinstance(part, Value) for part in parts)
        if op.kind == "SHAPE" or (op.kind in FOLDED and constant and not lost):
            return Lost() if lost else fold(op, parts, self.state)
        make = self._argmax if op.kind == "ARG_MAX" else MAKERS.get(op.kind)
        if make is None:
            raise Refusal(f"is not converted: {advice_for(op.kind)}")
        if lost:
            return Lost()
        if constant:
            raise Refusal("takes constants alone: fold them into one tensor")
        values = [part for part in parts if isinstance(part, Value)]
        if op.kind not in REAL and any(part.real for part in values):
            raise Refusal("computes with real numbers: quantise the whole model to int8")
        found = make(op, parts, self.state)
        return self._renamed(op, found) if op.kind in MOVING else found

    def _renamed(self, op: Operation, found: Any) -> Any:
        """Codes that were moved, with the scale and zero point that the file gives them there."""
        several = found if isinstance(found, list) else [found]
        if any(value.real for value in several):
            return found
        for number, value in enumerate(several):
            kind, scale, zero = of_tensor(self.state.output(op, number))
            if kind != value.kind:
                raise Refusal(f"turns {value.kind} into {kind}: use one type")
            several[number] = replace(value, scale=scale, zero=zero)
        return several if isinstance(found, list) else several[0]

    def _taken(self, index: int) -> Any:
        if index in self.parts:
            return self.parts[index]
        if index not in self.graph.tensors:
            return Lost()  # has a finding of its own
        raise Refusal(f"takes {self._title(index)!r}, which nothing before it gives: sort them")

    def _argmax(self, op: Operation, parts: list[Any], state: State) -> Value:
        value, (axis,) = parts[0], integers(parts[1])
        if not -len(value.shape) <= axis < len(value.shape) or value.shape[axis] != value.count:
            raise Refusal(f"looks along the axis {axis}, not along all values: flatten first")
        layer = Argmax(input=value.kind, length=value.count)
        node = state.add(op, layer, state.held(op, value, layer.in_shape))
        shape = tuple(size for place, size in enumerate(value.shape)
                      if place != axis % len(value.shape))  # fmt: skip
        return Value(node, shape, (1,), layer.type, 1.0, 0, True)

    def _output(self, index: int) -> Any:
        if index not in self.parts and index in self.graph.tensors:
            raise Refusal("is given by no operator: export the model again")
        value = self.parts.get(index)
        if not isinstance(value, Value):
            if isinstance(value, Constant):
                raise Refusal("does not depend on the input: export the model again")
            return Lost()
        op = Operation("", 0, "output", (), (), {})
        node = self.state.held(op, value, inner(value.shape))
        if any(port.name == node for port in self.ports):
            layer = Flatten(in_shape=value.held, type=value.kind, out_shape=inner(value.shape))
            node = self.state.add(op, layer, node)
        last = self.state.nodes[-1].op if self.state.nodes else None
        title = "class" if isinstance(last, Argmax) else "scores"
        if len(self.graph.outputs) > 1:
            title = self._title(index)
        return IntegerOutput(
            self.state.name(title),
            node,
            np.array([value.scale]),
            np.array([-value.scale * value.zero]),
        )


def _used(nodes: list[IntegerNode], outputs: list[IntegerOutput]) -> tuple[IntegerNode, ...]:
    """Nodes that lead to an output."""
    wanted = {output.node for output in outputs}
    kept = []
    for node in reversed(nodes):
        if node.name in wanted:
            kept.append(node)
            wanted.update(node.inputs)
    return tuple(reversed(kept))
