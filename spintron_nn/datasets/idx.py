"""IDX files, the format of MNIST and its kin."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError

__all__ = ["read_idx"]

MAX_VALUES = 1 << 30
"""Values of the largest IDX file that is read."""

_TYPES = {8: "uint8", 9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}


def read_idx(path: str | Path) -> NDArray[np.generic]:
    """Read an IDX file, packed by gzip or not.

    Sizes are checked against what follows before anything is allocated for them.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    array of the shape and type that the file names

    Raises
    ------
    ParameterError
        If the file is missing, is not IDX, or holds more or less than its header says.

    Source
    ------
    LeCun's description of the MNIST files: two zero bytes, a type, the number of axes, each size
    as 32 bits and then the values, all big-endian.
    """
    path = Path(path)
    if not path.is_file():
        raise ParameterError(f"read_idx: path must name a file, and there is no {str(path)!r}")
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            return _read(path, cast(BinaryIO, file))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ParameterError(
            f"read_idx: {path.name} must be a whole gzip file, and is damaged ({error}); get it "
            "again"
        ) from error


def _read(path: Path, file: BinaryIO) -> NDArray[np.generic]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not 1 <= head[3] <= 8:
        raise ParameterError(
            f"read_idx: {path.name} must start with two zero bytes, a type of 8, 9 or 11..14 and "
            f"1..8 axes, not with {head.hex(' ') or 'nothing'}; it is not an IDX file"
        )
    axes = head[3]
    sizes = file.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise ParameterError(
            f"read_idx: {path.name} must name {axes} sizes, and ends after {len(sizes)} of "
            f"{4 * axes} bytes; get it again"
        )
    shape = struct.unpack(f">{axes}I", sizes)
    count = math.prod(shape)
    kind = np.dtype(_TYPES[head[2]]).newbyteorder(">")
    if count > MAX_VALUES:
        raise ParameterError(
            f"read_idx: {path.name} must hold at most {MAX_VALUES} values, and its header says "
            f"{'x'.join(str(size) for size in shape)} = {count}"
        )
    wanted = count * kind.itemsize
    data = _exactly(file, wanted)
    if len(data) != wanted:
        more = "more" if len(data) > wanted else f"only {len(data)}"
        raise ParameterError(
            f"read_idx: {path.name} must hold {wanted} bytes of values, as its header "
            f"says, and holds {more}; get it again"
        )
    return np.frombuffer(data, dtype=kind).reshape(shape).astype(kind.newbyteorder("="))


def _exactly(file: BinaryIO, wanted: int) -> bytearray:
    """Read what is there, at most one byte more than is wanted, without allocating on a promise."""
    data = bytearray()
    while len(data) <= wanted:
        part = file.read(min(1 << 20, wanted + 1 - len(data)))
        if not part:
            break
        data += part
    return data
