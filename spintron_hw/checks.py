"""Checks of the arguments of cells: types and tables of constants."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

__all__ = ["check_table", "check_type"]


def check_type(owner: str, name: str, value: Any, bits: int) -> IntType:
    """Return :py:`value` if it is an :class:`IntType` of at most :py:`bits` bits.

    Raises
    ------
    ParameterError
        Otherwise.
    """
    if not isinstance(value, IntType) or value.bits > bits:
        raise ParameterError(
            f"{owner}: {name} must be an IntType of at most {bits} bits, not {value!r}"
        )
    return value


def check_table(
    owner: str,
    name: str,
    value: Any,
    low: int,
    high: int,
    shape: tuple[int | None, ...] = (None, None),
) -> NDArray[np.int64]:
    """Return :py:`value` as an array, if it holds integers in :py:`low..high`.

    Parameters
    ----------
    owner, name : str
        For the message.
    value : array of int
        What was given.
    low, high : int
        Least and greatest entry allowed.
    shape : tuple of int or None
        Shape it must have; None for an axis of any length from 1.

    Raises
    ------
    ParameterError
        If shape, kind or an entry is wrong.
    """
    table = np.asarray(value)
    fits = table.ndim == len(shape) and all(
        found == wanted if wanted is not None else found > 0
        for found, wanted in zip(table.shape, shape)
    )
    if not fits:
        wanted = ", ".join("any" if axis is None else str(axis) for axis in shape)
        raise ParameterError(
            f"{owner}: {name} must be an array of shape ({wanted}), not of shape {table.shape}"
        )
    if not np.issubdtype(table.dtype, np.integer):
        raise ParameterError(f"{owner}: {name} must hold integers, not {table.dtype}")
    least, most = int(table.min()), int(table.max())
    if least < low or most > high:
        raise ParameterError(f"{owner}: {name} must lie in {low}..{high}, not in {least}..{most}")
    return table.astype(np.int64)
