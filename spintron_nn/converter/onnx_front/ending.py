"""The last stage: scores on one scale, and whether their largest is the graph's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType

from .model import QuantisedModel
from .names import Names
from .state import Stages
from .values import Value

__all__ = ["finish"]

Ints = NDArray[np.int64]

MOST = 1 << 24
"""Values of a score and a channel that are looked at to prove their order."""

BLOCK = 1 << 20


def finish(
    stages: Stages, value: Value, shape: tuple[int, ...], kind: IntType, scale: float, names: Names
) -> QuantisedModel:
    """Make the model of all stages.

    Raises
    ------
    ValueError
        If the result is no straight line of integers, or its largest is not theirs; the text says
        what to do.
    """
    gain, offset = value.gain, value.offset
    if gain is None or offset is None:
        raise ValueError("is no straight line of the last integers: put a Quant at the end")
    if not (gain > 0).all():
        raise ValueError("falls, or stays, where the last sums rise: turn signs in the last layer")
    if not stages.done and stages.waiting is None:
        raise ValueError("holds no layer: give a model with a Quant or a MatMul")
    if stages.waiting is not None:
        bias = _whole_offset(value)
        if bias is not None:
            last = stages.waiting
            stages.waiting = replace(last, bias=last.bias + bias)
            offset = np.zeros_like(offset)
        ordered = bias is not None or _same_order(value)
    else:
        ordered = _same_order(value)
    if stages.classified and not ordered:
        raise ValueError(
            "takes the largest of scores with scales or offsets of their own, which no common "
            "integers represent: use one scale for all outputs, or put a Quant before it"
        )
    done = list(stages.done)
    if stages.waiting is not None:
        if np.abs(stages.waiting.bias).max() >= 1 << 24:
            raise ValueError("has a bias beyond 24 bits in units of its sums: use a larger scale")
        done.append(stages.waiting)
    if stages.classified:
        gain, offset = np.ones(1), np.zeros(1)
    return QuantisedModel(
        shape, kind, scale, tuple(done), stages.classified, gain, offset, tuple(stages.notes)
    )


def _blocks(value: Value) -> list[Ints] | None:
    """All integers of all channels, in blocks that overlap by one; None where they are too many."""
    low, high = int(value.low.min()), int(value.high.max())
    if (high - low + 1) * value.count > MOST:
        return None
    size = max(BLOCK // value.count, 2)
    return [
        np.arange(start, min(start + size, high) + 1)
        for start in range(low, max(high, low + 1), size)
    ]


def _same_order(value: Value) -> bool:
    """Whether all channels have one function, which rises strictly, in float32.

    Then equal scores are equal integers, and larger ones are larger.
    """
    blocks = _blocks(value)
    if blocks is None:
        return False
    for block in blocks:
        found = value.evaluate(np.repeat(block[:, None], value.count, axis=1))
        if not (found == found[:, :1]).all() or not (np.diff(found[:, 0]) > 0).all():
            return False
    return True


def _whole_offset(value: Value) -> Ints | None:
    """Offsets in units of one common scale, where the function is exactly that, without rounding.

    The bias of a last layer whose scales are powers of two.
    """
    gain, offset, blocks = value.gain, value.offset, _blocks(value)
    if gain is None or offset is None or blocks is None or not (gain == gain[0]).all():
        return None
    units = np.round(offset / gain[0])
    if not (units * gain[0] == offset).all() or np.abs(units).max() >= 1 << 31:
        return None
    for block in blocks:
        integers = np.repeat(block[:, None], value.count, axis=1)
        if not (value.evaluate(integers) == (integers + units) * gain[0]).all():
            return None
    return units.astype(np.int64)
