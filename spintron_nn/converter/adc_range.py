"""Choosing the range of a layer's converters from the currents that calibration data cause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Adc, Dense
from spintron_ir.layers.dense_reads import format_of, narrow_chunks

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
    exact = _centred(layer.accumulate(picked).astype(np.float64))
    level = _levels(layer, picked)
    places = layer.dac_bits * np.arange(layer.chunks)
    weight = 4.0**places / np.sum(4.0**places)
    # Mean of each column, the chunks weighed by the power that they carry.
    centre = np.einsum("ksdpnc,p->ksdc", level, weight) / len(picked)
    best: tuple[float, int, Any, _Codes, tuple[int, int]] | None = None
    for gain in gains:
        offset = -np.round(centre * gain).astype(np.int64)
        codes = _Codes(layer, level, bits, gain, offset, shift or 0)
        for step in _candidates(codes.largest, bits, shift):
            error = _unexplained(exact, _centred(codes.sums(*step)))
            if best is None or error < best[0]:
                best = error, gain, offset, codes, step
    assert best is not None
    error, gain, offset, codes, (right, half) = best
    adc = Adc(
        bits=bits,
        signed=True,
        shift=right,
        gain=np.full((1, 1, 1, 1), gain),
        offset=offset - half,
    )
    return AdcChoice(adc, error, codes.clipped(right, half) if bits > 1 else 0.0)


class _Codes:
    """Codes of the currents of a layer, for converters of one gain and several steps.

    They are computed in a floating-point format that holds every number on the way.

    Parameters
    ----------
    level : int32 array of shape ``(groups, slices, converters, chunks, inputs, cols)``
        Currents.
    gain, offset, shift : int, int64 array of shape ``(groups, slices, converters, cols)``, int
        Of the converters; the shift is the largest where it is given.
    """

    def __init__(
        self,
        layer: Dense,
        level: NDArray[np.int32],
        bits: int,
        gain: int,
        offset: Ints,
        shift: int,
    ) -> None:
        self.low, self.high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        # Errors are sums of floats, in the order in which the currents lie in memory.
        self.order: Any = "F" if level.strides[-2] < level.strides[-1] else "C"
        largest = max(int(level.max()), -int(level.min()))
        most = 5 * (largest * gain + int(np.abs(offset).max()) + 1) + (1 << shift)
        factor = _factors(layer).reshape(layer.groups, -1)
        total = int(np.abs(factor).sum()) << bits
        self.factor = factor.astype(format_of(max(most, total)) or np.int64)
        number = format_of(max(most, total)) or np.float64
        turned = np.swapaxes(level, -1, -2).astype(number, order="C")
        turned *= number(gain)
        turned += offset[:, :, :, None, :, None].astype(number)
        self.turned = turned
        self.largest = max(int(turned.max()), -int(turned.min()), 1)

    def sums(self, right: int, half: int) -> Ints:
        """Sums ``(inputs, cols)`` of the codes of a step ``2**right``, moved by :py:`half`."""
        total: Any = 0
        for number, factor in enumerate(self.factor):
            code = self._codes(slice(number, number + 1), right, half)
            np.clip(code, self.low, self.high, out=code)
            total = total + factor @ code.reshape(len(factor), -1).astype(factor.dtype, copy=False)
        found: Ints = total.reshape(self.turned.shape[-2:]).T.astype(np.int64, order=self.order)
        return found

    def clipped(self, right: int, half: int) -> float:
        """Share of the reads beyond the range."""
        code = self._codes(slice(None), right, half)
        return float(np.mean((code < self.low) | (code > self.high)))

    def _codes(self, groups: slice, right: int, half: int) -> NDArray[Any]:
        """Codes of some groups, beyond the range too."""
        number = self.turned.dtype.type
        code = self.turned[groups] * number(2.0**-right)
        code += number((((1 << right) >> 1) - half) * 2.0**-right)
        return np.floor(code, out=code)


def _candidates(largest: int, bits: int, shift: int | None) -> list[tuple[int, int]]:
    """Shifts to try, each with codes that stand on steps and, for few bits, between them."""
    if bits == 1:
        return [(0, 0)]  # only the edge matters, and it is on the mean
    widest = max(largest.bit_length() + 1 - bits, 0)
    # The widest first: where nothing moves, and all are as good, that is the safe one.
    shifts = [shift] if shift is not None else range(widest, max(widest - SHIFTS, -1), -1)
    # An even number of codes has none in the middle: cutting off in place of rounding makes the
    # range symmetric, which matters while codes are few.
    halves = (0, 1) if bits <= 4 else (0,)
    return [(right, half * ((1 << right) >> 1)) for right in shifts for half in halves]


def _levels(layer: Dense, x: Ints) -> NDArray[np.int32]:
    """Column currents of shape ``(groups, slices, converters, chunks, batch, cols)``."""
    # Exact: no sum of a column is beyond it.
    number = format_of(layer.rows << (layer.cell_bits + layer.dac_bits)) or np.float64
    parts = np.empty((layer.chunks, *x.shape), dtype=number)
    for part, chunk in zip(parts, narrow_chunks(layer, x), strict=True):
        part[...] = chunk
    weights = layer.weights.astype(number)
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
        return np.stack(groups, dtype=np.int32, casting="unsafe")
    groups = [
        np.einsum("pnr,sdrc->sdpnc", parts[:, :, low:high], weights[:, :, low:high], optimize=True)
        for low, high in layer.row_groups
    ]
    return np.stack(groups, dtype=np.int32, casting="unsafe")


def _factors(layer: Dense) -> Ints:
    """Place value and sign of every code: shape ``(groups, slices, converters, chunks)``."""
    places = layer.dac_bits * np.arange(layer.chunks)
    slices = np.array(layer.slice_shift)
    power = np.int64(1) << (slices[:, None, None] + places)
    signed = power * np.array(layer.signs)[None, :, None]
    return np.broadcast_to(signed, (layer.groups, *signed.shape))


def _centred(values: NDArray[Any]) -> tuple[Reals, Reals]:
    """Values ``(batch, channels)`` less their means, and the sums of their squares."""
    found = values - values.mean(axis=0)
    return found, (found**2).sum(axis=0)


def _unexplained(exact: tuple[Reals, Reals], found: tuple[Reals, Reals]) -> float:
    """Mean over the channels of ``1 - r**2`` between exact and converted accumulators.

    Parameters
    ----------
    exact, found : pairs of arrays of shape ``(batch, channels)`` and ``(channels,)``
        Accumulators with lossless converters and with the converters in question, centred.

    Returns
    -------
    float, 0..1
    """
    power, live = exact[1] * found[1], exact[1] > 0
    if not live.any():
        return 0.0
    share = np.zeros(len(live))
    np.divide((exact[0] * found[0]).sum(axis=0) ** 2, power, out=share, where=power > 0)
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
    found = (layer.accumulate(picked), replace(layer, adc=adc).accumulate(picked))
    return _unexplained(*map(_centred, found))


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
