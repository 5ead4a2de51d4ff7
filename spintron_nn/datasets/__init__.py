"""Data to train and test on. Nothing is downloaded, and nothing of a file is executed."""

from __future__ import annotations

from .dataset import Dataset
from .idx import read_idx
from .images import FASHION_MNIST, digits, fashion_mnist

__all__ = ["FASHION_MNIST", "Dataset", "digits", "fashion_mnist", "read_idx"]
