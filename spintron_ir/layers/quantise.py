"""Values to codes, one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_shape
from ..record import register
from ..requantise import Thresholds
from ..types import IntType
from .base import UnaryLayer

__all__ = ["Quantise"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Quantise(UnaryLayer):
    """Count the thresholds that each value reaches: any monotone function of single values.

    Parameters
    ----------
    in_shape : tuple of int, 1 to 8 sizes
        Shape of the input, at most ``2**24`` values.
    input : IntType, at most 48 bits
        Type of the values.
    requantise : Thresholds
        Thresholds of each value in row-major order, or of one channel that all values share.

    Examples
    --------
    >>> step = Thresholds(thresholds=[[2, 5]], sign=[1], low=0, type=IntType(2))
    >>> Quantise(in_shape=(3,), input=IntType(3), requantise=step).run([[1, 2, 7]]).tolist()
    [[0, 1, 2]]
    """

    kind: ClassVar[str] = "quantise"

    in_shape: tuple[int, ...]
    input: IntType
    requantise: Thresholds

    def check(self) -> None:
        """Check the fields against each other."""
        check_shape("Quantise", "in_shape", self.in_shape)
        if self.input.bits > 48:
            raise ParameterError(
                f"Quantise: input must have at most 48 bits, not {self.input.bits}"
            )
        count = math.prod(self.in_shape)
        if self.requantise.cols not in (1, count):
            raise ParameterError(
                f"Quantise: requantise must have one channel or one for each of the {count} "
                f"values, not {self.requantise.cols}"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output: that of the input."""
        return tuple(self.in_shape)

    @property
    def type(self) -> IntType:
        """Type of every output value."""
        return self.requantise.type

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Codes of the inputs, each ``(batch, *in_shape)``."""
        x = as_int(x)
        return self.requantise.run(x.reshape(-1, self.requantise.cols)).reshape(x.shape)
