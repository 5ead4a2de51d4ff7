"""Checks of real parameters: every message says what must hold and what was given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError

__all__ = ["check_real", "check_reals"]

Reals = NDArray[np.float64]

RULES: dict[str, Callable[[Reals], Any]] = {
    "finite": lambda value: np.isfinite(value),
    "above 0": lambda value: value > 0,
    "at least 0": lambda value: value >= 0,
    "in 0..1": lambda value: (value >= 0) & (value <= 1),
    "above 0 and at most 1": lambda value: (value > 0) & (value <= 1),
    "at least 1": lambda value: value >= 1,
    "above 1": lambda value: value > 1,
    "below 1": lambda value: value < 1,
    "above -1 and below 1": lambda value: (value > -1) & (value < 1),
    "above 0 and below 1": lambda value: (value > 0) & (value < 1),
    "at least 0 and below 1": lambda value: (value >= 0) & (value < 1),
}
"""What can be asked of a number, and how it is tested; all but NaN and infinity are finite."""


def check_real(owner: str, name: str, value: Any, rule: str = "finite", unit: str = "") -> float:
    """Return :py:`value` as a float if it is one finite real number that :py:`rule` takes.

    Parameters
    ----------
    owner, name : str
        Function or class, and parameter, for the message.
    value : Any
        What was given; booleans and text are no numbers.
    rule : str
        One of the keys of :data:`RULES`.
    unit : str
        Unit, for the message.

    Raises
    ------
    ParameterError
        Otherwise.

    Examples
    --------
    >>> check_real("resistance", "diameter", 5e-8, "above 0", "m")
    5e-08
    """
    try:
        number = math.nan if isinstance(value, (bool, str, bytes)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or not RULES[rule](np.asarray(number)):
        wanted = _wanted("a number", rule, unit)
        raise ParameterError(f"{owner}: {name} must be {wanted}, not {value!r}")
    return number


def check_reals(owner: str, name: str, value: Any, rule: str = "finite", unit: str = "") -> Reals:
    """Return :py:`value` as a float64 array if every entry is a finite number that the rule takes.

    A scalar becomes an array without axes, so that formulas broadcast over devices.

    Raises
    ------
    ParameterError
        Otherwise; the message shows the first entry at fault.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        found = np.asarray(value)
        numeric = found.dtype.kind in "iuf"
    except ValueError:
        numeric = False
    if not numeric:
        wanted = _wanted("a number or an array of numbers", rule, unit)
        raise ParameterError(f"{owner}: {name} must be {wanted}, not {value!r}")
    found = found.astype(np.float64)
    bad = ~(np.isfinite(found) & np.asarray(RULES[rule](found), dtype=bool))
    if bad.any():
        wanted = _wanted("a number" if found.ndim == 0 else "numbers", rule, unit)
        first = float(found[bad].flat[0])
        raise ParameterError(f"{owner}: {name} must be {wanted}, not {first!r}")
    return found


def _wanted(what: str, rule: str, unit: str) -> str:
    if rule == "finite":
        what, rule = what.replace("number", "finite number"), ""
    return " ".join(part for part in (what, f"of {unit}" if unit else "", rule) if part)
