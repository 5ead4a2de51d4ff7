"""One value a channel from all values of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_choice, check_int, check_shape
from ..record import register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["MODES", "Pool"]

MODES = ("max", "sum")
"""What a pool makes of the values of a channel."""


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Pool(UnaryLayer):
    """The largest value of each channel in each window, or their exact sum.

    Parameters
    ----------
    input : IntType, at most 32 bits
        Type of the values.
    in_shape : tuple of int, ``(positions, places * channels)``
        Windows as a :class:`~spintron_ir.layers.window.Window` gives them, channels last.
    channels : int
        Number of channels; a position has one value of each.
    mode : str
        ``max`` or ``sum``. An average is a sum and a requantiser behind it, which says how it
        rounds.

    Raises
    ------
    ParameterError
        If a field is outside its range or the channels do not divide the windows.

    Examples
    --------
    >>> pool = Pool(input=IntType(4), in_shape=(1, 4), channels=2, mode="max")
    >>> pool.run([[[1, 9, 7, 2]]]).tolist()
    [[[7, 9]]]
    """

    kind: ClassVar[str] = "pool"

    input: IntType
    in_shape: tuple[int, ...]
    channels: int
    mode: str

    def check(self) -> None:
        """Check the fields against each other."""
        check_int("Pool", "input.bits", self.input.bits, 1, 32)
        check_choice("Pool", "mode", self.mode, MODES)
        check_shape("Pool", "in_shape", self.in_shape)
        if len(self.in_shape) != 2:
            raise ParameterError(
                f"Pool: in_shape must be (positions, places * channels), not {self.in_shape}"
            )
        check_int("Pool", "channels", self.channels, 1, self.in_shape[1])
        if self.in_shape[1] % self.channels:
            raise ParameterError(
                f"Pool: channels must divide the {self.in_shape[1]} values of a window, "
                f"not be {self.channels}"
            )

    @property
    def places(self) -> int:
        """Values of a channel in a window."""
        return self.in_shape[1] // self.channels

    @property
    def shape(self) -> tuple[int, ...]:
        """Positions and channels."""
        return self.in_shape[0], self.channels

    @property
    def type(self) -> IntType:
        """Type of the largest value, or of the sum."""
        if self.mode == "max":
            return self.input
        return IntType.of_range(self.input.low * self.places, self.input.high * self.places)

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Values of each position, shape ``(batch, positions, channels)``."""
        x = as_int(x)
        x = x.reshape(len(x), self.in_shape[0], self.places, self.channels)
        return x.max(axis=2) if self.mode == "max" else x.sum(axis=2)
