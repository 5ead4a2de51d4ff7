"""Data sets of arrays, in memory or in numpy's files. Nothing is unpickled."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real

from .dataset import Dataset

__all__ = ["UNREADABLE", "array_dataset", "read_archive", "read_arrays"]

MAX_BYTES = 1 << 32
"""Bytes of all arrays of the largest file that is read."""

PARTS, WHOLE = ("train_x", "train_y", "test_x", "test_y"), ("x", "y")

# RuntimeError: encrypted, or packed in a way that this Python does not know. TokenError,
# SyntaxError: numpy reads a header that is no dict as one that Python 2 wrote.
UNREADABLE = (
    *(OSError, ValueError, EOFError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError),
)
"""What reading a damaged file of arrays may raise."""

Arrays = dict[str, NDArray[Any]]


def array_dataset(
    x: ArrayLike,
    y: ArrayLike,
    *,
    held_out: float = 0.2,
    seed: int = 0,
    name: str = "arrays",
) -> Dataset:
    """Return inputs and labels as a data set, a drawn share of them held out for the test.

    Parameters
    ----------
    x : array of shape ``(n, *input)``
        Finite numbers; integers are taken as they are.
    y : integer array of shape ``(n,)``
        Labels from 0 on.
    held_out : float, above 0 and below 1
        Share to test on, rounded to at least one and at most all but one.
    seed : int
        Seed of the draw.
    name : str
        What the data are.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other, or hold what is no number.

    Examples
    --------
    >>> data = array_dataset([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]], [0, 1, 0, 1, 0])
    >>> data.train_x.shape, data.test_x.tolist(), data.test_y.tolist(), data.classes
    ((4, 2), [[4.0, 5.0]], [0], 2)
    """
    share = check_real("array_dataset", "held_out", held_out, "above 0 and below 1")
    seed = check_int("array_dataset", "seed", seed, 0, (1 << 63) - 1)
    inputs, labels = _checked("array_dataset", "x", x, y)
    count = len(labels)
    if count < 2:
        raise ParameterError(
            "array_dataset: x must have 2 inputs or more, one to train and one to test, not "
            f"{count}"
        )
    order = np.random.default_rng(seed).permutation(count)
    cut = min(count - 1, max(1, round(share * count)))
    test, train = np.sort(order[:cut]), np.sort(order[cut:])
    classes = int(labels.max()) + 1
    return Dataset(name, inputs[train], labels[train], inputs[test], labels[test], classes)


def read_arrays(path: str | Path, *, held_out: float = 0.2, seed: int = 0) -> Dataset:
    """Return the data set of an ``.npz`` file, or of a folder of ``.npy`` files.

    It holds the arrays ``train_x``, ``train_y``, ``test_x`` and ``test_y``, or ``x`` and ``y``,
    which are cut in two as :func:`array_dataset` does it.

    Raises
    ------
    ParameterError
        If there is no such file, it is damaged, or holds other arrays or objects.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(part for part in path.glob("*.npy") if part.stem in PARTS + WHOLE)
        found = {part.stem: _read_array(part) for part in files}
    elif path.is_file():
        try:
            found = read_archive(path)
        except UNREADABLE as error:
            raise _damaged(path, error) from error
    else:
        raise ParameterError(
            f"read_arrays: path must name an .npz file or a folder of .npy files, and there is no "
            f"{str(path)!r}"
        )
    if sorted(found) == sorted(WHOLE):
        return array_dataset(found["x"], found["y"], held_out=held_out, seed=seed, name=path.stem)
    if sorted(found) != sorted(PARTS):
        raise ParameterError(
            f"read_arrays: {path.name} must hold the arrays {', '.join(PARTS)}, or x and y, not "
            f"{', '.join(sorted(found)) or 'none'}"
        )
    train = _checked("read_arrays", "train_x", found["train_x"], found["train_y"])
    test = _checked("read_arrays", "test_x", found["test_x"], found["test_y"])
    if train[0].shape[1:] != test[0].shape[1:]:
        raise ParameterError(
            f"read_arrays: inputs of train_x and test_x must have one shape, not "
            f"{train[0].shape[1:]} and {test[0].shape[1:]}"
        )
    return Dataset(path.stem, *train, *test, int(max(train[1].max(), test[1].max())) + 1)


def read_archive(path: Path) -> Arrays:
    """Return the arrays of an ``.npz`` file, if they are not too much to hold.

    Raises one of :data:`UNREADABLE` where it is damaged.
    """
    with zipfile.ZipFile(path) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _read_array(path: Path) -> NDArray[Any]:
    try:
        # Mapped first: a header that promises more than the file holds allocates nothing.
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except UNREADABLE as error:
        raise _damaged(path, error) from error


def _checked(
    owner: str, name: str, x: ArrayLike, y: ArrayLike
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return inputs and labels in the types of a data set."""
    inputs, labels = np.asarray(x), np.asarray(y)
    if inputs.dtype.kind not in "biuf" or labels.dtype.kind not in "iu":
        raise ParameterError(
            f"{owner}: {name} must hold numbers and its labels integers, not {inputs.dtype} and "
            f"{labels.dtype}; give labels as numbers of classes, from 0 on"
        )
    if inputs.ndim < 1 or labels.shape != inputs.shape[:1] or not inputs.size:
        raise ParameterError(
            f"{owner}: {name} must have the shape (n, *input) and its labels (n,), with n of at "
            f"least 1, not {inputs.shape} and {labels.shape}"
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
        inputs = inputs.astype(np.float32)
    bad = int((~np.isfinite(inputs)).sum())
    if bad:
        raise ParameterError(
            f"{owner}: {name} must be finite in float32, and {bad} of {inputs.size} values are "
            "not; clean the data first"
        )
    if labels.min() < 0:
        raise ParameterError(
            f"{owner}: labels of {name} must be numbers of classes, from 0 on, not {labels.min()}"
        )
    return inputs, labels.astype(np.int64)


def _damaged(path: Path, error: BaseException) -> ParameterError:
    return ParameterError(
        f"read_arrays: {path.name} must be a whole file of arrays of numbers ({error}); write it "
        "with numpy.savez or numpy.save"
    )
