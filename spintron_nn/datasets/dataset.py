"""What a data set is to this package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and labels, cut in two.

    Attributes
    ----------
    name : str
        What it is.
    train_x, test_x : float32 arrays of shape ``(n, *input)``
        Inputs: pixels 0..1, samples -1..1, or features in the unit that their maker names.
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
