"""Records: frozen dataclasses whose checks and files are derived from their fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .errors import NetworkError, ParameterError
from .types import IntType

__all__ = ["Record", "array", "check_array", "decode", "encode", "record_kinds", "register"]

_KINDS: dict[str, type[Record]] = {}


def array(dtype: str, ndim: int, **options: Any) -> Any:
    """Declare a dataclass field that holds an integer array of this type and rank."""
    return dataclasses.field(metadata={"dtype": np.dtype(dtype), "ndim": ndim}, **options)


def register(cls: type[Record]) -> type[Record]:
    """Make a record class known by its :py:`kind` to the reader of network files."""
    _KINDS[cls.kind] = cls
    return cls


def record_kinds() -> tuple[str, ...]:
    """Every kind that a network file can hold."""
    return tuple(sorted(_KINDS))


def check_array(owner: str, name: str, value: Any, dtype: np.dtype, ndim: int) -> NDArray[Any]:
    """Return :py:`value` as a read-only array of :py:`dtype`, if no value is changed by that.

    Raises
    ------
    ParameterError
        If it is not an integer array of :py:`ndim` axes, is empty, or does not fit the type.
    """
    found = np.asarray(value)
    if found.ndim != ndim or found.size == 0:
        raise ParameterError(
            f"{owner}: {name} must be an array of {ndim} axes with at least one entry, "
            f"not of shape {found.shape}"
        )
    if not np.issubdtype(found.dtype, np.integer):
        raise ParameterError(f"{owner}: {name} must hold integers, not {found.dtype}")
    limits = np.iinfo(dtype)
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
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if "dtype" in item.metadata and value is not None:
                checked = check_array(
                    type(self).__name__, item.name, value, item.metadata["dtype"], item.metadata["ndim"]
                )
                object.__setattr__(self, item.name, checked)
        self.check()

    def check(self) -> None:
        """Raise :exc:`ParameterError` where the fields contradict each other."""


def encode(value: Any, name: str, tensors: dict[str, NDArray[Any]]) -> Any:
    """Turn a value of a record into JSON, moving its arrays into :py:`tensors` under their path."""
    if isinstance(value, IntType):
        return {"kind": "int", "bits": value.bits, "signed": value.signed}
    if isinstance(value, Record):
        fields = dataclasses.fields(value)  # type: ignore[arg-type]
        inside = {
            item.name: encode(getattr(value, item.name), f"{name}.{item.name}", tensors)
            for item in fields
        }
        return {"kind": value.kind} | inside
    if isinstance(value, np.ndarray):
        tensors[name] = value
        return {"kind": "tensor", "name": name}
    if isinstance(value, Mapping):
        return {"kind": "notes", "values": dict(value)}
    if isinstance(value, tuple):
        return [encode(part, f"{name}.{index}", tensors) for index, part in enumerate(value)]
    return value


def decode(value: Any, tensors: dict[str, NDArray[Any]]) -> Any:
    """Inverse of :func:`encode`: builds records through their checks, nothing else.

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
        found = tensors.get(fields.get("name", ""))
        if found is None:
            raise NetworkError(f"the network file lacks the tensor {fields.get('name')!r}")
        return found
    if kind == "notes":
        return _notes(fields.get("values"))
    cls: Any = IntType if kind == "int" else _KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise NetworkError(
            f"the network file has a part of unknown kind {kind!r}; this version knows "
            f"{', '.join(record_kinds())}: was it written by a newer version?"
        )
    expected = {item.name for item in dataclasses.fields(cls)}
    if expected != set(fields):
        odd = ", ".join(sorted(expected ^ set(fields)))
        raise NetworkError(f"the network file has a {kind} with missing or unknown fields: {odd}")
    return cls(**{key: decode(part, tensors) for key, part in fields.items()})


def _notes(values: Any) -> dict[str, str]:
    if not isinstance(values, dict) or not all(isinstance(note, str) for note in values.values()):
        raise NetworkError("the network file has notes that are not text")
    return values
