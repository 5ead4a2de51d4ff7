"""Measured tables: columns of numbers from CSV or npz files, and what their names say they are."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError, check_choice

__all__ = ["KINDS", "MeasuredTable", "load_table"]

Reals = NDArray[np.float64]

LARGEST_FILE = 1 << 26
"""Bytes of a table, unpacked."""

KINDS = {
    "steps": ("conductance", "quantile", "delta_conductance"),
    "switching": ("voltage", "probability"),
    "bias": ("voltage", "resistance_ap"),
    "resistances": ("resistance_p", "resistance_ap"),
}
"""Columns that a table of each kind must have; the first kind that matches is meant."""


@dataclass(frozen=True, eq=False)
class MeasuredTable:
    """Columns of one file.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    kind : str
        One of :data:`KINDS`.
    columns : mapping of str to array
        Numbers by name.
    source : str
        Name of the file and the beginning of its SHA-256, for the card.
    """

    path: Path
    kind: str
    columns: Mapping[str, NDArray[np.generic]]
    source: str

    def reals(self, name: str) -> Reals:
        """Column of finite numbers.

        Raises
        ------
        ParameterError
            If it is missing or holds anything else.
        """
        column = self.columns.get(name)
        if column is None:
            raise _refusal(self.path, f"must have a column {name}, not only {self._names}")
        if column.dtype.kind not in "iuf" or not np.isfinite(column.astype(np.float64)).all():
            raise _refusal(self.path, f"column {name} must hold finite numbers alone")
        return column.astype(np.float64)

    @property
    def _names(self) -> str:
        return ", ".join(self.columns)


def load_table(path: Path, kind: str | None = None) -> MeasuredTable:
    """Read a table; nothing in it is executed or unpickled.

    Parameters
    ----------
    path : path
        ``.csv`` with a line of names and lines of numbers in SI units, or ``.npz`` with an array
        for each name. A ``.csv`` of steps has the heading that ``StepTable.load`` describes.
    kind : str, optional
        What it is; by its columns where left out.

    Raises
    ------
    ParameterError
        If it cannot be read, or its columns are of no kind.
    """
    if kind is not None:
        check_choice("load_table", "kind", kind, tuple(KINDS))
    readers = {".csv": _read_csv, ".npz": _read_npz}
    if path.suffix not in readers:
        raise ParameterError(f"{path.name}: a table must be a .csv or .npz file; convert it")
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        columns = readers[path.suffix](path)
    except (OSError, ValueError, EOFError, csv.Error, zipfile.BadZipFile, MemoryError) as error:
        if isinstance(error, ParameterError):
            raise
        raise _refusal(path, f"must be a readable table of numbers ({error})") from error
    found = kind or _kind(path, columns)
    return MeasuredTable(path, found, columns, f"{path.name}, sha256 {digest}")


def _kind(path: Path, columns: Mapping[str, NDArray[np.generic]]) -> str:
    for kind, wanted in KINDS.items():
        if set(wanted) <= set(columns) or (kind == "steps" and next(iter(columns)) == wanted[0]):
            return kind
    kinds = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in KINDS.items())
    raise _refusal(
        path, f"must have the columns of one kind ({kinds}), not {', '.join(columns)[:200]}"
    )


def _read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    with zipfile.ZipFile(path) as archive:
        _check_size(path, sum(member.file_size for member in archive.infolist()))
    with np.load(path, allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    if not found:
        raise ValueError("it has no array")
    return found


def _read_csv(path: Path) -> dict[str, NDArray[np.generic]]:
    _check_size(path, path.stat().st_size)
    with path.open(encoding="utf8", newline="") as file:
        lines = [line for line in csv.reader(file) if line and not line[0].startswith("#")]
    if len(lines) < 2 or any(len(line) != len(lines[0]) for line in lines):
        raise ValueError("a line of names, then lines with as many numbers")
    numbers = np.array([[float(entry) for entry in line] for line in lines[1:]])
    return {name.strip(): numbers[:, index] for index, name in enumerate(lines[0])}


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST_FILE:
        raise _refusal(path, f"must have at most {LARGEST_FILE} bytes, not {size}; split it")


def _refusal(path: Path, message: str) -> ParameterError:
    return ParameterError(f"{path.name}: {message}")
