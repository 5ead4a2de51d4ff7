"""Errors a user can cause, one class for each thing the user can put right."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

__all__ = [
    "ConversionError",
    "MappingError",
    "MismatchError",
    "NetworkError",
    "ParameterError",
    "SpintronError",
    "ToolError",
    "check_bool",
    "check_choice",
    "check_int",
    "check_shape",
]


class SpintronError(Exception):
    """Base of every error that the commands report as one line, without a traceback."""


class ParameterError(SpintronError, ValueError):
    """A component, layer or command was given a parameter it cannot have."""


class NetworkError(SpintronError, ValueError):
    """A network description contradicts itself, or is not one that this version reads."""


class ConversionError(SpintronError):
    """A trained model has parts that cannot be converted exactly.

    Attributes
    ----------
    findings : tuple of str
        Everything that stands in the way, one line each, with what to do about it.
    """

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        head = f"the model cannot be converted ({count} finding{'s' if count != 1 else ''}): "
        super().__init__(head + "; ".join(self.findings))


class MappingError(SpintronError):
    """A valid network does not fit the hardware it was asked to run on."""


class ToolError(SpintronError):
    """A program that this package calls is missing or failed."""


class MismatchError(SpintronError):
    """A check found a difference between two things that must be equal."""


def check_int(owner: str, name: str, value: Any, low: int, high: int) -> int:
    """Return :py:`value` as an :py:`int` if it is an integer in :py:`low..high`, both included.

    Raises
    ------
    ParameterError
        Otherwise. The message names the owner, the parameter, the range and the value.
    """
    try:
        number = operator.index(value)  # also takes numpy's integers, but no float
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise ParameterError(f"{owner}: {name} must be an integer in {low}..{high}, not {value!r}")
    return number


def check_bool(owner: str, name: str, value: Any) -> bool:
    """Return :py:`value` if it is a :py:`bool`; raise :exc:`ParameterError` otherwise."""
    if not isinstance(value, bool):
        raise ParameterError(f"{owner}: {name} must be True or False, not {value!r}")
    return value


def check_choice(owner: str, name: str, value: Any, choices: Sequence[str]) -> str:
    """Return :py:`value` if it is one of :py:`choices`; raise :exc:`ParameterError` otherwise."""
    if not isinstance(value, str) or value not in choices:
        allowed = ", ".join(repr(choice) for choice in choices)
        raise ParameterError(f"{owner}: {name} must be one of {allowed}, not {value!r}")
    return value


def check_shape(owner: str, name: str, value: Any) -> tuple[int, ...]:
    """Return :py:`value` if it is a shape of 1 to 8 axes and at most ``2**24`` values.

    Raises
    ------
    ParameterError
        Otherwise.
    """
    if not isinstance(value, tuple) or not 1 <= len(value) <= 8:
        raise ParameterError(f"{owner}: {name} must be a tuple of 1 to 8 sizes, not {value!r}")
    sizes = tuple(
        check_int(owner, f"{name}[{axis}]", size, 1, 1 << 24) for axis, size in enumerate(value)
    )
    if math.prod(sizes) > 1 << 24:
        raise ParameterError(
            f"{owner}: {name} must hold at most 2**24 values, not {math.prod(sizes)}"
        )
    return sizes
