"""What is wrong with a technology card, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spintron_ir.errors import ParameterError, check_choice

__all__ = ["CardError", "Finding"]

SHOWN = 20
"""Findings that a message spells out; a file of noise has thousands."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or doubtful, about a card.

    Parameters
    ----------
    level : str, "error" or "warning"
        A card with an error gives no device; one with a warning does.
    where : str
        Dotted name of the quantity, or the section or rule that it is about.
    message : str
        What must hold, what was given, what to do.

    Examples
    --------
    >>> print(Finding("warning", "read.voltage", "must lie below the switching voltage"))
    warning: read.voltage: must lie below the switching voltage
    """

    level: str
    where: str
    message: str

    def __post_init__(self) -> None:
        check_choice("Finding", "level", self.level, ("error", "warning"))

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.message}"


class CardError(ParameterError):
    """A technology card cannot be used.

    Attributes
    ----------
    findings : tuple of Finding
        Everything that stands in the way.
    """

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [f"{finding.where}: {finding.message}" for finding in self.findings]
        more = len(lines) - SHOWN
        shown = lines[:SHOWN] + ([f"and {more} more"] if more > 0 else [])
        count = f"{len(lines)} finding{'s' if len(lines) != 1 else ''}"
        super().__init__(f"{name}: the card cannot be used ({count}): " + "; ".join(shown))
