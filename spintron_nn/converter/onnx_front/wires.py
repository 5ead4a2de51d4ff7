"""The network in the making: its nodes, and which of their integers tensors consist of."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Flatten, Gather, IntType, Port

from ..integers import IntegerNode
from .names import Names
from .reading import Refusal

__all__ = ["Builder", "Wire"]

MOST = 1 << 27
"""Most values that all gathers of a network move."""

Places = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Wire:
    """Integers of a node, in any order.

    Parameters
    ----------
    node : str
        Input or node of the network.
    index : int32 array of the shape of the tensor, with a batch of one
        Place of each element in the result of the node; -1 for padding.
    pad : int
        What padding holds.
    """

    node: str
    index: Places
    pad: int = 0


class Builder:
    """Nodes of the network so far.

    Parameters
    ----------
    names : Names
        Names that are taken.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.ports: list[Port] = []
        self.nodes: list[IntegerNode] = []
        self.notes: list[str] = []
        self._results: dict[str, tuple[tuple[int, ...], IntType]] = {}
        self._laid: dict[Any, str] = {}
        self._gathered = 0

    def input(self, name: str, shape: tuple[int, ...], kind: IntType, scale: float) -> Wire:
        """Add an input of the network."""
        port = Port(name=self.names.free(name), shape=shape, type=kind, scale=scale)
        self.ports.append(port)
        self._results[port.name] = shape, kind
        return Wire(port.name, np.arange(math.prod(shape), dtype=np.int32).reshape(1, *shape))

    def add(self, wanted: str, op: Any, *inputs: str) -> str:
        """Add a node; return its name."""
        name = self.names.free(wanted)
        self.nodes.append(IntegerNode(name, op, inputs))
        self._results[name] = tuple(op.shape), op.type
        return name

    def again(self, node: IntegerNode, op: Any) -> str:
        """Add a matrix again with another bias, once for each; return its name."""
        key = (node.name, op.bias.tobytes())
        if (op.bias == node.op.bias).all():  # type: ignore[union-attr]
            return node.name
        if key not in self._laid:
            self._laid[key] = self.add(node.name, op, *node.inputs)
        return self._laid[key]

    def shape(self, node: str) -> tuple[int, ...]:
        """Shape of the result of a node."""
        return self._results[node][0]

    def type(self, node: str) -> IntType:
        """Type of the result of a node."""
        return self._results[node][1]

    def whole(self, wire: Wire) -> bool:
        """Whether a wire has every integer of its node once."""
        index = wire.index.reshape(-1)
        count = math.prod(self.shape(wire.node))
        if len(index) != count or index.min() < 0:
            return False
        return len(index) == count and bool((np.bincount(index, minlength=count) == 1).all())

    def laid(self, wire: Wire, index: NDArray[Any]) -> str:
        """Name of a node whose result is an array of integers of a wire.

        Parameters
        ----------
        wire : Wire
            Where the integers are.
        index : integer array of the shape of the result
            Their places.
        """
        shape, kind = self._results[wire.node]
        wanted, flat = index.shape, np.ascontiguousarray(index, dtype=np.int32).reshape(-1)
        if len(flat) == math.prod(shape) and (flat == np.arange(len(flat))).all():
            if wanted == shape:
                return wire.node
            key: Any = (wire.node, wanted)
            made: Any = Flatten(in_shape=shape, type=kind, out_shape=wanted)
            title = "flatten"
        else:
            key = (wire.node, wanted, wire.pad, hashlib.sha256(flat.tobytes()).digest())
            title = "gather"
            made = None
        if key not in self._laid:
            if made is None:
                self._gathered += len(flat)
                if self._gathered > MOST:
                    raise Refusal(
                        f"is one of many that move values, more than {MOST} altogether: keep one "
                        "order of axes"
                    )
                made = Gather(
                    in_shape=shape, type=kind, out_shape=wanted, index=flat, pad_value=wire.pad
                )
            self._laid[key] = self.add(title, made, wire.node)
        return self._laid[key]

    def channels_last(self, wire: Wire) -> str:
        """Name of a node with the image ``(height, width, channels)`` of a wire."""
        index = wire.index[0]
        if index.ndim == 2:
            index = index[:, None]
        return self.laid(wire, index.transpose(1, 2, 0))

    def by_channel(self, wires: list[Wire], form: tuple[int, ...]) -> tuple[list[str], Any]:
        """Nodes of some wires in one layout whose last axis is the one along which rows differ.

        Parameters
        ----------
        wires : list of Wire
            All of one shape.
        form : tuple of int
            Shape that holds the rows, with the batch: 1 along the others.

        Returns
        -------
        nodes : list of str
            Nodes of one shape; its last axis, or all its values, have the order of the rows.
        index : int32 array
            Place of each element of the tensor in the result.
        """
        shape = wires[0].index.shape
        axes = [axis for axis in range(1, len(form)) if form[axis] > 1]
        first = wires[0]
        if not axes and self.whole(first):
            # One row for all: the layout of the first node is as good as any.
            place = np.empty(first.index.size, dtype=np.int32)
            place[first.index.reshape(-1)] = np.arange(first.index.size, dtype=np.int32)
            layout = self.shape(first.node)
            nodes = [self.laid(w, w.index.reshape(-1)[place].reshape(layout)) for w in wires]
            return nodes, first.index
        if len(axes) == 1:
            order = [axis for axis in range(1, len(shape)) if axis != axes[0]] + axes
            # Sizes of one are left out, but for an image's.
            moved = [w.index[0].transpose([axis - 1 for axis in order]) for w in wires]
            nodes = [self.laid(w, index) for w, index in zip(wires, moved, strict=True)]
            count = np.arange(moved[0].size, dtype=np.int32).reshape(moved[0].shape)
            back = np.argsort([axis - 1 for axis in order])
            return nodes, count.transpose(back)[None]
        nodes = [self.laid(w, w.index[0].reshape(-1)) for w in wires]
        return nodes, np.arange(first.index.size, dtype=np.int32).reshape(shape)
