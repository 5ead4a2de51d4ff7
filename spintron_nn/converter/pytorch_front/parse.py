"""From an exported PyTorch program to a model of real operations, or to all that is in the way."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from spintron_ir.errors import ConversionError

from ..graph import Model, Reshape, Step
from . import arithmetic, endings, functions, layers, picking, pooling, reshaping
from .advice import advice_for
from .folding import FOLDABLE, fold
from .functions import Comparison
from .inplace import SHARED, functional, operation_name
from .naming import fit, module_of, operation_of, origin_of, output_names, step_names
from .walk import MIXES, Constant, Handler, Missing, Record, Refused, Value, Walk

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node

__all__ = ["HANDLERS", "parse"]

HANDLERS: dict[str, Handler] = {
    **layers.HANDLERS,
    **functions.HANDLERS,
    **pooling.HANDLERS,
    **endings.HANDLERS,
    **arithmetic.HANDLERS,
    **reshaping.HANDLERS,
    **picking.HANDLERS,
}
"""Readers of operations by their names."""

PLAIN = ("getitem", "sym_size", "_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range")

WRONG = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What arguments raise that no exported model has, and a file may."""


def parse(program: ExportedProgram) -> Model:
    """Read an exported program as a graph of real operations.

    The program may stand in the form that :func:`torch.export.export` gives, or in core ATen
    operations. What leads to no output is left out.

    Raises
    ------
    ConversionError
        With everything that stands in the way, not only the first.
    """
    program, shared = functional(program, lambda name: name in HANDLERS or name in _KNOWN)
    front = _Front(program)
    for node in shared:
        front.report(node, SHARED)
    for node in program.graph.nodes:
        if node in front.live and node.op == "call_function":
            front.visit(node)
        elif node.op == "placeholder":
            front.take(node)
    return front.finish()


_KNOWN = FOLDABLE | set(PLAIN) | {"batch_norm", "index_put"}


