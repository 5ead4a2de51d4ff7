"""The bit-exact generator behind read noise.

A counter-based generator: the noise of a read depends on its seed, frame, chunk and column alone,
so the order in which hardware reads its columns changes no number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import check_int

__all__ = ["BLOCK_LANES", "READ_SHIFT", "ROTATIONS", "noise_words", "threefry2x32"]

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
"""Rotations of Threefry-2x32, used in turn, a round each."""

PARITY = 0x1BD11BDA
"""Key parity constant of Threefry with 32-bit words."""

BLOCK_LANES = 4
"""Columns that one call of the generator serves, 16 bits each."""

READ_SHIFT = 24
"""Place of the chunk index in the second counter word, above the block index."""


def threefry2x32(
    key0: int, key1: int, counter0: ArrayLike, counter1: ArrayLike, rounds: int = 13
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Encrypt a counter of two 32-bit words under a key of two.

    Parameters
    ----------
    key0, key1 : int, 32 bits
        Key words.
    counter0, counter1 : array of uint32
        Counter words, broadcast against each other.
    rounds : int, 1..32
        13 is the least that passes BigCrush.

    Returns
    -------
    pair of ndarray of uint32

    Source
    ------
    J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the known answers
    of the Random123 library are in the tests.

    Examples
    --------
    >>> [hex(int(word)) for word in threefry2x32(0, 0, 0, 0)]
    ['0x9d1c5ec6', '0x8bd50731']
    """
    check_int("threefry2x32", "rounds", rounds, 1, 32)
    keys = (key0, key1, PARITY ^ key0 ^ key1)
    x0, x1 = np.broadcast_arrays(
        np.asarray(counter0, dtype=np.uint32), np.asarray(counter1, dtype=np.uint32)
    )
    x0 = np.array(x0, ndmin=1, order="C") + np.uint32(keys[0])
    x1 = np.array(x1, ndmin=1, order="C") + np.uint32(keys[1])
    turned = np.empty_like(x1)
    for number in range(rounds):
        x0 += x1
        rotation = ROTATIONS[number % 8]
        np.left_shift(x1, np.uint32(rotation), out=turned)
        x1 >>= np.uint32(32 - rotation)
        x1 |= turned
        x1 ^= x0
        if number % 4 == 3:
            turn = number // 4 + 1
            x0 += np.uint32(keys[turn % 3])
            x1 += np.uint32((keys[(turn + 1) % 3] + turn) & 0xFFFFFFFF)
    shape = np.broadcast_shapes(np.shape(counter0), np.shape(counter1))
    return x0.reshape(shape), x1.reshape(shape)


def noise_words(
    seed: int, *, frame: ArrayLike, read: ArrayLike, converters: ArrayLike, cols: int
) -> NDArray[np.uint16]:
    """Sixteen random bits for every column of some reads.

    The key is the seed (low word first). The counter is the frame number, then the chunk index in
    the upper 8 bits over the block index ``converter * ceil(cols / 4) + column // 4``. A block's
    two words serve its four columns: low and high half of the first, then of the second.

    Parameters
    ----------
    seed : int, 64 bits
        Seed of the layer.
    frame, read, converters : array of int
        Frame number modulo ``2**32``, chunk index and converter index
        ``(group * slices + slice) * converters + d``, broadcast against each other.
    cols : int
        Columns of the layer.

    Returns
    -------
    ndarray of uint16, shape ``(*broadcast shape, cols)``
    """
    blocks = -(-cols // BLOCK_LANES)
    frame = np.asarray(frame, dtype=np.int64) & 0xFFFFFFFF
    block = np.asarray(converters, dtype=np.int64)[..., None] * blocks + np.arange(blocks)
    counter1 = (np.asarray(read, dtype=np.int64)[..., None] << READ_SHIFT) | block
    word0, word1 = threefry2x32(
        seed & 0xFFFFFFFF,
        seed >> 32,
        frame[..., None].astype(np.uint32),
        counter1.astype(np.uint32),
    )
    words = np.stack([word0, word1], axis=-1).astype("<u4", copy=False)
    lanes = words.view("<u2").reshape(*word0.shape[:-1], blocks * BLOCK_LANES)
    return lanes[..., :cols].astype(np.uint16, copy=False)
