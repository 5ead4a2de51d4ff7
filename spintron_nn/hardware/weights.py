"""The integers of a network for other programs: npz, JSON, a C header, memory images."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintron_hw.build.manifest import write_manifest
from spintron_hw.mapping.words import Banks
from spintron_ir import Dense, IntType, Network
from spintron_ir.errors import ParameterError, check_choice
from spintron_ir.files import inside, write_atomic
from spintron_ir.record import Record

if TYPE_CHECKING:
    from spintron_hw.mapping.plan import Plan

__all__ = ["FORMATS", "VERSION", "contents_of", "memory_images", "write_weights"]

FORMATS = ("npz", "json", "c", "mem")
"""What weights can be written as."""

VERSION = 1
"""Version of the names and their order, first in every file but the memory images."""

_INT32 = (1 << 31) - 1


def contents_of(network: Network) -> dict[str, Any]:
    """Every number of a network, under the names that all formats share.

    Returns
    -------
    dict of str to dict, list, array, int, float, str or None
        ``inputs``, ``layers`` and ``outputs`` by name. A layer has the fields of its record, the
        nodes that feed it (``sources``), shape and type of its ``result``, and, where it is of
        crossbars, the ``weights`` that its converters see: ``(slices, converters, rows, cols)``.

    Examples
    --------
    >>> from spintron_ir import Argmax, Node, Output, Port
    >>> best = Node(name="best", layer=Argmax(input=IntType(3), length=4), inputs=("x",))
    >>> port = Port(name="x", shape=(4,), type=IntType(3))
    >>> output = Output(name="class", node="best")
    >>> net = Network(name="tiny", inputs=(port,), nodes=(best,), outputs=(output,))
    >>> contents_of(net)["layers"]["best"]["result"]
    {'shape': [1], 'type': {'bits': 2, 'signed': False}}
    """
    return {
        "format": VERSION,
        "name": network.name,
        "digest": network.digest(),
        "inputs": {port.name: _fields(port, "kind", "name") for port in network.inputs},
        "layers": {node.name: _layer(node.layer, node.inputs) for node in network.nodes},
        "outputs": {output.name: _fields(output, "kind", "name") for output in network.outputs},
    }


def _layer(layer: Any, sources: Sequence[str]) -> dict[str, Any]:
    result = {"shape": list(layer.shape), "type": _plain(layer.type)}
    facts = _fields(layer) | {"sources": list(sources), "result": result}
    return facts | ({"weights": layer.weights} if isinstance(layer, Dense) else {})


def _fields(record: Record, *without: str) -> dict[str, Any]:
    return {name: part for name, part in _plain(record).items() if name not in without}


def _plain(value: Any) -> Any:
    if isinstance(value, IntType):
        return {"bits": value.bits, "signed": value.signed}
    if isinstance(value, Record):
        names = [item.name for item in dataclasses.fields(value)]  # type: ignore[arg-type]
        return {"kind": value.kind} | {name: _plain(getattr(value, name)) for name in names}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def memory_images(plan: Plan) -> dict[str, str]:
    """``$readmemh`` text of every bank of code memory in the hardware of :py:`plan`, by file name.

    Bank ``n`` of the layer ``fc`` is ``fc.bank<n>.mem``: one word a line in hexadecimal digits,
    in address order, equal to what the emitted Verilog starts with. Layers that are not folded
    have no memory.
    """
    images = {}
    for name, layer in plan.layers.items():
        if getattr(layer, "body", None) != "folded":
            continue
        mapped: Any = layer
        banks = Banks(
            code_width=mapped.code_type.bits,
            bank_bits=mapped.bank_bits,
            row_parallel=mapped.row_parallel,
            col_parallel=mapped.col_parallel,
        )
        digits = -(-banks.width // 4)
        for number, words in enumerate(banks.contents(mapped.words)):
            lines = [f"// {name}, bank {number}: {len(words)} words of {banks.width} bits"]
            lines += [f"{word:0{digits}x}" for word in words]
            images[f"{name}.bank{number}.mem"] = "\n".join(lines) + "\n"
    return images


def write_weights(
    plan: Plan,
    folder: Path,
    *,
    formats: Sequence[str] | None = None,
    command: Sequence[str],
) -> tuple[Path, ...]:
    """Write the integers of a network, and a manifest.

    Parameters
    ----------
    plan : Plan
        The network, and how its codes lie in memory.
    folder : Path
        Where to; made if need be.
    formats : sequence of str, optional
        Among :data:`FORMATS`; all that there are where absent.
    command : sequence of str
        What asked for it, for the manifest.

    Returns
    -------
    tuple of Path
        Files written, the manifest last.

    Raises
    ------
    ParameterError
        If a format is unknown, memory images are asked for where no layer has a memory, or a file
        cannot be written.
    """
    for name in formats or ():
        check_choice("weights", "format", name, FORMATS)
    network = plan.network
    images = memory_images(plan) if formats is None or "mem" in formats else {}
    if formats is not None and "mem" in formats and not images:
        raise ParameterError(
            f"weights: no layer of {network.name} is folded, so there is no memory to fill; "
            "give --body folded, or leave mem out"
        )
    contents = contents_of(network)
    wanted = FORMATS if formats is None else formats
    files: dict[str, str | bytes] = {}
    if "npz" in wanted:
        files["weights.npz"] = _npz(contents)
    if "json" in wanted:
        notes = {"metadata": dict(network.metadata)}
        files["weights.json"] = json.dumps(contents | notes, default=np.ndarray.tolist) + "\n"
    if "c" in wanted:
        files["weights.h"] = _c_header(contents)
    folder.mkdir(parents=True, exist_ok=True)
    made = [write_atomic(inside(folder, name), data) for name, data in (files | images).items()]
    manifest = write_manifest(
        folder,
        [path.name for path in made],
        command=command,
        inputs={"network": network.digest()},
    )
    return (*made, manifest)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every number, text and array with its path; lists of integers or texts are one each."""
    if isinstance(value, Mapping):
        parts: Any = value.items()
    elif isinstance(value, list) and not _alike(value):
        parts = enumerate(value)
    else:
        if value is not None and not (isinstance(value, list) and not value):
            yield path, value
        return
    for name, part in parts:
        yield from _leaves(part, f"{path}.{name}" if path else str(name))


