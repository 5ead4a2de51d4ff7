"""Convolutions as windows and matrices: how kernels and images are laid out, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Flatten, Gather, IntType, Window

__all__ = ["channels_first", "channels_last", "image_shape", "kernel_matrix",
           "moved", "window_of"]  # fmt: skip


def image_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """Height, width and channels of a shape that has its channels first.

    >>> image_shape((3, 8, 6)), image_shape((3, 8)), image_shape((3,))
    ((8, 6, 3), (1, 8, 3), (1, 1, 3))
    """
    channels, *sizes = shape
    height, width = [1] * (2 - len(sizes)) + list(sizes)
    return height, width, channels


def window_of(
    shape: tuple[int, ...],
    kind: IntType,
    kernel: Sequence[int],
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    pad_value: int = 0,
    groups: int = 1,
) -> Window:
    """Return the windows of a kernel over one or two axes.

    Parameters
    ----------
    shape : tuple of int
        Height, width and channels of the image.
    kind : IntType
        Type of its values.
    kernel, stride, padding, dilation
        One for each spatial axis, the last being the width.
    pad_value : int
        What stands around the image.
    groups : int
        Groups of channels, one after the other in a window.
    """
    flat = 2 - len(kernel)
    return Window(
        in_shape=tuple(shape),
        type=kind,
        kernel=(*[1] * flat, *kernel),
        stride=(*[1] * flat, *stride),
        dilation=(*[1] * flat, *dilation),
        padding=tuple(
            amount for pair in zip(*([(0, 0)] * flat + list(padding)), strict=True)
            for amount in pair
        ),
        pad_value=pad_value,
        groups=groups,
    )  # fmt: skip


def kernel_matrix(weight: NDArray[Any]) -> NDArray[Any]:
    """Weights of a convolution as a matrix whose rows stand as one group of a window does.

    Parameters
    ----------
    weight : array of shape ``(outputs, channels / groups, *kernel)``
        Weights.

    Returns
    -------
    array of shape ``(outputs, places * channels / groups)``
        Places of the kernel row by row, in each the channels.

    Examples
    --------
    >>> kernel_matrix(np.array([[[1, 2], [3, 4]]])).tolist()
    [[1, 3, 2, 4]]
    """
    outputs, depth = weight.shape[:2]
    return np.moveaxis(weight.reshape(outputs, depth, -1), 1, 2).reshape(outputs, -1)


def moved(shape: tuple[int, ...], kind: IntType, order: Sequence[int]) -> Flatten | Gather:
    """Return the layer that puts axes in another order; free where no value moves.

    Parameters
    ----------
    shape : tuple of int
        Shape of the input.
    kind : IntType
        Type of its values.
    order : sequence of int
        Axis of the input that becomes each axis of the output.
    """
    out_shape = tuple(shape[axis] for axis in order)
    kept = [axis for axis in order if shape[axis] > 1]
    if kept == sorted(kept):
        return Flatten(in_shape=tuple(shape), type=kind, out_shape=out_shape)
    index = np.arange(math.prod(shape)).reshape(shape).transpose(order).reshape(-1)
    return Gather(in_shape=tuple(shape), type=kind, out_shape=out_shape, index=index)


def channels_last(shape: tuple[int, ...], kind: IntType) -> Flatten | Gather:
    """Return the layer from ``(channels, height, width)`` to ``(height, width, channels)``."""
    return moved(shape, kind, (1, 2, 0))


def channels_first(shape: tuple[int, ...], kind: IntType) -> Flatten | Gather:
    """Return the layer from ``(height, width, channels)`` to ``(channels, height, width)``."""
    return moved(shape, kind, (2, 0, 1))
