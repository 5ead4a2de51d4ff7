"""Reading one cell of a passive array: what flows round the cell through all the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import check_choice, check_int

from ..checks import check_real
from .arguments import Reals, check_resistance, check_wiring
from .direct import far_first
from .iterative import Circuit, Ends

__all__ = ["SCHEMES", "CellRead", "read_cell"]

SCHEMES = {
    "floating": None,
    "grounded": (0.0, 0.0),
    "half": (0.5, 0.5),
    "third": (1 / 3, 2 / 3),
}
"""Voltages of the other word lines and of the other bit lines, as shares of that of the cell."""


@dataclass(frozen=True, eq=False)
class CellRead:
    """What a sense amplifier gets of one cell, and of all others with it.

    Attributes
    ----------
    output_current : float, A
        Out of the cell's bit line.
    cell_current : float, A
        Through the cell.
    sneak_current : float, A
        The rest of :py:`output_current`, through other cells.
    supplied_power : float, W
        From all drivers.
    device_voltage : (rows, cols) array, V
        Across every device.
    disturb_voltage : float, V
        Largest magnitude across a device that is not read.
    """

    output_current: float
    cell_current: float
    sneak_current: float
    supplied_power: float
    device_voltage: Reals
    disturb_voltage: float


def read_cell(
    resistance: ArrayLike,
    row: int,
    column: int,
    *,
    voltage: float,
    scheme: str,
    wire_word: float,
    wire_bit: float,
    driver: float = 0.0,
    sense: float = 0.0,
) -> CellRead:
    """Solve a passive array in which one cell is read.

    The cell's word line is driven at :py:`voltage`, its bit line sensed at 0 V.

    Parameters
    ----------
    resistance : (rows, cols) array, ohm
        Devices, above 0; infinite for an open.
    row, column : int
        The cell.
    voltage : float, V
        Between its lines.
    scheme : "floating", "grounded", "half" or "third"
        The other lines: left open; at 0 V; at half the voltage; word lines at a third of it and
        bit lines at two thirds.
    wire_word, wire_bit, driver, sense : float, ohm
        As in :func:`spintron_nn.core.nodal.solve`; every line that does not float has a driver or
        a sense of the same resistance.

    Examples
    --------
    Three cells in series lie beside the one that is read.

    >>> found = read_cell(
    ...     [[3e3, 1e3], [1e3, 1e3]], 0, 0, voltage=0.3, scheme="floating", wire_word=0, wire_bit=0
    ... )
    >>> round(found.cell_current, 9), round(found.sneak_current, 9)
    (0.0001, 0.0001)
    """
    owner = "read_cell"
    conductance = check_resistance(owner, resistance)
    rows, cols = conductance.shape
    row = check_int(owner, "row", row, 0, rows - 1)
    column = check_int(owner, "column", column, 0, cols - 1)
    voltage = check_real(owner, "voltage", voltage, "finite", "V")
    wiring = check_wiring(owner, wire_word, wire_bit, driver, sense)
    others = SCHEMES[check_choice(owner, "scheme", scheme, tuple(SCHEMES))]
    word_share, bit_share = others or (0.0, 0.0)
    ends = Ends(
        np.full(rows, wiring.driver if others else np.inf),
        np.full(cols, wiring.sense if others else np.inf),
    )
    ends.word[row], ends.bit[cols - 1 - column] = wiring.driver, wiring.sense
    applied_word = np.full(rows, voltage * word_share)
    applied_bit = np.full(cols, voltage * bit_share)
    applied_word[row], applied_bit[column] = voltage, 0.0
    circuit = Circuit(far_first(conductance), wiring, ends)
    driven = circuit.driven(applied_word[None], far_first(applied_bit[None]))
    word, bit = (far_first(part[0]) for part in circuit.nodes(driven))
    across = word - bit
    current = conductance * across
    output = float(current[:, column].sum())
    cell = float(current[row, column])
    power = applied_word @ current.sum(axis=1) - applied_bit @ current.sum(axis=0)
    rest = np.abs(across)
    rest[row, column] = 0.0
    return CellRead(output, cell, output - cell, float(power), across, float(rest.max()))