class _Front:
    """The walk along the nodes of a program."""

    def __init__(self, program: ExportedProgram) -> None:
        self.program = program
        self.signature = program.graph_signature
        self.findings: list[str] = []
        self.values: dict[Node, Any] = {}
        self.inputs: dict[int, Node] = {}
        by_name = {node.name: node for node in program.graph.nodes}
        self.outputs = [
            by_name.get(name) if isinstance(name, str) else name
            for name in self.signature.user_outputs
        ]
        self.live: set[Node] = set()
        waiting = [node for node in self.outputs if hasattr(node, "all_input_nodes")]
        while waiting:
            node: Any = waiting.pop()
            if node not in self.live:
                self.live.add(node)
                waiting += node.all_input_nodes
        self.lifted = self.signature.inputs_to_lifted_tensor_constants
        self.keys = {
            **self.signature.inputs_to_parameters,
            **self.signature.inputs_to_buffers,
            **self.lifted,
        }
        self.walk = Walk(self._batch(by_name))
        self.blind = bool(self.findings)  # without one batch, shapes say nothing
        for name, key in self.signature.buffers_to_mutate.items():
            if by_name.get(name) in self.live:
                self.findings.append(
                    f"{key}: changes while the model runs; keep forward() free of that"
                )

    def _batch(self, by_name: dict[str, Node]) -> Any:
        """Size of the first axis, which all inputs share."""
        batches = {}
        for name in self.signature.user_inputs:
            node = by_name.get(name) if isinstance(name, str) else None
            shape = _shape(node)
            if node is None or shape is None:
                continue
            if len(shape) < 2:
                self.findings.append(
                    f"forward: its input {name} has no axes but the batch; give (batch, n)"
                    if len(shape) == 1
                    else f"forward: its input {name} has no axes; give (batch, n)"
                )
                continue
            batches[name] = Walk(1).size(shape[0])
        if not batches and not self.findings:
            self.findings.append("forward: takes no tensor; give it one of shape (batch, n)")
        if len(set(batches.values())) > 1:
            self.findings.append(
                f"forward: its inputs {', '.join(batches)} have the first axes "
                f"{', '.join(map(str, batches.values()))}; give all of them one batch"
            )
        return next(iter(batches.values()), 1)

    def report(self, node: Node, what: str) -> None:
        """Add a finding."""
        self.findings.append(f"{module_of(node)} ({operation_of(node)}): {what}")

    def take(self, node: Node) -> None:
        """Take an input, or a constant."""
        key = self.keys.get(node.name)
        if key is not None:
            self.values[node] = self._state(node, key)
            return
        shape = _shape(node)
        if shape is None or self.blind:
            self.values[node] = node.meta.get("val") if shape is None else Missing()
            return
        self.walk.node = node
        try:
            sizes = tuple(self.walk.integer(size) for size in shape[1:])
            if not node.meta["val"].dtype.is_floating_point:
                raise Refused(f"takes {node.meta['val'].dtype}; give it as floating-point numbers")
            if any(size < 1 for size in sizes):
                raise Refused(f"has the shape (batch, {sizes}), which is empty; give it values")
            self.values[node] = value = self.walk.add(None, shape=sizes)
            self.inputs[value.at] = node
        except Refused as refused:
            free = "depends on the size of the batch; use a number"
            what = (
                "has axes of free size behind the batch; export it with fixed ones"
                if str(refused) == free
                else str(refused)
            )
            self.findings.append(f"forward: its input {node.name} {what}")
            self.values[node] = Missing()
        except WRONG as error:
            self.findings.append(f"forward: its input {node.name} {_first(error)}; make it smaller")
            self.values[node] = Missing()

    def _state(self, node: Node, key: str) -> Any:
        tensor = self.program.state_dict.get(key, self.program.constants.get(key))
        if not isinstance(tensor, torch.Tensor):
            return Missing()
        if node in self.live and node.name not in self.lifted and tensor.is_floating_point():
            try:
                values = tensor.detach().cpu().to(torch.float64).numpy()
            except WRONG as error:
                self.findings.append(f"{key}: cannot be read ({_first(error)}); save it again")
                return Missing()
            bad = int((~np.isfinite(values)).sum())
            if bad:
                self.findings.append(
                    f"{key}: {bad} of {values.size} values are not finite; train again from a "
                    "checkpoint before they became so"
                )
        return Constant(tensor, None if node.name in self.lifted else key)

    def visit(self, node: Node) -> None:
        """Read one operation."""
        self.walk.node = node
        try:
            self.values[node] = self._result(node, operation_name(node))
        except Refused as refused:
            self.report(node, str(refused))
            self.values[node] = self._unknown(node.meta.get("val"))
        except WRONG as error:
            self.report(node, f"its arguments do not fit ({_first(error)}); export it again")
            self.values[node] = self._unknown(node.meta.get("val"))

    def _result(self, node: Node, name: str) -> Any:
        if node.target is operator.getitem:
            return self._item(self._resolve(node.args[0]), node.args[1])
        known = node.meta.get("val")
        if isinstance(known, torch.SymInt | torch.SymFloat | torch.SymBool | int | float):
            return known
        schema = getattr(node.target, "_schema", None)
        if schema is None or getattr(node.target, "namespace", "") != "aten":
            raise Refused(f"not supported; {advice_for(name)}")
        arguments = _bound(schema, self._resolve(list(node.args)), self._resolve(dict(node.kwargs)))
        leaves = _leaves(list(arguments.values()))
        if any(isinstance(leaf, Missing) for leaf in leaves):
            if name not in HANDLERS and name not in FOLDABLE:
                raise Refused(f"not supported; {advice_for(name)}")
            if not self.findings:  # nothing has said yet why there is no value
                raise Refused("takes what no operation before it gives; export it again")
            return self._unknown(known)
        computed = Value | Comparison
        if name in HANDLERS:
            computed |= torch.SymInt  # a constant with one row for each input of a batch
        if not any(isinstance(leaf, computed) for leaf in leaves) and name in FOLDABLE:
            return fold(node.target, arguments, name)
        if name not in HANDLERS:
            raise Refused(f"not supported; {advice_for(name)}")
        made = HANDLERS[name](self.walk, arguments)
        self._check(made, known)
        return made

    def _item(self, source: Any, place: Any) -> Any:
        if isinstance(source, Missing):
            return source
        item = source[operator.index(place)]
        if isinstance(item, Refused):
            raise item
        return Missing() if item is None else item

    def _resolve(self, item: Any) -> Any:
        if hasattr(item, "all_input_nodes"):
            return self.values.get(item, Missing())
        if isinstance(item, list | tuple):
            return [self._resolve(part) for part in item]
        if isinstance(item, dict):
            return {name: self._resolve(part) for name, part in item.items()}
        return item

    def _unknown(self, known: Any) -> Any:
        """What stands for the result of a refused node, so that those behind it are read too."""
        if isinstance(known, list | tuple):
            return [self._unknown(part) for part in known]
        shape = tuple(known.shape) if isinstance(known, torch.Tensor) else ()
        try:
            sizes = [self.walk.size(size) for size in shape]
            if sizes and sizes[0] == self.walk.batch:
                return self.walk.add(None, shape=tuple(self.walk.integer(s) for s in sizes[1:]))
        except (Refused, *WRONG):
            pass
        return Missing()

    def _check(self, made: Any, known: Any) -> None:
        """Compare the shape of a result with what the program says of it."""
        if isinstance(made, list) and isinstance(known, list | tuple):
            for part, its in zip(made, known, strict=False):
                self._check(part, its)
        if not isinstance(made, Value) or not isinstance(known, torch.Tensor):
            return
        sizes = tuple(self.walk.size(size) for size in known.shape)
        own = self.walk.full_shape(made)
        if own != sizes:
            raise Refused(f"gives the shape {own}, and the program says {sizes}; export it again")

    def finish(self) -> Model:
        """Return the model, or raise all findings."""
        names = output_names(self.program, len(self.outputs))
        places: dict[str, int] = {}
        for name, node in zip(names, self.outputs, strict=True):
            if node is None:
                continue
            value = self.values.get(node) if hasattr(node, "all_input_nodes") else node
            if isinstance(value, Value) and not value.merged:
                if value.at in self.inputs:  # an output is a step
                    self.walk.node = next(iter(reversed(self.program.graph.nodes)))
                    value = self.walk.add(Reshape(), value, shape=value.shape)
                places[name] = value.at
            elif isinstance(value, Value):
                self.findings.append(f"forward: its result {name} {MIXES}")
            elif not isinstance(value, Missing):
                self.findings.append(
                    f"forward: its result {name} does not depend on the input; leave it out"
                )
            elif not self.findings:
                self.findings.append(
                    f"forward: its result {name} is what no operation gives; export it again"
                )
        if not places and not self.findings:
            self.findings.append("forward: gives no tensor; return what is to be computed")
        if self.findings:
            raise ConversionError(list(dict.fromkeys(self.findings)))
        return self._model(places)

    def _model(self, places: dict[str, int]) -> Model:
        records = self.walk.records
        live: set[int] = set()
        waiting = list(places.values())
        while waiting:
            at = waiting.pop()
            if at not in live:
                live.add(at)
                waiting += records[at].inputs
        taken: set[str] = set()
        names = {at: fit(node.name, taken, "input") for at, node in self.inputs.items()}
        shapes = {names[at]: records[at].shape for at in self.inputs}
        steps: dict[int, Record] = {at: records[at] for at in sorted(live - set(self.inputs))}
        names |= step_names(steps, taken)
        made = []
        for at, record in steps.items():
            assert record.operation is not None
            inputs = tuple(names[source] for source in record.inputs)
            origin = origin_of(record.node)
            made.append(Step(names[at], record.operation, inputs, record.shape, origin))
        return Model(shapes, tuple(made), {name: names[at] for name, at in places.items()})


def _bound(schema: Any, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name, with the defaults of those that are not given."""
    parts = schema.arguments
    if len(args) > len(parts) or not set(kwargs) <= {part.name for part in parts}:
        raise ValueError(f"{len(args)} arguments are too many")
    bound: dict[str, Any] = {}
    for place, part in enumerate(parts):
        if place < len(args):
            bound[part.name] = args[place]
        elif part.name in kwargs:
            bound[part.name] = kwargs[part.name]
        elif part.has_default_value():
            bound[part.name] = part.default_value
        else:
            raise ValueError(f"{part.name} is missing")
    return bound


def _leaves(items: list[Any]) -> list[Any]:
    found = []
    for item in items:
        found += _leaves(item) if isinstance(item, list) else [item]
    return found


def _shape(node: Any) -> tuple[Any, ...] | None:
    value = getattr(node, "meta", {}).get("val")
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
