# amaranth: UnusedElaboratable=no
"""A layer that a third party's hardware cell computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import NetworkError, ParameterError, check_int
from ..plugins import find_cell
from ..record import register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["Cell"]


def _plain(name: str, value: Any) -> Any:
    """A parameter as a network file keeps it: plain integers, truth values, text, tuples."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(_plain(name, part) for part in value)
    if isinstance(value, (int, np.integer)):
        return check_int("Cell", f"parameter {name}", value, -(1 << 63), (1 << 64) - 1)
    raise ParameterError(
        f"Cell: parameter {name} must be an integer, bool, text or a tuple of such, not {value!r}"
    )


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Cell(UnaryLayer):
    """What :py:`compute` of a hardware cell says: one beat of a whole frame in, one out.

    The cell's class is looked up by :func:`spintron_ir.plugins.find_cell` when it is first needed:
    a network that names an unknown cell can be read and shown, but not run.

    Parameters
    ----------
    cell : str
        Name of the cell.
    parameters : dict of str to int, bool, str or tuple
        Arguments of the cell's class.
    input : IntType, at most 63 bits where unsigned
        Type of the inputs.
    length : int, 1..65536
        Values of a frame: lanes of the cell's stream :py:`i`.
    type : IntType, at most 63 bits where unsigned
        Type of the outputs.
    outputs : int, 1..65536
        Results of a frame: lanes of the cell's stream :py:`o`.
    """

    kind: ClassVar[str] = "cell"

    cell: str
    parameters: tuple[Any, ...] = ()
    input: IntType
    length: int
    type: IntType
    outputs: int

    def __post_init__(self) -> None:
        given = self.parameters
        parts: Any = given.items() if isinstance(given, Mapping) else given
        pairs: list[Any] = list(parts) if hasattr(parts, "__iter__") else [parts]
        if not all(
            isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)
            for pair in pairs
        ) or len(dict(pairs)) != len(pairs):
            raise ParameterError(f"Cell: parameters must map names to values, not {given!r}")
        pairs = sorted((name, _plain(name, value)) for name, value in dict(pairs).items())
        object.__setattr__(self, "parameters", tuple(pairs))
        super().__post_init__()

    def check(self) -> None:
        """Check the fields."""
        if not isinstance(self.cell, str) or not self.cell.isidentifier():
            raise ParameterError(f"Cell: cell must be the name of a class, not {self.cell!r}")
        for name, type_ in (("input", self.input), ("type", self.type)):
            check_int("Cell", f"{name}.bits", type_.bits, 1, 63 + type_.signed)
        check_int("Cell", "length", self.length, 1, 1 << 16)
        check_int("Cell", "outputs", self.outputs, 1, 1 << 16)

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return (self.length,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output."""
        return (self.outputs,)

    def make(self) -> Any:
        """Return a new instance of the cell: a hardware component with :py:`compute`."""
        try:
            return find_cell(self.cell)(**dict(self.parameters))
        except TypeError as error:
            raise NetworkError(f"cell {self.cell!r} refuses its parameters: {error}") from error

    @cached_property
    def instance(self) -> Any:
        """The instance that :meth:`run` asks."""
        return self.make()

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, outputs)`` of inputs ``(batch, length)``."""
        x = as_int(x)
        if not len(x):
            return np.empty((0, self.outputs), dtype=np.int64)
        found = np.asarray(self.instance.compute(x))
        wanted = (
            f"cell {self.cell!r}: compute must return {self.type} of shape {len(x), *self.shape}"
        )
        if found.shape != (len(x), self.outputs) or not np.issubdtype(found.dtype, np.integer):
            raise NetworkError(f"{wanted}, not {found.dtype} of shape {found.shape}")
        low, high = int(found.min()), int(found.max())
        if low < self.type.low or high > self.type.high:
            raise NetworkError(f"{wanted}, not values in {low}..{high}")
        return as_int(found)
