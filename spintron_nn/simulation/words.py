"""Integers in torch: which type carries them, and the generator behind read noise."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from spintron_ir import IntType
from spintron_ir.prng import BLOCK_LANES, PARITY, READ_SHIFT, ROTATIONS

__all__ = [
    "SINGLE",
    "DOUBLE",
    "carrier",
    "converted",
    "float_of",
    "hull",
    "noise_words",
    "threefry2x32",
]

SINGLE, DOUBLE = 1 << 24, 1 << 53
"""Below these bounds every integer is exact in single and in double precision."""

ROUNDS = 13
"""Of Threefry, as :func:`spintron_ir.prng.threefry2x32` has them."""

WORD = 0xFFFFFFFF


def carrier(type_: IntType) -> torch.dtype:
    """The narrowest type of torch, of those that compute everywhere, that holds every value.

    >>> carrier(IntType(8)), carrier(IntType(9)), carrier(IntType(40, signed=True))
    (torch.uint8, torch.int16, torch.int64)
    """
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32):
        limits = torch.iinfo(dtype)
        if limits.min <= type_.low and type_.high <= limits.max:
            return dtype
    return torch.int64


def converted(x: Tensor, dtype: torch.dtype) -> Tensor:
    """The same values in another type; floating-point numbers hold integers in its range.

    Between floating-point numbers and bytes torch is several times as fast by way of int16.

    >>> converted(torch.tensor([0.0, 255.0]), torch.uint8).tolist()
    [0, 255]
    """
    if torch.uint8 in (x.dtype, dtype) and (x.is_floating_point() or dtype.is_floating_point):
        x = x.to(torch.int16)
    return x.to(dtype)


def hull(types: Iterable[IntType]) -> IntType:
    """The narrowest type that holds the values of all.

    >>> hull([IntType(4), IntType(2, signed=True)])
    IntType(bits=5, signed=True)
    """
    ends = [(type_.low, type_.high) for type_ in types]
    return IntType.of_range(min(low for low, _ in ends), max(high for _, high in ends))


def float_of(bound: int) -> torch.dtype:
    """The type in which sums of magnitudes up to a bound are exact: floating where one is.

    >>> float_of(1 << 20), float_of(1 << 24), float_of(1 << 53)
    (torch.float32, torch.float64, torch.int64)
    """
    if bound < SINGLE:
        return torch.float32
    return torch.float64 if bound < DOUBLE else torch.int64


def _rotate(x: Tensor, places: int) -> Tensor:
    """Words of 32 bits, turned to the left; torch shifts to the right with the sign."""
    low = (x >> (32 - places)).bitwise_and_((1 << places) - 1)
    return low.bitwise_or_(x << places)


def threefry2x32(keys: Tensor, counter0: Tensor, counter1: Tensor) -> tuple[Tensor, Tensor]:
    """Encrypt counters of two 32-bit words, all as int32, each under a key of two.

    Parameters
    ----------
    keys : int64 tensor ``(2, ...)``
        Key words, 0..2**32 - 1, which broadcast against the counters.
    counter0, counter1 : int32 tensors
        Counter words.

    Source
    ------
    J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

    Examples
    --------
    The known answer of the Random123 library, 9d1c5ec6 8bd50731:

    >>> zero = torch.zeros(1, dtype=torch.int32)
    >>> pair = threefry2x32(torch.zeros(2, 1, dtype=torch.int64), zero, zero)
    >>> [hex(int(word) & 0xFFFFFFFF) for word in pair]
    ['0x9d1c5ec6', '0x8bd50731']
    """
    third = keys[0] ^ keys[1] ^ PARITY
    schedule = torch.stack([keys[0], keys[1], third])
    words = [_wrapped(word) for word in schedule]
    x0, x1 = counter0 + words[0], counter1 + words[1]
    for number in range(ROUNDS):
        x0 = x0 + x1
        x1 = _rotate(x1, ROTATIONS[number % 8]) ^ x0
        if number % 4 == 3:
            turn = number // 4 + 1
            x0 = x0 + words[turn % 3]
            x1 = x1 + _wrapped(schedule[(turn + 1) % 3] + turn)
    return x0, x1


def _wrapped(words: Tensor) -> Tensor:
    """The low 32 bits of int64 words, as int32."""
    low = words & WORD
    return (low - ((low & 0x80000000) << 1)).to(torch.int32)


def noise_words(
    seeds: Tensor, frames: Tensor, *, reads: int, converters: range, cols: int
) -> Tensor:
    """Sixteen random bits for every column of some reads of every chip.

    Parameters
    ----------
    seeds : int64 tensor ``(2, chips)``
        Seed of the layer in each chip, low word first.
    frames : int32 tensor ``(frames,)``
        Low 32 bits of the frame numbers.
    reads : int
        Chunks of the input.
    converters : range
        Converters ``(group * slices + slice) * converters + d`` of a row group.
    cols : int
        Columns of the layer.

    Returns
    -------
    int32 tensor ``(chips, reads, converters, cols, frames)``, 0..65535
    """
    blocks, device = -(-cols // BLOCK_LANES), seeds.device
    first = torch.arange(converters.start, converters.stop, device=device) * blocks
    block = first[:, None] + torch.arange(blocks, device=device)
    read = torch.arange(reads, device=device) << READ_SHIFT
    counter = _wrapped(read[:, None, None] | block)[None, ..., None]
    found = threefry2x32(seeds[:, :, None, None, None, None], frames, counter)
    lanes = [half & 0xFFFF for word in found for half in (word, word >> 16)]
    words = torch.stack(lanes, dim=4).flatten(3, 4)
    return words[:, :, :, :cols]
