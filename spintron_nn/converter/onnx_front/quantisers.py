"""The quantisers of QONNX, in float32 as its reference executor computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROUNDINGS", "Floats", "Ints", "Quantiser"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _half_up(x: Floats) -> Floats:
    return np.sign(x) * np.floor(np.abs(x) + np.float32(0.5))


def _half_down(x: Floats) -> Floats:
    return np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5))


ROUNDINGS: dict[str, Callable[[Floats], Floats]] = {
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "ROUND_TO_ZERO": np.trunc,
    "HALF_UP": _half_up,
    "HALF_DOWN": _half_down,
}
"""Rounding modes: to the nearest with ties to even, up, down, away from zero, towards zero, and to
the nearest with ties away from and towards zero. All of them rise with their argument."""


@dataclass(frozen=True, eq=False)
class Quantiser:
    """From real values to integers and back: ``round(clip(x / scale + zero, low, high))``.

    Parameters
    ----------
    scale, zero : float32 arrays
        Of a shape that broadcasts to that of the values; the scale is positive, and the zero point
        holds integers.
    low, high : int
        Smallest and largest integer.
    rounding : str
        Name of a rounding mode.
    bipolar : bool
        Only the signs -1 and 1, and 1 for zero.
    divides : bool
        Whether the sign is that of ``x / scale + zero`` (``Quant`` of one bit) or of ``x``
        (``BipolarQuant``).
    late : bool
        Whether the zero point is added after rounding, as ``QuantizeLinear`` does.

    Source
    ------
    Pappalardo et al., "QONNX: Representing Arbitrary-Precision Quantized Neural Networks", 2022,
    section IV.
    """

    scale: Floats
    zero: Floats
    low: int
    high: int
    rounding: str = "ROUND"
    bipolar: bool = False
    divides: bool = True
    late: bool = False

    def codes(self, x: Floats, rows: Ints | None = None) -> Ints:
        """Integers of float32 values.

        Parameters
        ----------
        x : float32 array
            Values.
        rows : int64 array of the same shape, or None
            Which of flat parameters belongs to each; None where parameters broadcast.
        """
        scale, zero = self._at(self.scale, rows), self._at(self.zero, rows)
        if self.late:
            y = ROUNDINGS[self.rounding](x / scale) + zero
            return np.clip(y, np.float32(self.low), np.float32(self.high)).astype(np.int64)
        y = x / scale + zero if self.divides else x
        if self.bipolar:
            return np.where(y >= 0, 1, -1).astype(np.int64)
        # Clipping comes first: rounding cannot leave a range that ends on integers.
        y = np.clip(y, np.float32(self.low), np.float32(self.high))
        codes: Ints = ROUNDINGS[self.rounding](y).astype(np.int64)
        return codes

    def values(self, codes: Ints, rows: Ints | None = None) -> Floats:
        """Real values of integers, in float32; parameters as in :meth:`codes`."""
        scale, zero = self._at(self.scale, rows), self._at(self.zero, rows)
        return (codes.astype(np.float32) - zero) * scale

    def spread(self, form: tuple[int, ...]) -> Quantiser:
        """The same with flat parameters for each element of an array of a shape, or for all."""
        scale, zero = (
            part.reshape(-1) if part.size == 1 else np.broadcast_to(part, form).reshape(-1)
            for part in (self.scale, self.zero)
        )
        return replace(self, scale=scale, zero=zero)

    @staticmethod
    def _at(part: Floats, rows: Ints | None) -> Floats:
        if part.size == 1:
            return part.reshape(())
        return part if rows is None else part[rows]
