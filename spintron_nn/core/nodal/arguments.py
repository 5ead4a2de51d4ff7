"""Checks of what every crossbar function takes: arrays of devices, and wires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError

from ..checks import check_real, check_reals

__all__ = ["Reals", "Wiring", "check_conductance", "check_resistance", "check_wiring"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Wiring:
    """Resistances of the wires of an array, ohm, each at least 0.

    Attributes
    ----------
    word, bit : float, ohm
        One segment of a word line, and of a bit line.
    driver, sense : float, ohm
        In series with the first segment of each word line, and with the last of each bit line.
    """

    word: float
    bit: float
    driver: float = 0.0
    sense: float = 0.0

    @property
    def ideal(self) -> bool:
        """Whether nothing but the devices has a resistance."""
        return self.word == self.bit == self.driver == self.sense == 0

    @property
    def transposed(self) -> Wiring:
        """The wiring of the array in which word lines and bit lines change places."""
        return Wiring(self.bit, self.word, self.sense, self.driver)


def check_wiring(owner: str, word: Any, bit: Any, driver: Any, sense: Any) -> Wiring:
    """Return the wires if each resistance is a finite number of at least 0 ohm."""
    return Wiring(
        check_real(owner, "wire_word", word, "at least 0", "ohm"),
        check_real(owner, "wire_bit", bit, "at least 0", "ohm"),
        check_real(owner, "driver", driver, "at least 0", "ohm"),
        check_real(owner, "sense", sense, "at least 0", "ohm"),
    )


def check_conductance(owner: str, conductance: Any) -> Reals:
    """Return :py:`conductance` as a float64 array ``(..., rows, cols)`` in siemens, 0 for opens."""
    found = check_reals(owner, "conductance", conductance, "at least 0", "S")
    if found.ndim < 2 or 0 in found.shape[-2:]:
        raise ParameterError(
            f"{owner}: conductance must have the shape (..., rows, cols) with at least one row "
            f"and one column, not {found.shape}"
        )
    return found


def check_resistance(owner: str, resistance: Any) -> Reals:
    """Return the conductances ``(rows, cols)`` of :py:`resistance` in ohm, infinite for opens."""
    try:
        found = np.asarray(resistance)
        numeric = found.dtype.kind in "iuf"
    except ValueError:
        numeric = False
    if not numeric:
        raise ParameterError(
            f"{owner}: resistance must be an array of numbers of ohm above 0, not {resistance!r}"
        )
    found = found.astype(np.float64)
    if found.ndim != 2 or 0 in found.shape:
        raise ParameterError(
            f"{owner}: resistance must have the shape (rows, cols) with at least one row and one "
            f"column, not {found.shape}"
        )
    # The least resistance keeps its reciprocal a number.
    bad = ~(found >= 1e-300)
    if bad.any():
        raise ParameterError(
            f"{owner}: resistance must be numbers of ohm above 0, infinity for an open device, "
            f"not {float(found[bad][0])!r}; a short is a small resistance, for example 0.001"
        )
    return np.asarray(1.0 / found)
