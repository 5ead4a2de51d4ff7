"""Real values of what a network gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Network, ParameterError

__all__ = ["KEY", "real_outputs"]

KEY = "real_outputs"
"""Note of a network that holds a straight line for each channel of an output."""


def real_outputs(
    network: Network, outputs: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.float64]]:
    """Real values of integer outputs.

    ``gain * y + offset`` where the network has a note of that, by channel; else ``scale * y``.

    Parameters
    ----------
    network : Network
        The network.
    outputs : dict of str to int64 array of shape ``(batch, ...)``
        What :meth:`Network.run` gave, by the name of the output.

    Raises
    ------
    ParameterError
        If the note is damaged.
    """
    try:
        lines = json.loads(network.metadata.get(KEY, "{}"))
        return {
            output.name: _line(lines.get(output.name), output.scale, outputs[output.name])
            for output in network.outputs
        }
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise ParameterError(
            f"scores: the note {KEY!r} of the network must give a gain and an offset for each "
            "channel; convert the model again"
        ) from error


def _line(line: Any, scale: float, values: NDArray[np.int64]) -> NDArray[np.float64]:
    if line is None:
        return values * np.float64(scale)
    gain, offset = (np.asarray(line[key], dtype=np.float64) for key in ("gain", "offset"))
    found: NDArray[np.float64] = values * gain + offset
    if found.shape != values.shape:
        raise ValueError("more channels than the output has")
    return found
