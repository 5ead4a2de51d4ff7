"""When a stream stalls: decided by seed, stream and cycle, alike in every engine.

The decision for a cycle is one step of SplitMix64 on a key of the stream, compared with a
threshold. An input that is free to offer does so unless it stalls in this cycle; once offered, a
beat stays. An output is ready unless it stalls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError

__all__ = ["check_stall", "stall_key", "stall_threshold", "stalls"]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def check_stall(stall: float) -> float:
    """Return :py:`stall` if it is a probability of at most 0.99.

    Raises
    ------
    ParameterError
        Otherwise.
    """
    if isinstance(stall, bool) or not isinstance(stall, int | float) or not 0 <= stall <= 0.99:
        raise ParameterError(
            f"Engine.run: stall must be a probability from 0 to 0.99, not {stall!r}"
        )
    return float(stall)


def stall_key(seed: int, stream: int) -> int:
    """Return the key of stream number :py:`stream`.

    >>> hex(stall_key(1234567, 0))  # the first number of SplitMix64 with this seed
    '0x599ed017fb08fc85'
    """
    number = (seed + (stream + 1) * _STEP) & _MASK
    number = ((number ^ (number >> 30)) * _MULTIPLIERS[0]) & _MASK
    number = ((number ^ (number >> 27)) * _MULTIPLIERS[1]) & _MASK
    return number ^ (number >> 31)


def stall_threshold(stall: float) -> int:
    """Return the number of the ``2 ** 32`` outcomes of a cycle that stall."""
    return round(stall * (1 << 32))


def stalls(key: int, threshold: int, cycle: int, count: int) -> NDArray[np.bool_]:
    """Whether the stream of :py:`key` stalls in each of :py:`count` cycles from :py:`cycle` on."""
    number = np.arange(cycle + 1, cycle + 1 + count, dtype=np.uint64) * np.uint64(_STEP)
    number += np.uint64(key)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(_MULTIPLIERS[0])
    number = (number ^ (number >> np.uint64(27))) * np.uint64(_MULTIPLIERS[1])
    return ((number ^ (number >> np.uint64(31))) >> np.uint64(32)) < np.uint64(threshold)
