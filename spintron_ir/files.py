"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import ParameterError

__all__ = ["inside", "write_atomic"]


def write_atomic(path: str | os.PathLike[str], data: str | bytes) -> Path:
    """Write :py:`data` to :py:`path`, whole or not at all.

    The data go to a new file beside :py:`path`, which then takes its name. A process that is
    killed, or two that write the same path, leave one whole file. Text is UTF-8 with the line ends
    it has. The folder must exist.

    Returns
    -------
    pathlib.Path
        :py:`path`.

    Raises
    ------
    ParameterError
        If the file cannot be written.
    """
    path = Path(path)
    if isinstance(data, str):
        data = data.encode()
    try:
        _write(path, data)
    except OSError as error:
        raise ParameterError(
            f"{path}: the file cannot be written ({error.strerror}); name a file in a folder "
            "that exists and is writable"
        ) from error
    return path


def _write(path: Path, data: bytes) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def inside(folder: str | os.PathLike[str], name: str) -> Path:
    """Return the path of file :py:`name` in :py:`folder`.

    Raises
    ------
    ParameterError
        If :py:`name` is not a plain file name, so that the file could lie elsewhere.

    Examples
    --------
    >>> inside("out", "top.v").as_posix()
    'out/top.v'
    """
    if not name or name in (".", "..") or any(mark in name for mark in "/\\:\0"):
        raise ParameterError(
            f"a generated file must have a plain file name without folders, not {name!r}"
        )
    return Path(folder) / name


def _umask() -> int:
    """Permission bits that new files of this process do not get."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
