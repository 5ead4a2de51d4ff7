"""TFLite files: checked and decoded, without trust in any of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from spintron_ir.errors import ConversionError, ParameterError

from .options import Numbers, options_of
from .refusal import DAMAGE, Refusal, told

__all__ = ["Graph", "Operation", "Tensor", "read_graph"]

MAX_BYTES = 1 << 30
"""Largest file that is read."""

MAX_VALUES = 1 << 26
"""Most values of one tensor."""

MAX_PARTS = 1 << 16
"""Most operators, tensors and buffers each; most inputs of one operator are fewer."""

MAX_INPUTS = 1 << 10
MAX_TEXT = 100

TYPES = {
    value: name.lower() for name, value in vars(tflite.TensorType).items() if name[0].isupper()
}
NUMPY = {"int4": "int8", **{name: name for name in ("float32", "float16", "int32", "uint8",
         "int64", "int16", "int8", "bool", "float64", "uint32", "uint16")}}  # fmt: skip
KINDS = {
    value: name for name, value in vars(tflite.BuiltinOperator).items() if not name.startswith("_")
}


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a graph.

    Parameters
    ----------
    name : str
        Name, made up where the file has none.
    shape : tuple of int
        Shape in the file.
    kind : str
        Type of its values.
    scale : float32 array
        Scales; none where it is not quantised.
    zero : int64 array
        Zero points, as many.
    axis : int
        Axis along which they differ.
    values : array or None
        What the file holds of it.
    free : tuple of int
        Axes whose size the file leaves open.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    scale: NDArray[np.float32]
    zero: NDArray[np.int64]
    axis: int
    values: NDArray[Any] | None
    free: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Operation:
    """One operator of a graph.

    Parameters
    ----------
    name : str
        Name of its first output.
    index : int
        Its place in the file.
    kind : str
        Operator.
    inputs, outputs : tuple of int
        Tensors; an input left out is -1.
    options : dict
        Numbers by name.
    """

    name: str
    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Numbers

    def says(self, what: str) -> str:
        """A finding about this operator."""
        return f"{self.name} ({self.kind}): {what}"


@dataclass(eq=False)
class Graph:
    """The operators that lead to the outputs, in order.

    Parameters
    ----------
    inputs, outputs : tuple of int
        Tensors that go in and come out.
    operations : list of Operation
        Operators.
    tensors : dict of int to Tensor
        All tensors that they name, but for damaged ones.
    findings : list of str
        What is wrong so far.
    """

    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    operations: list[Operation] = field(default_factory=list)
    tensors: dict[int, Tensor] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def read_graph(path: str | Path) -> Graph:
    """Read a ``.tflite`` file.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    ConversionError
        If it is no TFLite model at all. What is wrong inside is left in ``findings``.
    """
    path = Path(path)
    if not path.is_file():
        raise ParameterError(f"load_tflite: path must name a file, and there is no {str(path)!r}")
    if path.stat().st_size > MAX_BYTES:
        raise ConversionError([f"{path.name}: is larger than {MAX_BYTES >> 30} GiB; split it"])
    data = path.read_bytes()
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise ConversionError(
            [f"{path.name}: is no TFLite model of schema 3; export it again with TensorFlow 2"]
        )
    try:
        return _File(data).graph()
    except DAMAGE as error:
        text = told(error, "is cut off or damaged")
        raise ConversionError([f"{path.name}: {text}; export it again"]) from error


class _File:
    """The tables of one file."""

    def __init__(self, data: bytes) -> None:
        self.model = tflite.Model.GetRootAs(data, 0)
        if self.model.Version() != 3:
            raise Refusal(f"has the schema version {self.model.Version()}, not 3")
        if not self.model.SubgraphsLength():
            raise Refusal("holds no graph of operators")
        self.main = self.model.Subgraphs(0)
        for name, count in (
            ("operators", self.main.OperatorsLength()),
            ("tensors", self.main.TensorsLength()),
            ("buffers", self.model.BuffersLength()),
            ("operator codes", self.model.OperatorCodesLength()),
        ):
            if count > MAX_PARTS:
                raise Refusal(f"has {count} {name}, and at most {MAX_PARTS} are read")

    def graph(self) -> Graph:
        main = self.main
        found = Graph(
            _numbers(main.InputsLength(), main.InputsAsNumpy),
            _numbers(main.OutputsLength(), main.OutputsAsNumpy),
        )
        wanted = set(found.outputs)
        for index in reversed(range(main.OperatorsLength())):
            table = main.Operators(index)
            outputs = _numbers(table.OutputsLength(), table.OutputsAsNumpy)
            if not wanted & set(outputs):
                continue
            inputs = _numbers(table.InputsLength(), table.InputsAsNumpy)
            wanted.update(inputs)
            found.operations.append(self._operation(table, index, inputs, outputs, found))
        found.operations.reverse()
        for index in sorted((wanted | set(found.inputs)) - {-1}):
            self._add(index, found)
        return found

    def _operation(
        self,
        table: Any,
        index: int,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        found: Graph,
    ) -> Operation:
        code = self.model.OperatorCodes(table.OpcodeIndex())
        if table.OpcodeIndex() >= self.model.OperatorCodesLength():
            raise Refusal(f"has no operator code {table.OpcodeIndex()}")
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        kind = KINDS.get(number, f"operator {number}")
        if kind == "CUSTOM":
            kind = f"CUSTOM {_text(code, 6)}"
        name = self._name(outputs[0]) if outputs else f"operator {index}"
        try:
            options = options_of(kind, table)
        except DAMAGE as error:
            text = told(error, "has damaged options: export the model again")
            found.findings.append(f"{name} ({kind}): {text}")
            kind, options = "", {}
        return Operation(name, index, kind, inputs, outputs, options)

    def _name(self, index: int) -> str:
        known = 0 <= index < self.main.TensorsLength()
        name = _text(self.main.Tensors(index), 10) if known else ""
        return name or f"tensor {index}"

    def _add(self, index: int, found: Graph) -> None:
        try:
            found.tensors[index] = self._tensor(index)
        except DAMAGE as error:
            text = told(error, "is damaged: export the model again")
            try:
                name = self._name(index)
            except DAMAGE:
                name = f"tensor {index}"
            found.findings.append(f"{name} (tensor): {text}")

    def _tensor(self, index: int) -> Tensor:
        if not 0 <= index < self.main.TensorsLength():
            raise Refusal("is nowhere in the file: export the model again")
        table = self.main.Tensors(index)
        shape = _numbers(table.ShapeLength(), table.ShapeAsNumpy)
        signature = _numbers(table.ShapeSignatureLength(), table.ShapeSignatureAsNumpy)
        if len(shape) > 8 or any(size < 0 for size in shape) or math.prod(shape) > MAX_VALUES:
            raise Refusal(f"has the shape {shape[:9]}, beyond 8 axes or 2**26 values: split it")
        if table.IsVariable():
            raise Refusal("keeps its value from frame to frame: make the model stateless")
        if table.Sparsity() is not None:
            raise Refusal("is sparse: save it as a dense one")
        kind = TYPES.get(table.Type(), f"type {table.Type()}")
        scale = np.zeros(0, dtype=np.float32)
        zero, axis = np.zeros(0, dtype=np.int64), 0
        parameters = table.Quantization()
        if parameters is not None and parameters.ScaleLength():
            if parameters.DetailsType():
                raise Refusal("has a quantisation of its own kind: use scales and zero points")
            scale, axis = parameters.ScaleAsNumpy(), parameters.QuantizedDimension()
            zero = np.zeros(len(scale), dtype=np.int64)
            if parameters.ZeroPointLength():
                zero = np.broadcast_to(parameters.ZeroPointAsNumpy(), scale.shape)
            if not (np.isfinite(scale).all() and (scale > 0).all()):
                raise Refusal("has scales that are no positive numbers: export the model again")
        return Tensor(
            self._name(index), shape, kind, scale, zero, axis, self._values(table, shape, kind),
            tuple(axis for axis, size in enumerate(signature) if size < 0),
        )  # fmt: skip

    def _values(self, table: Any, shape: tuple[int, ...], kind: str) -> NDArray[Any] | None:
        number = table.Buffer()
        if number >= self.model.BuffersLength():
            raise Refusal(f"lies in the buffer {number}, which is none: export the model again")
        buffer = self.model.Buffers(number)
        if buffer.Offset() > 1:
            raise Refusal("lies behind the tables of the file: make the model smaller than 2 GB")
        if not buffer.DataLength():
            return None
        data = buffer.DataAsNumpy()
        if kind not in NUMPY:
            raise Refusal(f"holds {kind}, which is not read: use int8")
        count = math.prod(shape)
        if kind == "int4":
            halves = np.stack([data & 15, data >> 4], axis=-1).reshape(-1).astype(np.int8)
            wide, spare = (halves ^ 8) - 8, len(halves) - count
            fits = spare in (0, 1)
            values = wide[:count]
        else:
            fits = len(data) == count * np.dtype(NUMPY[kind]).itemsize
            values = np.frombuffer(data, dtype=NUMPY[kind]) if fits else data
        if not fits:
            raise Refusal(
                f"has {len(data)} bytes, which do not fit {kind} of the shape {shape}: "
                "export the model again"
            )
        return values.reshape(shape)


def _numbers(length: int, values: Any) -> tuple[int, ...]:
    """A short vector."""
    if not length:
        return ()
    if length > MAX_INPUTS:
        raise Refusal(f"has a list of {length} numbers where at most {MAX_INPUTS} are read")
    found: Sequence[int] = values().tolist()
    return tuple(found)


def _text(table: Any, slot: int) -> str:
    """A text of a table, cut short and on one line."""
    inner = table._tab
    offset = inner.Offset(slot)
    if not offset:
        return ""
    length, start = inner.VectorLen(offset), inner.Vector(offset)
    text = bytes(inner.Bytes[start : start + min(length, MAX_TEXT)]).decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
