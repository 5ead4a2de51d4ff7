"""The operating point of a crossbar whose devices conduct as their own voltage says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real
from .arguments import Reals, Wiring, check_resistance, check_wiring
from .direct import far_first
from .iterative import Circuit
from .solution import Solution, check_applied, drops, make_solution

__all__ = ["BiasModel", "CurrentLaw", "OperatingPoint", "TunnelJunctions", "operating_point"]

ACCURACY = 1e-12
"""What may be missing round the loop of a device, as a share of the largest applied voltage."""


class BiasModel(Protocol):
    """Devices of an array and their law of current.

    Attributes
    ----------
    shape : (rows, cols)
        How many there are.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    def current(self, voltage: Reals) -> tuple[Reals, Reals]:
        """Return currents, A, and slopes dI/dV, S, of all devices at their voltages, V."""


@dataclass(frozen=True, eq=False)
class CurrentLaw:
    """Any law that gives current and slope.

    Parameters
    ----------
    rows, cols : int
        Devices.
    law : callable
        Given voltages ``(rows, cols)`` in V, returns currents in A and slopes dI/dV in S, which
        must be above 0, or 0 for an open.
    """

    rows: int
    cols: int
    law: Callable[[Reals], tuple[Reals, Reals]]

    def __post_init__(self) -> None:
        check_int("CurrentLaw", "rows", self.rows, 1, 1 << 16)
        check_int("CurrentLaw", "cols", self.cols, 1, 1 << 16)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return self.rows, self.cols

    def current(self, voltage: Reals) -> tuple[Reals, Reals]:
        """Return what the law returns."""
        return self.law(voltage)


