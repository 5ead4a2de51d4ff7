"""A network as it grows: its nodes, and what each tensor of the model is on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, Flatten, Gather, IntType, Node

from ..graph import Step
from ..report import LayerReport, StageReport
from ..settings import Settings
from ..trained import Trained
from .real import Chain

__all__ = ["Pending", "Signal", "Work", "blocks_of_frames"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

PART = 1 << 22
"""Values of a layer that are computed at once."""


@dataclass(frozen=True, eq=False)
class Signal:
    """A tensor of the model as codes of a node.

    Attributes
    ----------
    node : str
        Node, or input, of the network.
    codes : integer array of shape ``(frames, values)``
        What it gives for the calibration data.
    kind : IntType
        Type of the codes.
    scale : float
        Real value of one code.
    index : int64 array of the tensor's shape
        Place of each of its values among those of the node; -1 is a zero. Reshaping, permuting,
        cutting and repeating change the index alone: a layer that moves values is made only where
        a reader needs them in another order.
    """

    node: str
    codes: NDArray[Any]
    kind: IntType
    scale: float
    index: Ints


@dataclass(frozen=True, eq=False)
class Pending:
    """A tensor that is a function of integers, and not yet codes.

    Attributes
    ----------
    name : str
        Node that is to be.
    step : Step
        What made the integers.
    layer : Dense or Join or None
        What gives the integers; None where :py:`inputs` is the node that does.
    inputs : tuple of str
        Nodes that feed it.
    numbers : integer array of shape ``(frames, *shape)``
        The integers for the calibration data.
    low, high : int
        Range of the integers.
    kind : IntType
        Their type.
    chain : Chain
        From the integers to real values; arrays broadcast to :py:`numbers`.
    index : int64 array of the tensor's shape
        Place of each value among the integers of a frame.
    steps : tuple of str
        Steps of the model that this computes.
    matrix : Any
        Of a matrix: what the chip makes of it.
    shared : bool
        Whether the chain goes through a table, in which all channels are alike.
    score : bool
        Whether it leads to an output, or to a choice of the largest, with no function between.
    """

    name: str
    step: Step
    layer: Any
    inputs: tuple[str, ...]
    numbers: NDArray[Any]
    low: int
    high: int
    kind: IntType
    chain: Chain
    index: Ints
    steps: tuple[str, ...]
    matrix: Any = None
    shared: bool = False
    score: bool = False


def blocks_of_frames(frames: int, size: int) -> Iterator[slice]:
    """Parts of the frames, each with so few values that they fit the processor's cache."""
    step = max(PART // max(size, 1), 1)
    for start in range(0, frames, step):
        yield slice(start, min(start + step, frames))


@dataclass(eq=False)
class Work:
    """The network so far.

    Attributes
    ----------
    settings : Settings
        Choices of the conversion.
    frames : int
        Calibration inputs.
    exact : bool
        Whether scales are rounded (:mod:`~spintron_nn.converter.lower.named`).
    uses : Counter
        How often each tensor is still to be taken.
    scores : dict of str to bool
        Matrices whose results are only given out (:func:`.matrices.scores_of`).
    trained : Trained
        Quantisers that need not be found.
    scales, steps, adc_steps : dict
        Quantisers so far, as in :class:`~spintron_nn.converter.trained.Trained`.
    """

    settings: Settings
    frames: int
    exact: bool
    uses: Counter[str]
    scores: dict[str, bool]
    trained: Trained = field(default_factory=Trained)
    scales: dict[str, float] = field(default_factory=dict)
    steps: dict[str, Reals] = field(default_factory=dict)
    adc_steps: dict[str, float] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    ports: dict[str, tuple[tuple[int, ...], IntType]] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    ranks: dict[str, Signal] = field(default_factory=dict)
    values: dict[str, Signal | Pending] = field(default_factory=dict)
    layers: list[LayerReport] = field(default_factory=list)
    stages: list[StageReport] = field(default_factory=list)
    _moved: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)

    def add(self, wanted: str, layer: Any, inputs: tuple[str, ...]) -> str:
        """Add a node; return its name, with underscores where that is taken."""
        free = wanted[:60]
        while free in self.ports:
            free += "_"
        self.ports[free] = tuple(layer.shape), layer.type
        self.nodes.append(Node(name=free, layer=layer, inputs=inputs))
        return free

    def arranged(
        self, signal: Signal, wanted: Ints, name: str, *, codes: bool = True
    ) -> tuple[str, NDArray[Any]]:
        """Bring values of a node into an order; return the node that has them, and the codes.

        Parameters
        ----------
        signal : Signal
            Codes of a node.
        wanted : int64 array of the shape wanted
            Place of each value among those of the node; -1 is a zero.
        name : str
            Name of a node that moves values.
        codes : bool
            Whether the codes are needed.
        """
        shape, kind = self.ports[signal.node]
        given = signal.codes
        layer: Any
        key = signal.node, wanted.shape, b""
        if wanted.size == math.prod(shape) and (wanted.ravel() == np.arange(wanted.size)).all():
            if wanted.shape == shape:
                return signal.node, given.reshape(len(given), *wanted.shape)
            if wanted.ndim == 1:
                name, layer = "flatten", Flatten(in_shape=shape, type=kind)
            else:
                name = f"{name}_shape"
                layer = Flatten(in_shape=shape, type=kind, out_shape=wanted.shape)
        else:
            key = signal.node, wanted.shape, wanted.tobytes()
            name = f"{name}_order"
            places: Any = wanted.ravel()
            layer = Gather(in_shape=shape, type=kind, out_shape=wanted.shape, index=places)
            if codes:
                given = np.append(given, np.zeros((len(given), 1), given.dtype), axis=1)
                given = given[:, wanted.ravel()]
        if key not in self._moved:
            self._moved[key] = self.add(name, layer, (signal.node,))
        return self._moved[key], given.reshape(len(given), *wanted.shape)

    def dense_layers(self) -> list[Dense]:
        """Crossbars so far."""
        return [node.layer for node in self.nodes if isinstance(node.layer, Dense)]
