"""A matrix on the chip, and what its sums are for the calibration data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, IntType, Window

from ..adc_range import AdcChoice
from ..calibrate import fit_line
from ..kernels import kernel_matrix
from ..levels import weight_values
from ..mapping import MappedLayer, map_layer
from ..quantise import percentile_step, quantise_weights
from ..real_adc import with_converters
from ..report import LayerReport, layer_report
from ..settings import Settings
from ..trained import Trained
from ..wires import bias_error
from .work import blocks_of_frames

__all__ = ["Placed", "Vectors", "Weights", "place"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

MOST = 1 << 13
"""Vectors that a matrix with positions is fitted to."""

VALUES = 1 << 22
"""Values of them."""

READS = 1 << 19
"""Reads of a matrix with positions that the range of its converters is chosen from."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Inputs of a matrix for the calibration data, computed a part at a time.

    Attributes
    ----------
    codes : integer array of shape ``(frames, ...)``
        Values of each frame.
    window : Window or None
        What makes vectors of them; None where the codes are vectors.
    width : int
        Values of a vector.
    positions : int or None
        Vectors of a frame, None for one.
    """

    codes: NDArray[Any]
    window: Window | None
    width: int
    positions: int | None

    def part(self, frames: Any) -> Ints:
        """Vectors ``(vectors, width)`` of some frames."""
        return self._rows(self.codes[frames]).astype(np.int64, copy=False)

    def _rows(self, codes: NDArray[Any]) -> NDArray[Any]:
        if self.window is not None:
            codes = self.window.run(codes)
        return codes.reshape(-1, self.width)

    def picked(self) -> Ints:
        """All vectors where a frame has one; otherwise an even choice of frames and positions."""
        if self.positions is None:
            return self.part(slice(None))
        most = max(min(MOST, VALUES // self.width), 64)
        frames = self.codes[:: max(len(self.codes) // 64, 1)]
        each = max(math.ceil(self.positions * len(frames) / most), 1)
        found = []
        for part in blocks_of_frames(len(frames), self.positions * self.width):
            rows = self._rows(frames[part]).reshape(-1, self.positions, self.width)
            # Every frame begins elsewhere, so that all positions are seen; the rest is not kept.
            found += [
                one[number % each :: each].copy() for number, one in enumerate(rows, part.start)
            ]
        return np.concatenate(found, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of a step, and where they stand in a matrix.

    Attributes
    ----------
    weight : float64 array of shape ``(outputs, inputs / groups, *kernel)``
        Weights.
    bias : float64 array of shape ``(outputs,)``
        Bias.
    groups : int
        Groups of channels.
    order : int64 array of shape ``(inputs,)`` or None
        Input that stands at each place of a vector; None: as they are.
    """

    weight: Reals
    bias: Reals
    groups: int = 1
    order: Ints | None = None

    def matrix(self, values: NDArray[Any]) -> NDArray[Any]:
        """Numbers of the weights as a matrix ``(outputs, rows of a group)``."""
        if values.ndim == 2:
            return values if self.order is None else values[:, self.order]
        return kernel_matrix(values)


@dataclass(frozen=True, eq=False)
class Placed:
    """A matrix on the chip, with what its accumulators are for the calibration data.

    Attributes
    ----------
    name : str
        Name of its arrays.
    layer : Dense
        Crossbars with their converters, for one vector.
    acc : integer array of shape ``(frames, cols)`` or ``(frames, positions, cols)``
        Accumulators.
    step : float64 array of shape ``(cols,)`` or ``(1,)``
        Step of the weights.
    slope, offset : float64 arrays of shape ``(cols,)``
        From an accumulator to the real value that it stands for.
    """

    name: str
    layer: Dense
    mapped: MappedLayer
    choice: AdcChoice | None
    step: Reals
    weight_error: float
    codes: Ints
    acc: NDArray[Any]
    slope: Reals
    offset: Reals
    positions: int | None

    def report(self, settings: Settings, scale: float, clipped: float) -> LayerReport:
        """What the conversion of it came to."""
        return layer_report(
            self.name,
            self.mapped,
            self.choice,
            settings,
            weight_error=self.weight_error,
            bias_error=bias_error(self.name, self.mapped, settings.chip, self.codes),
            output_scale=scale,
            output_clipped=clipped,
            positions=self.positions,
            bits=settings.weight_bits(self.name),
        )


