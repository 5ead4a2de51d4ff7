"""Quantisers on the processor, compiled: what would be several passes over an array is one.

Loops count without a sign, so that they become vectors. What they compute stands in
:mod:`.quantisers`, as operations of torch, which other devices and types take.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, float32

from spintron_nn.compiled import compiled

__all__ = ["code", "code_gradients", "suits", "weight_gradients", "weight_states"]


def suits(*tensors: Tensor) -> bool:
    """Whether tensors are what kernels are for: float32, in one piece, on the processor."""
    return all(
        tensor.is_cpu and tensor.dtype == float32 and tensor.is_contiguous() for tensor in tensors
    )


@compiled
def weight_states(weight: Any, step: Any, count: int, states: Any) -> None:
    """Write the states of weights ``(outputs, rows)`` among even levels."""
    half, top, none = np.float32(count / 2), np.float32(count - 1), np.float32(0)
    for row in range(len(weight)):
        size = step[row if len(step) > 1 else 0]
        given, state = weight[row], states[row]
        for col in range(np.uint64(weight.shape[1])):
            found = np.float32(given[col] / size)
            place = np.float32(half + np.float32(0.5) * found)
            place = none if place < none else place
            state[col] = np.int32(top if place > top else place)


@compiled(fastmath={"reassoc"})
def weight_gradients(grad: Any, weight: Any, step: Any, limits: Any, sums: Any) -> None:
    """Clear gradients ``(outputs, rows)`` of what saturates; sum the others times the ratio.

    That is the weight over its step.
    """
    low, high = limits
    for row in range(len(grad)):
        size, total = step[row if len(step) > 1 else 0], np.float32(0)
        given, held = grad[row], weight[row]
        for col in range(np.uint64(grad.shape[1])):
            ratio = np.float32(held[col] / size)
            found = np.float32(0) if (ratio <= low) | (ratio >= high) else given[col]
            given[col] = found
            total += found * ratio
        sums[row] = total


@compiled
def code(values: Any, scale: Any, limits: Any, codes: Any, coded: Any) -> None:
    """Write the codes nearest to values, and what these are worth."""
    low, high, half = limits[0], limits[1], np.float32(0.5)
    for k in range(np.uint64(len(values))):
        place = np.floor(np.float32(np.float32(values[k] / scale) + half))
        place = low if place < low else place
        place = high if place > high else place
        codes[k] = np.int32(place)
        coded[k] = place * scale


@compiled(fastmath={"reassoc"})
def code_gradients(grad: Any, values: Any, scale: Any, codes: Any, limits: Any, found: Any) -> Any:
    """Write gradients of values; give that of their scale, but for its factor."""
    low, high, total = limits[0], limits[1], np.float32(0)
    for k in range(np.uint64(len(grad))):
        size = np.float32(values[k] / scale)
        out = (size <= low) | (size >= high)
        found[k] = np.float32(0) if out else grad[k]
        total += grad[k] * (np.float32(codes[k]) - (np.float32(0) if out else size))
    return total
