"""Files of the commands: networks in, arrays and reports out."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spintron_ir.errors import ParameterError
from spintron_ir.network import Network

from .console import plain

__all__ = [
    "load_array",
    "load_arrays",
    "load_cells",
    "load_network",
    "made_folder",
    "write_arrays",
    "write_json",
    "writing",
]


def load_cells(files: Sequence[Path]) -> None:
    """Make the hardware cells of :py:`files` known, so that networks may name them."""
    if files:
        from spintron_hw.cells.registry import load_file

        known: dict[str, Path] = {}
        for file in files:
            for name in load_file(file):
                if known.setdefault(name, file) != file:
                    raise ParameterError(
                        f"--cells: {known[name]} and {file} both have a cell {name}; rename one"
                    )


def load_network(path: Path, cell_files: Sequence[Path] = ()) -> Network:
    """Read a network file, after the cells that it may name."""
    load_cells(cell_files)
    return Network.load(path)


def load_arrays(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """Read a ``.npy`` or ``.npz`` file without unpickling anything.

    Raises
    ------
    ParameterError
        If it is no such file, is cut off, or holds Python objects.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise ParameterError(
            f"{path}: must be a .npy or .npz file of numbers, written by numpy.save ({error})"
        ) from error


def load_array(path: Path) -> np.ndarray:
    """Read a ``.npy`` file without unpickling anything."""
    loaded = load_arrays(path)
    if isinstance(loaded, dict):
        raise ParameterError(f"{path}: must be a .npy file with one array, not an .npz file")
    return loaded


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write :py:`path` into one line that names it."""
    try:
        yield
    except OSError as error:
        raise ParameterError(
            f"{path}: cannot be written ({error.strerror}); name a folder that you may write to"
        ) from error


def made_folder(path: Path) -> Path:
    """Return :py:`path` as a folder, made where it is missing."""
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_json(path: Path, payload: dict[str, Any]) -> Path:
    """Write :py:`payload` as JSON, keys in the order given."""
    with writing(path):
        path.write_text(json.dumps(plain(payload), indent=2, allow_nan=False) + "\n")
    return path


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """Write one array as ``.npy``, or several as ``.npz``; the same arrays give the same bytes."""
    wanted = ".npy" if len(arrays) == 1 else ".npz"
    if path.suffix != wanted:
        raise ParameterError(
            f"{path}: must end in {wanted}: the network has {len(arrays)} "
            f"output{'s' if len(arrays) > 1 else ''}"
        )
    data = io.BytesIO()
    if len(arrays) == 1:
        np.save(data, next(iter(arrays.values())), allow_pickle=False)
    else:
        np.savez(data, allow_pickle=False, **arrays)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.getvalue())
    return path
