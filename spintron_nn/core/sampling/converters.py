"""Errors of converters and sense amplifiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .fields import check_fields

__all__ = ["ConverterSpread", "SampledConverters", "sample_converters"]

Reals = NDArray[np.float64]

MODES = 3
"""Half waves over the range that an integral non-linearity is made of."""


@dataclass(frozen=True)
class ConverterSpread:
    """Standard deviations of the errors of a converter; a least significant bit is its step.

    The transition from code ``k`` to ``k + 1`` moves by an integral and a differential error. The
    first is smooth, zero at both ends of the range: ``sum_m n_m sin(pi m u) / m`` over three half
    waves, ``u`` the place in the range. The second is independent from transition to transition,
    so that the width of a code has the deviation :py:`dnl`. Transitions count as those of a row of
    comparators: what would stand in the wrong order is sorted.

    Parameters
    ----------
    offset : float, at least 0, least significant bits
        Offset of a converter.
    gain : float, at least 0
        Relative error of the gain.
    inl : float, at least 0, least significant bits
        Root mean square of the integral non-linearity, over codes and converters.
    dnl : float, at least 0, least significant bits
        Deviation of the width of a code.
    sense_offset : float, at least 0
        Offset of a sense amplifier over ``G_P - G_AP`` of one device at full read voltage.

    Source
    ------
    Terms: IEEE Std 1241, end-point fit.
    """

    offset: float = 0.0
    gain: float = 0.0
    inl: float = 0.0
    dnl: float = 0.0
    sense_offset: float = 0.0

    def __post_init__(self) -> None:
        names = ("offset", "gain", "inl", "dnl", "sense_offset")
        check_fields(self, {name: ("at least 0", "") for name in names})

    @property
    def on(self) -> bool:
        """Whether any converter has an error."""
        return any((self.offset, self.gain, self.inl, self.dnl, self.sense_offset))


@dataclass(frozen=True, eq=False)
class SampledConverters:
    """Errors of the converters of one array.

    Attributes
    ----------
    offset : array, least significant bits
        Offset of each converter.
    gain : array
        Gain of each over its nominal gain, above 0.
    transitions : array of shape ``(*shape, 2**bits - 1)`` or None, least significant bits
        Error of each transition, on top of offset and gain: with the ideal transitions added they
        rise. None where there is no non-linearity.
    sense_offset : array, conductance codes
        Offset of each sense amplifier.
    """

    offset: Reals
    gain: Reals
    transitions: Reals | None
    sense_offset: Reals


def sample_converters(
    spread: ConverterSpread,
    random: np.random.Generator,
    shape: tuple[int, ...],
    bits: int,
    range_codes: int,
) -> SampledConverters:
    """Draw the converters of an array.

    Parameters
    ----------
    random : Generator
        Random numbers.
    shape : tuple of int
        Converters.
    bits : int
        Bits of a code.
    range_codes : int
        Conductance codes of ``G_P - G_AP``.
    """
    offset, gain, sense = (random.standard_normal(shape) for _ in range(3))
    transitions: Reals | None = None
    if spread.inl or spread.dnl:
        place = (np.arange(1, 1 << bits) - 0.5) / ((1 << bits) - 1)
        order = np.arange(1, MODES + 1)
        waves = np.sin(np.pi * order[:, None] * place) / order[:, None]
        # Expected mean square over the range is 1: one transition alone also counts.
        waves /= np.sqrt((waves**2).sum(axis=0).mean())
        smooth = random.standard_normal((*shape, MODES)) @ waves
        rough = random.standard_normal((*shape, place.size)) / np.sqrt(2)
        error = spread.inl * smooth + spread.dnl * rough
        ideal = np.arange(place.size, dtype=np.float64)
        transitions = np.sort(error + ideal, axis=-1) - ideal
    return SampledConverters(
        spread.offset * offset,
        np.exp(spread.gain * gain),
        transitions,
        spread.sense_offset * range_codes * sense,
    )
