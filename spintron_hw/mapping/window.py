"""A window layer on hardware: how much of the image is held, and when which value leaves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Window
from spintron_ir.errors import MappingError, ParameterError, check_int

from . import timing
from .dense import Gate

__all__ = ["WindowPlan", "plan_window", "window_lanes"]

FRAMES = 12
"""Frames after which the rate of a line buffer is taken as it is, if it has not settled before."""


def window_lanes(layer: Window) -> tuple[int, ...]:
    """Lanes that a window layer can have, the least first: powers of two that divide a group.

    >>> from spintron_ir import IntType
    >>> window_lanes(Window(in_shape=(4, 4, 12), type=IntType(4), kernel=(3, 3)))
    (1, 2, 4)
    """
    channels = layer.in_shape[2] // layer.groups
    return tuple(1 << power for power in range((channels & -channels).bit_length()))


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowPlan:
    """A window layer mapped to a line buffer.

    Parameters
    ----------
    node : str
        Name of the node.
    layer : Window
        What it computes.
    i_lanes, o_lanes : int
        Elements a beat, the same on both sides; must divide the channels of a group.
    """

    node: str
    layer: Window
    i_lanes: int
    o_lanes: int

    def __post_init__(self) -> None:
        channels = self.layer.in_shape[2] // self.layer.groups
        check_int("WindowPlan", "i_lanes", self.i_lanes, 1, channels)
        if channels % self.i_lanes or self.o_lanes != self.i_lanes:
            raise ParameterError(
                f"WindowPlan: i_lanes and o_lanes must be the same and divide the {channels} "
                f"channels{' of a group' if self.layer.groups > 1 else ''}, not {self.i_lanes} and "
                f"{self.o_lanes}"
            )

    @property
    def i_beats(self) -> int:
        """Beats of an image."""
        height, width, channels = self.layer.in_shape
        return height * width * channels // self.i_lanes

    @property
    def o_beats(self) -> int:
        """Beats of all windows of an image."""
        positions, values = self.layer.shape
        return positions * values // self.o_lanes

    @property
    def depth(self) -> int:
        """Words of the line buffer: the rows under the kernel, up to a power of two."""
        rows = min(self.layer.extent[0], self.layer.in_shape[0])
        words = rows * self.i_beats // self.layer.in_shape[0]
        return 1 << max(1, (words - 1).bit_length())

    @property
    def capacity(self) -> int:
        """Words held at most: all of the line buffer, but no more than an image."""
        return min(self.depth, self.i_beats)

    @cached_property
    def first_needed(self) -> NDArray[np.int64]:
        """Word from which on the image is held, at each position; never beyond its last."""
        layer = self.layer
        height, width, channels = layer.in_shape
        top, left = (
            stride * np.arange(count) - before
            for count, stride, before in zip(
                layer.grid, layer.stride, layer.padding[:2], strict=True
            )
        )
        words, last = channels // self.i_lanes, self.i_beats - 1
        row = width * words
        held = top[:, None] * row + np.clip(left * words, 0, row - 1)
        held[top < 0], held[top >= height] = 0, last
        return held.reshape(-1)

    def times(
        self, arrivals: NDArray[np.int64], frames: int, gate: Gate | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Cycles in which each word is taken and each beat of windows leaves.

        Parameters
        ----------
        arrivals : array of int, shape ``(frames * i_beats,)``
            Cycles from which on each word is offered.
        frames : int
            How many images.
        gate : Gate, optional
            When the layer behind takes the vector of each position. At once, if not given.

        Returns
        -------
        taken : array of int, shape ``(frames * i_beats,)``
        left : array of int, shape ``(frames * o_beats,)``
        """
        taken = np.zeros(frames * self.i_beats, dtype=np.int64)
        words, pixels = self.layer.in_shape[2] // self.i_lanes, self.layer.pixels
        need = np.maximum(pixels, 0)[:, None, :, None] * words
        need = need + np.arange(words).reshape(self.layer.groups, 1, -1)
        need = np.where(pixels[:, None, :, None] < 0, 0, need).reshape(len(need), -1)
        left: list[NDArray[np.int64]] = []
        done, read, sent = 0, -1, -1  # words taken; cycles of the last read and the last beat

        def take(limit: int) -> int:
            if limit > done:
                ready = np.maximum(arrivals[done:limit], read + 1)
                ready[0] = max(ready[0], taken[done - 1] + 1 if done else ready[0])
                taken[done:limit] = timing.paced(ready)
            return max(done, limit)

        for frame in range(frames):
            start = frame * self.i_beats
            for places, first in zip(need, self.first_needed.tolist(), strict=True):
                done = take(min(start + first + self.capacity, len(taken)))
                ready = taken[start + places] + timing.LINE_BUFFER
                there = int(ready[-1]) - 1
                ready[0] = max(ready[0], sent + 1, gate.open if gate else 0)
                beats = timing.paced(ready)
                read = max(there, int(beats[-2]) if len(beats) > 1 else sent)
                sent = int(beats[-1])
                left.append(beats)
                if gate:
                    gate.take(sent)
        take(len(taken))
        return taken, np.concatenate(left)

    @cached_property
    def interval(self) -> int:
        """Least number of cycles between frames, with input always offered and output taken.

        The first windows of an image wait for rows for which there is room only when the last
        windows of the image before are through; this is counted here.
        """
        return self.interval_into(lambda: None)

    def interval_into(self, gate: Callable[[], Gate | None]) -> int:
        """Least number of cycles between frames, where a gate is behind; called for a new one."""
        frames = 3
        while True:
            offered = np.zeros(frames * self.i_beats, dtype=np.int64)
            _, left = self.times(offered, frames, gate())
            ends = left[self.o_beats - 1 :: self.o_beats]
            if ends[-1] - ends[-2] == ends[-2] - ends[-3] or frames >= FRAMES:
                return max(int(ends[-1] - ends[-2]), self.i_beats)
            frames *= 2

    def output_times(self, times: NDArray[np.int64], gate: Gate | None = None) -> NDArray[np.int64]:
        """Cycle of each output beat of a first frame, given that of each input beat."""
        return self.times(times, 1, gate)[1]

    def run(self, x: NDArray[np.int64], first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, length)`` of inputs ``(batch, length)``, by way of the line buffer."""
        return self.layer.run(x.reshape(len(x), *self.layer.in_shape)).reshape(len(x), -1)


def plan_window(name: str, layer: Window, interval: int) -> WindowPlan:
    """The line buffer with the least lanes that reach an interval.

    Raises
    ------
    MappingError
        If there is none.
    """
    plan = None
    for lanes in window_lanes(layer):
        plan = WindowPlan(node=name, layer=layer, i_lanes=lanes, o_lanes=lanes)
        if math.prod(layer.shape) <= interval * lanes and plan.interval <= interval:
            return plan
    assert plan is not None
    raise MappingError(
        f"{name}: windows of {layer.shape[0]} x {layer.shape[1]} values cannot leave in {interval} "
        f"cycles: allow at least {plan.interval} cycles, or more channels, with a higher power of "
        "two in their number"
    )
