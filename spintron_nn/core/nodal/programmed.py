"""A programmed array with resistive wires as one matrix: the current is V G_eff."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import check_reals
from .arguments import Reals, check_conductance, check_wiring
from .direct import effective, far_first

__all__ = ["ProgrammedArray", "effective_conductance"]


def effective_conductance(
    conductance: ArrayLike,
    *,
    wire_word: float,
    wire_bit: float,
    driver: float = 0.0,
    sense: float = 0.0,
) -> Reals:
    """Return what devices seem to conduct from the ends of the lines, wires included.

    A linear array is a linear map: bit line c delivers ``sum over r of V[r] * G_eff[r, c]``.
    All of it comes of one elimination, exact to rounding.

    Parameters
    ----------
    conductance : (..., rows, cols) array, S
        Devices, at least 0; 0 is an open. Leading axes are independent arrays.
    wire_word, wire_bit : float, ohm
        One segment of a word line and of a bit line, at least 0.
    driver, sense : float, ohm
        In series with the first word segment and the last bit segment, at least 0.

    Returns
    -------
    (..., rows, cols) array, S
        A copy of :py:`conductance` where all four are 0.

    Examples
    --------
    >>> effective_conductance([[0.1]], wire_word=1, wire_bit=2).round(6).tolist()
    [[0.076923]]
    """
    owner = "effective_conductance"
    wiring = check_wiring(owner, wire_word, wire_bit, driver, sense)
    devices = check_conductance(owner, conductance)
    if wiring.ideal or devices.size == 0:
        return devices
    arrays = np.ascontiguousarray(far_first(devices)).reshape(-1, *devices.shape[-2:])
    return np.ascontiguousarray(far_first(effective(arrays, wiring))).reshape(devices.shape)


class ProgrammedArray:
    """An array whose devices stay as they are while many vectors are read.

    Parameters
    ----------
    conductance : (rows, cols) array, S
        Devices, at least 0; 0 is an open.
    wire_word, wire_bit, driver, sense : float, ohm
        As in :func:`effective_conductance`.

    Examples
    --------
    >>> array = ProgrammedArray([[1e-3], [2e-3]], wire_word=0, wire_bit=0)
    >>> array.read([[1.0, 0.0], [0.5, 0.5]]).tolist()
    [[0.001], [0.0015]]
    """

    def __init__(
        self,
        conductance: ArrayLike,
        *,
        wire_word: float,
        wire_bit: float,
        driver: float = 0.0,
        sense: float = 0.0,
    ) -> None:
        devices = check_conductance("ProgrammedArray", conductance)
        if devices.ndim != 2:
            raise ParameterError(
                f"ProgrammedArray: conductance must have the shape (rows, cols), not "
                f"{devices.shape}; make one ProgrammedArray for each array"
            )
        self._effective = effective_conductance(
            devices, wire_word=wire_word, wire_bit=wire_bit, driver=driver, sense=sense
        )
        self._effective.flags.writeable = False

    @property
    def effective_conductance(self) -> Reals:
        """What the devices seem to conduct, ``(rows, cols)``, S; read only."""
        return self._effective

    def read(self, voltages: Any) -> Reals:
        """Return the currents of the bit lines.

        Parameters
        ----------
        voltages : (..., rows) array, V
            Applied to the left ends of the word lines; leading axes are vectors.

        Returns
        -------
        (..., cols) array, A
        """
        applied = check_reals("ProgrammedArray.read", "voltages", voltages, "finite", "V")
        rows = len(self._effective)
        if applied.ndim == 0 or applied.shape[-1] != rows:
            raise ParameterError(
                f"ProgrammedArray.read: voltages must have the shape (..., {rows}), one for each "
                f"word line, not {applied.shape}"
            )
        return np.asarray(applied @ self._effective)
