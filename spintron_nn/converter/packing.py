"""Block-diagonal matrices on tiles: as many blocks along the diagonal of one as fit it.

All blocks of a tile share its devices, wires and faults, and are read one after the other: only the
word lines of one block are driven at a time. What stands beside the diagonal conducts nothing then,
where it would add the spread of many unused devices to the few that hold weights
(docs/decisions/0017).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_nn.core.chip import SampledArray

__all__ = ["blocks_a_tile", "pack", "unpack"]


def blocks_a_tile(rows: int, cols: int, blocks: int, tile: int) -> int:
    """Blocks that stand on one tile.

    Parameters
    ----------
    rows, cols : int
        Size of a block.
    blocks : int
        How many there are.
    tile : int
        Rows and columns of a tile.

    Examples
    --------
    >>> blocks_a_tile(9, 1, 32, 128)  # 3 x 3 kernels, depthwise: 14 of them on 126 rows
    14
    >>> blocks_a_tile(288, 32, 2, 128)
    1
    """
    return max(min(tile // rows, tile // cols, blocks), 1)


def pack(devices: NDArray[Any], blocks: int, tile: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Put blocks along the diagonals of tiles; the places beside them are on the lowest level.

    Parameters
    ----------
    devices : array of shape ``(slices, devices, rows, cols)``
        Levels; ``rows`` are those of a block, ``cols`` those of all blocks.
    blocks : int
        How many blocks.
    tile : int
        Rows and columns of a tile.

    Returns
    -------
    packed : array of shape ``(tiles, slices, devices, count * rows, count * cols / blocks)``
        Levels of the devices of every tile.
    driven : bool array of the shape of a tile
        Devices that are driven when their column is read.

    Examples
    --------
    >>> packed, driven = pack(np.array([[[[1, 2, 3]]]]), blocks=3, tile=2)
    >>> packed[:, 0, 0].tolist()
    [[[1, 0], [0, 2]], [[3, 0], [0, 0]]]
    """
    slices, pair, rows, every = devices.shape
    cols = every // blocks
    count = blocks_a_tile(rows, cols, blocks, tile)
    tiles = -(-blocks // count)
    parts = np.zeros((slices, pair, rows, tiles * count, cols), dtype=devices.dtype)
    parts[:, :, :, :blocks] = devices.reshape(slices, pair, rows, blocks, cols)
    found = np.zeros((tiles, slices, pair, count, rows, count, cols), dtype=devices.dtype)
    each = np.arange(count)
    # Both indices together pick the diagonal, and come first.
    found[:, :, :, each, :, each, :] = np.moveaxis(
        parts.reshape(slices, pair, rows, tiles, count, cols), (4, 3), (0, 1)
    )
    packed = found.reshape(tiles, slices, pair, count * rows, count * cols)
    return packed, np.kron(np.eye(count, dtype=np.bool_), np.ones((rows, cols), dtype=np.bool_))


def unpack(array: SampledArray, blocks: int, rows: int, cols: int) -> SampledArray:
    """What :func:`pack` put on tiles, columns of all blocks side by side again.

    Parameters
    ----------
    array : SampledArray
        Of packed tiles.
    blocks : int
        How many blocks.
    rows, cols : int
        Size of a block.
    """
    count = array.codes.shape[-1] // cols
    each = np.arange(count)

    def beside(parts: NDArray[Any]) -> NDArray[Any]:
        """Axes ``(tiles, ..., count, cols)`` of every block's own columns to one of columns."""
        moved = np.moveaxis(parts, 0, -3)
        return moved.reshape(*moved.shape[:-3], -1, cols)[..., :blocks, :].reshape(
            *moved.shape[:-3], -1
        )

    def diagonal(values: NDArray[Any], width: int) -> NDArray[Any]:
        parts = values.reshape(*values.shape[:-2], count, rows, count, width)
        return np.moveaxis(parts[..., each, :, each, :], 0, -2)

    reference = array.reference
    if reference is not None:
        wide = reference.shape[-1]
        parts = np.moveaxis(reference.reshape(*reference.shape[:-2], count, rows, wide), -3, -2)
        moved = np.moveaxis(parts, 0, -3).reshape(*parts.shape[1:-2], -1, wide)
        reference = moved[..., :blocks, :].reshape(*moved.shape[:-2], -1)
    telegraph = array.telegraph
    if telegraph is not None:
        telegraph = beside(telegraph.reshape(*telegraph.shape[:-1], count, cols))
    steps = np.tile(array.steps, len(array.codes))[: blocks * cols]
    codes = beside(diagonal(array.codes, cols))
    return replace(array, codes=codes, reference=reference, steps=steps, telegraph=telegraph)
