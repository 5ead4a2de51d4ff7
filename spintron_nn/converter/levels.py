"""What the states of a weight's devices are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["weight_values"]

Reals = NDArray[np.float64]


def weight_values(config: MTJConfig, bits: int, scheme: str = "pair") -> Reals:
    """Values of the ``2**bits`` states of a weight on nominal devices of a technology.

    In the schemes ``pair`` and ``columns`` both devices of a slice stand on complementary levels,
    ``v = (levels - 1) * (f[i] - f[levels - 1 - i])`` where the level :py:`i` stands at the share
    :py:`f[i]` of the conductance range; in ``reference`` one device stands against the middle of
    the range, ``v = (levels - 1) * (2 * f[i] - 1)``. Slices add with their place. Even levels give
    odd integers; uneven ones give other values, to which weights are rounded as they are.

    Parameters
    ----------
    config : MTJConfig
        The technology.
    bits : int
        Bits of a weight, a multiple of those of a device.
    scheme : str
        ``pair``, ``columns`` or ``reference``.

    Returns
    -------
    float64 array of shape ``(2**bits,)``
        Value of each state; not always rising where slices of uneven levels overlap.

    Examples
    --------
    >>> weight_values(MTJConfig(levels=4), 2).tolist()
    [-3.0, -1.0, 1.0, 3.0]
    """
    top = config.levels - 1
    share = np.asarray(config.fractions)
    other = 1.0 - share if scheme == "reference" else share[::-1]
    one = top * (share - other)
    if config.level_fractions is None:
        one = np.round(one)  # even levels are whole, up to the last bit of a float
    states = np.arange(1 << bits)
    places = range(0, bits, config.level_bits)
    return np.sum([one[(states >> place) & top] * (1 << place) for place in places], axis=0)
