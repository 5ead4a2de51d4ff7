"""Stage by stage: write to the chip, look at what it does to real data, then fix the constants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, IntType, MulShift

from .adc_range import AdcChoice
from .levels import weight_values
from .mapping import MappedLayer, map_layer
from .quantise import Affine, best_scale, quantise_weights
from .real_adc import with_converters
from .report import LayerReport, layer_report
from .settings import Settings
from .stack import Norm, Stage
from .wires import bias_error

__all__ = ["Signal", "convert_last", "convert_stage", "fit_line"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

SCORE_BITS = 16
"""Bits of scores that a batch normalisation of the last layer makes."""


@dataclass(frozen=True, eq=False)
class Signal:
    """Calibration data between two stages.

    Parameters
    ----------
    codes : int64 array of shape ``(batch, values)``
        What the network carries.
    kind : IntType
        Type of the codes.
    scale : float
        Real value of one code.
    """

    codes: Ints
    kind: IntType
    scale: float


@dataclass(frozen=True, eq=False)
class _Placed:
    """A stage on the chip, with what its accumulators are for the calibration data."""

    layer: Dense
    mapped: MappedLayer
    choice: AdcChoice | None
    weight_error: float
    codes: Ints
    acc: Ints
    slope: Reals
    offset: Reals

    def report(self, name: str, settings: Settings, scale: float, clipped: float) -> LayerReport:
        return layer_report(
            name,
            self.mapped,
            self.choice,
            settings,
            weight_error=self.weight_error,
            bias_error=bias_error(name, self.mapped, settings.chip, self.codes),
            output_scale=scale,
            output_clipped=clipped,
        )


def fit_line(
    acc: Reals, target: Reals, *, per_channel: bool, nominal: Reals
) -> tuple[Reals, Reals]:
    """Straight line from the accumulators to the real values that they stand for.

    Least squares; where the accumulators do not move, or move against the target, the slope is
    that of a nominal chip.
    """
    centred = acc - acc.mean(axis=0)
    power = (centred**2).sum(axis=0)
    common = (centred * (target - target.mean(axis=0))).sum(axis=0)
    if not per_channel:
        power, common = (np.full_like(values, values.sum()) for values in (power, common))
    slope = nominal.copy()
    np.divide(common, power, out=slope, where=(power > 0) & (common > 0))
    return slope, target.mean(axis=0) - slope * acc.mean(axis=0)


def _place(stage: Stage, signal: Signal, settings: Settings, *, per_channel: bool) -> _Placed:
    bits = settings.quantization_bits
    values = weight_values(settings.chip.config, bits, settings.scheme)
    states, step = quantise_weights(stage.weight, values, per_channel=per_channel)
    mapped = map_layer(
        stage.name,
        states,
        bits=bits,
        kind=signal.kind,
        chip=settings.chip,
        scheme=settings.scheme,
        crossbar_size=settings.crossbar_size,
        dac_bits=settings.dac_bits,
        code_steps=settings.code_steps,
    )
    layer, choice = with_converters(
        stage.name, mapped.layer, signal.codes, settings.adc_bits, settings.chip
    )
    acc = layer.accumulate(signal.codes)
    target = (signal.codes * signal.scale) @ stage.weight.T + stage.bias
    unit = mapped.unit / (1.0 if choice is None else choice.step)
    slope, offset = fit_line(
        acc.astype(np.float64),
        target,
        per_channel=per_channel,
        nominal=step * signal.scale / unit,
    )
    power = float(np.sqrt(np.mean(stage.weight**2)))
    error = float(np.sqrt(np.mean((values[states] * step[:, None] - stage.weight) ** 2)))
    return _Placed(
        layer, mapped, choice, error / power if power else 0.0, signal.codes, acc, slope, offset
    )


def _normalised(placed: _Placed, norm: Norm | None, *, recalibrate: bool) -> tuple[Reals, Reals]:
    """Slope and offset from the accumulator through the batch normalisation."""
    if norm is None:
        return placed.slope, placed.offset
    mean, var = norm.mean, norm.var
    if recalibrate:
        count = len(placed.acc)
        # Python's integers: the sums are exact, so that the statistics have one rounding each.
        acc = placed.acc.astype(object)
        first, second = acc.sum(axis=0), (acc * acc).sum(axis=0)
        spread = (count * second - first * first).astype(np.float64)
        measured = spread / count**2 * placed.slope**2
        mean = first.astype(np.float64) / count * placed.slope + placed.offset
        var = np.where(measured > 0, measured, norm.var)
    gain = norm.gamma / np.sqrt(var + norm.eps)
    return gain * placed.slope, gain * (placed.offset - mean) + norm.beta


def convert_stage(
    stage: Stage, signal: Signal, settings: Settings
) -> tuple[Dense, Signal, LayerReport]:
    """Put a stage that another one follows on the chip.

    Its requantiser counts thresholds: exactly the batch normalisation, ReLU and activation codes of
    the fitted real function (:class:`~spintron_nn.converter.quantise.Affine`).
    """
    placed = _place(stage, signal, settings, per_channel=True)
    slope, offset = _normalised(placed, stage.norm, recalibrate=settings.recalibrate)
    kind = IntType(settings.activation_bits, signed=not stage.relu)
    values = slope * placed.acc + offset
    scale = best_scale(values, kind)
    affine = Affine(slope, offset, scale, kind)
    total = placed.layer.ranges.total
    layer = replace(placed.layer, requantise=affine.thresholds(total.low, total.high))
    assert layer.requantise is not None
    codes = layer.requantise.run(placed.acc)
    beyond = values > (kind.high + 0.5) * scale
    if kind.signed:
        beyond |= values < (kind.low - 0.5) * scale
    clipped = float(np.mean(beyond))
    report = placed.report(stage.name, settings, scale, clipped)
    return layer, Signal(codes, kind, scale), report


def convert_last(
    stage: Stage, signal: Signal, settings: Settings
) -> tuple[Dense, float, LayerReport]:
    """Put the last stage on the chip; return it with the real value of one unit of its scores.

    Without a batch normalisation the scores are the accumulators plus a bias, on one scale. With
    one, or with a code step for each column, each channel has its own multiplier, of 31 bits, and
    scores have 16 bits.
    """
    # Steps that differ from column to column need a multiplier each.
    scaled = stage.norm is not None or settings.code_steps == "column"
    placed = _place(stage, signal, settings, per_channel=scaled)
    slope, offset = _normalised(placed, stage.norm, recalibrate=settings.recalibrate)
    if not scaled:
        scale = float(slope[0])
        layer = replace(placed.layer, bias=np.round(offset / scale).astype(np.int64))
    else:
        layer, scale = _scaled_scores(placed, slope, offset)
    return layer, scale, placed.report(stage.name, settings, scale, 0.0)


def _scaled_scores(placed: _Placed, slope: Reals, offset: Reals) -> tuple[Dense, float]:
    """Scores ``slope * acc + offset`` as 16-bit integers, with room for twice what was seen."""
    values = slope * placed.acc + offset
    kind = IntType(SCORE_BITS, signed=True)
    scale = float(np.abs(values).max() or 1.0) * 2 / kind.high
    # The bias is added before the multiplier: a channel of slope 0 keeps a slope just above.
    tiny = np.abs(offset).max() / (1 << 30) + np.finfo(np.float64).tiny
    slope = np.where(np.abs(slope) < tiny, np.copysign(tiny, slope), slope)
    bias: Any = np.round(offset / slope).astype(np.int64)
    exponent = 30 - np.floor(np.log2(np.abs(slope / scale))).astype(np.int64) - 1
    shift: Any = np.clip(exponent, 0, 62)
    multiplier: Any = np.round(slope / scale * 2.0**shift).astype(np.int64)
    requantise = MulShift(multiplier=multiplier, shift=shift, zero_point=0, type=kind)
    return replace(placed.layer, bias=bias, requantise=requantise), scale
