"""What must be stored where branches meet, whatever the cycles: the order of beats alone.

Layers that are stalled hold fewer beats than in full run, some only one. So storage that keeps a
network from a deadlock must not count on them: here every layer passes on at once what it can.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Network

from .join import ConcatPlan, JoinPlan

__all__ = ["Order", "needed_beats", "stored_beats"]

Times = NDArray[np.int64]

FAR = 1 << 61
"""Times are kept below this."""


def needed_beats(passage: Any, plan: Any, beats: int) -> Times:
    """Beat of the input that each output beat of a layer waits for, the last that it needs.

    Parameters
    ----------
    passage : callable
        :func:`spintron_hw.mapping.schedule.passage`.
    plan : LayerPlan
        Of a layer with one input.
    beats : int
        Beats of a frame of its input.
    """
    gap = FAR // (beats + 1)  # by far more than a layer takes for anything
    _, left = passage(plan, [gap * np.arange(beats)], 1)
    return np.asarray(left // gap)


def stored_beats(written: Times, taken: Times) -> int:
    """Most beats that are stored at once; 0 where each is taken when it comes.

    >>> stored_beats(np.array([0, 1, 2, 3]), np.array([0, 1, 2, 3]))
    0
    >>> stored_beats(np.array([0, 1, 2, 3]), np.array([0, 2, 3, 4]))
    2
    """
    if (written == taken).all():
        return 0
    return int((np.arange(1, len(written) + 1) - np.searchsorted(taken, written)).max())


class Order:
    """One frame, in which nothing takes any time: moments are numbered by what comes first.

    A moment is a beat of an input, or one of several that follow from the same. A layer takes what
    is offered in the same moment, and gives in it what follows.

    Parameters
    ----------
    network : Network
        The graph.
    layers : dict of str to LayerPlan
        Plan of every node.
    lanes : dict of str to int
        Elements a beat of the stream behind every input and node.
    passage : callable
        :func:`spintron_hw.mapping.schedule.passage`.
    """

    def __init__(
        self, network: Network, layers: Mapping[str, Any], lanes: Mapping[str, int], passage: Any
    ):
        self._passage, self._lanes = passage, lanes
        self._at: dict[Any, Times] = {}
        self._waiting: dict[str, int] = {}
        for node in network.nodes:
            for source in node.inputs:
                self._waiting[source] = self._waiting.get(source, 0) + 1
        self.stored: dict[tuple[str, int], int] = {}
        for port in network.inputs:
            self._at[port.name] = np.arange(-(-math.prod(port.shape) // lanes[port.name]))
        for node in network.nodes:
            self._node(node, layers[node.name])

    def _node(self, node: Any, plan: Any) -> None:
        slots = range(len(node.inputs))
        for slot, source in enumerate(node.inputs):
            self._at[slot] = self._at[source]
            self._waiting[source] -= 1
            lanes, length = self._lanes[source], math.prod(plan.layer.in_ports[slot][0])
            if lanes != plan.i_lanes:
                ends = np.minimum(
                    (np.arange(-(-length // plan.i_lanes)) + 1) * plan.i_lanes, length
                )
                self._follow(slot, self._at[slot][(ends - 1) // lanes])
        for source in {each for each in node.inputs if not self._waiting[each]}:
            del self._at[source]
        if isinstance(plan, JoinPlan):
            together = np.maximum.accumulate(np.maximum.reduce([self._at[slot] for slot in slots]))
            self._follow(node.name, together)
            taken = [self._at[node.name]] * len(slots)
        elif isinstance(plan, ConcatPlan):
            blocks = [self._at[slot].reshape(-1, plan.counts[slot]) for slot in slots]
            row = np.concatenate(blocks, axis=1)
            self._follow(node.name, np.maximum.accumulate(row.reshape(-1)))
            taken = self._parts(plan.counts, self._at[node.name].reshape(row.shape))
        else:
            offered = self._at[0]
            self._follow(node.name, offered[needed_beats(self._passage, plan, len(offered))])
            taken = [self._at[0]]
        for slot in slots:
            self.stored[node.name, slot] = stored_beats(self._at.pop(slot), taken[slot])

    @staticmethod
    def _parts(counts: Sequence[int], row: Times) -> list[Times]:
        """What of each turn belongs to each input."""
        return [part.reshape(-1) for part in np.split(row, np.cumsum(counts)[:-1], axis=1)]

    def _follow(self, name: Any, moments: Times) -> None:
        """Note when beats come; those of one moment become moments of their own, one by one."""
        new = np.diff(moments, prepend=-1) > 0
        first = np.maximum.accumulate(np.where(new, np.arange(len(moments)), 0))
        number = np.arange(len(moments)) - first
        most = int(number.max()) + 1
        self._at[name] = moments
        if most == 1:
            return
        if (max(int(times[-1]) for times in self._at.values()) + 1) * most >= FAR:
            self._renumber()
        for each in self._at:
            self._at[each] = self._at[each] * most
        self._at[name] = self._at[name] + number

    def _renumber(self) -> None:
        """Number the moments there are anew, from 0."""
        names = list(self._at)
        sizes = np.cumsum([len(self._at[name]) for name in names])[:-1]
        _, places = np.unique(
            np.concatenate([self._at[name] for name in names]), return_inverse=True
        )
        for name, times in zip(names, np.split(places.reshape(-1), sizes), strict=True):
            self._at[name] = times.astype(np.int64)
