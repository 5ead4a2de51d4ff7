"""Names of steps, inputs and outputs, and what messages call them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torch.utils import _pytree

from .inplace import operation_name
from .walk import Record

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node

__all__ = ["fit", "module_of", "operation_of", "origin_of", "output_names", "step_names"]

MAX_LENGTH = 63


def fit(wanted: str, taken: set[str], other: str = "layer") -> str:
    """A name of small letters, digits and underscores that is not taken yet; it is from now on."""
    plain = re.sub(r"[^a-z0-9]+", "_", wanted.lower()).strip("_") or other
    plain = plain if plain[0].isalpha() else f"{other}_{plain}"
    name, count = plain[:MAX_LENGTH].rstrip("_"), 2
    while name in taken:
        end = f"_{count}"
        name, count = plain[: MAX_LENGTH - len(end)].rstrip("_") + end, count + 1
    taken.add(name)
    return name


def _innermost(node: Node) -> tuple[str, str, str]:
    """Call, path and type of the module that a node comes from."""
    stack = node.meta.get("nn_module_stack")
    if not isinstance(stack, dict) or not stack:
        return "", "", ""
    call, entry = list(stack.items())[-1]
    path, kind = entry if isinstance(entry, tuple | list) and len(entry) == 2 else ("", "")
    if isinstance(kind, type):
        kind = f"{kind.__module__}.{kind.__qualname__}"
    return str(call), str(path), str(kind)


def module_of(node: Node) -> str:
    """Path of the module that a node comes from; the node's own name where it has none."""
    return _innermost(node)[1] or node.name


def operation_of(node: Node) -> str:
    """What a message calls an operation: ``aten.relu``."""
    if not hasattr(node.target, "_schema"):
        return operation_name(node)
    return str(node.target).rpartition(".")[0] or str(node.target)


def _is_layer(kind: str) -> bool:
    """Whether a module of this type is one operation to its user, as those of torch are."""
    return kind.startswith("torch.nn.modules.") and ".container." not in kind


def origin_of(node: Node) -> str:
    """Path and type of a layer, or where a function is called and which one."""
    _, path, kind = _innermost(node)
    if path and _is_layer(kind):
        return f"{path} ({kind.rpartition('.')[2]})"
    return f"{path or node.name} ({operation_of(node)})"


def step_names(records: dict[int, Record], taken: set[str]) -> dict[int, str]:
    """Names of the steps at the given places.

    The last step of a layer has the name of the layer, those in front of it what they do as well.
    """
    groups: dict[Any, list[int]] = {}
    for at, record in records.items():
        call, path, kind = _innermost(record.node)
        own = path and _is_layer(kind)
        groups.setdefault((call, path) if own else record.node, []).append(at)
    names = {}
    for key, places in groups.items():
        if isinstance(key, tuple):
            base = key[1]
        else:
            path = _innermost(key)[1]
            base = f"{path}_{operation_name(key)}" if path else key.name
        for at in places[-1:] + places[:-1]:
            kind = type(records[at].operation).__name__.removesuffix("Of")
            names[at] = fit(base if at == places[-1] else f"{base}_{kind}", taken)
    return names


def output_names(program: ExportedProgram, count: int) -> list[str]:
    """Names of the outputs: keys of dictionaries, places of tuples; of one alone, ``output``."""
    paths: list[str] = []
    try:
        spec = program.call_spec.out_spec
        assert spec is not None and spec.num_leaves == count
        tree = _pytree.tree_unflatten(list(range(count)), spec)
        for keys, _ in _pytree.tree_leaves_with_path(tree):
            paths.append("_".join(_text(key) for key in keys))
    except Exception:  # whatever a file or a class of its own makes of the structure
        paths = [str(place) for place in range(count)]
    taken: set[str] = set()
    return [fit(path, taken, "output") for path in paths]


def _text(key: Any) -> str:
    for name in ("key", "idx", "name"):
        if hasattr(key, name):
            return str(getattr(key, name))
    return str(key)
