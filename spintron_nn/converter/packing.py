"""Convolutions in groups, packed so that a tile holds as many groups as it can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spintron_ir import Window

from .integers import IntegerGraph, IntegerNode, Matrix
from .kernels import blocks_of, kernel_matrix

__all__ = ["packed"]


def packed(graph: IntegerGraph, tile: int) -> IntegerGraph:
    """Return the graph with fewer, larger blocks under the windows of convolutions in groups.

    Parameters
    ----------
    graph : IntegerGraph
        A model.
    tile : int
        Rows and columns of a tile.
    """
    nodes = {node.name: node for node in graph.nodes}
    takers: dict[str, int] = {}
    for source in [source for node in graph.nodes for source in node.inputs] + [
        output.node for output in graph.outputs
    ]:
        takers[source] = takers.get(source, 0) + 1
    for node in graph.nodes:
        if not isinstance(node.op, Matrix) or not node.op.blocks:
            continue
        feeder = nodes.get(node.inputs[0])
        if feeder is None or not isinstance(feeder.op, Window) or takers[feeder.name] > 1:
            continue
        if feeder.op.groups == node.op.blocks:
            for one in _packed(feeder, feeder.op, node, node.op, tile):
                nodes[one.name] = one
    return replace(graph, nodes=tuple(nodes[node.name] for node in graph.nodes))


def _packed(
    feeder: IntegerNode, window: Window, node: IntegerNode, matrix: Matrix, tile: int
) -> tuple[IntegerNode, IntegerNode]:
    groups, outputs = window.groups, len(matrix.weights)
    channels = window.in_shape[2]
    depth = channels // groups
    places = matrix.weights.shape[1] // depth
    blocks = blocks_of(channels, outputs, groups, places, tile, tile)
    kernel = matrix.weights.reshape(outputs, places, depth).swapaxes(1, 2)
    weights, _ = kernel_matrix(kernel, groups, blocks)
    wide: Any = replace(window, groups=blocks)
    return (
        replace(feeder, op=wide),
        replace(node, op=replace(matrix, weights=weights, blocks=blocks if blocks > 1 else None)),
    )
