"""A folder that is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from spintron_ir.errors import ParameterError

__all__ = ["check_folder", "whole_folder"]

_MARK = "report.json"


@contextlib.contextmanager
def whole_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder to work in, which takes the name :py:`folder` if all goes well.

    If not, it goes away, and whatever was at :py:`folder` before is untouched. Only an empty folder
    or an earlier build, which has a ``report.json``, is replaced.

    Raises
    ------
    ParameterError
        If :py:`folder` holds something else, or cannot be made.
    """
    folder = Path(folder)
    check_folder(folder)
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    except OSError as error:
        raise ParameterError(
            f"{folder}: the folder cannot be made ({error.strerror}); name one in a folder that is "
            "writable"
        ) from error
    try:
        yield work
        check_folder(folder)
        work.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=work.parent))
            folder.replace(old)
            work.replace(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            work.replace(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def check_folder(folder: str | os.PathLike[str]) -> None:
    """Raise :exc:`ParameterError` if :py:`folder` is not one to build in."""
    folder = Path(folder)
    if folder.exists() and not (
        folder.is_dir() and ((folder / _MARK).is_file() or not any(folder.iterdir()))
    ):
        raise ParameterError(
            f"{folder}: must be a new or empty folder or an earlier build, which has a {_MARK}; it "
            "holds something else, so name another one"
        )
