"""Programs that write over values: the same without doing so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..loading import quiet

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node

__all__ = ["functional", "operation_name"]

SHARED = (
    "writes over a value that something else uses too; use the function that gives a new one, "
    "such as relu for relu_"
)


def operation_name(node: Node) -> str:
    """Name of what a node calls, without its namespace, its overload and the mark of writing."""
    if not hasattr(node.target, "_schema"):
        return getattr(node.target, "__name__", str(node.target))
    name = str(node.target).removeprefix("aten.").split(".")[0]
    return name[:-1] if writes(node) and name.endswith("_") else name


def writes(node: Node) -> bool:
    """Whether a node changes one of its arguments."""
    schema = getattr(node.target, "_schema", None)
    return bool(schema is not None and schema.is_mutable)


def functional(
    program: ExportedProgram, known: Callable[[str], bool]
) -> tuple[ExportedProgram, list[Node]]:
    """Return the program, or one that writes over nothing, and the nodes that stand in the way.

    A value that is written over and used nowhere else needs nothing: ``nn.ReLU(inplace=True)``
    after a convolution. Else torch rewrites the program, if every operation is a known one: what
    else a file may ask for never runs.
    """
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    shared = [node for node in nodes if writes(node) and not _alone(node)]
    if not shared:
        return program, []
    if all(known(operation_name(node)) for node in nodes):
        try:
            with quiet():
                return program.run_decompositions({}), []
        except Exception:  # torch raises anything at all on what it cannot rewrite
            return program, shared
    return program, shared


def _alone(node: Node) -> bool:
    """Whether nothing but the node uses the tensor that it writes over."""
    source: Any = node.args[0] if node.args else None
    reader = node
    while hasattr(source, "users"):
        if set(source.users) != {reader}:
            return False
        if source.op != "call_function" or not _same_memory(source):
            return True
        reader, source = source, source.args[0] if source.args else None
    return False


def _same_memory(node: Node) -> bool:
    """Whether the result of a node may lie where its argument lies."""
    schema = getattr(node.target, "_schema", None)
    if schema is None or "dropout" in operation_name(node):
        return True
    return any(part.alias_info is not None for part in schema.returns)
