"""From a graph of real operations to a stack of dense stages, where it is one: for training."""

from __future__ import annotations

from dataclasses import replace

from spintron_ir.errors import ConversionError

from . import graph
from .stack import Stack, Stage

__all__ = ["stack_of"]

BRANCH = "branches and skip connections are not converted: make forward() a plain sequence"
ORDER = "use Linear, BatchNorm1d, ReLU, in this order"
DENSE = "a stack has Linear, BatchNorm1d, ReLU, Dropout and Flatten alone"


def stack_of(model: graph.Model) -> Stack:
    """Read a model as a stack of Linear, BatchNorm1d and ReLU layers.

    Flatten before the first Linear and Dropout anywhere are taken too.

    Raises
    ------
    ConversionError
        With everything that is something else.
    """
    reader = _Reader(model)
    for step in model.steps:
        reader.visit(step)
    return reader.finish()


class _Reader:
    """The walk along the steps: one value flows through, each step changes it."""

    def __init__(self, model: graph.Model) -> None:
        self.findings: list[str] = []
        self.stages: list[Stage] = []
        self.input_dropout = 0.0
        self.last = "input"
        self.lost = False  # after something else, the order of layers says nothing more
        self.outputs = list(model.outputs.values())
        self.shapes = model.inputs | {step.name: step.shape for step in model.steps}
        self.value, self.input_shape = next(iter(model.inputs.items()))
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            self.findings.append(
                f"forward: takes {len(model.inputs)} inputs and gives {len(model.outputs)} "
                "outputs; write a module of one tensor argument and one tensor result"
            )

    def _report(self, step: graph.Step, what: str) -> None:
        where = step.origin.rpartition(" (")[0] or step.name
        self.findings.append(f"{where} (aten.{_name(step.operation)}): {what}")

    def visit(self, step: graph.Step) -> None:
        """Take one step."""
        operation = step.operation
        at_home = self._flow(step)
        match operation:
            case graph.Linear():
                self._linear(step, operation, at_home)
            case graph.Norm():
                self._norm(step, operation, at_home)
            case graph.Function(name="relu"):
                self._relu(step, at_home)
            case graph.Dropout(share=share):
                if self.stages:
                    self.stages[-1] = replace(self.stages[-1], dropout=share)
                else:
                    self.input_dropout = share
            case graph.Reshape():
                self._reshape(step, at_home)
            case _:
                self._report(step, f"not supported; {_advice(operation)}")
                self.lost = True

    def _flow(self, step: graph.Step) -> bool:
        """Move on to a step; false where it takes another value than the one we are at."""
        alone = len(step.inputs) == 1
        ok = self.lost or not alone or step.inputs[0] == self.value
        if not ok:
            self._report(
                step,
                "takes a value that something else uses too; branches and skip "
                "connections are not supported: make forward() a plain sequence",
            )
            self.lost = True
        self.value = step.name
        return ok and not self.lost

    def _reshape(self, step: graph.Step, at_home: bool) -> None:
        before = self.shapes[step.inputs[0]]
        if at_home and (len(step.shape) != 1 or self.stages):
            self._report(
                step,
                f"turns {_text(before)} into {_text(step.shape)}; only flattening the input to "
                "(batch, values) is supported",
            )
            self.lost = True

    def _linear(self, step: graph.Step, linear: graph.Linear, at_home: bool) -> None:
        before = self.shapes[step.inputs[0]]
        if linear.weight_key is None or (linear.bias_key is None and linear.bias.any()):
            self._report(step, "its weights are computed, not parameters; make them nn.Linear")
        elif at_home and len(before) != 1:
            self._report(
                step,
                f"is applied to {_text(before)}; put nn.Flatten() before it, a Linear layer "
                "takes (batch, values)",
            )
        keys = linear.weight_key, linear.bias_key
        stage = Stage(step.name, linear.weight, linear.bias, weight_key=keys[0], bias_key=keys[1])
        self.stages.append(stage)
        self.last = "linear"

    def _norm(self, step: graph.Step, norm: graph.Norm, at_home: bool) -> None:
        if len(step.shape) != 1 or (at_home and self.last != "linear"):
            self._report(step, f"does not follow a Linear layer; {ORDER}")
        elif self.stages and self.last == "linear":
            self.stages[-1] = replace(self.stages[-1], norm=norm)
        self.last = "norm"

    def _relu(self, step: graph.Step, at_home: bool) -> None:
        if at_home and not self.stages:
            self._report(step, "does not follow a Linear layer; remove it, or apply it to the data")
        if self.stages:
            self.stages[-1] = replace(self.stages[-1], relu=True)
        self.last = "relu"

    def finish(self) -> Stack:
        """Return the stack, or raise all findings."""
        if not self.stages:
            self.findings.append("forward: has no Linear layer; there is nothing to map on a chip")
        elif not self.lost:
            if self.outputs != [self.value]:
                self.findings.append(
                    "forward: returns something else than its last layer's result; return that"
                )
            if self.stages[-1].relu:
                self.findings.append(
                    f"{self.stages[-1].name} (aten.relu): the last layer must give scores; remove "
                    "the ReLU behind it"
                )
        if self.findings:
            raise ConversionError(list(dict.fromkeys(self.findings)))
        return Stack(self.input_shape, tuple(self.stages), self.input_dropout)


def _text(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['batch', *map(str, shape)])})"


def _name(operation: graph.Operation) -> str:
    """What PyTorch calls an operation."""
    match operation:
        case graph.Function(name=name):
            return name
        case graph.Conv(stride=stride):
            return f"conv{len(stride)}d"
        case graph.PoolOf(kind=kind, kernel=kernel):
            return f"{kind[:3].replace('ave', 'avg')}_pool{len(kernel)}d"
        case graph.Norm():
            return "batch_norm"
        case graph.Concatenate():
            return "cat"
        case graph.Affine():
            return "mul" if not operation.offset.any() else "add"
    return type(operation).__name__.removesuffix("Of").lower()


def _advice(operation: graph.Operation) -> str:
    match operation:
        case graph.Function():
            return "use nn.ReLU, then fine-tune"
        case graph.SoftmaxOf() | graph.ArgmaxOf():
            return "leave it out, the scores before it have the same largest class"
        case graph.Add() | graph.Mul() | graph.Concatenate() | graph.Slice():
            return BRANCH
    return DENSE
