"""Tests of spintron_nn.datasets.images."""

import struct
import sys

import numpy as np
import pytest

from spintron_ir import ParameterError, ToolError
from spintron_nn.datasets import digits, fashion_mnist


def idx(*shape):
    """Bytes of an IDX file of zeros."""
    head = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return head + bytes(int(np.prod(shape)))


def test_digits_are_split_evenly_and_always_alike():
    data = digits()
    assert data.train_x.shape == (1257, 64) and data.test_x.shape == (540, 64)
    shares = np.bincount(data.test_y) / np.bincount(np.append(data.train_y, data.test_y))
    assert shares.min() > 0.29 and shares.max() < 0.31
    assert np.unique(data.train_x * 16).tolist() == list(range(17))
    # Fixed for ever: figures in documents refer to this split.
    assert data.test_y[:12].tolist() == [2, 7, 3, 8, 9, 9, 8, 1, 7, 3, 1, 7]


def test_says_what_holds_the_digits(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(
        ToolError,
        match=r"^digits: scikit-learn must be installed, it holds the data: pip install "
        r"scikit-learn$",
    ):
        digits()


def test_refuses_a_folder_without_the_files(tmp_path):
    with pytest.raises(
        ParameterError,
        match=r"^fashion_mnist: .* must hold train-images-idx3-ubyte or train-images-idx3-ubyte\.gz"
        r", and holds neither; install Debian's package dataset-fashion-mnist or give the "
        r"directory of the four files$",
    ):
        fashion_mnist(tmp_path)


def test_refuses_files_of_something_else(tmp_path):
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(3, 2, 2))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(3))
    with pytest.raises(
        ParameterError,
        match=r"^fashion_mnist: train must hold 60000 images of 28x28 with labels 0\.\.9, not "
        r"shapes \(3, 2, 2\) and \(3,\); name the right directory$",
    ):
        fashion_mnist(tmp_path)
