"""What acts on a macrospin from outside, constant or in time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from spintron_ir.errors import ParameterError
from spintron_nn.core.checks import check_real, check_reals

__all__ = ["NO_DRIVE", "Drive", "Schedule", "pulses"]

UNITS = {"current_density": "A/m2", "spin_orbit_current_density": "A/m2", "voltage": "V"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Drive:
    """Currents, voltage and field at one time, the same for all devices or one for each.

    Parameters
    ----------
    current_density : float or array (devices,), A/m2
        Through the junction; positive favours magnetisation along the reference direction.
    spin_orbit_current_density : float or array (devices,), A/m2
        Along the heavy metal; positive favours magnetisation along the spin direction.
    voltage : float or array (devices,), V
        Across the barrier, for the voltage-controlled anisotropy; positive lowers it.
    field : array (3,) or (3, devices), T
        Applied field.

    Raises
    ------
    ParameterError
        Where a value is no finite number or has another shape.

    Examples
    --------
    >>> Drive(current_density=1e10).field
    (0.0, 0.0, 0.0)
    """

    current_density: Any = 0.0
    spin_orbit_current_density: Any = 0.0
    voltage: Any = 0.0
    field: Any = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for name, unit in UNITS.items():
            shape = check_reals("Drive", name, getattr(self, name), unit=unit).shape
            if len(shape) > 1:
                raise ParameterError(
                    f"Drive: {name} must be one number or an array (devices,), not one of shape "
                    f"{shape}"
                )
        shape = check_reals("Drive", "field", self.field, unit="T").shape
        if len(shape) not in (1, 2) or shape[0] != 3:
            raise ParameterError(
                f"Drive: field must have the shape (3,) or (3, devices), not {shape}; its first "
                "axis is x, y, z"
            )


NO_DRIVE = Drive()
"""A layer left alone."""

Schedule = Callable[[float], Drive]
"""Drive at a time in seconds since the start of a run."""


def pulses(parts: Sequence[tuple[float, Drive]]) -> Schedule:
    """Drives one after the other, and none after the last.

    Parameters
    ----------
    parts : sequence of (duration in s, above 0; Drive)
        At least one.

    Returns
    -------
    Schedule
        The drive at a time, for :meth:`Macrospin.run`. Edges fall on whole time steps.

    Raises
    ------
    ParameterError
        Where there is no part, or one has no duration or no drive.

    Examples
    --------
    >>> write = pulses([(1e-9, Drive()), (5e-9, Drive(current_density=3e10))])
    >>> write(2e-9).current_density, write(7e-9).current_density
    (30000000000.0, 0.0)
    """
    if not parts:
        raise ParameterError("pulses: give at least one pair of a duration and a Drive")
    for _, drive in parts:
        if not isinstance(drive, Drive):
            raise ParameterError(f"pulses: each part must end in a Drive, not {drive!r}")
    ends = list(
        accumulate(check_real("pulses", "duration", part[0], "above 0", "s") for part in parts)
    )
    drives = [*(drive for _, drive in parts), NO_DRIVE]
    return lambda time: drives[bisect_right(ends, time)]
