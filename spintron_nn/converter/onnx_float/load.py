"""An ONNX graph of real operations as a model, or all that stands in the way."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from spintron_ir.errors import ConversionError, ParameterError
from spintron_nn.converter.graph import Function, Model, Reshape, Step
from spintron_nn.converter.onnx_front.names import Names
from spintron_nn.converter.onnx_front.reading import Argument, Graph, Operation, Refusal, read_graph

from .advice import SAME_SHAPE, advice_for
from .build import Builder
from .folding import FOLDED, fold, shape_of
from .idioms import UNMADE
from .operators import HANDLERS, INPUTS
from .tensors import FREE, Constant, Lost, Part, Value, said

__all__ = ["load_real_onnx"]

OPSETS = range(6, 29)
"""Versions of the standard operators whose meaning is known here."""

MAX_COMPUTED = 1 << 27
"""Most values of all constants that are computed."""

REAL = {1: "float32", 10: "float16", 11: "float64"}
WHOLE = {2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64"}

DAMAGE = (ValueError, TypeError, IndexError, KeyError, AttributeError, RuntimeError, OverflowError,
          MemoryError, ZeroDivisionError, ParameterError, AssertionError,
          StopIteration)  # fmt: skip
"""What numpy and Python raise on operators that contradict themselves."""


def load_real_onnx(path: str | Path, *, batch: bool = True) -> Model:
    """Read a model without quantisers; everything that cannot be converted is listed at once.

    Parameters
    ----------
    path : path
        An ``.onnx`` file.
    batch : bool
        Whether the first axis of every input counts frames, in any number; otherwise all of the
        tensors of the graph are one frame.

    Raises
    ------
    ConversionError
        If the file is damaged or holds what cannot be converted.
    """
    graph = read_graph(path, opsets=OPSETS)
    walk = _Walk(graph, batch)
    with np.errstate(all="ignore"):
        model = walk.run()
    if model is None:
        raise ConversionError(walk.findings)
    return model


class _Walk:
    """One pass over the operators of a graph, in order."""

    def __init__(self, graph: Graph, batch: bool) -> None:
        self.graph, self.batch = graph, batch
        self.findings = list(graph.findings)
        self.tensors: dict[str, Part | Lost] = {
            name: Constant(values, name) for name, values in graph.constants.items()
        }
        self.used = {name for op in graph.operations for name in op.inputs} | set(graph.outputs)
        self.made = {name for op in graph.operations for name in op.outputs}
        self.builder = Builder(None)
        self.computed = 0

    def run(self) -> Model | None:
        """The model; None where there are findings."""
        self._inputs()
        for operation in self.graph.operations:
            self._operate(operation)
        return self._end()

    def _inputs(self) -> None:
        taken = {}
        for argument in self.graph.inputs:
            if argument.name not in self.used:
                self.findings.append(f"{argument.name} (input): reaches no output: leave it out")
            else:
                shape = self._shape(argument)
                if argument.name in self.tensors:
                    self.findings.append(f"{argument.name} (input): stands twice; rename one")
                    continue
                self.tensors[argument.name] = Lost()
                if shape is not None:
                    taken[argument.name] = (argument, shape)
        frames = {shape[0] for _, shape in taken.values() if shape}
        if self.batch and len(frames) > 1:
            sizes = ", ".join(said(shape) for _, shape in taken.values())
            self.findings.append(
                f"inputs: must have one batch axis in front, and have the shapes {sizes}; export "
                "the model so"
            )
            return
        if not taken and not any("(input)" in text for text in self.findings):
            self.findings.append("the graph has no input in use: export it again")
        size = max(frames, default=1)
        self.builder = Builder(size if self.batch and size > 1 else None)
        for name, (argument, shape) in taken.items():
            frame = shape[1:] if self.batch else shape
            value = self.builder.give(name, shape, frame, argument.kind in WHOLE)
            self.tensors[name] = value

    def _shape(self, argument: Argument) -> tuple[int, ...] | None:
        """Shape of an input, where it can be converted."""
        known = argument.kind in REAL or argument.kind in WHOLE
        if not known:
            self.findings.append(
                f"{argument.name} (input): must be float32, not ONNX's type {argument.kind}; "
                "export the model again"
            )
        if argument.sizes is None:
            self.findings.append(
                f"{argument.name} (input): has no shape; export the model with a fixed one"
            )
            return None
        sizes: list[int | str] = list(argument.sizes)
        if self.batch and sizes and (isinstance(sizes[0], str)):
            sizes[0] = FREE
        shape = tuple(size if isinstance(size, int) else 0 for size in sizes)
        frame = shape[1:] if self.batch else shape
        if (self.batch and not 1 <= len(shape)) or len(frame) > 8 or min(shape, default=1) < 1:
            given = ", ".join(str(size) or "?" for size in argument.sizes)
            self.findings.append(
                f"{argument.name} (input): must have a fixed size along every axis but the batch, "
                f"up to 8 of them, not ({given}); export the model so"
            )
            return None
        if math.prod(frame) > 1 << 24 or shape[:1] > (FREE,):
            self.findings.append(
                f"{argument.name} (input): has {math.prod(frame)} values, more than 2**24; use "
                "smaller frames"
            )
            return None
        return shape if known else None

    def _operate(self, op: Operation) -> None:
        results: list[Part | Lost]
        try:
            results = self._results(op)
        except DAMAGE as error:
            own = isinstance(error, Refusal)
            text = str(error) if own else "contradicts itself: export the model again"
            self.findings.append(op.says(" ".join(text.split())))
            results = []
        for index, name in enumerate(op.outputs):
            if name and name in self.tensors:
                self.findings.append(op.says(f"gives {name!r}, which is given twice; rename one"))
            if results and index >= len(results) and name in self.used:
                self.findings.append(
                    op.says(f"gives {name!r} besides, which is not converted: take the first only")
                )
            if name:
                self.tensors[name] = results[index] if index < len(results) else Lost()

    def _tensor(self, op: Operation, name: str) -> Part | Lost:
        if not name:
            return None
        if name not in self.tensors:
            why = (
                "stands behind it or in a circle with it: sort the graph"
                if name in self.made
                else "is nowhere in the graph: export the model again"
            )
            self.findings.append(op.says(f"takes {name!r}, which {why}"))
            return Lost()
        return self.tensors[name]

    def _results(self, op: Operation) -> list[Part | Lost]:
        found = [self._tensor(op, name) for name in op.inputs]
        known = op.domain == "" and (op.kind in HANDLERS or op.kind in FOLDED)
        constant = not any(isinstance(part, (Value, Lost)) for part in found)
        if not known or (constant and op.kind not in FOLDED):
            if known or (op.domain == "" and constant and op.kind in HANDLERS):
                raise Refusal("takes constants alone: fold them into one tensor")
            named = f"{op.domain}." if op.domain else ""
            self.findings.append(
                op.says(f"{named}{op.kind} is not converted: {advice_for(op.kind)}")
            )
            first = found[0] if found else None
            same = op.kind in SAME_SHAPE and isinstance(first, Value)
            return [first if same else Lost()]
        if any(isinstance(part, Lost) for part in found):
            return []
        parts = [part for part in found if not isinstance(part, Lost)]
        if op.kind in ("Shape", "Size"):
            return [self._size(op, parts)]
        if constant:
            return [self._folded(op, parts)]
        if op.kind not in HANDLERS:
            raise Refusal(f"is converted for constants alone: {advice_for(op.kind)}")
        least, most = INPUTS.get(op.kind, (1, 1))
        if not least <= len(parts) <= most or parts[0] is None:
            raise Refusal(f"has {len(parts)} inputs: export the model again")
        result = HANDLERS[op.kind](op, parts, self.builder, self.graph.opset)
        return list(result) if isinstance(result, tuple) else [result]

    def _folded(self, op: Operation, parts: list[Part]) -> Constant:
        found = fold(op, parts)
        self.computed += found.values.size
        if self.computed > MAX_COMPUTED:
            raise Refusal("computes more than 2**27 constant values in all: fold them beforehand")
        return found

    def _size(self, op: Operation, parts: list[Part]) -> Constant:
        (part,) = parts
        if part is None:
            raise Refusal("lacks its input: export the model again")
        shape = part.values.shape if isinstance(part, Constant) else part.shape
        return Constant(shape_of(op, shape))

    def _end(self) -> Model | None:
        outputs: dict[str, str] = {}
        titles, seen = Names(), set()
        if not self.graph.outputs:
            self.findings.append("the graph has no output: export it again")
        for name in self.graph.outputs:
            found = self.tensors.get(name)
            if name in seen:
                self.findings.append(f"{name} (output): stands twice; rename one")
            seen.add(name)
            if not isinstance(found, (Value, Lost)):
                self.findings.append(f"{name} (output): does not depend on an input: leave it out")
            elif isinstance(found, Value):
                try:
                    outputs[titles.free(name)] = self._output(name, found)
                except Refusal as error:
                    self.findings.append(f"{name} (output): {error}")
        steps = self._live(outputs)
        for step in steps:
            if isinstance(step.operation, Function) and step.operation.name == UNMADE:
                self.findings.append(
                    f"{step.origin}: is converted as a part of GELU alone, "
                    "x * (1 + Erf(x / sqrt(2))) / 2: use Gelu"
                )
        if self.findings:
            return None
        used = {name for step in steps for name in step.inputs}
        for name in self.builder.inputs:
            if name not in used:
                self.findings.append(f"{name} (input): reaches no output: leave it out")
        if self.findings:
            return None
        return Model(dict(self.builder.inputs), steps, outputs)

    def _output(self, name: str, value: Value) -> str:
        """Step that gives an output, in the shape of the graph without the batch."""
        to, shape = self.builder, value.shape
        counts = self.batch and (to.batch is not None or (len(shape) > 1 and shape[0] == 1))
        frame = shape[1:] if counts else shape
        op = Operation(name, "output", "", (), (), {})
        scalar = value.have == () and frame == ()
        step = value.step if scalar else to.view(op, value, frame)
        return to.add(op, Reshape(), [step], frame or (1,)) if step in to.inputs else step

    def _live(self, outputs: dict[str, str]) -> tuple[Step, ...]:
        """Steps that lead to the outputs."""
        wanted = set(outputs.values())
        kept = []
        for step in reversed(self.builder.steps.values()):
            if step.name in wanted:
                wanted.update(step.inputs)
                kept.append(replace(step, origin=step.origin or step.name))
        return tuple(reversed(kept))
