"""Payloads of streams as bits and as plain Python: integers, lists and dicts."""

from typing import Any

from amaranth import Shape, ShapeCastable, Value
from amaranth.lib import data

from spintron_ir.errors import ParameterError, check_int

__all__ = ["layout_of", "pack", "payload", "plain", "unpack"]


def payload(value: Any) -> Any:
    """A sampled payload as plain Python: ``int``, ``list`` or ``dict``, nested.

    For benches of your own, where :py:`ctx.get` returns a constant of :mod:`amaranth.lib.data`.

    Examples
    --------
    >>> from amaranth import signed
    >>> payload(data.ArrayLayout(signed(4), 3).const([1, -2, 3]))
    [1, -2, 3]
    """
    if isinstance(value, data.Const):
        return unpack(value.shape(), Value.cast(value).value)
    return int(value)


def plain(beats: Any) -> list[Any]:
    """NumPy arrays as nested lists, other iterables as lists."""
    return beats.tolist() if hasattr(beats, "tolist") else list(beats)


def layout_of(shape: Any) -> Any:
    """The layout behind a class such as :class:`amaranth.lib.data.Struct`; else the shape."""
    while isinstance(shape, ShapeCastable) and not isinstance(shape, data.Layout):
        shape = shape.as_shape()
    return shape


def pack(shape: Any, value: Any, where: str) -> int:
    """The bits of a plain :py:`value`; refuses what would be truncated.

    Parameters
    ----------
    shape : shape-like
        Shape of the payload.
    value : int, list or dict, nested
        What to pack. NumPy arrays and integers do as well.
    where : str
        What to call :py:`value` in messages.

    Raises
    ------
    ParameterError
        If a number is out of range or no integer, or a field is missing or unknown.
    """
    shape = layout_of(shape)
    if not isinstance(shape, data.Layout):
        shape = Shape.cast(shape)
        low = -(1 << shape.width - 1) if shape.signed else 0
        high = (1 << shape.width - shape.signed) - 1
        return check_int("payload", where, value, low, high) & (1 << shape.width) - 1
    fields = dict(shape)
    if isinstance(shape, data.ArrayLayout):
        value = dict(enumerate(plain(value)))
    if value.keys() != fields.keys():
        raise ParameterError(
            f"payload: {where} must have the fields {list(fields)}, not {list(value)}"
        )
    bits = 0
    for key, field in fields.items():
        bits |= pack(field.shape, value[key], f"{where}[{key!r}]") << field.offset
    return bits


def unpack(shape: Any, bits: int) -> Any:
    """The plain value of :py:`bits`, the inverse of :func:`pack`."""
    shape = layout_of(shape)
    if not isinstance(shape, data.Layout):
        shape = Shape.cast(shape)
        sign = 1 << shape.width - 1 if shape.signed else 0
        return ((bits & (1 << shape.width) - 1) ^ sign) - sign
    fields = {key: unpack(field.shape, bits >> field.offset) for key, field in shape}
    return list(fields.values()) if isinstance(shape, data.ArrayLayout) else fields
