"""Fields and torques of a drive on a layer, in the scale of one time step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError
from spintron_nn.core.checks import check_reals
from spintron_nn.core.constants import GYRO

from .drive import Drive
from .heun import Torques
from .layer import FreeLayer

__all__ = ["torques"]

OWNER = "Macrospin.run"

MOST_TURN = 0.5
"""Largest turn in one step, radian, that a field may cause; Heun's scheme is poor above."""


def torques(
    layer: FreeLayer, drive: Drive, step: float, count: int, place: dict[str, Any]
) -> Torques:
    """Everything that acts on a layer under one drive.

    Parameters
    ----------
    layer : FreeLayer
    drive : Drive
    step : float, s
    count : int
        Devices.
    place : dict
        Type and device of the tensors.

    Raises
    ------
    ParameterError
        Where the drive is none or is for another number of devices, or the step is too long.
    """
    if not isinstance(drive, Drive):
        raise ParameterError(f"{OWNER}: drive must be a Drive or return one, not {drive!r}")
    current, spin_orbit, voltage, field = (
        _driven(drive, name, count)
        for name in ("current_density", "spin_orbit_current_density", "voltage", "field")
    )
    spin, reference = _unit(layer.spin_direction), _unit(layer.reference_direction)
    per_current = layer.torque_field_per_current
    orbit = per_current * layer.value("spin_hall_angle") * spin_orbit * spin
    transfer = per_current * layer.value("spin_torque_efficiency") * current * reference
    applied = field.reshape(3, -1) + layer.value("field_like_ratio") * orbit
    sheet = layer.value("saturation_magnetisation") * layer.value("thickness")
    lowered = 2 * layer.value("vcma_coefficient") * voltage / layer.value("barrier_thickness")
    perpendicular = layer.value("anisotropy_field") - lowered / sheet
    anisotropy = _rows(layer.value("in_plane_anisotropy_field"), np.zeros(()), perpendicular)
    thermal = float(layer.thermal_field(step).max())
    _check_step(step, (applied, orbit, transfer, anisotropy), thermal)

    damping, asymmetry = layer.value("damping"), layer.value("torque_asymmetry")
    scale = -GYRO * step / (1 + damping**2)
    depends = bool(asymmetry.any())

    def tensor(values: NDArray[np.float64]) -> torch.Tensor:
        return torch.as_tensor(values, **place)

    return Torques(
        field=tensor(scale * applied),
        anisotropy=tensor(scale * anisotropy),
        torque=tensor(scale * (orbit if depends else orbit + transfer)),
        polariser=tensor(scale * transfer) if depends else None,
        direction=tensor(reference),
        asymmetry=tensor(asymmetry),
        damping=tensor(damping),
    )


def _driven(drive: Drive, name: str, count: int) -> NDArray[np.float64]:
    value = check_reals("Drive", name, getattr(drive, name))
    shape = value.shape[1:] if name == "field" else value.shape
    if shape not in ((), (1,), (count,)):
        raise ParameterError(
            f"{OWNER}: {name} of the drive has {shape[0]} values for {count} devices; give one or "
            f"{count}"
        )
    return value


def _check_step(step: float, fields: Iterable[NDArray[np.float64]], thermal: float) -> None:
    largest = max(float(np.linalg.norm(field, axis=0).max()) for field in fields)
    # A field turns in proportion to the step, the thermal one to its root.
    steps = [step, step]
    if largest > 0:
        steps[0] = MOST_TURN / (GYRO * largest)
    if thermal > 0:
        steps[1] = (MOST_TURN / (GYRO * thermal)) ** 2 / step
    for most, what, size in zip(steps, ("a", "a thermal"), (largest, thermal), strict=True):
        if step > most:
            # Rounded down, so that what is proposed is taken.
            raise ParameterError(
                f"{OWNER}: time_step must be at most {0.99 * most:.3g} s for {what} field of "
                f"{size:.3g} T, not {step:.3g} s"
            )


def _unit(direction: Any) -> NDArray[np.float64]:
    vector = np.asarray(direction, dtype=np.float64)
    return np.asarray(vector / np.linalg.norm(vector))[:, None]


def _rows(*values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stack numbers and (devices,) arrays as rows (n, 1) or (n, devices)."""
    return np.stack(np.broadcast_arrays(*(np.atleast_1d(value) for value in values)))
