"""Refusing what does not fit, before anything slow is started."""

from __future__ import annotations

from typing import Protocol

from spintron_ir.errors import MappingError

from .target import Target

__all__ = ["Needs", "check_capacity"]

_NAMES = {
    "luts": "look-up tables",
    "ffs": "flip-flops",
    "brams": "block RAMs",
    "dsps": "multipliers",
}


class Needs(Protocol):
    """Resources that a design takes, as ``spintron_hw.mapping.estimate.Resources`` has them."""

    @property
    def luts(self) -> int:
        """Look-up tables."""

    @property
    def ffs(self) -> int:
        """Flip-flops."""

    @property
    def brams(self) -> int:
        """Block RAMs."""

    @property
    def dsps(self) -> int:
        """Multipliers."""


def check_capacity(needs: Needs, target: Target, *, about: bool = True) -> None:
    """Check that a design fits on a target.

    Parameters
    ----------
    needs : Needs
        What it takes.
    target : Target
        What there is.
    about : bool
        The needs are an estimate; otherwise they are counted after synthesis.

    Raises
    ------
    MappingError
        If it does not. The message names each resource there is too little of, in numbers.
    """
    short = [name for name in _NAMES if getattr(needs, name) > getattr(target, name)]
    if not short:
        return
    needed = ", ".join(f"{getattr(needs, name):,} {_NAMES[name]}" for name in short)
    there = ", ".join(f"{getattr(target, name):,} {_NAMES[name]}" for name in short)
    raise MappingError(
        f"the network needs {'about ' if about else ''}{needed}; {target.name} has {there}: allow "
        "more cycles between frames (a higher interval), use fewer or narrower layers, or take a "
        "larger board"
    )
