"""Files of a training: tensors in safetensors, everything else as JSON in its metadata."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from spintron_ir import ParameterError, SpintronError

__all__ = ["FORMAT", "TrainingFileError", "read_tree", "write_tree"]

FORMAT = 1
"""Version of the files; a reader refuses newer ones."""

KEY = "spintron_training"
"""One key only: safetensors writes several in an order that changes from call to call."""

MALFORMED = (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError)


class TrainingFileError(SpintronError, ValueError):
    """A checkpoint or a file of weights is damaged, of another kind, or of another run or model."""


def write_tree(path: str | PathLike[str], kind: str, tree: Any) -> None:
    """Write nested dicts, lists, tuples, tensors, numbers, text and None into one file.

    The file appears whole or not at all: it is written beside its place and then renamed. The same
    content gives the same bytes. Tensors that share memory are written once each.

    Parameters
    ----------
    path : str or path
        File to write or to replace, ``.safetensors``.
    kind : str
        What it is, for :func:`read_tree`.
    tree : Any
        Content; keys of dicts are texts and integers.

    Raises
    ------
    ParameterError
        If something in it is neither of these, or the file cannot be written.
    """
    tensors: dict[str, torch.Tensor] = {}
    body = {"format": FORMAT, "kind": kind, "content": _encode(tree, kind, tensors)}
    data = save(tensors, metadata={KEY: json.dumps(body, separators=(",", ":"))})
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ParameterError(
            f"{path}: cannot be written ({error.strerror}); give a path in a writable folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def read_tree(path: str | PathLike[str], kind: str) -> Any:
    """Content of a file that :func:`write_tree` wrote; nothing in the file is executed.

    Raises
    ------
    TrainingFileError
        If there is no such file, or it is damaged, of another kind or of a newer format.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tree(f"{folder}/a.safetensors", "note", {1: [torch.ones(2), None, (2.5, "b")]})
    ...     read_tree(f"{folder}/a.safetensors", "note")
    {1: [tensor([1., 1.]), None, (2.5, 'b')]}
    """
    if not Path(path).is_file():
        raise TrainingFileError(f"{path}: there is no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, *MALFORMED) as error:
        raise TrainingFileError(
            f"{path}: not a safetensors file, or cut off ({error}); write it again"
        ) from error
    if KEY not in metadata:
        raise TrainingFileError(f"{path}: a safetensors file without a {kind} in it")
    try:
        content = _decode(_body(metadata[KEY], kind), tensors)
    except SpintronError as error:
        raise TrainingFileError(f"{path}: {error}") from error
    except (*MALFORMED, RecursionError) as error:
        raise TrainingFileError(
            f"{path}: the {kind} in the file is malformed ({type(error).__name__}); write it again"
        ) from error
    if tensors:
        unused = ", ".join(sorted(tensors)[:4])
        raise TrainingFileError(f"{path}: the file has tensors that nothing uses: {unused}")
    return content


def _body(text: str, kind: str) -> Any:
    body = json.loads(text)
    version = body.get("format") if isinstance(body, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise TrainingFileError(f"the format version must be a positive integer, not {version!r}")
    if version > FORMAT:
        raise TrainingFileError(
            f"written in format {version}, this version reads up to {FORMAT}: "
            "install a newer spintron-nn-kit"
        )
    if body["kind"] != kind:
        raise TrainingFileError(f"the file must hold a {kind}, not a {str(body['kind'])[:40]!r}")
    return body["content"]


def _encode(value: Any, where: str, tensors: dict[str, torch.Tensor]) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, torch.Tensor):
        tensors[where] = value.detach().cpu().clone().contiguous()
        return {"tensor": where}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        items = [_encode(item, f"{where}.{index}", tensors) for index, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, Mapping) and all(isinstance(key, (str, int)) for key in value):
        pairs = value.items()
        return {"dict": [[key, _encode(item, f"{where}.{key}", tensors)] for key, item in pairs]}
    raise ParameterError(
        f"{where}: only tensors, numbers, text, None, and lists, tuples and dicts of them can be "
        f"written, not {type(value).__name__}"
    )


def _decode(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise TypeError
        return value
    ((form, inner),) = value.items()
    if form == "tensor":
        return tensors.pop(inner)  # each is used once
    if form == "dict":
        decoded = {key: _decode(item, tensors) for key, item in inner}
        if len(decoded) != len(inner):
            raise KeyError
        return decoded
    items = [_decode(item, tensors) for item in inner]
    return {"list": list, "tuple": tuple}[form](items)
