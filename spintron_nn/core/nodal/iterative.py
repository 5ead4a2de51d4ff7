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

ACCURACY = 1e-15
"""Where the iteration ends: share of the error left, in the norm of dissipated power."""

AGREEMENT = 1e-12
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

    def _bit(self, current: Reals) -> Reals:
        found = self.bit.respond(np.ascontiguousarray(np.swapaxes(current, -1, -2)))
        return np.swapaxes(found, -1, -2)

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
        through = bit + self._bit(conductance * word)
        rest = conductance * through
        if injected is not None:
            pushed = self._bit(injected)
            through = through - pushed
            rest = conductance * through + injected
        change, found = self._iterate(rest)
        sent = self._bit(conductance * change)
        # One plain step more shows the true error, as the residual that is carried does not.
        again = self.word.respond(rest + conductance * sent)
        if not found or np.abs(again - change).max() > AGREEMENT * np.abs(word + again).max():
            change = eliminate(conductance, self.wiring, self.ends.word, self.ends.bit, rest)
            sent = self._bit(conductance * change)
        return word + change, through + sent

    def _iterate(self, rest: Reals) -> tuple[Reals, bool]:
        """Solve for the word lines what bit lines send back; False where it takes too long."""
        conductance = self.conductance
        change = np.zeros_like(rest)
        ready = self.word.respond(rest)
        power = np.einsum("vrc,vrc->v", rest, ready)
        ended = ACCURACY**2 * power
        towards, carried = ready, rest
        for _ in range(STEPS):
            if np.all(power <= ended):
                return change, True
            # A_W towards is known without a product: it is carried.
            sent = carried - conductance * self._bit(conductance * towards)
            curve = np.einsum("vrc,vrc->v", towards, sent)
            step = np.divide(power, curve, out=np.zeros_like(power), where=curve > 0)
            change = change + step[:, None, None] * towards
            rest = rest - step[:, None, None] * sent
            ready = self.word.respond(rest)
            before, power = power, np.einsum("vrc,vrc->v", rest, ready)
            turn = np.divide(power, before, out=np.zeros_like(power), where=before > 0)
            towards = ready + turn[:, None, None] * towards
            carried = rest + turn[:, None, None] * carried
        return change, False
