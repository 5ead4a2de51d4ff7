"""The cell from which users start their own."""

from __future__ import annotations

import ast
import keyword
import os
import sys
from importlib.resources import files
from pathlib import Path

import jinja2

from spintron_ir.errors import ParameterError

__all__ = ["class_name", "file_name", "new_cell"]


def file_name(name: str) -> str:
    """File of a cell: words in small letters.

    >>> file_name("MySenseAmp"), file_name("my_sense_amp"), file_name("ColumnADC")
    ('my_sense_amp.py', 'my_sense_amp.py', 'column_adc.py')
    """
    letters = []
    for index, letter in enumerate(name):
        before, after = name[index - 1 : index], name[index + 1 : index + 2]
        new_word = letter.isupper() and (
            before.islower() or before.isdigit() or (before.isupper() and after.islower())
        )
        letters.append(("_" if new_word else "") + letter.lower())
    return "".join(letters) + ".py"


def class_name(name: str) -> str:
    """Class of a cell: words with capitals.

    >>> class_name("my_sense_amp"), class_name("MySenseAmp")
    ('MySenseAmp', 'MySenseAmp')
    """
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def new_cell(name: str, folder: str | os.PathLike[str] = ".") -> Path:
    """Write a commented, working cell into :py:`folder`: a sense amplifier with a dead zone.

    Parameters
    ----------
    name : str
        Name of the cell, as ``my_sense_amp`` or ``MySenseAmp``: the file gets the first form,
        the class the second.
    folder : path-like
        An existing folder.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ParameterError
        If the name cannot be that of a file and a class, or there is such a file.
    """
    valid = name.isidentifier() and name.isascii() and not name.startswith("_")
    if not valid or keyword.iskeyword(name):
        raise ParameterError(
            "cells new: NAME must be letters, digits and underscores and start with a letter, "
            f"not {name!r}"
        )
    path, cls = Path(folder) / file_name(name), class_name(name)
    template = files("spintron_hw.build").joinpath("templates", "cell.py.j2").read_text("utf8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    text = environment.from_string(template).render(name=cls, file=path.name)
    if keyword.iskeyword(cls) or cls in _imported(text) or path.stem in _modules(text):
        raise ParameterError(
            f"cells new: {path.name} with the class {cls} would hide what Python or the cell "
            "itself calls so; choose another name"
        )
    try:
        with path.open("x", encoding="utf8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ParameterError(
            f"cells new: {path} exists already; choose another name, or move the file away"
        ) from error
    except OSError as error:
        raise ParameterError(
            f"cells new: {path} cannot be written ({error.strerror}); name a folder that you may "
            "write to"
        ) from error
    return path


def _imports(text: str) -> list[ast.Import | ast.ImportFrom]:
    nodes = ast.walk(ast.parse(text))
    return [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]


def _imported(text: str) -> set[str]:
    """Names that the imports of a file bind."""
    return {alias.asname or alias.name for node in _imports(text) for alias in node.names}


def _modules(text: str) -> set[str]:
    """Modules that a file beside it must not hide: those it imports, and Python's own."""
    found = set(sys.stdlib_module_names)
    for node in _imports(text):
        whole = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        found |= {str(module).split(".")[0] for module in whole}
    return found
