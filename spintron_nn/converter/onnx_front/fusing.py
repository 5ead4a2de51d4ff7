"""The last pass: codes follow at once where nothing else takes the sums, dead ends go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spintron_ir import Flatten, Gather, IntType, Join, Quantise
from spintron_ir.requantise import Requantiser

from ..integers import IntegerNode, Matrix
from .reading import Refusal

__all__ = ["Coding", "fused", "tidied"]


@dataclass(frozen=True, eq=False)
class Coding:
    """Codes of values one by one, wherever they will be: a ``Quantise``, or what comes before.

    Parameters
    ----------
    in_shape : tuple of int
        Shape of the values.
    input : IntType
        Their type.
    requantise : Requantiser
        One channel, one for each of the last axis, or one for each value.
    """

    in_shape: tuple[int, ...]
    input: IntType
    requantise: Requantiser

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the codes."""
        return self.in_shape

    @property
    def type(self) -> IntType:
        """Type of the codes."""
        return self.requantise.type


def fused(nodes: list[IntegerNode], outputs: set[str]) -> tuple[list[IntegerNode], dict[str, str]]:
    """Return the nodes that lead to outputs, with codes inside the matrix or join before.

    Parameters
    ----------
    nodes : list of IntegerNode
        Each after those that feed it.
    outputs : set of str
        Nodes whose results are taken.

    Returns
    -------
    nodes : list of IntegerNode
        Those left.
    renamed : dict of str to str
        Nodes that are left in place of others.

    Raises
    ------
    ValueError
        If sums too wide for a layer of their own are taken twice.
    """
    nodes = _living(nodes, outputs)
    takers: dict[str, int] = dict.fromkeys(outputs, 1)
    for node in nodes:
        for source in node.inputs:
            takers[source] = takers.get(source, 0) + 1
    known = {node.name: node for node in nodes}
    renamed: dict[str, str] = {}
    for node in nodes:
        known[node.name] = replace(
            known[node.name],
            inputs=tuple(renamed.get(source, source) for source in node.inputs),
        )
        op: Any = node.op
        if not isinstance(op, Coding):
            continue
        path = _path(known, known[node.name].inputs[0], takers, outputs)
        if path is None or not _fits(op, known[path[0]].op):
            known[node.name] = replace(known[node.name], op=_alone(op))
            continue
        for name in path:
            known[name] = replace(known[name], op=_with(known[name].op, op.requantise))
        renamed[node.name] = path[-1]
        takers[path[-1]] = takers[node.name]
        del known[node.name]
    return list(known.values()), renamed


def tidied(nodes: list[IntegerNode], taken: set[str]) -> tuple[list[IntegerNode], dict[str, str]]:
    """Return nodes without underscores behind names that no other node has any more.

    Parameters
    ----------
    nodes : list of IntegerNode
        Each after those that feed it.
    taken : set of str
        Names of inputs.

    Returns
    -------
    nodes : list of IntegerNode
        The same with shorter names.
    renamed : dict of str to str
        Their names by those before.
    """
    taken = taken | {node.name for node in nodes}
    names: dict[str, str] = {}
    found = []
    for node in nodes:
        short = node.name.rstrip("_")
        if short not in taken:
            names[node.name] = short
            taken.add(short)
        inputs = tuple(names.get(source, source) for source in node.inputs)
        found.append(replace(node, name=names.get(node.name, node.name), inputs=inputs))
    return found, names


def _alone(op: Coding) -> Any:
    if op.input.bits > 48:
        raise Refusal(
            f"takes sums of {op.input.bits} bits in two places, and at most 48 are: put a Quant "
            "behind the sum"
        )
    return Quantise(in_shape=op.in_shape, input=op.input, requantise=op.requantise)


def _living(nodes: list[IntegerNode], outputs: set[str]) -> list[IntegerNode]:
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _path(
    known: dict[str, IntegerNode], name: str, takers: dict[str, int], outputs: set[str]
) -> list[str] | None:
    """Names from an open matrix or join to the source of codes, where nothing else takes them."""
    path: list[str] = []
    while name in known and takers[name] == 1 and name not in outputs:
        path.insert(0, name)
        op = known[name].op
        if isinstance(op, (Matrix, Join)):
            return path if op.requantise is None else None
        if not isinstance(op, Flatten):
            return None
        name = known[name].inputs[0]
    return None


def _fits(op: Coding, source: Any) -> bool:
    cols = source.shape[-1]
    same = op.in_shape[-1] == cols or int(np.prod(source.shape)) == cols
    return op.requantise.cols == 1 or (op.requantise.cols == cols and same)


def _with(op: Any, requantise: Requantiser) -> Any:
    """An operation that gives codes."""
    if isinstance(op, (Flatten, Gather)):
        return replace(op, type=requantise.type)
    if isinstance(op, Join) or requantise.cols == op.shape[-1]:
        return replace(op, requantise=requantise)
    cols = op.shape[-1]
    given: Any = requantise
    rows, sign = np.repeat(given.thresholds, cols, axis=0), np.repeat(given.sign, cols)
    return replace(op, requantise=replace(given, thresholds=rows, sign=sign))
