"""Measured conductance steps: quantiles of the change of one pulse, over conductance."""

from __future__ import annotations

import csv
import math
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_choice

from ..checks import check_real, check_reals

__all__ = ["DIRECTIONS", "StepTable"]

Reals = NDArray[np.float64]

DIRECTIONS = ("increasing", "decreasing")
"""Ways that a pulse can push the wall, by what it does to the conductance."""

LARGEST_FILE = 1 << 26
"""Bytes of a table's arrays or text beyond which a file is refused."""

DROP = 0.05
"""Share of a table's spread by which quantiles may fall before the table is refused."""

UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,  # a heading may claim more than there is
    RuntimeError,  # encrypted, or packed in a way that Python cannot unpack
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged or hostile file can raise."""

COLUMNS = ("conductance", "quantile", "delta_conductance")


@dataclass(frozen=True, eq=False)
class StepTable:
    """Quantiles of the conductance change per pulse, as measured or from micromagnetics.

    Quantiles that were interpolated one by one may cross by a little: where a column falls by no
    more than 5 % of the table's spread it is sorted, beyond that the table is refused.

    Parameters
    ----------
    conductance : (n,) array, siemens, above 0, rising
        Conductance before the pulse.
    quantile : (q,) array, in 0..1, rising
        Probabilities of the quantiles.
    delta_conductance : (q, n) array, siemens
        Change by one pulse that is not exceeded with that probability; signed.
    temperature : float, kelvin, at least 0
    direction : str, "increasing" or "decreasing"
        What the pulse is meant to do to the conductance.

    Examples
    --------
    >>> table = StepTable(conductance=[60e-6, 100e-6], quantile=[0.25, 0.5, 0.75],
    ...                   delta_conductance=[[3e-6, 3e-6], [4e-6, 4e-6], [6e-6, 5e-6]],
    ...                   temperature=300, direction="increasing")
    >>> float(table.at(0.75, 80e-6))
    5.5e-06
    """

    conductance: ArrayLike
    quantile: ArrayLike
    delta_conductance: ArrayLike
    temperature: float
    direction: str

    def __post_init__(self) -> None:
        conductance = check_reals("StepTable", "conductance", self.conductance, "above 0", "S")
        quantile = check_reals("StepTable", "quantile", self.quantile, "in 0..1")
        delta = check_reals("StepTable", "delta_conductance", self.delta_conductance, unit="S")
        temperature = check_real(
            "StepTable", "temperature", self.temperature, "at least 0", "kelvin"
        )
        check_choice("StepTable", "direction", self.direction, DIRECTIONS)
        for name, value in (("conductance", conductance), ("quantile", quantile)):
            if value.ndim != 1 or value.size < 2 or (np.diff(value) <= 0).any():
                raise ParameterError(
                    f"StepTable: {name} must be at least two rising numbers; sort them and drop "
                    "those that repeat"
                )
        if delta.shape != (quantile.size, conductance.size):
            raise ParameterError(
                "StepTable: delta_conductance must have one row a quantile and one column a "
                f"conductance, ({quantile.size}, {conductance.size}), not {delta.shape}; "
                "transpose it where they are exchanged"
            )
        drop, spread = float(-np.diff(delta, axis=0).min()), float(np.ptp(delta))
        if drop > DROP * spread:
            raise ParameterError(
                "StepTable: delta_conductance must rise with the quantile, and it falls by "
                f"{drop:.3g} S in a table that spans {spread:.3g} S; check the order of the rows"
            )
        values = (conductance, quantile, np.sort(delta, axis=0), temperature)
        names = (*COLUMNS, "temperature")
        for name, found in zip(names, values):
            object.__setattr__(self, name, found)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, temperature: float, direction: str) -> StepTable:
        """Read a table from a file; nothing in it is executed.

        Parameters
        ----------
        path : path
            Either ``.npz`` with the arrays ``conductance``, ``quantile`` and
            ``delta_conductance``, or ``.csv`` with a heading of ``conductance`` and the
            probabilities, as ``conductance,0.16,0.5,0.84``, and one line a conductance.
        temperature : float, kelvin
        direction : str, "increasing" or "decreasing"

        Raises
        ------
        ParameterError
            If the file is no such table.
        """
        path = Path(path)
        readers = {".npz": _read_npz, ".csv": _read_csv}
        if path.suffix not in readers:
            raise ParameterError(
                f"StepTable: a table must be a .npz or .csv file, not {path.name!r}"
            )
        try:
            found = readers[path.suffix](path)
        except UNREADABLE as error:
            if isinstance(error, ParameterError):
                raise
            raise ParameterError(
                f"StepTable: {path.name} must be a readable table with {', '.join(COLUMNS)}, and "
                f"it is not: {error}"
            ) from error
        return cls(**found, temperature=temperature, direction=direction)

    def at(self, probability: ArrayLike, conductance: ArrayLike) -> Reals:
        """Change of conductance at a probability, siemens, linear between the entries.

        Parameters
        ----------
        probability : float or array, in 0..1
            Beyond the outermost quantiles the outermost value stands.
        conductance : float or array, siemens
            Broadcasts with the probability; beyond the table its end column stands.
        """
        wanted = check_reals("StepTable.at", "probability", probability, "in 0..1")
        place = check_reals("StepTable.at", "conductance", conductance, "above 0", "S")
        rows, row_share = _between(self.quantile, wanted)
        columns, column_share = _between(self.conductance, place)
        delta = np.asarray(self.delta_conductance)
        low, high = (
            delta[row, columns] * (1 - column_share) + delta[row, columns + 1] * column_share
            for row in (rows, rows + 1)
        )
        return np.asarray(low * (1 - row_share) + high * row_share)

    def select(self, columns: Any) -> StepTable:
        """A table of some of the conductances: a slice, indices or a mask of them."""
        return StepTable(
            conductance=np.asarray(self.conductance)[columns],
            quantile=self.quantile,
            delta_conductance=np.asarray(self.delta_conductance)[:, columns],
            temperature=self.temperature,
            direction=self.direction,
        )


def _between(grid: ArrayLike, value: Reals) -> tuple[NDArray[np.intp], Reals]:
    """Index of the entry below and the share of the way to the next one."""
    grid = np.asarray(grid)
    index = np.clip(np.searchsorted(grid, value, side="right") - 1, 0, grid.size - 2)
    share = (value - grid[index]) / (grid[index + 1] - grid[index])
    return index, np.clip(share, 0, 1)


def _read_npz(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        _check_size(path, sum(member.file_size for member in archive.infolist()))
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in COLUMNS}


def _read_csv(path: Path) -> dict[str, Any]:
    _check_size(path, path.stat().st_size)
    with path.open(encoding="utf8", newline="") as file:
        rows = [line for line in csv.reader(file) if line]
    if not rows:
        raise ValueError("the file is empty")
    heading, *lines = rows
    if heading[0].strip() != "conductance" or any(len(line) != len(heading) for line in lines):
        raise ValueError("the heading is conductance and probabilities, and every line is as long")
    numbers = np.array([[float(entry) for entry in line] for line in lines]).reshape(
        len(lines), len(heading)
    )
    quantile = [float(entry) if entry.strip() else math.nan for entry in heading[1:]]
    return {
        "conductance": numbers[:, 0],
        "quantile": quantile,
        "delta_conductance": numbers[:, 1:].T,
    }


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST_FILE:
        raise ParameterError(
            f"StepTable: {path.name} must have at most {LARGEST_FILE} bytes, not {size}; a table "
            "has a few hundred numbers"
        )
