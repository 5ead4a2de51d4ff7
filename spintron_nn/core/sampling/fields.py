"""What the parameter classes of this folder share: checks, and which of their effects are on."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from spintron_ir.errors import ParameterError

from ..checks import check_real

__all__ = ["check_fields", "made_from"]


def check_fields(settings: Any, rules: dict[str, tuple[str, str]]) -> None:
    """Make floats of the fields of a frozen dataclass that their rules take.

    Parameters
    ----------
    settings : dataclass
        Its class is the owner that a message names.
    rules : dict
        Rule of :func:`~spintron_nn.core.checks.check_real` and unit, by field.

    Raises
    ------
    ParameterError
        If a field is no finite number that its rule takes.
    """
    owner = type(settings).__name__
    for name, (rule, unit) in rules.items():
        number = check_real(owner, name, getattr(settings, name), rule, unit)
        object.__setattr__(settings, name, number)


def made_from(kind: type, given: Any) -> Any:
    """Return a dataclass :py:`kind` of plain values; what is one already passes.

    Raises
    ------
    ParameterError
        If :py:`given` is no dictionary, or has names that the class lacks.

    Examples
    --------
    >>> from spintron_nn.core.sampling import Wires
    >>> made_from(Wires, {"word": 2}).word
    2.0
    """
    if isinstance(given, kind):
        return given
    known = [field.name for field in fields(kind)]
    wanted = f"{kind.__name__}: must be made of a dictionary with names among {', '.join(known)}"
    if not isinstance(given, dict):
        raise ParameterError(f"{wanted}, not of {given!r}")
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ParameterError(f"{wanted}; {', '.join(map(repr, unknown))} is not among them")
    return kind(**given)
