"""The network: a graph of layers, complete, independent of torch and of any board."""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from . import storage
from .errors import NetworkError, check_int, check_shape
from .files import write_atomic
from .layers import Layer
from .record import Record, register
from .types import IntType

__all__ = ["Network", "Node", "Output", "Port"]

RUN_VALUES = 1 << 19
"""Values of the largest result that are worked on at a time: what the processor's cache likes."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _check_name(owner: str, name: Any) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise NetworkError(
            f"{owner}: a name must be at most 63 small letters, digits and underscores and start "
            f"with a letter, not {name!r}"
        )


def _check_scale(owner: str, scale: Any) -> None:
    real = isinstance(scale, (int, float)) and not isinstance(scale, bool)
    if not real or not 0 < scale <= sys.float_info.max:
        raise NetworkError(f"{owner}: scale must be a positive number, not {scale!r}")


@register
@dataclass(frozen=True, kw_only=True)
class Port(Record):
    """An input of the network.

    Parameters
    ----------
    name : str
        Name, unique among inputs and nodes.
    shape : tuple of int, 1 to 8 sizes
        Shape of one frame, at most ``2**24`` values.
    type : IntType, at most 63 bits where unsigned
        Type of every value.
    scale : float
        Real value of one unit: a note for those who prepare data, without any arithmetic here.
    """

    kind: ClassVar[str] = "port"

    name: str
    shape: tuple[int, ...]
    type: IntType
    scale: float = 1.0

    def check(self) -> None:
        """Check the fields."""
        _check_name("Port", self.name)
        _check_scale(f"Port {self.name}", self.scale)
        check_shape(f"Port {self.name}", "shape", self.shape)
        if self.type.high >= 1 << 63:
            raise NetworkError(f"Port {self.name}: type must have at most 63 bits where unsigned")


@register
@dataclass(frozen=True, kw_only=True)
class Node(Record):
    """A layer in the graph.

    Parameters
    ----------
    name : str
        Name, unique among inputs and nodes.
    layer : Layer
        What the node computes.
    inputs : tuple of str
        Names of the nodes or inputs that feed it.
    """

    kind: ClassVar[str] = "node"

    name: str
    layer: Layer
    inputs: tuple[str, ...]

    def check(self) -> None:
        """Check the fields."""
        _check_name("Node", self.name)
        if not isinstance(self.layer, Layer):
            found = type(self.layer).__name__
            raise NetworkError(f"Node {self.name}: layer must be a layer, not a {found}")


@register
@dataclass(frozen=True, kw_only=True)
class Output(Record):
    """An output of the network.

    Parameters
    ----------
    name : str
        Name, unique among outputs.
    node : str
        Node whose result it is.
    scale : float
        Real value of one unit: a note, without any arithmetic here.
    """

    kind: ClassVar[str] = "output"

    name: str
    node: str
    scale: float = 1.0

    def check(self) -> None:
        """Check the fields."""
        _check_name("Output", self.name)
        _check_scale(f"Output {self.name}", self.scale)


@register
@dataclass(frozen=True, kw_only=True)
class Network(Record):
    """A graph of layers of integers. :meth:`run` is the golden answer.

    Parameters
    ----------
    name : str
        Name of the network.
    inputs : tuple of Port
        What is fed in.
    nodes : tuple of Node
        Layers, each after the nodes that feed it.
    outputs : tuple of Output
        What comes out.
    metadata : dict of str to str
        Notes that change no number: provenance, seeds, versions.

    Raises
    ------
    NetworkError
        If names clash, an edge leads nowhere or its ends differ in shape or type.
    """

    kind: ClassVar[str] = "network"

    name: str
    inputs: tuple[Port, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Check the graph."""
        _check_name("Network", self.name)
        notes = self.metadata
        if not isinstance(notes, Mapping) or not all(
            isinstance(part, str) for note in notes.items() for part in note
        ):
            raise NetworkError(f"Network: metadata must map text to text, not {notes!r}")
        object.__setattr__(self, "metadata", dict(notes))
        for title, parts, cls in (
            ("inputs", self.inputs, Port),
            ("nodes", self.nodes, Node),
            ("outputs", self.outputs, Output),
        ):
            if not parts or not all(isinstance(part, cls) for part in parts):
                raise NetworkError(f"Network: {title} must be one {cls.__name__} or more")
        known: dict[str, tuple[tuple[int, ...], IntType]] = {}
        for port in self.inputs:
            self._add(known, port.name, port.shape, port.type)
        for node in self.nodes:
            self._check_edges(known, node)
            self._add(known, node.name, node.layer.shape, node.layer.type)
        names = [output.name for output in self.outputs]
        if len(set(names)) != len(names):
            raise NetworkError(f"Network: output names must differ, not {', '.join(names)}")
        nodes = {node.name for node in self.nodes}
        for output in self.outputs:
            if output.node not in nodes:
                raise NetworkError(f"Network: output {output.name} names no node: {output.node!r}")
        used = {source for node in self.nodes for source in node.inputs}
        unused = sorted(set(known) - used - {output.node for output in self.outputs})
        if unused:
            raise NetworkError(
                f"Network: nothing takes {', '.join(unused)}: remove it or make it an output"
            )

    @staticmethod
    def _add(known: dict[str, Any], name: str, shape: tuple[int, ...], type_: IntType) -> None:
        if name in known:
            raise NetworkError(f"Network: the name {name} stands twice; names must differ")
        known[name] = (tuple(shape), type_)

    @staticmethod
    def _check_edges(known: Mapping[str, tuple[tuple[int, ...], IntType]], node: Node) -> None:
        wanted = node.layer.in_ports
        if len(wanted) != len(node.inputs):
            raise NetworkError(
                f"Network: {node.name} takes {len(wanted)} inputs, not {len(node.inputs)}"
            )
        for source, (shape, type_) in zip(node.inputs, wanted, strict=True):
            if source not in known:
                raise NetworkError(
                    f"Network: {node.name} takes {source!r}, which is no input or earlier node"
                )
            if known[source] != (shape, type_):
                given = known[source]
                raise NetworkError(
                    f"Network: {source} gives {given[1]} {given[0]}, "
                    f"but {node.name} takes {type_} {shape}"
                )

    def node(self, name: str) -> Node:
        """Return the node called :py:`name`."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise NetworkError(f"Network: there is no node {name!r}")

    def consumers(self, name: str) -> tuple[Node, ...]:
        """Nodes that take the result of :py:`name`."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def _frames(self, x: Any) -> dict[str, NDArray[np.int64]]:
        names = [port.name for port in self.inputs]
        if not isinstance(x, Mapping) and len(names) > 1:
            raise NetworkError(f"Network: inputs must be a dict with arrays for {', '.join(names)}")
        given = x if isinstance(x, Mapping) else {names[0]: x}
        if set(given) != set(names):
            raise NetworkError(
                f"Network: inputs must be {', '.join(names)}, "
                f"not {', '.join(map(str, given)) or 'none'}"
            )
        frames = {port.name: _check_frames(port, given[port.name]) for port in self.inputs}
        if len({len(values) for values in frames.values()}) > 1:
            raise NetworkError("Network: every input must have the same number of frames")
        return frames

    def trace(self, x: Any, first_frame: int = 0) -> dict[str, NDArray[np.int64]]:
        """Results of every node, by name; arguments as for :meth:`run`."""
        check_int("Network", "first_frame", first_frame, 0, (1 << 62) - 1)
        return self._trace(self._frames(x), first_frame)

    def _trace(self, known: dict[str, NDArray[np.int64]], first_frame: int) -> dict[str, Any]:
        for node in self.nodes:
            inputs = [known[source] for source in node.inputs]
            known[node.name] = node.layer.run(*inputs, first_frame=first_frame)
        return {node.name: known[node.name] for node in self.nodes}

    def run(self, x: Any, first_frame: int = 0) -> Any:
        """Golden outputs of a batch of frames.

        Parameters
        ----------
        x : integer array of shape ``(batch, *shape)``, or dict of such by input name
            Inputs, within the range of their type.
        first_frame : int
            Number of the first frame since reset: read noise depends on it.

        Returns
        -------
        ndarray of int64 ``(batch, *shape)``, or dict of such where there are several outputs

        Raises
        ------
        NetworkError
            If the inputs have the wrong names, shape, type or range.
        """
        check_int("Network", "first_frame", first_frame, 0, (1 << 62) - 1)
        frames, parts = self._frames(x), []
        step = max(1, RUN_VALUES // max(math.prod(node.layer.shape) for node in self.nodes))
        for start in range(0, max(len(frames[self.inputs[0].name]), 1), step):
            some = {name: values[start : start + step] for name, values in frames.items()}
            found = self._trace(some, first_frame + start)
            parts.append([found[output.node] for output in self.outputs])
        whole = map(np.concatenate, zip(*parts, strict=True))
        outputs = {output.name: values for output, values in zip(self.outputs, whole, strict=True)}
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def to_bytes(self) -> bytes:
        """The network file: the same network gives the same bytes."""
        return storage.pack(self)

    def digest(self) -> str:
        """SHA-256 of the network file, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the network file, whole or not at all."""
        write_atomic(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Network:
        """Read a network file.

        Raises
        ------
        NetworkError
            If the file is no network, is cut off, contradicts itself, or is of a newer format.
        """
        network = storage.unpack(path)
        if not isinstance(network, cls):
            raise NetworkError(f"{path}: the file holds a part of a network, not a network")
        return network


def _check_frames(port: Port, values: Any) -> NDArray[np.int64]:
    """Inputs of one port, flat types checked."""
    try:
        found = np.asarray(values)
    except ValueError:
        raise NetworkError(
            f"Network: input {port.name} must be an array whose rows are of equal length"
        ) from None
    if not np.issubdtype(found.dtype, np.integer):
        raise NetworkError(
            f"Network: input {port.name} must hold integers, not {found.dtype}: "
            f"divide by its scale ({port.scale:g}) and round"
        )
    if found.shape[1:] != tuple(port.shape) or found.ndim != len(port.shape) + 1:
        sizes = ", ".join(map(str, port.shape))
        raise NetworkError(
            f"Network: input {port.name} must have the shape (batch, {sizes}), not {found.shape}"
        )
    if found.size:
        low, high = int(found.min()), int(found.max())
        if low < port.type.low or high > port.type.high:
            raise NetworkError(
                f"Network: input {port.name} must lie in {port.type.low}..{port.type.high}, "
                f"not in {low}..{high}"
            )
    return found.astype(np.int64)
