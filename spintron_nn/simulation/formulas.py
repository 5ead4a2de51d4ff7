"""The arithmetic contract once more, in torch: on int64 tensors, value for value."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["doubling_high_multiply", "reciprocal", "round_shift", "round_shift_away"]

FORTY_EIGHT_SEVENTEENTHS = 1_515_870_810
THIRTY_TWO_SEVENTEENTHS = 1_010_580_540
ONE = 1 << 29
ROUNDS = 3


def round_shift(x: Tensor, shift: Tensor | int) -> Tensor:
    """Divide by ``2 ** shift``, to the nearest integer, ties upwards.

    >>> round_shift(torch.tensor([-3, -1, 1, 3]), 1).tolist()
    [-1, 0, 1, 2]
    """
    one = torch.ones((), dtype=torch.int64, device=x.device)
    return (x + ((one << shift) >> 1)) >> shift


def round_shift_away(x: Tensor, shift: Tensor | int) -> Tensor:
    """Divide by ``2 ** shift``, to the nearest integer, ties away from zero.

    >>> round_shift_away(torch.tensor([-3, -1, 1, 3]), 1).tolist()
    [-2, -1, 1, 2]
    """
    shift = torch.as_tensor(shift, device=x.device)
    return round_shift(x - ((x < 0) & (shift > 0)).long(), shift)


def doubling_high_multiply(x: Tensor, y: Tensor | int) -> Tensor:
    """Product of two signed 32-bit numbers over ``2 ** 31``, ties upwards, saturated.

    >>> doubling_high_multiply(torch.tensor([3 << 29, -(1 << 31)]), -(1 << 31)).tolist()
    [-1610612736, 2147483647]
    """
    return round_shift(x * y, 31).clamp(-(1 << 31), (1 << 31) - 1)


def reciprocal(total: Tensor) -> tuple[Tensor, Tensor]:
    """``2**31`` over each sum shifted into ``2**31 .. 2**32``, and the bits of each sum.

    Source
    ------
    gemmlowp, ``one_over_one_plus_x_for_x_in_0_1``; :func:`spintron_ir.layers.softmax.reciprocal`.

    Examples
    --------
    >>> [int(part) for part in reciprocal(torch.tensor(3 << 20))]  # 2**31 / 1.5
    [1431655762, 22]
    """
    bits = torch.frexp(total.double())[1].long()  # exact below 2**53
    half = total << (31 - bits)
    x = FORTY_EIGHT_SEVENTEENTHS + doubling_high_multiply(half, -THIRTY_TWO_SEVENTEENTHS)
    for _ in range(ROUNDS):
        error = ONE - doubling_high_multiply(half, x)
        step = doubling_high_multiply(x, error) << 2
        x = x + step.clamp(-(1 << 31), (1 << 31) - 1)
    return (x << 1).clamp(-(1 << 31), (1 << 31) - 1), bits
