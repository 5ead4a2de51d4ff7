"""Boards that an accelerator can be built for: ours, those of other packages, those of a file."""

from __future__ import annotations

import importlib
import importlib.util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintron_ir.errors import ParameterError

if TYPE_CHECKING:
    from .board import Board

__all__ = ["all_boards", "get_board"]

_OURS = {
    "ulx3s-85f": "boards.ulx3s_85f",
    "icebreaker": "boards.icebreaker",
    "zcu104": "boards.zcu104",
}


def all_boards() -> dict[str, Board]:
    """Every board there is, by name: ours, then those of installed packages.

    A package offers a board under the entry point group ``spintron.boards``: the name of the entry
    point is that of the board, and its object a :class:`boards.board.Board`.

    Raises
    ------
    ParameterError
        If what a package offers is no board.
    """
    found = {name: get_board(name) for name in _OURS}
    return found | {entry.name: get_board(entry.name) for entry in _entries()}


def get_board(name: str) -> Board:
    """The board called :py:`name`.

    Parameters
    ----------
    name : str
        Name of a board, or path of a Python file that defines ``BOARD``.

    Raises
    ------
    ParameterError
        If there is none. The message lists those there are.
    """
    if name in _OURS:
        return importlib.import_module(_OURS[name]).BOARD
    if name.endswith(".py"):
        return _checked(_of_file(Path(name)), name)
    for entry in _entries():
        if entry.name == name:
            return _checked(_loaded(entry), f"entry point {name!r} of spintron.boards")
    names = ", ".join([*_OURS, *(entry.name for entry in _entries())])
    raise ParameterError(
        f"board must be one of {names}, or a Python file with a BOARD, not {name!r}"
    )


def _entries() -> list[EntryPoint]:
    return [entry for entry in entry_points(group="spintron.boards") if entry.name not in _OURS]


def _loaded(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise ParameterError(
            f"entry point {entry.name!r} of spintron.boards must name a Board, but {entry.value} "
            f"cannot be loaded ({error}); repair or remove the package that offers it"
        ) from None


def _of_file(path: Path) -> Any:
    if not path.is_file():
        raise ParameterError(f"{path}: must be a Python file with a BOARD, but there is no file")
    spec = importlib.util.spec_from_file_location(f"board_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, "BOARD", None)


def _checked(board: Any, where: str) -> Board:
    from .board import Board

    if not isinstance(board, Board):
        raise ParameterError(f"{where}: must be a boards.board.Board, not {board!r}")
    return board
