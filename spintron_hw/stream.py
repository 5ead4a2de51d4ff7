"""Payloads of the streams between cells, and the one way to join two streams."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth import Module, Shape, unsigned
from amaranth.lib import data
from amaranth.lib import stream as amaranth_stream
from numpy.typing import NDArray

from spintron_ir.arith import as_int
from spintron_ir.errors import ParameterError, check_int
from spintron_ir.types import IntType

from .payload import layout_of

__all__ = ["chunk", "chunk_values", "connect_streams", "same_shape", "shape_of", "vector"]


def shape_of(type: IntType) -> Shape:
    """Shape of a signal that holds integers of :py:`type`.

    Examples
    --------
    >>> shape_of(IntType(4, signed=True))
    signed(4)
    """
    return Shape(type.bits, type.signed)


def vector(type: IntType, lanes: int) -> data.ArrayLayout:
    """Payload of :py:`lanes` integers of :py:`type`, which travel in one beat.

    A vector of ``N`` elements takes ``ceil(N / lanes)`` beats; what unused lanes of the last beat
    carry is ignored.

    Examples
    --------
    >>> vector(IntType(4, signed=True), 3)
    ArrayLayout(signed(4), 3)
    """
    return data.ArrayLayout(shape_of(type), check_int("vector", "lanes", lanes, 1, 1 << 20))


def chunk(rows: int, dac_bits: int) -> data.StructLayout:
    """Payload of one chunk of an input vector: what the word-line drivers apply in one read.

    Field ``bits`` holds the ``dac_bits`` bits of each row. Where field ``negative`` is 1 this is
    the top chunk of a signed input, and the bits of each row are a two's complement number,
    sign-extended to ``dac_bits``; otherwise they are unsigned.
    """
    bits = unsigned(check_int("chunk", "dac_bits", dac_bits, 1, 32))
    rows = check_int("chunk", "rows", rows, 1, 1 << 20)
    return data.StructLayout({"bits": data.ArrayLayout(bits, rows), "negative": 1})


def chunk_values(beats: Sequence[dict[str, Any]], dac_bits: int) -> NDArray[np.int64]:
    """What payloads of :func:`chunk` stand for: integers of shape ``(beats, rows)``.

    Examples
    --------
    >>> chunk_values([{"bits": [1, 3], "negative": 0}, {"bits": [1, 3], "negative": 1}], 2).tolist()
    [[1, 3], [1, -1]]
    """
    bits = as_int([beat["bits"] for beat in beats])
    negative = as_int([[beat["negative"]] for beat in beats])
    return bits - ((bits >> (dac_bits - 1) & negative) << dac_bits)


def same_shape(a: Any, b: Any) -> bool:
    """Whether two shapes agree in every field, at every depth: name, place, width and signedness.

    The equality of :mod:`amaranth.lib.data` looks one level deep only.

    Examples
    --------
    >>> from amaranth import signed
    >>> nested = [data.ArrayLayout(data.ArrayLayout(s(4), 2), 2) for s in (signed, unsigned)]
    >>> nested[0] == nested[1], same_shape(*nested)
    (True, False)
    """
    a, b = layout_of(a), layout_of(b)
    if isinstance(a, data.Layout) and isinstance(b, data.Layout):
        fields_a, fields_b = dict(a), dict(b)
        return (
            type(a) is type(b)
            and a.size == b.size
            and fields_a.keys() == fields_b.keys()
            and all(
                field.offset == fields_b[key].offset
                and same_shape(field.shape, fields_b[key].shape)
                for key, field in fields_a.items()
            )
        )
    if isinstance(a, data.Layout) or isinstance(b, data.Layout):
        return False
    return Shape.cast(a) == Shape.cast(b)


def connect_streams(
    m: Module, source: amaranth_stream.Interface, sink: amaranth_stream.Interface
) -> None:
    """Join stream :py:`source` to stream :py:`sink` in the combinational domain of :py:`m`.

    :func:`amaranth.lib.wiring.connect` compares widths only, and joins signed to unsigned numbers,
    or two of 4 bits to one of 8, without a word. Here whole payload shapes must agree. Inside a
    component its own ``i`` serves as a source and its own ``o`` as a sink.

    Raises
    ------
    ParameterError
        If the payloads have different shapes, or one side cannot wait and the other makes it.
    """
    shapes = [port.signature.members["payload"].shape for port in (source, sink)]
    if not same_shape(*shapes):
        raise ParameterError(
            "connect_streams: source and sink must carry payloads of the same shape, not "
            f"{shapes[0]!r} and {shapes[1]!r}; give both cells the same type and lanes, or put "
            "a cell between them that converts"
        )
    always = [_always(port) for port in (source, sink)]
    if (always[0][1] and not always[1][1]) or (always[1][0] and not always[0][0]):
        raise ParameterError(
            "connect_streams: a source that is always_ready needs a sink that is, and a sink that "
            "is always_valid needs a source that is; put a FIFO between them"
        )
    m.d.comb += sink.payload.eq(source.payload)
    if not always[1][0]:
        m.d.comb += sink.valid.eq(source.valid)
    if not always[0][1]:
        m.d.comb += source.ready.eq(sink.ready)


def _always(port: amaranth_stream.Interface) -> tuple[bool, bool]:
    """Whether :py:`port` is always valid, and whether it is always ready."""
    signature = port.signature
    if not isinstance(signature, amaranth_stream.Signature):
        signature = signature.flip()
    return signature.always_valid, signature.always_ready
