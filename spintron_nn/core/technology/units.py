"""Units of technology cards, read and converted by pint."""

from __future__ import annotations

import functools
import re
from typing import Any

from spintron_ir.errors import ParameterError

__all__ = ["from_si", "to_si"]

NAME = r"[A-Za-zµμΩ°%]++"
FORM = re.compile(rf"1?(?:{NAME}(?:(?:\*\*|\^)?-?\d(?:\.\d)?)?|\*(?!\*)|[ /()])*+")
"""Names with one small power each: the registry would work out any arithmetic, however large."""

POWER = re.compile(r"(?<=[A-Za-zµμΩ])\^?(-?\d)")
LENGTH = 40
DIGITS = 15
"""Digits kept in a conversion: 9.8 ohm um2 shall be 9.8e-12 and not its neighbour."""


def to_si(value: float, unit: str, si: str) -> float:
    """Convert :py:`value` in :py:`unit` to the unit :py:`si`.

    Powers may be written ``um2``, ``um^2`` or ``um**2``; ``percent`` is 0.01; a temperature may be
    in ``degC``.

    Raises
    ------
    ParameterError
        If the unit is unknown, or of another dimension.

    Examples
    --------
    >>> to_si(9.8, "ohm um2", "ohm*m**2")
    9.8e-12
    >>> to_si(120, "percent", "")
    1.2
    >>> to_si(25, "degC", "K")
    298.15
    """
    return _convert(value, unit, si)


def from_si(value: float, si: str, unit: str) -> float:
    """Convert :py:`value` in the unit :py:`si` to :py:`unit`, the way back of :func:`to_si`.

    Examples
    --------
    >>> from_si(0.3, "V", "mV")
    300.0
    """
    return _convert(value, si, unit)


def _convert(value: float, unit: str, wanted: str) -> float:
    scale, offset = _scale(unit, wanted)
    return float(f"{value * scale + offset:.{DIGITS}g}")


@functools.lru_cache(maxsize=1024)
def _scale(unit: str, wanted: str) -> tuple[float, float]:
    """Factor and offset of a conversion: every unit of a card is linear in its SI unit."""
    known = _parsed(unit)
    goal = _parsed(wanted)
    registry = _registry()
    if not known.is_compatible_with(goal):
        what = f"a unit of the dimension of {wanted}" if wanted else "no unit, or percent"
        raise ParameterError(f"unit must be {what}, not {unit!r}; convert the value, or correct it")
    zero, one, two = (float(registry.Quantity(x, known).to(goal).magnitude) for x in range(3))
    if abs(two - 2 * one + zero) > 1e-9 * abs(one):
        raise ParameterError(
            f"unit must be linear in {wanted or 'the number'}, not {unit!r}; convert the value"
        )
    return one - zero, zero


def _parsed(unit: str) -> Any:
    refusal = ParameterError(
        "unit must be one that pint knows, such as 'ohm um2', 'kA/m' or 'percent', not "
        f"{unit[:LENGTH]!r}; spell it out"
    )
    if len(unit) > LENGTH or not FORM.fullmatch(unit):
        raise refusal
    spelled = POWER.sub(r"**\1", unit).replace("Ohm", "ohm")
    try:
        return _registry().parse_units(spelled, as_delta=False)
    except Exception as error:  # pint raises a dozen kinds, of its own and of Python's tokenizer
        raise refusal from error


@functools.cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
