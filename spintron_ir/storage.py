"""Network files: one safetensors file, arrays as tensors and the graph as JSON in its metadata."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .errors import NetworkError, SpintronError
from .record import Record, decode, encode

__all__ = ["FORMAT", "pack", "unpack"]

FORMAT = 1
"""Version of the file format; a reader refuses newer ones."""

KEY = "spintron_network"
MALFORMED = (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError)


def pack(record: Record) -> bytes:
    """Bytes of a network file."""
    tensors: dict[str, np.ndarray] = {}
    body = encode(record, "net", tensors)
    text = json.dumps({"format": FORMAT, "network": body}, sort_keys=False, separators=(",", ":"))
    return save(tensors, metadata={KEY: text})


def unpack(path: str | PathLike[str]) -> Any:
    """Read the record in a network file; nothing in the file is executed.

    Raises
    ------
    NetworkError
        If the file cannot be read, is cut off, is no network or is of a newer format.
    """
    if not Path(path).is_file():
        raise NetworkError(f"{path}: there is no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, *MALFORMED) as error:
        raise NetworkError(
            f"{path}: not a network file, or cut off ({error}); write it again"
        ) from error
    if KEY not in metadata:
        raise NetworkError(
            f"{path}: a safetensors file without a network in it; "
            "convert a model with 'spintron convert'"
        )
    try:
        record = decode(_body(metadata[KEY]), tensors)
    except SpintronError as error:
        raise NetworkError(f"{path}: {error}") from error
    except (*MALFORMED, RecursionError) as error:
        raise NetworkError(
            f"{path}: the network in the file is malformed ({type(error).__name__}: {error})"
        ) from error
    if tensors:
        unused = ", ".join(sorted(tensors)[:4])
        raise NetworkError(f"{path}: the network file has tensors that no layer uses: {unused}")
    return record


def _body(text: str) -> Any:
    content = json.loads(text)
    version = content.get("format") if isinstance(content, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise NetworkError(f"the format version must be a positive integer, not {version!r}")
    if version > FORMAT:
        raise NetworkError(
            f"written in format {version}, this version reads up to {FORMAT}: "
            "install a newer spintron-nn-kit"
        )
    if set(content) != {"format", "network"}:
        raise NetworkError("the file must hold a format and a network, and nothing else")
    return content["network"]
