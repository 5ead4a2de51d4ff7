"""Pictures: handwritten digits from scikit-learn, and Fashion-MNIST. Nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spintron_ir import ParameterError, ToolError

from .dataset import Dataset
from .idx import read_idx

__all__ = ["FASHION_MNIST", "digits", "fashion_mnist"]

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package ``dataset-fashion-mnist`` puts its files."""

DIGITS_TRAIN = 1257
"""Digits to train on, seven tenths of 1,797."""


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
