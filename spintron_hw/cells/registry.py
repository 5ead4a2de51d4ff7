"""Which hardware cells there are: ours, those of installed packages, those of a user's files."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from amaranth.lib import wiring

from spintron_ir.errors import NetworkError, ParameterError
from spintron_ir.plugins import find_cell, offered_cells, register_cell

__all__ = ["FoundCell", "all_cells", "cells_in", "fault", "load_file"]

_FILES: dict[str, tuple[Path, type]] = {}


@dataclass(frozen=True)
class FoundCell:
    """A cell there is.

    Attributes
    ----------
    name : str
        Name by which it is asked for.
    origin : str
        ``spintron_hw``, a package that is installed, or a file.
    cls : type or None
        Its class; None where the package that offers it cannot be imported.
    summary : str
        First line of its documentation, or why it cannot be imported.
    """

    name: str
    origin: str
    cls: Any
    summary: str


def load_file(path: str | os.PathLike[str]) -> dict[str, type]:
    """Run a Python file of the user's and make every cell class in it known by its name.

    The only way by which a file of cells is ever run: because its user names it. Where two files
    have a cell of the same name, the last one counts.

    Returns
    -------
    dict of str to type
        Cell classes by their names.

    Raises
    ------
    ParameterError
        If the file cannot be run or has no cell in it.
    """
    path = Path(path)
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
    name = f"spintron_cells_{key}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ParameterError(f"{path}: must be a Python file, with the ending .py")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        # A cached .pyc is told from its source by a time in whole seconds: too coarse for edits.
        exec(compile(path.read_bytes(), path, "exec"), vars(module))  # noqa: S102
    except (Exception, SystemExit) as error:
        sys.modules.pop(name)
        if before is not None:
            sys.modules[name] = before
        raise ParameterError(f"{path}: cannot be run: {fault(error, path)}") from error
    found = cells_in(module)
    if not found:
        raise ParameterError(
            f"{path}: has no cell in it: a cell is a class derived from "
            "amaranth.lib.wiring.Component"
        )
    for cell, cls in found.items():
        register_cell(cell, cls)
        _FILES[cell] = path, cls
    return found


def cells_in(module: ModuleType) -> dict[str, type]:
    """Public component classes that :py:`module` itself defines."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, wiring.Component)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }


def fault(error: BaseException, path: Path) -> str:
    """One line on an error in a user's file: its kind, what it says, and the line of the file."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    if isinstance(error, SyntaxError):
        lines, text = [error.lineno], error.msg
    else:
        text = " ".join(str(error).split())
    where = f", line {lines[-1]}" if lines and lines[-1] else ""
    return f"{type(error).__name__}: {text}{where}" if text else f"{type(error).__name__}{where}"


def all_cells() -> tuple[FoundCell, ...]:
    """Every cell there is: ours, then those of installed packages, then those of loaded files."""
    package = importlib.import_module("spintron_hw.cells")
    found = []
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        found += [_found(name, "spintron_hw", cls) for name, cls in cells_in(module).items()]
    for point in offered_cells():
        origin = point.dist.name if point.dist else point.value
        try:
            found.append(_found(point.name, origin, find_cell(point.name)))
        except NetworkError as error:
            found.append(FoundCell(point.name, origin, None, str(error)))
    found += [_found(name, str(path), cls) for name, (path, cls) in _FILES.items()]
    return tuple(found)


def _found(name: str, origin: str, cls: type) -> FoundCell:
    text = inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0]
    return FoundCell(name, origin, cls, " ".join(text.split()))
