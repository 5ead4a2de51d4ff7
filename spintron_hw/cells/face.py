# amaranth: UnusedElaboratable=no
"""What a cell must show to stand in a network: a vector in, a vector out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amaranth import Shape
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from spintron_ir import Cell
from spintron_ir.errors import ParameterError
from spintron_ir.plugins import find_cell
from spintron_ir.types import IntType

from ..payload import layout_of

__all__ = ["Face", "face_of", "layer_of"]


@dataclass(frozen=True)
class Face:
    """Types and lanes of the two streams of a cell.

    Attributes
    ----------
    input : IntType
        Type of a lane of stream :py:`i`.
    length : int
        Lanes of stream :py:`i`.
    type : IntType
        Type of a lane of stream :py:`o`.
    outputs : int
        Lanes of stream :py:`o`.
    """

    input: IntType
    length: int
    type: IntType
    outputs: int


def face_of(cell: Any) -> Face:
    """Face of a cell, an instance of its class.

    Raises
    ------
    ParameterError
        If it has no stream ``i`` in and ``o`` out, or they carry no vectors of integers.
    """
    return Face(*_vector(cell, "i", In), *_vector(cell, "o", Out))


def _vector(cell: Any, name: str, flow: Any) -> tuple[IntType, int]:
    owner = type(cell).__name__
    direction = "in" if flow is In else "out"
    members = dict(cell.signature.members) if hasattr(cell, "signature") else {}
    member = members.get(name)
    if (
        member is None
        or member.flow is not flow
        or not member.is_signature
        or not isinstance(member.signature, stream.Signature)
    ):
        raise ParameterError(f"{owner}: the signature must have a stream {name}, {direction}")
    layout = layout_of(member.signature.members["payload"].shape)
    lane = layout_of(layout.elem_shape) if isinstance(layout, data.ArrayLayout) else layout
    if not isinstance(layout, data.ArrayLayout) or isinstance(lane, data.Layout):
        raise ParameterError(
            f"{owner}: the payload of stream {name} must be a vector of integers, as "
            f"spintron_hw.stream.vector makes, not {layout!r}"
        )
    shape = Shape.cast(lane)
    return IntType(shape.width, shape.signed), layout.length


def layer_of(cell: str, /, **parameters: Any) -> Cell:
    """Layer in which the cell of this name stands with these arguments.

    Types and sizes are those of the cell's streams.

    Raises
    ------
    NetworkError
        If there is no such cell.
    ParameterError
        If it refuses its arguments, or has not the streams that a network needs.
    """
    face = face_of(find_cell(cell)(**parameters))
    return Cell(cell=cell, parameters=tuple(parameters.items()), **vars(face))
