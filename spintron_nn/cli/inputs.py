"""Input frames: read from a file as integers, or made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError
from spintron_ir.network import Network, Port

from .files import load_arrays

__all__ = ["corner_frames", "made_frames", "read_frames"]

Frames = dict[str, NDArray[Any]]


def read_frames(path: Path, network: Network) -> Frames:
    """Frames of every input of :py:`network` from a ``.npy`` or ``.npz`` file.

    Nothing is unpickled. Shapes, types and ranges are left to the network to check.

    Raises
    ------
    ParameterError
        If the file holds no arrays, or not one for each input.
    """
    loaded = load_arrays(path)
    names = [port.name for port in network.inputs]
    if not isinstance(loaded, dict):
        if len(names) == 1:
            return {names[0]: loaded}
        raise ParameterError(
            f"{path}: must be an .npz file with one array for each of {', '.join(names)}"
        )
    if sorted(loaded) != sorted(names):
        raise ParameterError(
            f"{path}: must hold one array for each of {', '.join(names)}, not "
            f"{', '.join(sorted(loaded)) or 'none'}"
        )
    return loaded


def corner_frames(port: Port) -> NDArray[np.int64]:
    """Six frames at the edges of the range: lowest, highest, zero, both alternating, one edge only.

    Examples
    --------
    >>> from spintron_ir.types import IntType
    >>> corner_frames(Port(name="x", shape=(4,), type=IntType(2))).tolist()
    [[0, 0, 0, 0], [3, 3, 3, 3], [0, 0, 0, 0], [0, 3, 0, 3], [3, 0, 3, 0], [3, 0, 0, 0]]
    """
    low, high = port.type.low, port.type.high
    length = int(np.prod(port.shape, dtype=np.int64))
    odd = np.arange(length) % 2
    first = np.zeros(length, dtype=np.int64)
    first[0] = high
    frames = np.stack(
        [
            np.full(length, low),
            np.full(length, high),
            np.zeros(length, dtype=np.int64),
            np.where(odd, high, low),
            np.where(odd, low, high),
            first,
        ]
    )
    return frames.reshape(len(frames), *port.shape).astype(np.int64)


def made_frames(network: Network, *, count: int, seed: int) -> Frames:
    """Corner frames of every input, then :py:`count` uniformly random ones."""
    rng = np.random.default_rng(seed)
    frames = {}
    for port in network.inputs:
        noise = rng.integers(port.type.low, port.type.high, (count, *port.shape), endpoint=True)
        frames[port.name] = np.concatenate([corner_frames(port), noise])
    return frames
