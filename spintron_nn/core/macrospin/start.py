"""Magnetisations drawn from the thermal equilibrium of one well."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["equilibrium_states"]


def equilibrium_states(
    thermal_stability: NDArray[np.float64], count: int, seed: int
) -> NDArray[np.float64]:
    """Unit vectors with ``p(m_z) ~ exp(Delta m_z**2)`` for ``m_z`` in 0..1, any azimuth.

    ``u = 1 - m_z`` has the density ``exp(-2 Delta u + Delta u**2)``, which lies below
    ``exp(-Delta u)`` on 0..1: a truncated exponential with rejection draws it exactly.

    Parameters
    ----------
    thermal_stability : array, shape () or (count,), at least 0
        Barrier over the thermal energy; infinity gives the easy axis itself.
    count : int
        Number of devices.
    seed : int
        Of numpy's generator.

    Returns
    -------
    array, shape (3, count)

    Examples
    --------
    >>> import numpy as np
    >>> states = equilibrium_states(np.array(40.0), 10_000, seed=1)
    >>> round(float((1 - states[2]).mean()) * 80, 1)  # 1 / (2 Delta), and a little more
    1.0
    """
    random = np.random.default_rng(seed)
    delta = np.broadcast_to(thermal_stability, (count,))
    depth = np.zeros(count)
    waiting = np.flatnonzero(np.isfinite(delta))
    while waiting.size:
        rate = np.maximum(delta[waiting], 1e-12)
        drawn = -np.log1p(random.random(waiting.size) * np.expm1(-rate)) / rate
        kept = random.random(waiting.size) < np.exp(-rate * drawn * (1 - drawn))
        depth[waiting[kept]] = drawn[kept]
        waiting = waiting[~kept]
    azimuth = random.random(count) * 2 * np.pi
    across = np.sqrt(depth * (2 - depth))
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), 1 - depth])
