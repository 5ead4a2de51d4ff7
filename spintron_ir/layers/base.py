"""What every layer offers to the network, the mapper and the gateware."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..record import Record
from ..types import IntType

__all__ = ["InPort", "Layer", "UnaryLayer"]

InPort = tuple[tuple[int, ...], IntType]
"""Shape and type that a layer takes."""


@runtime_checkable
class Layer(Protocol):
    """A pure function from an integer array to another, with fixed shapes and types."""

    kind: ClassVar[str]

    @property
    def in_ports(self) -> tuple[InPort, ...]:
        """Shape, without the batch, and type of every input."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output, without the batch."""

    @property
    def type(self) -> IntType:
        """Type of every output value."""

    def run(self, *inputs: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, *shape)`` of the inputs, each ``(batch, *its shape)``.

        Frames are numbered from :py:`first_frame`: read noise depends on the number.
        """


class UnaryLayer(Record):
    """A layer with one input, of :py:`in_shape` and type :py:`input`."""

    in_shape: Any
    input: IntType

    @property
    def in_type(self) -> IntType:
        """Type of every input value."""
        return self.input

    @property
    def in_ports(self) -> tuple[InPort, ...]:
        """Shape and type of the input."""
        return ((tuple(self.in_shape), self.in_type),)
