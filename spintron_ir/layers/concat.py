"""Several inputs, one after the other along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_int, check_shape
from ..record import Record, register
from ..types import IntType
from .base import InPort
from .join import check_inputs

__all__ = ["Concat"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(Record):
    """Inputs side by side along an axis, their values unchanged.

    Parameters
    ----------
    inputs : tuple of IntType, 1 to 64, at most 62 bits
        Type of each input.
    in_shapes : tuple of tuple of int
        Shape of each input; they differ in the size of the axis only.
    axis : int
        The axis, counted from 0.

    Raises
    ------
    ParameterError
        If a field is outside its range, or the shapes do not fit together.

    Examples
    --------
    >>> both = Concat(inputs=(IntType(2), IntType(3)), in_shapes=((1,), (2,)), axis=0)
    >>> both.run([[3]], [[6, 7]]).tolist(), both.type
    ([[3, 6, 7]], IntType(bits=3, signed=False))
    """

    kind: ClassVar[str] = "concat"

    inputs: tuple[IntType, ...]
    in_shapes: tuple[tuple[int, ...], ...]
    axis: int

    def check(self) -> None:
        """Check the fields against each other."""
        check_inputs("Concat", self.inputs, 62)
        if len(self.in_shapes) != len(self.inputs):
            raise ParameterError(
                f"Concat: in_shapes must have a shape for each of the {len(self.inputs)} inputs, "
                f"not {len(self.in_shapes)}"
            )
        for number, shape in enumerate(self.in_shapes):
            check_shape("Concat", f"in_shapes[{number}]", shape)
        first = self.in_shapes[0]
        axis = check_int("Concat", "axis", self.axis, 0, len(first) - 1)
        others = [(len(shape), shape[:axis], shape[axis + 1 :]) for shape in self.in_shapes]
        for number, shape in enumerate(self.in_shapes):
            if others[number] != others[0]:
                raise ParameterError(
                    f"Concat: in_shapes must be equal but for axis {axis}, but the first is "
                    f"{first} and in_shapes[{number}] is {shape}"
                )
        check_shape("Concat", "its output", self.shape)

    @property
    def in_ports(self) -> tuple[InPort, ...]:
        """Shape and type of every input."""
        return tuple(zip(self.in_shapes, self.inputs, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output."""
        sizes = list(self.in_shapes[0])
        sizes[self.axis] = sum(shape[self.axis] for shape in self.in_shapes)
        return tuple(sizes)

    @property
    def type(self) -> IntType:
        """The narrowest type that holds the values of all inputs."""
        lows, highs = zip(*((type_.low, type_.high) for type_ in self.inputs), strict=True)
        return IntType.of_range(min(lows), max(highs))

    def run(self, *inputs: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, *shape)`` of inputs, each ``(batch, *its shape)``."""
        return np.concatenate([as_int(x) for x in inputs], axis=self.axis + 1)
