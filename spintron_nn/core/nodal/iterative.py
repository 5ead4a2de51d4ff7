"""Conjugate gradients on the word-line nodes, preconditioned by exact solutions of the lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arguments import Reals, Wiring
from .direct import eliminate
from .lines import Lines

__all__ = ["Circuit", "Ends"]

STEPS = 100
"""Steps after which elimination is the shorter way."""

ACCURATE = 1e-10
"""Estimate of the error, as a share of the largest voltage, where fast convergence ends."""

MANY = 1024
"""Devices from which time is worth that; smaller arrays are solved to rounding."""

FAST = 0.2
"""Share of the unsolved currents that a step leaves, up to which the estimate is one."""

LATE = 1e-15
"""Share of the currents left unsolved where slow convergence ends."""

AGREEMENT = 1e-7
"""Largest change that one more plain step may make, as a share of the largest voltage."""


@dataclass(frozen=True)
class Ends:
    """What the lines end in.

    Attributes
    ----------
    word, bit : (lines,) array, ohm
        Resistance in series with the last segment, infinite for a line that floats.
    """

    word: Reals
    bit: Reals


class Circuit:
    """Word and bit lines joined by devices; both kinds of line ordered far end first.

    Parameters
    ----------
    conductance : (rows, cols) array, S
        Devices, at least 0.
    wiring : Wiring
        Segments; driver and sense are ignored where :py:`ends` is given.
    ends : Ends, optional
        Resistance at the end of each line.
    """

    def __init__(self, conductance: Reals, wiring: Wiring, ends: Ends | None = None) -> None:
        rows, cols = conductance.shape
        self.conductance = np.ascontiguousarray(conductance)
        self.wiring = wiring
        self.ends = ends or Ends(np.full(rows, wiring.driver), np.full(cols, wiring.sense))
        self._turned = np.ascontiguousarray(conductance.T)
        self.word = Lines(self.conductance, wiring.word, self.ends.word[:, None])
        self.bit = Lines(self._turned, wiring.bit, self.ends.bit[:, None])

    def _through(self, word: Reals) -> Reals:
        """Voltages of the bit-line nodes for those of the word lines."""
        return self._bit(self._turned * np.swapaxes(word, -1, -2))

    def _bit(self, current: Reals) -> Reals:
        """Voltages ``(vectors, rows, cols)`` for currents ``(vectors, cols, rows)``."""
        return np.swapaxes(self.bit.respond(current), -1, -2)

    def driven(self, word: Reals, bit: Reals) -> tuple[Reals, Reals]:
        """Voltages of the nodes of each line for those at the ends, the other lines at 0 V.

        Parameters
        ----------
        word, bit : (vectors, lines) array, V
        """
        return self.word.driven(word), np.swapaxes(self.bit.driven(bit), -1, -2)

    def nodes(
        self, driven: tuple[Reals, Reals], injected: Reals | None = None
    ) -> tuple[Reals, Reals]:
        """Voltages ``(vectors, rows, cols)`` of the word-line and the bit-line nodes.

        Parameters
        ----------
        driven : pair of arrays, V
            What :meth:`driven` gives.
        injected : (vectors, rows, cols) array, A, optional
            Current of a source beside each device, from its bit line into its word line.
        """
        word, bit = driven
        conductance = self.conductance
        through = bit + self._through(word)
        rest = conductance * through
        if injected is not None:
            through = through - self._bit(np.ascontiguousarray(np.swapaxes(injected, -1, -2)))
            rest = conductance * through + injected
        change, sent, found = self._iterate(rest, word)
        # One plain step more comes nearer, and shows the true error.
        again = self.word.respond(rest + conductance * sent)
        change -= again
        found_word = word + again
        if not found or (_size(change) > AGREEMENT * _size(found_word)).any():
            again = eliminate(conductance, self.wiring, self.ends.word, self.ends.bit, rest)
            found_word, sent = word + again, self._through(again)
        return found_word, through + sent

    def _iterate(self, rest: Reals, word: Reals) -> tuple[Reals, Reals, bool]:
        """Solve for the word lines what bit lines send back; False where it takes too long.

        Returns
        -------
        change : array, V
            Of the word-line nodes.
        sent : array, V
            Of the bit-line nodes with it.
        found : bool
        """
        conductance = self.conductance
        ready = self.word.respond(rest)
        power = _product(rest, ready)
        change = np.zeros_like(rest)
        received = np.zeros_like(np.swapaxes(rest, -1, -2), order="C").swapaxes(-1, -2)
        if not power.any():
            return change, received, True
        left = start = self.word.unsolved(rest)
        # What is asked of the change, which is smaller than the voltages that it changes.
        changed = np.maximum(_size(ready), 1e-300)
        asked = ACCURATE / 4.0 * start * np.maximum(_size(word) / changed, 1.0)
        quick = conductance.size >= MANY
        rest, towards, carried = rest.copy(), ready, rest.copy()
        for _ in range(STEPS):
            # A_W towards is known without a product: it is carried.
            through = self._through(towards)
            sent = conductance * through
            np.subtract(carried, sent, out=sent)
            step = _share(power, _product(towards, sent))
            change += step * towards
            received += step * through
            sent *= step
            rest -= sent
            before, left = left, self.word.unsolved(rest)
            # The plain step that follows leaves four times the share that this one left.
            fast = quick & (left <= FAST * before) & (left * left <= asked * before)
            if (fast | (left <= LATE * start)).all():
                return change, received, True
            ready = self.word.respond(rest)
            former, power = power, _product(rest, ready)
            turn = _share(power, former)
            towards *= turn
            towards += ready
            carried *= turn
            carried += rest
        return change, received, False


def _size(array: Reals) -> Reals:
    """Root of the sum of squares of each vector."""
    return np.sqrt(_product(array, array))


def _product(one: Reals, other: Reals) -> Reals:
    """Sum over the nodes of each vector."""
    if len(one) == 1:
        return np.array([np.vdot(one, other)])
    return np.asarray(np.einsum("vrc,vrc->v", one, other))


def _share(part: Reals, whole: Reals) -> float | Reals:
    """Quotients, 0 for vectors that are solved, to be multiplied with fields of nodes."""
    if len(part) == 1:
        return float(part[0] / whole[0]) if whole[0] > 0 else 0.0
    found = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return np.asarray(found[:, None, None])
