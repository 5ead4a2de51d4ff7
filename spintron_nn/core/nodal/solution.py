"""One exact solution of a crossbar with resistive wires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import check_reals
from .arguments import Reals, Wiring, check_resistance, check_wiring
from .direct import far_first
from .iterative import Circuit

__all__ = ["Solution", "check_applied", "drops", "make_solution", "solve"]

STRONG = 1.0
"""Wires over the least resistance of a device from which a solution is refined."""


@dataclass(frozen=True, eq=False)
class Solution:
    """Currents and voltages of a crossbar.

    With voltages ``(rows,)`` the output currents have the shape ``(cols,)``, with ``(rows,
    vectors)`` they have ``(vectors, cols)``. Everything else is ``(rows, cols)`` for one vector,
    also where it was given as ``(rows, 1)``, and ``(rows, cols, vectors)`` for several.

    Attributes
    ----------
    output_current : array, A
        Out of the bottom end of each bit line, into ground.
    device_current : array, A
        From the word line through each device to the bit line.
    word_line_current : array, A
        Through the segment to the left of each node, to the right.
    bit_line_current : array, A
        Through the segment below each node, downwards.
    word_line_voltage, bit_line_voltage : array, V
        Of the two nodes of each device.
    """

    output_current: Reals
    device_current: Reals
    word_line_current: Reals
    bit_line_current: Reals
    word_line_voltage: Reals
    bit_line_voltage: Reals


def solve(
    resistance: ArrayLike,
    applied_voltage: ArrayLike,
    *,
    wire_word: float,
    wire_bit: float,
    driver: float = 0.0,
    sense: float = 0.0,
) -> Solution:
    """Solve a crossbar exactly.

    Word line r gets ``applied_voltage[r]`` at its left end, through :py:`driver` and one segment;
    it has a node at every column, and one segment between nodes. Bit line c has a node at every
    row; its bottom node is grounded through one segment and :py:`sense`.

    Parameters
    ----------
    resistance : (rows, cols) array, ohm
        Devices, above 0; infinite for an open. An access device's resistance is added to it.
    applied_voltage : (rows,) or (rows, vectors) array, V
        At the left end of each word line; each column of it is one read.
    wire_word, wire_bit : float, ohm
        One segment of a word line and of a bit line, at least 0.
    driver, sense : float, ohm
        In series with the first word segment and the last bit segment, at least 0.

    Returns
    -------
    Solution

    Raises
    ------
    ParameterError
        If a resistance, a shape or a voltage is not as above.

    Examples
    --------
    >>> found = solve([[10.0]], [1.0], wire_word=1, wire_bit=2)
    >>> found.output_current.round(6).tolist(), found.bit_line_voltage.round(6).tolist()
    ([0.076923], [[0.153846]])
    """
    wiring = check_wiring("solve", wire_word, wire_bit, driver, sense)
    conductance = check_resistance("solve", resistance)
    applied = check_applied("solve", applied_voltage, len(conductance), vectors=True)
    circuit = Circuit(far_first(conductance), wiring)
    ends = np.ascontiguousarray(np.atleast_2d(applied.T))
    ground = np.zeros((len(ends), conductance.shape[1]))
    word, bit = (far_first(part) for part in circuit.nodes(circuit.driven(ends, ground)))
    device = conductance * (word - bit)
    if conductance.max() * (wiring.word + wiring.bit + wiring.driver + wiring.sense) > STRONG:
        device, word, bit = _refined(circuit, device, ends, wiring)
    return make_solution(device, word, bit, applied.ndim == 1)


def _refined(
    circuit: Circuit, device: Reals, applied: Reals, wiring: Wiring
) -> tuple[Reals, Reals, Reals]:
    """Correct by what is missing round the loop of each device.

    A device of less resistance than the wires has a voltage far below those of its nodes, whose
    difference has lost digits; the sum of the voltages round its loop has not.
    """
    conductance = far_first(circuit.conductance)
    along, below = drops(device, wiring)
    across = np.divide(device, conductance, out=np.zeros_like(device), where=conductance > 0)
    missing = np.where(conductance > 0, applied[..., None] - along - below - across, 0.0)
    still = np.zeros_like(applied), np.zeros((len(applied), conductance.shape[1]))
    source = far_first(-conductance * missing)
    more = (far_first(part) for part in circuit.nodes(circuit.driven(*still), source))
    more_word, more_bit = more
    device = device + conductance * (more_word - more_bit + missing)
    along, below = drops(device, wiring)
    return device, applied[..., None] - along, below


def line_currents(device: Reals) -> tuple[Reals, Reals]:
    """Currents of the segments to the left of each node, and of those below."""
    along = np.ascontiguousarray(far_first(device)).cumsum(axis=-1)
    # A sum along the last axis is several times as fast as one along another.
    down = np.ascontiguousarray(np.swapaxes(device, -1, -2)).cumsum(axis=-1)
    return far_first(along), np.swapaxes(down, -1, -2)


def drops(device: Reals, wiring: Wiring) -> tuple[Reals, Reals]:
    """Voltage lost up to each node of the word lines, and that of each node of the bit lines.

    Parameters
    ----------
    device : (..., rows, cols) array, A
        Device currents.
    wiring : Wiring
        Wires, drivers and senses.
    """
    along, down = line_currents(device)
    word = wiring.driver * along[..., :1] + wiring.word * np.cumsum(along, axis=-1)
    below = np.cumsum(down[..., ::-1, :], axis=-2)[..., ::-1, :]
    return word, wiring.sense * down[..., -1:, :] + wiring.bit * below


def make_solution(device: Reals, word: Reals, bit: Reals, flat: bool) -> Solution:
    """Line currents as sums of device currents, and the shapes that :class:`Solution` states."""
    along, down = line_currents(device)
    output = down[:, -1]
    one = len(device) == 1
    shaped = (part[0] if one else np.moveaxis(part, 0, -1) for part in (along, down, word, bit))
    return Solution(
        output[0] if flat else output, device[0] if one else np.moveaxis(device, 0, -1), *shaped
    )


def check_applied(owner: str, applied: Any, rows: int, *, vectors: bool) -> Reals:
    """Return the voltages if there is one for each word line."""
    found = check_reals(owner, "applied_voltage", applied, "finite", "V")
    if found.ndim not in ((1, 2) if vectors else (1,)) or found.shape[0] != rows or not found.size:
        wanted = f"({rows},)" + (f" or ({rows}, vectors)" if vectors else "")
        raise ParameterError(
            f"{owner}: applied_voltage must have the shape {wanted}, one for each word line, not "
            f"{found.shape}"
        )
    return found