def place(
    name: str,
    weights: Weights,
    vectors: Vectors,
    kind: IntType,
    scale: float,
    settings: Settings,
    trained: Trained,
    *,
    per_channel: bool,
) -> Placed:
    """Write a matrix to the arrays :py:`name` of the chip and run the calibration data through it.

    Parameters
    ----------
    weights : Weights
        What to write.
    vectors : Vectors
        Inputs.
    kind : IntType
        Their type.
    scale : float
        Their real value.
    settings : Settings
        Choices of the conversion.
    trained : Trained
        Steps of weights and converters that are not to be found.
    per_channel : bool
        A step and a line for each output, otherwise one for all, where outputs are compared.
    """
    bits = settings.weight_bits(name)
    values = weight_values(settings.chip.config, bits, settings.scheme)
    flat = weights.weight.reshape(len(weights.weight), -1)
    given = trained.weight_step(name, len(flat), per_channel=per_channel)
    if given is None and settings.percentile is not None:
        given = percentile_step(flat, values, settings.percentile, per_channel=per_channel)
    states, step = quantise_weights(flat, values, per_channel=per_channel, step=given)
    written = weights.matrix(states.reshape(weights.weight.shape))
    blocks = None if weights.groups == 1 else weights.groups
    mapped = map_layer(
        name,
        written,
        bits=bits,
        kind=kind,
        chip=settings.chip,
        scheme=settings.scheme,
        crossbar_size=settings.crossbar_size,
        dac_bits=settings.dac_bits,
        code_steps=settings.code_steps,
        blocks=blocks,
    )
    codes = vectors.picked()
    layer, choice = with_converters(
        name,
        mapped.layer,
        _few(codes, mapped.layer, vectors),
        settings.adc_bits,
        settings.chip,
        step=trained.adc_steps.get(name),
    )
    acc = layer.accumulate(codes)
    target = _products(codes * scale, weights.matrix(weights.weight), blocks) + weights.bias
    unit = mapped.unit / (1.0 if choice is None else choice.step)
    slope, offset = fit_line(
        acc.astype(np.float64), target, per_channel=per_channel, nominal=step * scale / unit
    )
    return Placed(
        name,
        layer,
        mapped,
        choice,
        step if per_channel else step[:1],
        _weight_error(flat, values[states] * step[:, None]),
        codes,
        acc if vectors.positions is None else _accumulated(layer, vectors),
        slope,
        offset,
        vectors.positions,
    )


def _weight_error(weight: Reals, quantised: Reals) -> float:
    """Root mean square error over that of the weights."""
    power = float(np.sqrt(np.mean(weight**2)))
    return float(np.sqrt(np.mean((quantised - weight) ** 2))) / power if power else 0.0


def _few(codes: Ints, layer: Dense, vectors: Vectors) -> Ints:
    """What the range of converters is chosen from."""
    if vectors.positions is None:
        return codes
    reads = layer.groups * layer.slices * layer.converters * layer.chunks * layer.cols
    return codes[:: max(min(len(codes) * reads // READS, len(codes) // 64), 1)]


def _products(x: NDArray[Any], matrix: NDArray[Any], blocks: int | None) -> Reals:
    found: Reals
    if blocks is None:
        found = x @ matrix.T
        return found
    rows = matrix.shape[1]
    parts = x.reshape(len(x), blocks, rows).transpose(1, 0, 2)
    found = parts @ matrix.reshape(blocks, -1, rows).transpose(0, 2, 1)
    return found.transpose(1, 0, 2).reshape(len(x), -1)


def _accumulated(layer: Dense, vectors: Vectors) -> NDArray[Any]:
    """Accumulators ``(frames, positions, cols)``, in a type that just holds them."""
    positions, count = vectors.positions or 1, len(vectors.codes)
    found = np.empty((count, positions, layer.cols), dtype=layer.ranges.total.type.dtype)
    for part in blocks_of_frames(count, positions * vectors.width):
        acc = layer.accumulate(vectors.part(part), part.start * positions)
        found[part] = acc.reshape(-1, positions, layer.cols)
    return found
