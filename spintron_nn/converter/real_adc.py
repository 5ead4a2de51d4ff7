"""The converters of a sampled chip in place of ideal ones, exactly as the network carries them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Adc, Dense, ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.sampling.converters import SampledConverters

from .adc_range import AdcChoice, choose_adc, converter_error
from .trained import adc_parts

__all__ = ["sampled_adc", "with_converters"]

TRANSITION_BITS = 8
"""Bits up to which a network carries the transition levels of a converter."""


def with_converters(
    name: str,
    layer: Dense,
    x: NDArray[np.int64],
    bits: int | None,
    chip: Chip,
    *,
    step: float | None = None,
) -> tuple[Dense, AdcChoice | None]:
    """Put the chip's converters under a layer, their range fitted to calibration data.

    Parameters
    ----------
    name : str
        Name of the arrays of the layer.
    layer : Dense
        The layer, with lossless converters.
    x : int64 array of shape ``(batch, rows)``
        Calibration inputs.
    bits : int, 1..16, or None
        Bits of a converter; None leaves it lossless.
    chip : Chip
        The die.
    step : float or None
        Conductance codes of one code of a converter, ``2**shift / gain``; None: the best shift.

    Returns
    -------
    layer : Dense
        With the converters of the chip.
    choice : AdcChoice or None
        Their range, and the error that the converters of the chip make.
    """
    if bits is None:
        return layer, None
    if step is None:
        choice = choose_adc(layer, x, bits)
    else:
        if bits == 1:
            raise ParameterError(
                f"convert: trained.adc_steps must have none for {name}, whose converters of one "
                "bit have no step; leave it out"
            )
        shift, gain = adc_parts(name, step)
        choice = choose_adc(layer, x, bits, gains=(gain,), shift=shift)
    adc = sampled_adc(name, layer, choice.adc, chip)
    if adc is not choice.adc:
        choice = replace(choice, error=converter_error(layer, adc, x))
    return replace(layer, adc=adc), choice


def sampled_adc(name: str, layer: Dense, adc: Adc, chip: Chip) -> Adc:
    """Return the converters of the layer :py:`name` as the chip has them.

    An ideal converter of gain ``k`` gives a code of at least ``j`` where
    ``(k * level + offset) / 2**shift >= j - 1/2``. A sampled one has an error ``g`` of its gain, an
    offset ``o`` and errors ``e[j]`` of its transitions, the last two in codes, and gives it where
    ``(k * level + offset) * g / 2**shift + o >= j - 1/2 + e[j]``. Levels are integers, so that its
    transition levels, rounded up, say the same; levels out of order are put in order. Offsets alone
    need no transition levels. A sense amplifier has an offset in conductance codes.

    Parameters
    ----------
    name : str
        Name of the arrays of the layer.
    layer : Dense
        The layer, with lossless converters.
    adc : Adc
        Ideal converters with a calibrated range.
    chip : Chip
        The die.

    Raises
    ------
    ParameterError
        If the network cannot carry converters of so many bits.
    """
    spread = chip.config.converters
    shape = (layer.groups, layer.slices, layer.converters, layer.cols)
    if chip.ideal or not spread.on:
        return adc
    found = chip.converters(name, shape, adc.bits)
    if adc.bits == 1:
        moved = adc.offset + np.round(found.sense_offset).astype(np.int64)
        return replace(adc, offset=moved)
    if found.transitions is None and np.all(found.gain == 1):
        moved = adc.offset + np.round(found.offset * 2.0**adc.shift).astype(np.int64)
        return replace(adc, offset=moved)
    if adc.bits > TRANSITION_BITS:
        raise ParameterError(
            f"convert: converters with errors of gain or linearity must have at most "
            f"{TRANSITION_BITS} bits, not {adc.bits}; give fewer adc_bits, or set gain, inl and "
            "dnl of the converters to 0"
        )
    return Adc(bits=adc.bits, signed=adc.signed, transitions=_transitions(adc, found, shape))


def _transitions(adc: Adc, found: SampledConverters, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Transition levels ``(groups, slices, converters, columns, 2**bits - 1)``."""
    codes = np.arange(adc.type.low + 1, adc.type.high + 1)
    error = 0.0 if found.transitions is None else found.transitions
    place = codes - 0.5 + error - found.offset[..., None]
    offset = np.broadcast_to(adc.offset, shape)[..., None]
    gain = np.broadcast_to(adc.gain, shape)[..., None]
    level = (place * 2.0**adc.shift / found.gain[..., None] - offset) / gain
    limit = np.iinfo(np.int32)  # far beyond any level
    return np.sort(np.ceil(level).clip(limit.min, limit.max), axis=-1).astype(np.int32)
