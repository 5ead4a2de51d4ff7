"""Calibration data on their way through a network, a part at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Dense, ParameterError, Port, Window
from spintron_ir.layers import Layer

from .model import real_array
from .quantise import codes_of

__all__ = ["Frames", "input_codes"]

Ints = NDArray[np.int64]

PART = 1 << 23
"""Values of a layer that are computed at once."""

KEPT = 1 << 23
"""Values of vectors that a matrix is fitted to."""


class Frames:
    """What every node of a network gives for the calibration data, in types that just hold it.

    Windows are computed again for each use, and never kept.

    Parameters
    ----------
    inputs : dict of str to integer array of shape ``(frames, *shape)``
        Calibration data, by the name of the input.
    count : int
        Number of frames; 0 turns everything off.
    """

    def __init__(self, inputs: dict[str, Ints], count: int) -> None:
        self.count = count
        self._held: dict[str, Any] = dict(inputs) if count else {}

    def add(self, name: str, layer: Layer, inputs: tuple[str, ...]) -> None:
        """Run a layer over all frames."""
        if not self.count:
            return
        if isinstance(layer, Window):
            self._held[name] = layer, self._held[inputs[0]]
            return
        ports = layer.in_ports
        size = max(math.prod(shape) for shape, _ in (*ports, (layer.shape, None)))
        step = max(PART // size, 1)
        parts = [
            layer.run(*(_part(self._held[source], slice(start, start + step)) for source in inputs))
            for start in range(0, self.count, step)
        ]
        self._held[name] = np.concatenate([part.astype(layer.type.dtype) for part in parts])

    def drop(self, name: str) -> None:
        """Forget what a node gave."""
        self._held.pop(name, None)

    def vectors(self, name: str, layer: Dense) -> Ints:
        """Inputs ``(vectors, inputs)`` of a matrix: all of them, or evenly picked ones."""
        width = layer.inputs
        if not self.count:
            return np.zeros((0, width), dtype=np.int64)
        positions = layer.positions or 1
        most = max(KEPT // width, 64)
        # Frames first: positions of one image are alike. Then some positions of each.
        frames = np.arange(self.count)[:: max(self.count // most, 1)]
        each = max(math.ceil(positions * len(frames) / most), 1)
        found = []
        for number, frame in enumerate(frames):
            rows = _part(self._held[name], slice(frame, frame + 1)).reshape(positions, width)
            found.append(rows[number % each :: each])
        return np.concatenate(found)


def _part(held: Any, frames: slice) -> Ints:
    """Some frames of an array, or of the windows of one."""
    if isinstance(held, tuple):
        layer, source = held
        windows: Ints = layer.run(_part(source, frames))
        return windows
    found: Ints = held[frames].astype(np.int64)
    return found


def input_codes(
    ports: tuple[Port, ...], calibration: ArrayLike | Mapping[str, ArrayLike] | None
) -> tuple[dict[str, Ints], int, float]:
    """Calibration data as integers of the inputs, their number, and the share that was cut.

    Parameters
    ----------
    ports : tuple of Port
        Inputs of the network.
    calibration : array, dict of arrays by the name of the input, or None
        Integers of the input types, or real numbers.

    Raises
    ------
    ParameterError
        If an input is missing, or has another shape or number of frames.
    """
    if calibration is None:
        return {}, 0, 0.0
    names = [port.name for port in ports]
    given: Any = calibration if isinstance(calibration, Mapping) else {names[0]: calibration}
    if set(given) != set(names):
        raise ParameterError(
            f"convert: calibration must have an array for each of the inputs {', '.join(names)}, "
            f"not for {', '.join(map(str, given))}; give a .npz file with these names"
        )
    codes, cut, total = {}, 0.0, 0
    for port in ports:
        data = real_array("convert", "calibration", given[port.name])
        if data.shape[1:] != port.shape or data.ndim < 2 or not data.size:
            sizes = ", ".join(map(str, port.shape))
            raise ParameterError(
                f"convert: calibration must have the shape (batch, {sizes}), not {data.shape}"
            )
        scale = 1.0 if np.asarray(given[port.name]).dtype.kind in "iu" else port.scale
        kind = port.type
        beyond = (data > (kind.high + 0.5) * scale) | (data < (kind.low - 0.5) * scale)
        cut += float(beyond.sum())
        total += data.size
        codes[port.name] = codes_of(data, scale, kind)
    counts = {len(part) for part in codes.values()}
    if len(counts) > 1:
        raise ParameterError(
            "convert: calibration must have the same number of frames for every input, not "
            f"{', '.join(map(str, sorted(counts)))}"
        )
    return codes, counts.pop(), cut / total
