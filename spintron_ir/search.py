"""How many of its limits each value reaches, by halving."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["count_reached"]


def count_reached(values: NDArray[Any], limits: NDArray[Any]) -> NDArray[np.intp]:
    """Count the limits ``(*columns, n)`` of its column that each value ``(..., *columns)`` reaches.

    Values are integers in any format that holds them and the next higher; limits never fall.

    >>> count_reached(np.array([[3, 3], [4, 9]]), np.array([[2, 4, 9], [4, 4, 4]])).tolist()
    [[1, 0], [2, 3]]
    """
    columns, count = limits.shape[:-1], limits.shape[-1]
    if not values.size:
        return np.zeros(values.shape, dtype=np.intp)
    size = (1 << count.bit_length()) - 1
    near = np.clip(limits.astype(np.int64, copy=False), int(values.min()), int(values.max()) + 1)
    table = near[..., np.minimum(np.arange(size), count - 1)].astype(values.dtype).ravel()
    first = size * np.arange(math.prod(columns), dtype=np.intp).reshape(columns)
    place = np.empty(values.shape, dtype=np.intp)
    place[...] = first
    index, limit = np.empty_like(place), np.empty_like(values)
    for bit in reversed(range(count.bit_length())):
        np.add(place, (1 << bit) - 1, out=index)
        table.take(index, out=limit, mode="clip")
        np.multiply(values >= limit, 1 << bit, out=index)
        place += index
    place -= first
    return np.minimum(place, count, out=place)
