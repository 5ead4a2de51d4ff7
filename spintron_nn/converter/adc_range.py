"""Choosing the range of a layer's converters from the currents that calibration data cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Adc, Dense, arith

__all__ = ["AdcChoice", "choose_adc", "converter_error", "lossless_adc_bits"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

READS = 1 << 21
"""Reads that the search looks at; inputs are picked evenly to stay below."""

FRAMES = 32
"""Inputs that the search looks at if only there are so many, however large the layer."""

ERROR_FRAMES = 256
"""Inputs from which the error of given converters is measured."""

SHIFTS = 7
"""Steps tried for each gain, from the one that clips nothing downwards."""


@dataclass(frozen=True, eq=False)
class AdcChoice:
    """Converters of a layer, and how well they do on the calibration data.

    Attributes
    ----------
    adc : Adc
        The converters.
    error : float, 0..1
        Share of the accumulators' variance that is not a straight line of the exact ones, mean
        over the channels.
    clipped : float, 0..1
        Share of the reads beyond the range; a sense amplifier has no range, its share is 0.
    """

    adc: Adc
    error: float
    clipped: float

    @property
    def step(self) -> float:
        """Conductance codes of one converter code."""
        return 2.0**self.adc.shift / int(self.adc.gain.flat[0])


def choose_adc(
    layer: Dense, x: Ints, bits: int, *, gains: tuple[int, ...] = (1,), shift: int | None = None
) -> AdcChoice:
    """Find the step and the offsets with which :py:`bits` bits spoil the accumulators least.

    Each converter takes the mean of its column off, a constant, as the offset calibration of a
    converter does. The step ``2 ** shift / gain`` is one for the layer. What is minimised is the
    error left in the accumulators, not in the reads: reads of high chunks and slices weigh more,
    and errors of many reads average out.

    Parameters
    ----------
    layer : Dense
        The layer, with lossless converters.
    x : int64 array of shape ``(batch, inputs)``
        Calibration inputs.
    bits : int, 1..16
        Bits of a converter; one makes a sense amplifier.
    gains : tuple of int
        Gains to try; a gain of 1 costs no hardware.
    shift : int or None
        The only shift to try, None for all that may be best.
    """
    reads = layer.groups * layer.slices * layer.converters * layer.chunks * layer.cols
    picked = x[:: max(min(len(x) * reads // READS, len(x) // FRAMES), 1)]
    exact = layer.accumulate(picked).astype(np.float64)
    level = _levels(layer, picked)
    places = layer.dac_bits * np.arange(layer.chunks)
    weight = 4.0**places / np.sum(4.0**places)
    # Mean of each column, the chunks weighed by the power that they carry.
    centre = np.einsum("ksdpnc,p->ksdc", level, weight) / len(picked)
    factor = _factors(layer)
    best: AdcChoice | None = None
    for gain in gains:
        offset = -np.round(centre * gain).astype(np.int64)
        turned = level.astype(np.int64) * gain + offset[:, :, :, None, None]
        for right, half in _candidates(turned, bits, shift):
            code = arith.round_shift(turned - half, right)
            kept = arith.saturate(code, bits)
            error = _unexplained(exact, np.einsum("ksdpnc,ksdp->nc", kept, factor))
            if best is None or error < best.error:
                adc = Adc(
                    bits=bits,
                    signed=True,
                    shift=right,
                    gain=np.full((1, 1, 1, 1), gain),
                    offset=offset - half,
                )
                best = AdcChoice(adc, error, float(np.mean(kept != code)) if bits > 1 else 0.0)
    assert best is not None
    return best


def _candidates(turned: Ints, bits: int, shift: int | None) -> list[tuple[int, int]]:
    """Shifts to try, each with codes that stand on steps and, for few bits, between them."""
    if bits == 1:
        return [(0, 0)]  # only the edge matters, and it is on the mean
    largest = int(np.abs(turned).max(initial=1))
    widest = max(largest.bit_length() + 1 - bits, 0)
    # The widest first: where nothing moves, and all are as good, that is the safe one.
    shifts = [shift] if shift is not None else range(widest, max(widest - SHIFTS, -1), -1)
    # An even number of codes has none in the middle: cutting off in place of rounding makes the
    # range symmetric, which matters while codes are few.
    halves = (0, 1) if bits <= 4 else (0,)
    return [(right, half * ((1 << right) >> 1)) for right in shifts for half in halves]


def _levels(layer: Dense, x: Ints) -> NDArray[np.int32]:
    """Column currents of shape ``(groups, slices, converters, chunks, batch, cols)``."""
    parts = arith.chunks(
        x, bits=layer.input.bits, signed=layer.input.signed, dac_bits=layer.dac_bits
    ).astype(np.float64)  # exact: a current has far fewer than 53 bits
    weights = layer.weights.astype(np.float64)
    if layer.blocks is not None:
        parts = parts.reshape(*parts.shape[:2], layer.blocks, layer.rows)
        weights = weights.reshape(*weights.shape[:3], layer.blocks, layer.block_cols)
        groups = [
            np.einsum(
                "pnbr,sdrbc->sdpnbc",
                parts[..., low:high],
                weights[:, :, low:high],
                optimize=True,
            ).reshape(layer.slices, layer.converters, *parts.shape[:2], layer.cols)
            for low, high in layer.row_groups
        ]
        return np.stack(groups).astype(np.int32)
    groups = [
        np.einsum("pnr,sdrc->sdpnc", parts[:, :, low:high], weights[:, :, low:high], optimize=True)
        for low, high in layer.row_groups
    ]
    return np.stack(groups).astype(np.int32)


def _factors(layer: Dense) -> Ints:
    """Place value and sign of every code: shape ``(groups, slices, converters, chunks)``."""
    places = layer.dac_bits * np.arange(layer.chunks)
    slices = np.array(layer.slice_shift)
    power = np.int64(1) << (slices[:, None, None] + places)
    signed = power * np.array(layer.signs)[None, :, None]
    return np.broadcast_to(signed, (layer.groups, *signed.shape))


def _unexplained(exact: NDArray[Any], found: NDArray[Any]) -> float:
    """Mean over the channels of ``1 - r**2`` between exact and converted accumulators.

    Parameters
    ----------
    exact, found : arrays of shape ``(batch, channels)``
        Accumulators with lossless converters and with the converters in question.

    Returns
    -------
    float, 0..1
    """
    a = exact - exact.mean(axis=0)
    b = found - found.mean(axis=0)
    power = (a**2).sum(axis=0) * (b**2).sum(axis=0)
    live = (a**2).sum(axis=0) > 0
    if not live.any():
        return 0.0
    share = np.zeros(len(live))
    np.divide((a * b).sum(axis=0) ** 2, power, out=share, where=power > 0)
    return float(1 - share[live].mean())


def converter_error(layer: Dense, adc: Adc, x: Ints) -> float:
    """Share of the accumulators' variance that converters add to a layer without any.

    Parameters
    ----------
    layer : Dense
        The layer, with lossless converters.
    adc : Adc
        The converters.
    x : int64 array of shape ``(batch, rows)``
        Calibration inputs; evenly picked ones are looked at.
    """
    picked = x[:: max(len(x) // ERROR_FRAMES, 1)]
    return _unexplained(layer.accumulate(picked), replace(layer, adc=adc).accumulate(picked))


def lossless_adc_bits(rows: int, chunk_bits: int, level_bits: int, *, signed: bool = True) -> int:
    """Bits with which a converter loses nothing of a column of nominal devices.

    A column of ``R`` rows that reads chunks of ``v`` bits from devices of ``w`` bits has
    ``R * (2**v - 1) * (2**w - 1)`` steps, and twice as many where a pair is subtracted:
    ``ceil(log2(steps + 1))``.

    Parameters
    ----------
    rows : int, at least 1
        Rows of a tile.
    chunk_bits, level_bits : int, at least 1
        Bits of an input chunk and of a device.
    signed : bool
        Whether devices are subtracted before the converter.

    Source
    ------
    Shafiee et al., "ISAAC", ISCA 2016, section IV: the bound for one device a weight.

    Examples
    --------
    >>> lossless_adc_bits(128, 1, 2, signed=False), lossless_adc_bits(128, 1, 2)
    (9, 10)
    """
    steps = rows * ((1 << chunk_bits) - 1) * ((1 << level_bits) - 1) * (2 if signed else 1)
    return steps.bit_length()
