"""MultiThreshold: what FINN makes of a quantiser and all in front of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .quantisers import Floats, Ints, Quantiser
from .reading import Operation, Refusal
from .thresholds import MOST
from .values import Constant, Value

__all__ = ["multithreshold_of"]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Counter(Quantiser):
    """Counts the thresholds that a value reaches: ``factor * count + summand``.

    Parameters
    ----------
    limits : float32 array of shape ``(channels or 1, n)``
        Thresholds of each channel, in any order.
    factor, summand : int
        What is made of the count.
    """

    limits: Floats
    factor: int
    summand: int

    def codes(self, x: Floats, rows: Ints | None = None) -> Ints:
        """Integers of float32 values."""
        count: Ints = np.zeros(np.shape(x), dtype=np.int64)
        for index in range(self.limits.shape[-1]):
            limit = self.limits[:, index]
            count += x >= (limit[0] if len(limit) == 1 else limit[rows])
        return self.factor * count + self.summand

    def spread(self, form: tuple[int, ...]) -> Quantiser:
        """The same with thresholds for each element of an array of a shape."""
        limits = self.limits
        if len(limits) > 1:
            channel = np.arange(len(limits)).reshape(self.scale.shape)
            limits = limits[np.broadcast_to(channel, form).reshape(-1)]
        one = self.scale.reshape(-1)[:1]
        return replace(self, scale=one, zero=0 * one, limits=limits)


def multithreshold_of(op: Operation, parts: list[Any]) -> tuple[Quantiser, int]:
    """Return a quantiser that counts thresholds, and the bits of its codes.

    Raises
    ------
    ValueError
        If its thresholds, scale or bias do not fit; the text says what to do.
    """
    value = parts[0]
    if len(parts) < 2 or not isinstance(parts[1], Constant) or not isinstance(value, Value):
        raise Refusal("its thresholds must be constants, and its values not: export it again")
    layout = str(op.attributes.get("data_layout", "NCHW"))
    axis = len(value.shape) - 1 if layout in ("NHWC", "NWC") else 1
    limits: NDArray[Any] = parts[1].values
    if limits.ndim != 2 or limits.shape[0] not in (1, value.shape[axis]) or not limits.shape[1]:
        raise Refusal(
            f"its thresholds of shape {limits.shape} do not fit values of shape {value.shape}: "
            "give (channels, thresholds) or (1, thresholds)"
        )
    if limits.shape[1] > MOST:
        raise Refusal(
            f"has {limits.shape[1]} thresholds, and at most {MOST} are converted: use 8 bits"
        )
    scale = float(op.attributes.get("out_scale", 1.0))
    bias = float(op.attributes.get("out_bias", 0.0))
    whole = scale.is_integer() and bias.is_integer()
    if not scale > 0 or not (whole or (bias / scale).is_integer()) or abs(bias) > 1 << 16:
        raise Refusal(
            f"gives counts times {scale:g} plus {bias:g}, which are no integers times a scale: "
            "make the bias a multiple of the scale"
        )
    factor, summand = (int(scale), int(bias)) if whole else (1, int(bias / scale))
    top = factor * limits.shape[1] + summand
    sizes = [1] * len(value.shape)
    sizes[axis] = limits.shape[0]
    unit = np.full(sizes, 1.0 if whole else scale, dtype=np.float32)
    found = _Counter(
        unit,
        0 * unit,
        summand,
        top,
        limits=limits.astype(np.float32),
        factor=factor,
        summand=summand,
    )
    return found, 32  # the narrowest type that holds the codes is found from them
