"""Convolutions as windows and matrices: how kernels and images are laid out, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Flatten, Gather, IntType, Window

__all__ = ["blocks_of", "channels_first", "channels_last", "image_shape", "kernel_matrix",
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
        Blocks of channels, one after the other in a window (:func:`blocks_of`).
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


def blocks_of(
    channels: int, outputs: int, groups: int, places: int, tile_rows: int, tile_cols: int
) -> int:
    """Blocks into which the groups of a convolution are packed, so that a block fills a tile.

    Groups lie along the diagonal of a block; between them stand zeros. A block has as many groups
    as fit the rows and columns of a tile together.

    Parameters
    ----------
    channels, outputs, groups : int
        Of the convolution; groups divide both.
    places : int
        Places of its kernel.
    tile_rows, tile_cols : int
        Size of a tile.

    Examples
    --------
    >>> blocks_of(32, 32, 32, 9, 128, 128)  # depthwise 3 x 3: 8 channels on 72 rows
    4
    >>> blocks_of(16, 32, 1, 9, 128, 128)
    1
    """
    rows, cols = channels // groups * places, outputs // groups
    packed = [
        count
        for count in range(1, groups + 1)
        if groups % count == 0
        and (count == 1 or (count * rows <= tile_rows and count * cols <= tile_cols))
    ]
    return groups // packed[-1]


def kernel_matrix(
    weight: NDArray[Any], groups: int, blocks: int
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Weights of a convolution as a matrix whose rows stand as a window of ``blocks`` groups does.

    Parameters
    ----------
    weight : array of shape ``(outputs, channels / groups, *kernel)``
        Weights.
    groups, blocks : int
        Groups of the convolution, and blocks that they are packed into.

    Returns
    -------
    matrix : array of shape ``(outputs, rows of a block)``
        Zeros between the groups of a block.
    used : bool array of the same shape
        Where weights of the convolution stand.

    Examples
    --------
    >>> matrix, used = kernel_matrix(np.array([[[1, 2]], [[3, 4]]]), groups=2, blocks=1)
    >>> matrix.tolist()
    [[1, 0, 2, 0], [0, 3, 0, 4]]
    """
    outputs, depth = weight.shape[:2]
    places = math.prod(weight.shape[2:])
    count = groups // blocks
    kernel = np.moveaxis(weight.reshape(outputs, depth, places), 1, 2)
    matrix = np.zeros((outputs, places, count, depth), dtype=weight.dtype)
    used = np.zeros(matrix.shape, dtype=np.bool_)
    group = np.arange(outputs) // (outputs // groups) % count
    rows = np.arange(outputs)
    matrix[rows, :, group, :] = kernel
    used[rows, :, group, :] = True
    return matrix.reshape(outputs, -1), used.reshape(outputs, -1)


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