class TunnelJunctions:
    """Tunnel junctions whose magnetoresistance falls with their voltage.

    ``TMR(V) = TMR(0) / (1 + (V / bias_half)**2)``; the parallel resistance does not depend on it.

    Parameters
    ----------
    resistance : (rows, cols) array, ohm
        At 0 V; infinite for an open.
    resistance_low : float or (rows, cols) array, ohm
        In the parallel state, at most :py:`resistance`.
    bias_half : float, V
        Where the magnetoresistance is half.

    Source
    ------
    J. Z. Sun and D. C. Ralph, "Magnetoresistance and spin-transfer torque in magnetic tunnel
    junctions", J. Magn. Magn. Mater. 320, 1227 (2008): the fall of TMR with bias.

    Examples
    --------
    >>> junctions = TunnelJunctions([[10e3]], resistance_low=5e3, bias_half=0.5)
    >>> current, slope = junctions.current(np.array([[0.5]]))
    >>> round(0.5 / float(current[0, 0]))
    7500
    """

    def __init__(
        self, resistance: ArrayLike, *, resistance_low: ArrayLike, bias_half: float
    ) -> None:
        owner = "TunnelJunctions"
        zero_bias = check_resistance(owner, resistance)
        self._half = check_real(owner, "bias_half", bias_half, "above 0", "V")
        low = np.broadcast_to(np.asarray(resistance_low, dtype=np.float64), zero_bias.shape)
        if not (np.isfinite(low) & (low > 0)).all() or (low * zero_bias > 1 + 1e-12).any():
            raise ParameterError(
                "TunnelJunctions: resistance_low must be numbers of ohm above 0 and at most the "
                "resistance of each device"
            )
        # An open has no parallel state.
        self._parallel = np.where(zero_bias > 0, 1.0 / low, 0.0)
        ratio = np.divide(1.0, low * zero_bias, out=np.ones_like(low), where=zero_bias > 0)
        self._tmr = np.maximum(ratio - 1.0, 0.0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return self._tmr.shape

    def current(self, voltage: Reals) -> tuple[Reals, Reals]:
        """Return currents, A, and slopes dI/dV, S."""
        square = (voltage / self._half) ** 2
        whole = 1.0 + square + self._tmr
        conductance = self._parallel * (1.0 + square) / whole
        slope = conductance + 2.0 * square * self._parallel * self._tmr / whole**2
        return conductance * voltage, slope


@dataclass(frozen=True, eq=False)
class OperatingPoint:
    """Where the currents of all devices and wires agree.

    Attributes
    ----------
    solution : Solution
        Currents and voltages.
    steps : int
        Steps of Newton's method.
    residual : float, V
        Largest voltage missing round the loop of a device.
    """

    solution: Solution
    steps: int
    residual: float


def operating_point(
    devices: BiasModel,
    applied_voltage: Any,
    *,
    wire_word: float,
    wire_bit: float,
    driver: float = 0.0,
    sense: float = 0.0,
    steps: int = 50,
) -> OperatingPoint:
    """Solve a crossbar of devices that are no plain resistors, with Newton's method.

    Each step is an exact solution of the array with the slopes as conductances. It is halved where
    the whole of it would not bring the voltages round the loops nearer to 0. The circuit is that of
    :func:`spintron_nn.core.nodal.solve`.

    Parameters
    ----------
    devices : BiasModel
        :class:`TunnelJunctions`, :class:`CurrentLaw`, or anything alike.
    applied_voltage : (rows,) array, V
        At the left end of each word line.
    wire_word, wire_bit, driver, sense : float, ohm
        As in :func:`spintron_nn.core.nodal.solve`.
    steps : int, 1..1000
        Most steps.

    Raises
    ------
    ParameterError
        If a slope is negative or not finite, or the steps do not suffice.

    Examples
    --------
    >>> junctions = TunnelJunctions([[10e3]], resistance_low=5e3, bias_half=0.5)
    >>> found = operating_point(junctions, [0.5], wire_word=0, wire_bit=0)
    >>> round(0.5 / float(found.solution.output_current[0]))
    7500
    """
    owner = "operating_point"
    wiring = check_wiring(owner, wire_word, wire_bit, driver, sense)
    applied = check_applied(owner, applied_voltage, devices.shape[0], vectors=False)
    steps = check_int(owner, "steps", steps, 1, 1000)
    target = ACCURACY * max(float(np.abs(applied).max()), 1e-300)
    still = np.zeros((1, devices.shape[0])), np.zeros((1, devices.shape[1]))
    voltage = np.zeros(devices.shape)
    current, slope = _law(devices, voltage)
    missing = _missing(applied, current, voltage, wiring)
    least = np.inf
    for step in range(1, steps + 1):
        # A source of the missing voltage in series with each device, its slope a resistor.
        circuit = Circuit(far_first(slope), wiring)
        found = circuit.nodes(circuit.driven(*still), far_first(-slope * missing)[None])
        word, bit = (far_first(part[0]) for part in found)
        start, move = voltage, missing + word - bit
        share, before = 1.0, float(np.linalg.norm(missing))
        while True:
            voltage = start + share * move
            current, slope = _law(devices, voltage)
            missing = _missing(applied, current, voltage, wiring)
            if np.linalg.norm(missing) < before or share < 1e-9 or before == 0:
                break
            share /= 2
        residual = float(np.abs(missing).max())
        # Where rounding ends the progress above the target, a hundred times that will do.
        if residual <= target or (residual <= 100 * target and residual >= 0.5 * least):
            along, below = drops(current, wiring)
            word = applied[:, None] - along
            solution = make_solution(current[None], word[None], below[None], True)
            return OperatingPoint(solution, step, residual)
        least = min(least, residual)
    raise ParameterError(
        f"operating_point: no operating point after {steps} steps, {residual:.2g} V are missing; "
        f"check that slope is the derivative of current, or allow more steps"
    )


def _missing(applied: Reals, current: Reals, voltage: Reals, wiring: Wiring) -> Reals:
    """Voltage missing round the loop of each device: 0 at the operating point."""
    along, below = drops(current, wiring)
    return np.asarray(applied[:, None] - along - below - voltage)


def _law(devices: BiasModel, voltage: Reals) -> tuple[Reals, Reals]:
    current, slope = (np.asarray(part, dtype=np.float64) for part in devices.current(voltage))
    for name, part in (("currents", current), ("slopes", slope)):
        if part.shape != voltage.shape or not np.isfinite(part).all():
            raise ParameterError(
                f"operating_point: the devices must give finite {name} of the shape "
                f"{voltage.shape}; the law is not defined at their voltages, "
                f"{voltage.min():.3g}..{voltage.max():.3g} V"
            )
    if (slope < 0).any():
        raise ParameterError(
            f"operating_point: the slopes dI/dV of the devices must be at least 0, not "
            f"{slope.min():.3g} S; with falling currents there may be several operating points"
        )
    return current, slope
