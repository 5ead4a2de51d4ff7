"""Real data: handwritten digits from scikit-learn, and IDX files. Nothing is downloaded."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError, ToolError

__all__ = ["FASHION_MNIST", "Dataset", "digits", "fashion_mnist", "read_idx"]

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package ``dataset-fashion-mnist`` puts its files."""

MAX_VALUES = 1 << 30
"""Values of the largest IDX file that is read."""

DIGITS_TRAIN = 1257
"""Digits to train on, seven tenths of 1,797."""

_TYPES = {8: "uint8", 9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and labels, cut in two.

    Attributes
    ----------
    name : str
        What it is.
    train_x, test_x : float32 arrays of shape ``(n, *input)``
        Inputs, 0..1.
    train_y, test_y : int64 arrays of shape ``(n,)``
        Labels, 0..classes-1.
    classes : int
        Number of classes.
    """

    name: str
    train_x: NDArray[np.float32]
    train_y: NDArray[np.int64]
    test_x: NDArray[np.float32]
    test_y: NDArray[np.int64]
    classes: int

    def digest(self) -> str:
        """SHA-256 of all inputs and labels, in hex."""
        found = hashlib.sha256()
        for array in (self.train_x, self.train_y, self.test_x, self.test_y):
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()


def digits() -> Dataset:
    """Return 1,797 handwritten digits of 8x8 pixels: 1,257 to train, 540 to test.

    Pixels are counts of 0..16, given as sixteenths. The split is fixed and stratified: the digits
    of each class are shuffled with a fixed seed and the classes dealt evenly.

    Raises
    ------
    ToolError
        If scikit-learn is not installed.

    Source
    ------
    scikit-learn ``load_digits``: test set of the UCI "Optical Recognition of Handwritten Digits".
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ToolError(
            "digits: scikit-learn must be installed, it holds the data: pip install scikit-learn"
        ) from error
    bunch = load_digits()
    x = (bunch.data / 16).astype(np.float32)
    y = bunch.target.astype(np.int64)
    random = np.random.default_rng(0)
    place = np.empty(len(y))
    for label in range(10):
        members = random.permutation(np.flatnonzero(y == label))
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    order = np.argsort(place, kind="stable")
    train, test = np.sort(order[:DIGITS_TRAIN]), np.sort(order[DIGITS_TRAIN:])
    return Dataset("digits", x[train], y[train], x[test], y[test], 10)


def fashion_mnist(directory: str | Path = FASHION_MNIST) -> Dataset:
    """Return 60,000 + 10,000 pictures of clothes of 28x28 pixels, from four IDX files.

    Parameters
    ----------
    directory : path
        Where ``train-images-idx3-ubyte`` and the other three files lie, packed (``.gz``) or not.

    Raises
    ------
    ParameterError
        If a file is missing or is not what its name says.

    Source
    ------
    Xiao, Rasul and Vollgraf, arXiv:1708.07747.
    """
    parts = {}
    for part, count in (("train", 60000), ("t10k", 10000)):
        images = read_idx(_find(Path(directory), f"{part}-images-idx3-ubyte"))
        labels = read_idx(_find(Path(directory), f"{part}-labels-idx1-ubyte"))
        if images.shape != (count, 28, 28) or labels.shape != (count,) or labels.max() > 9:
            raise ParameterError(
                f"fashion_mnist: {part} must hold {count} images of 28x28 with labels 0..9, not "
                f"shapes {images.shape} and {labels.shape}; name the right directory"
            )
        parts[part] = (images.astype(np.float32) / np.float32(255), labels.astype(np.int64))
    return Dataset("fashion-mnist", *parts["train"], *parts["t10k"], 10)


def _find(directory: Path, name: str) -> Path:
    for path in (directory / name, directory / f"{name}.gz"):
        if path.is_file():
            return path
    raise ParameterError(
        f"fashion_mnist: {directory} must hold {name} or {name}.gz, and holds neither; install "
        "Debian's package dataset-fashion-mnist or give the directory of the four files"
    )


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
