"""Records: frozen dataclasses whose checks and files are derived from their fields."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .errors import NetworkError, ParameterError
from .types import IntType

__all__ = ["Record", "array", "check_array", "decode", "encode", "register"]

_KINDS: dict[str, type[Record]] = {}
_limits = functools.cache(np.iinfo)


def array(dtype: str, ndim: int, *, later: bool = False, **options: Any) -> Any:
    """Declare a dataclass field that holds an integer array of this type and rank.

    A :py:`later` one came after networks had been written without it: where it is None, files
    leave it out.
    """
    kind = {"dtype": np.dtype(dtype), "ndim": ndim, "later": later}
    return dataclasses.field(metadata=kind, **options)


def register(cls: type[Record]) -> type[Record]:
    """Make a record class known by its :py:`kind` to the reader of network files."""
    _KINDS[cls.kind] = cls
    return cls


def check_array(owner: str, name: str, value: Any, dtype: np.dtype, ndim: int) -> NDArray[Any]:
    """Return :py:`value` as a read-only array of :py:`dtype`, if no value is changed by that.

    Raises
    ------
    ParameterError
        If it is not an integer array of :py:`ndim` axes, is empty, or does not fit the type.
    """
    try:
        found = np.asarray(value)
    except ValueError:
        raise ParameterError(
            f"{owner}: {name} must be an array whose rows are of equal length"
        ) from None
    if found.ndim != ndim or found.size == 0:
        raise ParameterError(
            f"{owner}: {name} must be an array of {ndim} axes with at least one entry, "
            f"not of shape {found.shape}"
        )
    if found.dtype.kind not in "iu":
        raise ParameterError(f"{owner}: {name} must hold integers, not {found.dtype}")
    limits = _limits(dtype)
    low, high = int(found.min()), int(found.max())
    if low < limits.min or high > limits.max:
        raise ParameterError(
            f"{owner}: {name} must lie in {limits.min}..{limits.max}, not in {low}..{high}"
        )
    owned = np.array(found, dtype=dtype, order="C")
    owned.flags.writeable = False
    return owned


class Record:
    """Base of the parts of a network: arrays are checked, owned and read-only."""

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for name, hint, dtype, ndim in _items(type(self)):  # type: ignore[arg-type]  # has a hash
            value = getattr(self, name)
            if dtype is None:
                value = _own(owner, name, value, hint)
            elif value is not None:
                value = check_array(owner, name, value, dtype, ndim)
            object.__setattr__(self, name, value)
        self.check()

    def check(self) -> None:
        """Raise :exc:`ParameterError` where the fields contradict each other."""


@functools.cache
def _items(cls: Any) -> list[tuple[str, Any, Any, Any]]:
    """Name, declared type, and of arrays format and rank, of every field of a class."""
    hints, items = typing.get_type_hints(cls), dataclasses.fields(cls)
    kinds = [(item.metadata.get("dtype"), item.metadata.get("ndim")) for item in items]
    return [(item.name, hints[item.name], *kind) for item, kind in zip(items, kinds)]


@functools.cache
def _declared(hint: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """What a tuple holds, if the hint is one; its classes; whether all of them are records."""
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], (), False
    classes, kinds = typing.get_args(hint) or (hint,), (Record, IntType, types.NoneType)
    return None, classes, all(issubclass(cls, kinds) for cls in classes)


def _own(owner: str, name: str, value: Any, hint: Any) -> Any:
    """Return :py:`value` as a field declared as :py:`hint` keeps it.

    NumPy's integers become plain ones and lists become tuples, which is what comes back from a
    file. Where records are declared, anything else is refused; other fields check themselves.
    """
    tuple_of, classes, records = _declared(hint)
    if tuple_of is not None:
        if not isinstance(value, (list, tuple)):
            raise ParameterError(f"{owner}: {name} must be a tuple, not {value!r}")
        return tuple(_own(owner, f"{name}[{n}]", part, tuple_of) for n, part in enumerate(value))
    if isinstance(value, np.integer) and int in classes:
        return int(value)
    if records and not isinstance(value, classes):
        names = [cls.__name__ for cls in classes if cls is not types.NoneType]
        names += ["None"] if types.NoneType in classes else []
        wanted = " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
        raise ParameterError(f"{owner}: {name} must be {wanted}, not {type(value).__name__}")
    return value


def _unset(record: Record, item: dataclasses.Field[Any]) -> bool:
    value = getattr(record, item.name)
    return not isinstance(value, np.ndarray) and bool(value == item.default)


def encode(value: Any, name: str, tensors: dict[str, NDArray[Any]]) -> Any:
    """Turn a value of a record into JSON, moving its arrays into :py:`tensors` under their path."""
    if isinstance(value, IntType):
        return {"kind": "int", "bits": value.bits, "signed": value.signed}
    if isinstance(value, Record):
        fields = dataclasses.fields(value)  # type: ignore[arg-type]
        inside = {
            item.name: encode(getattr(value, item.name), f"{name}.{item.name}", tensors)
            for item in fields
            if not (item.metadata.get("later") and _unset(value, item))
        }
        return {"kind": value.kind} | inside
    if isinstance(value, np.ndarray):
        tensors[name] = value
        return {"kind": "tensor", "name": name}
    if isinstance(value, Mapping):
        return {"kind": "notes", "values": dict(sorted(value.items()))}
    if isinstance(value, tuple):
        return [encode(part, f"{name}.{index}", tensors) for index, part in enumerate(value)]
    return value


def decode(value: Any, tensors: dict[str, NDArray[Any]]) -> Any:
    """Inverse of :func:`encode`: builds records through their checks, nothing else.

    Tensors are taken out of :py:`tensors`; those that no record uses are left.

    Raises
    ------
    NetworkError
        If the text names an unknown kind, lacks a field or has one too many.
    """
    if isinstance(value, list):
        return tuple(decode(part, tensors) for part in value)
    if not isinstance(value, dict):
        return value
    fields = {key: part for key, part in value.items() if key != "kind"}
    kind = value.get("kind")
    if kind == "tensor":
        _check_fields(kind, {"name"}, fields)
        if fields["name"] not in tensors:
            raise NetworkError(
                f"the network file lacks the tensor {fields['name']!r}, or uses it twice"
            )
        return tensors.pop(fields["name"])
    if kind == "notes":
        _check_fields(kind, {"values"}, fields)
        return fields["values"]
    cls: Any = IntType if kind == "int" else _KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise NetworkError(
            f"the network file has a part of unknown kind {kind!r}; this version knows "
            f"{', '.join(sorted(_KINDS))}: was it written by a newer version?"
        )
    later = {item.name for item in dataclasses.fields(cls) if item.metadata.get("later")}
    expected = {item.name for item in dataclasses.fields(cls)} - later | (later & set(fields))
    _check_fields(str(kind), expected, fields)
    return cls(**{key: decode(part, tensors) for key, part in fields.items()})


def _check_fields(kind: str, expected: set[str], fields: Mapping[str, Any]) -> None:
    if expected != set(fields):
        odd = ", ".join(sorted(expected ^ set(fields)))
        raise NetworkError(f"the network file has a {kind} with missing or unknown fields: {odd}")
