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
from ..requantise import Requantiser, product_bound
from ..types import Interval, IntType
from .base import UnaryLayer

__all__ = ["Quantise", "check_channels"]


def check_channels(owner: str, shape: tuple[int, ...], requantise: Requantiser) -> None:
    """Raise :exc:`ParameterError` unless the requantiser has a number of channels for the shape."""
    count = math.prod(shape)
    if requantise.cols not in (1, shape[-1], count):
        raise ParameterError(
            f"{owner}: requantise must have one channel, one for each of the {shape[-1]} channels "
            f"of the last axis or one for each of the {count} values, not {requantise.cols}"
        )


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Quantise(UnaryLayer):
    """Requantise each value by itself: with thresholds, any monotone function of single values.

    Parameters
    ----------
    in_shape : tuple of int, 1 to 8 sizes
        Shape of the input, at most ``2**24`` values.
    input : IntType, at most 48 bits
        Type of the values.
    requantise : MulShift, Thresholds, Table or TFLite
        One channel that all values share, one for each channel of the last axis, or one for each
        value in row-major order.

    Raises
    ------
    ParameterError
        If a field is outside its range, fields contradict each other, or a product could leave
        63 bits.

    Examples
    --------
    >>> from spintron_ir import Thresholds
    >>> step = Thresholds(thresholds=[[2, 5]], sign=[1], low=0, type=IntType(2))
    >>> Quantise(in_shape=(3,), input=IntType(3), requantise=step).run([[1, 2, 7]]).tolist()
    [[0, 1, 2]]
    """

    kind: ClassVar[str] = "quantise"

    in_shape: tuple[int, ...]
    input: IntType
    requantise: Requantiser

    def check(self) -> None:
        """Check the fields against each other."""
        check_shape("Quantise", "in_shape", self.in_shape)
        if self.input.bits > 48:
            raise ParameterError(
                f"Quantise: input must have at most 48 bits, not {self.input.bits}"
            )
        check_channels("Quantise", self.in_shape, self.requantise)
        bound = product_bound(self.requantise, Interval(self.input.low, self.input.high))
        if bound >= 1 << 62:
            raise ParameterError(
                f"Quantise: every product must stay below 2**62, not reach {bound}: "
                "use fewer bits or smaller multipliers"
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