def _alike(values: list[Any]) -> bool:
    return all(type(value) is int for value in values) or all(
        type(value) is str for value in values
    )


def _npz(contents: Mapping[str, Any]) -> bytes:
    data = io.BytesIO()
    np.savez(data, allow_pickle=False, **{path: np.asarray(x) for path, x in _leaves(contents)})
    return data.getvalue()


def _c_header(contents: Mapping[str, Any]) -> str:
    prefix = f"spintron_{contents['name']}"
    lines = [
        f"/* Integers of the network {contents['name']}, written by SpinTron-NN-Kit. C99. */",
        f"#ifndef {prefix.upper()}_H",
        f"#define {prefix.upper()}_H",
        "#include <stdint.h>",
    ]
    taken: set[str] = set()
    for path, value in _leaves(contents):
        # Two paths may differ in nothing but their dots, and C has no dots.
        plain = name = f"{prefix}_{re.sub('[^a-z0-9]', '_', path)}"
        number = 1
        while name in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name)
        lines += _c_array(name, value) if isinstance(value, np.ndarray) else _c_macro(name, value)
    return "\n".join([*lines, "#endif", ""])


def _c_array(name: str, values: np.ndarray) -> list[str]:
    sizes = [f"{name.upper()}_SIZE{axis}" for axis in range(values.ndim)]
    lines = [f"#define {size} {count}" for size, count in zip(sizes, values.shape, strict=True)]
    shape = "".join(f"[{size}]" for size in sizes)
    lines.append(f"static const {values.dtype.name}_t {name}{shape} =")
    return [*lines, f"{_c_rows(values.tolist())};"]


def _c_rows(values: list[Any]) -> str:
    if not isinstance(values[0], list):
        return "{" + ", ".join(map(_c_value, values)) + "}"
    return "{" + ",\n".join(map(_c_rows, values)) + "}"


def _c_macro(name: str, value: Any) -> list[str]:
    if isinstance(value, list):
        text = "{" + ", ".join(map(_c_value, value)) + "}"
        return [f"#define {name.upper()}_COUNT {len(value)}", f"#define {name.upper()} {text}"]
    return [f"#define {name.upper()} {_c_value(value)}"]


def _c_value(value: Any) -> str:
    if isinstance(value, str):
        octal = (chr(c) if 32 <= c < 127 and chr(c) not in '"\\?' else f"\\{c:03o}"
                 for c in value.encode())  # fmt: skip
        return '"' + "".join(octal) + '"'
    if isinstance(value, float):
        return repr(value)
    if -_INT32 <= int(value) <= _INT32:
        return str(int(value)) if value >= 0 else f"({value})"
    if value == -(1 << 63):  # no literal has its magnitude
        return "(-9223372036854775807LL - 1)"
    return f"{value}ULL" if value >= 1 << 63 else f"({value}LL)"
