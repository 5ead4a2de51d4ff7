"""From an exported PyTorch program to a stack of dense stages, or to everything in the way."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from spintron_ir.errors import ConversionError

from .advice import advice_for
from .stack import Norm, Reals, Stack, Stage

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node

__all__ = ["parse"]

PASS = ("alias", "clone", "contiguous", "detach", "lift_fresh_copy")
RESHAPE = ("flatten", "reshape", "view", "_unsafe_view", "squeeze", "unsqueeze")
DROPOUT = ("dropout", "dropout_", "feature_dropout")
NORM = ("batch_norm", "_native_batch_norm_legit_no_training")
TRANSPOSE = ("t", "permute", "transpose", "numpy_T")


def parse(program: ExportedProgram) -> Stack:
    """Read an exported program as a stack of Linear, BatchNorm1d and ReLU layers.

    Flatten before the first Linear and Dropout anywhere are taken too. The program may stand in
    the form that :func:`torch.export.export` gives, or in core ATen operations.

    Raises
    ------
    ConversionError
        With everything that stands in the way, not only the first.
    """
    parser = _Parser(program)
    for node in program.graph.nodes:
        if node.op == "call_function":
            parser.visit(node)
    return parser.finish()


class _Parser:
    """The walk along the graph: one value flows through it, each operation changes it."""

    def __init__(self, program: ExportedProgram) -> None:
        self.findings: list[str] = []
        self.stages: list[Stage] = []
        self.names: set[str] = set()
        self.input_dropout = 0.0
        self.lost = False  # after something unknown, the order of layers says nothing more
        self.state: dict[str, tuple[str, Reals]] = {}
        self.last = "input"
        self._read_state(program)
        signature = program.graph_signature
        inputs = [node for node in program.graph.nodes if node.name in signature.user_inputs]
        self.value: Node | None = inputs[0] if inputs else None
        self.outputs = signature.user_outputs
        self.shape: tuple[int, ...] = ()
        if len(inputs) != 1 or len(self.outputs) != 1:
            self.findings.append(
                f"forward: takes {len(inputs)} inputs and gives {len(self.outputs)} outputs; "
                "write a module of one tensor argument and one tensor result"
            )
        elif len(_shape(inputs[0])) < 2:
            self.findings.append("forward: its input has no axes but the batch; give (batch, n)")
        else:
            self.shape = tuple(int(size) for size in _shape(inputs[0])[1:])

    def _read_state(self, program: ExportedProgram) -> None:
        signature = program.graph_signature
        keys = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        for name, key in keys.items():
            tensor = program.state_dict.get(key, program.constants.get(key))
            if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
                continue
            values = tensor.detach().cpu().to(torch.float64).numpy()
            self.state[name] = (key, values)
            bad = int((~np.isfinite(values)).sum())
            if bad:
                self.findings.append(
                    f"{key}: {bad} of {values.size} values are not finite; train again from a "
                    "checkpoint before they became so"
                )

    def visit(self, node: Node) -> None:
        """Take one operation."""
        name = str(node.target).removeprefix("aten.").split(".")[0]
        tensors: list[Any] = [arg for arg in node.args if hasattr(arg, "op")]
        if name in TRANSPOSE and len(tensors) == 1 and tensors[0].name in self.state:
            key, values = self.state[tensors[0].name]
            self.state[node.name] = (key, values.T if values.ndim == 2 else values)
        elif name in ("getitem", "<built-in function getitem>"):
            self._flow(node, node.args[0])
        elif name in PASS:
            self._flow(node, node.args[0])
        elif name in RESHAPE:
            self._reshape(node)
        elif name in DROPOUT:
            self._dropout(node)
        elif name in ("linear", "addmm", "mm"):
            self._linear(node, name)
        elif name in NORM:
            self._norm(node, name)
        elif name in ("relu", "relu_"):
            self._relu(node)
        else:
            self._report(node, f"not supported; {advice_for(name)}")
            self.lost, self.value = True, node

    def _report(self, node: Node, what: str) -> None:
        target = str(node.target).rpartition(".")[0] or str(node.target)
        self.findings.append(f"{_module(node)} ({target}): {what}")

    def _flow(self, node: Node, source: Any) -> bool:
        """Move on from :py:`source` to :py:`node`; false where that is not where we are."""
        ok = self.lost or source is self.value
        if not ok:
            self._report(
                node,
                "takes a value that something else uses too; branches and skip "
                "connections are not supported: make forward() a plain sequence",
            )
            self.lost = True
        self.value = node
        return ok and not self.lost

    def _reshape(self, node: Node) -> None:
        before = _shape(self.value) if self.value is not None else ()
        if not self._flow(node, node.args[0]):
            return
        after = _shape(node)
        if before == after:
            return
        flat = len(after) == 2 and str(after[0]) == str(before[0])
        if not flat or self.stages:
            self._report(
                node,
                f"turns {_text(before)} into {_text(after)}; only flattening the input to "
                "(batch, values) is supported",
            )
            self.lost = True

    def _dropout(self, node: Node) -> None:
        if len(node.args) > 2 and node.args[2]:
            self._report(node, "exported in training mode; call model.eval() before torch.export")
        self._flow(node, node.args[0])
        share = float(cast(float, node.args[1]))
        if self.stages:
            self.stages[-1] = replace(self.stages[-1], dropout=share)
        else:
            self.input_dropout = share

    def _parameter(self, arg: Any) -> tuple[str | None, Reals | None]:
        return self.state.get(getattr(arg, "name", ""), (None, None))

    def _linear(self, node: Node, name: str) -> None:
        args = (*node.args, None, None)
        source, weight, bias = {
            "linear": (args[0], args[1], args[2]),
            "addmm": (args[1], args[2], args[0]),
            "mm": (args[0], args[1], None),
        }[name]
        at_home = self._flow(node, source)
        weight_key, values = self._parameter(weight)
        bias_key, offsets = self._parameter(bias)
        if values is None or (bias is not None and offsets is None) or node.kwargs:
            self._report(node, "its weights are computed, not parameters; make them nn.Linear")
            self.lost = True
            return
        matrix = values if name == "linear" else values.T
        before = _shape(source)
        if at_home and len(before) != 2:
            self._report(
                node,
                f"is applied to {_text(before)}; put nn.Flatten() before it, a Linear layer "
                "takes (batch, values)",
            )
        outputs = matrix.shape[0]
        self.stages.append(
            Stage(
                name=self._name(node),
                weight=matrix,
                bias=np.zeros(outputs) if offsets is None else np.broadcast_to(offsets, (outputs,)),
                weight_key=weight_key,
                bias_key=bias_key,
            )
        )
        self.last = "linear"

    def _norm(self, node: Node, name: str) -> None:
        training = name == "batch_norm" and bool(node.args[5])
        at_home = self._flow(node, node.args[0])
        keys, values = zip(*(self._parameter(arg) for arg in node.args[1:5]), strict=True)
        if values[2] is None or values[3] is None:
            self._report(node, "has no running statistics; use track_running_stats=True")
        elif training:
            self._report(node, "exported in training mode; call model.eval() before torch.export")
        elif len(_shape(node.args[0])) != 2 or (at_home and self.last != "linear"):
            self._report(
                node, "does not follow a Linear layer; use Linear, BatchNorm1d, ReLU, in this order"
            )
        elif self.stages and self.last == "linear":
            ones = np.ones_like(values[2])
            norm = Norm(
                gamma=ones if values[0] is None else values[0],
                beta=0 * ones if values[1] is None else values[1],
                mean=values[2],
                var=values[3],
                eps=float(cast(float, node.args[7 if name == "batch_norm" else 6])),
                gamma_key=keys[0],
                beta_key=keys[1],
                mean_key=keys[2],
                var_key=keys[3],
            )
            self.stages[-1] = replace(self.stages[-1], norm=norm)
        self.last = "norm"

    def _relu(self, node: Node) -> None:
        at_home = self._flow(node, node.args[0])
        if at_home and not self.stages:
            self._report(node, "does not follow a Linear layer; remove it, or apply it to the data")
        if self.stages:
            self.stages[-1] = replace(self.stages[-1], relu=True)
        self.last = "relu"

    def _name(self, node: Node) -> str:
        plain = re.sub(r"[^a-z0-9]+", "_", _module(node).lower()).strip("_") or "linear"
        plain = plain if plain[0].isalpha() else f"layer_{plain}"
        name, count = plain[:40], 2
        while name in self.names:
            name, count = f"{plain[:40]}_{count}", count + 1
        self.names.add(name)
        return name

    def finish(self) -> Stack:
        """Return the stack, or raise all findings."""
        if not self.stages:
            self.findings.append("forward: has no Linear layer; there is nothing to map on a chip")
        elif not self.lost:
            if getattr(self.value, "name", None) not in self.outputs:
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
        return Stack(self.shape, tuple(self.stages), self.input_dropout)


def _shape(node: Any) -> tuple[Any, ...]:
    value = node.meta.get("val")
    return tuple(getattr(value, "shape", ()))


def _text(shape: tuple[Any, ...]) -> str:
    return f"({', '.join(['batch', *(str(size) for size in shape[1:])])})"


def _module(node: Node) -> str:
    """Path of the module that a node comes from; the node's own name where it has none."""
    stack = node.meta.get("nn_module_stack") or {}
    path = next((entry[0] for entry in reversed(stack.values())), "")
    return path or node.name
