"""Cells from outside this package, by the name under which a network asks for them."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .errors import NetworkError

__all__ = ["GROUP", "find_cell", "offered_cells", "register_cell"]

GROUP = "spintron.cells"
"""Entry-point group in which an installed package offers cells."""

_CELLS: dict[str, type] = {}


def register_cell(name: str, cls: type) -> None:
    """Make :py:`cls` the cell that networks call :py:`name`, instead of any known before."""
    _CELLS[name] = cls


def offered_cells() -> tuple[EntryPoint, ...]:
    """Entry points of all cells that installed packages offer; nothing is imported."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda point: point.name))


def find_cell(name: str) -> Any:
    """Class of the cell :py:`name`: a registered one, else what a package offers by that name.

    Raises
    ------
    NetworkError
        If there is none, or it cannot be imported.
    """
    if name in _CELLS:
        return _CELLS[name]
    points = [point for point in offered_cells() if point.name == name]
    if not points:
        raise NetworkError(
            f"there is no cell {name!r}: give the file it is in with --cells FILE, or install the "
            f"package that offers it in the entry-point group {GROUP!r}"
        )
    try:
        return points[0].load()
    except (ImportError, AttributeError) as error:
        raise NetworkError(
            f"cell {name!r}: {points[0].value} cannot be imported ({error}); repair its package"
        ) from error
