"""The numbers of a free layer, each with its unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError
from spintron_nn.core.checks import check_real, check_reals
from spintron_nn.core.constants import BOLTZMANN, CHARGE, GYRO, HBAR

__all__ = ["FreeLayer"]

RULES = {
    "saturation_magnetisation": ("above 0", "A/m"),
    "thickness": ("above 0", "m"),
    "area": ("above 0", "m2"),
    "anisotropy_field": ("finite", "T"),
    "in_plane_anisotropy_field": ("finite", "T"),
    "damping": ("in 0..1", ""),
    "temperature": ("at least 0", "K"),
    "spin_torque_efficiency": ("finite", ""),
    "torque_asymmetry": ("finite", ""),
    "spin_hall_angle": ("finite", ""),
    "field_like_ratio": ("finite", ""),
    "vcma_coefficient": ("finite", "J/(V m)"),
    "barrier_thickness": ("above 0", "m"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeLayer:
    """A uniformly magnetised layer, or as many as its arrays hold.

    Parameters
    ----------
    saturation_magnetisation : float, A/m
    thickness, area : float, m and m2
        Of the free layer.
    anisotropy_field : float, T
        ``mu0 Hk`` of the effective perpendicular anisotropy, demagnetisation taken off; negative
        for an easy plane.
    damping : float, 0..1
        Gilbert's.
    in_plane_anisotropy_field : float, T
        Of an easy axis along x within the plane.
    temperature : float, K
        0 turns the thermal field off.
    spin_torque_efficiency, torque_asymmetry : float
        ``eta = spin_torque_efficiency / (1 + torque_asymmetry * m.p)``; Slonczewski's for a
        polarisation P are P and P**2.
    reference_direction : three numbers
        ``p``, the reference layer's magnetisation; its length does not matter.
    spin_hall_angle : float
        ``theta``, effective, for the damping-like torque.
    field_like_ratio : float
        Field-like over damping-like spin-orbit field.
    spin_direction : three numbers
        ``s``, the polarisation of the spins that come from the heavy metal.
    vcma_coefficient : float, J/(V m)
        A voltage V lowers the interface anisotropy by ``vcma_coefficient * V / barrier_thickness``.
    barrier_thickness : float, m

    Every number may be an array (devices,).

    Raises
    ------
    ParameterError
        Where a parameter is out of range or has another shape.
    """

    saturation_magnetisation: Any
    thickness: Any
    area: Any
    anisotropy_field: Any
    damping: Any
    in_plane_anisotropy_field: Any = 0.0
    temperature: Any = 300.0
    spin_torque_efficiency: Any = 0.6
    torque_asymmetry: Any = 0.0
    reference_direction: Sequence[float] = (0.0, 0.0, 1.0)
    spin_hall_angle: Any = 0.3
    field_like_ratio: Any = 0.0
    spin_direction: Sequence[float] = (0.0, 1.0, 0.0)
    vcma_coefficient: Any = 0.0
    barrier_thickness: Any = 1e-9

    def __post_init__(self) -> None:
        for name, (rule, unit) in RULES.items():
            shape = check_reals("Macrospin", name, getattr(self, name), rule, unit).shape
            if len(shape) > 1:
                raise ParameterError(
                    f"Macrospin: {name} must be one number or an array (devices,), not one of "
                    f"shape {shape}"
                )
        for name in ("reference_direction", "spin_direction"):
            direction = check_reals("Macrospin", name, getattr(self, name))
            if direction.shape != (3,) or not direction.any():
                raise ParameterError(
                    f"Macrospin: {name} must be three numbers that are not all 0, not "
                    f"{getattr(self, name)!r}"
                )

    def value(self, name: str) -> NDArray[np.float64]:
        """A number of the layer as an array, shape () or (devices,)."""
        return check_reals("Macrospin", name, getattr(self, name))

    @property
    def thermal_stability(self) -> NDArray[np.float64]:
        """``Delta = anisotropy_field Ms V / (2 kB T)``; infinite at 0 K."""
        barrier = self.value("anisotropy_field") * self._moment / 2
        with np.errstate(divide="ignore"):
            return np.asarray(barrier / (BOLTZMANN * self.value("temperature")))

    @property
    def _moment(self) -> NDArray[np.float64]:
        """``Ms V``, A m2."""
        magnetisation, thickness, area = map(
            self.value, ("saturation_magnetisation", "thickness", "area")
        )
        return magnetisation * thickness * area

    @property
    def torque_field_per_current(self) -> NDArray[np.float64]:
        """``hbar / (2 e Ms t)``, T m2/A: damping-like field of an efficiency of 1."""
        sheet = self.value("saturation_magnetisation") * self.value("thickness")
        return np.asarray(HBAR / (2 * CHARGE * sheet))

    def thermal_field(self, time_step: float) -> NDArray[np.float64]:
        """Standard deviation of each component of the thermal field in one step, T."""
        step = check_real("Macrospin.thermal_field", "time_step", time_step, "above 0", "s")
        energy = 2 * self.value("damping") * BOLTZMANN * self.value("temperature")
        return np.asarray(np.sqrt(energy / (GYRO * self._moment * step)))

    def check_count(self, owner: str, count: int) -> None:
        """Refuse per-device numbers for another number of devices."""
        for name in RULES:
            shape = self.value(name).shape
            if shape not in ((), (1,), (count,)):
                raise ParameterError(
                    f"{owner}: {name} has {shape[0]} values for {count} devices; give one or "
                    f"{count}"
                )
