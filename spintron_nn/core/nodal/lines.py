"""All lines of one direction as one long tridiagonal system."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from .arguments import Reals
from .direct import pivots

__all__ = ["Lines"]

MODERATE = 100.0
"""Resistance of an end, in segments, up to which plain factors of the matrix are exact enough."""


class Lines:
    """Lines whose nodes see devices to ground: what a current into a node, or an end, does.

    Lines do not touch one another, so that all of them make one symmetric tridiagonal matrix with
    zeros between the lines, factored and solved by LAPACK in one call. Where an end has a large
    resistance, differences would cost accuracy, and the pivots come from sums of positive numbers.

    Parameters
    ----------
    conductance : (lines, nodes) array, S
        Devices, far end of the line first.
    wire : float, ohm
        One segment, 0 for lines of one node.
    end : (lines, 1) array, ohm
        In series with the last segment; infinite for a line that floats.
    """

    def __init__(self, conductance: Reals, wire: float, end: Reals) -> None:
        self.shape = conductance.shape
        self.wire, self.end = wire, end
        if wire == 0:
            load = conductance.sum(axis=1, keepdims=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                # A node with nothing at all has no voltage of its own: 0.
                seen = 1.0 / (load + 1.0 / end)
            self._node = np.where((end == 0) | ~np.isfinite(seen), 0.0, seen)
            self._share = 1.0 / (1.0 + end * load) if np.isfinite(end).all() else _share(end, load)
            return
        below = np.full(conductance.size - 1, -1.0 / wire)
        below[self.shape[1] - 1 :: self.shape[1]] = 0.0
        if self.shape[1] > 1 and (end <= MODERATE * wire).all():
            diagonal = conductance + 2.0 / wire
            diagonal[:, 0] -= 1.0 / wire
            diagonal[:, -1:] += 1.0 / (wire + end) - 1.0 / wire
            self._diagonal, self._factor, _ = lapack.dpttrf(
                diagonal.reshape(-1), below, overwrite_d=1, overwrite_e=1
            )
            return
        seen = pivots(conductance, wire)
        diagonal = seen + 1.0 / wire
        diagonal[:, -1:] = seen[:, -1:] + 1.0 / (wire + end)
        loose = diagonal[:, -1:] == 0
        diagonal[:, -1:][loose] = 1.0
        self._diagonal = diagonal.ravel()
        self._factor = below / self._diagonal[:-1]

    def respond(self, current: Reals) -> Reals:
        """Voltages ``(vectors, lines, nodes)`` for currents into the nodes, ends at 0 V."""
        if self.wire == 0:
            total = current.sum(axis=-1, keepdims=True) * self._node
            return np.repeat(total, current.shape[-1], axis=-1)
        flat = current.reshape(len(current), -1).T
        if flat.shape[0] == 1:
            return np.asarray(current / self._diagonal)
        found, _ = lapack.dpttrs(self._diagonal, self._factor, flat)
        return np.asarray(found.T.reshape(current.shape))

    def unsolved(self, current: Reals) -> Reals:
        """Currents into nodes, whose lines still have to take them: root of the sum of squares."""
        if self.wire == 0:
            current = current.sum(axis=-1, keepdims=True) * (self._node > 0)
        if len(current) == 1:
            return np.sqrt([np.vdot(current, current)])
        return np.asarray(np.sqrt(np.einsum("vrc,vrc->v", current, current)))

    def driven(self, voltage: Reals) -> Reals:
        """Voltages ``(vectors, lines, nodes)`` for those at the ends ``(vectors, lines)``."""
        if not voltage.any():
            return np.zeros((*voltage.shape, self.shape[1]))
        if self.wire == 0:
            found = voltage[..., None] * self._share[:, 0, None]
            return np.repeat(found, self.shape[1], axis=-1)
        current = np.zeros((*voltage.shape, self.shape[1]))
        current[..., -1] = voltage / (self.wire + self.end[:, 0])
        return self.respond(current)


def _share(end: Reals, load: Reals) -> Reals:
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(end), 0.0, 1.0 / (1.0 + end * load))
