"""A matrix on chips: its weights on freshly drawn devices, read with or without converters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from spintron_ir import Dense, IntType
from spintron_nn.converter.graph import Conv, Linear, Step

from .held import Draw, Held
from .operations import padded
from .product import held_product
from .quantisers import LevelSet, held_weights
from .reads import Reads, fitted

__all__ = ["Crossbar"]

FITTED = 32
"""Inputs of a batch that a line is fitted to, at least, where there are as many."""


@dataclass(frozen=True, eq=False)
class Crossbar:
    """A Linear or Conv step of a model on crossbars.

    Attributes
    ----------
    step : Step
        The step; its name is that of the arrays.
    layer : Dense
        The matrix in the trial conversion: sizes and types.
    levels : LevelSet
        Values of a weight.
    bits, level_bits : int
        Bits of a weight and of a device.
    per_channel : bool
        A step of the weights, and a line, for each output; otherwise one for all.
    normed : bool
        Whether a batch normalisation takes its result, and whatever line goes with it.
    reads : Reads
        How columns are read.
    oriented : bool
        Whether it matters to the devices what is a row and what a column.
    """

    step: Step
    layer: Dense
    levels: LevelSet
    bits: int
    level_bits: int
    per_channel: bool
    normed: bool
    reads: Reads
    oriented: bool

    @property
    def operation(self) -> Linear | Conv:
        """The operation."""
        operation = self.step.operation
        assert isinstance(operation, (Linear, Conv))
        return operation

    @property
    def name(self) -> str:
        """Name of the step."""
        return self.step.name

    @property
    def key(self) -> str:
        """Name of the weights in the module's state."""
        return str(self.operation.weight_key)

    @property
    def kind(self) -> IntType:
        """Type of the inputs."""
        return self.layer.input

    @property
    def slices(self) -> int:
        """Pairs of devices a weight."""
        return self.bits // self.level_bits

    @property
    def ordered(self) -> bool:
        """Whether the order of rows matters."""
        return self.oriented or self.reads.adc_bits is not None

    @property
    def groups(self) -> int:
        """Blocks of the matrix, 1 unless it is a grouped convolution."""
        return getattr(self.operation, "groups", 1)

    def tall(self, step: Tensor) -> Tensor:
        """Step of the weights, with the axes of the weights."""
        return step.reshape(-1, *[1] * (self.operation.weight.ndim - 1))

    def states(self, weight: Tensor, step: Tensor) -> Tensor:
        """State of each weight."""
        return self.levels.states(weight / self.tall(step))

    def rows(self, weight: Tensor) -> Tensor:
        """Weights or states as ``(outputs, rows)``, rows as a chip has them where that matters."""
        if weight.ndim == 2:
            return weight
        turned = weight.movedim(1, -1) if self.ordered else weight
        return turned.reshape(len(weight), -1)

    def forward(
        self,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        steps: tuple[Tensor, Tensor, Tensor | None],
        held: Held,
        draw: Draw,
    ) -> Tensor:
        """Result on each chip, ``(samples, batch, *step.shape)``.

        Parameters
        ----------
        x : Tensor of shape ``(samples or 1, batch, *inputs)``
            Quantised inputs.
        weight, bias : Tensor, None without
            Parameters.
        steps : (Tensor, Tensor, Tensor or None)
            Step of the weights, of the inputs, and of the converters in even levels, None where
            these are lossless.
        held : Held
            What the chips hold of the weights.
        draw : Draw
            The chips.
        """
        step, scale, adc_step = steps
        if isinstance(self.operation, Linear):
            given = weight, step, self.levels, held.ratio, held.whole
            found = held_product(x, *given, None)
        else:
            tall = self.tall(step)
            found = self.product(x, held_weights(weight, tall, self.levels, held.ratio, held.whole))
        noise = self._noise(held.states, draw)
        if adc_step is None:
            found = self._summed(found, noise, scale, step, draw)
        if adc_step is not None or not self.normed:
            found = self._lined(found, x, (step, scale, adc_step), held, noise, draw)
        if bias is None:
            return found
        return found + self._of_outputs(bias)

    def _of_outputs(self, values: Tensor) -> Tensor:
        """Values of the outputs, with the axes behind them."""
        return values.reshape(-1, *[1] * (self.operation.weight.ndim - 2))

    def digits(self, states: Tensor) -> Tensor:
        """Levels of the positive devices of each slice, ``(slices, *states.shape)``."""
        if self.slices == 1:
            return states[None]
        mask = (1 << self.level_bits) - 1
        places = range(0, self.bits, self.level_bits)
        return torch.stack([(states >> place) & mask for place in places])

    def _noise(self, states: Tensor, draw: Draw) -> Tensor | float:
        """Deviation of a read, in even levels."""
        if not self.reads.noisy(draw.sampler):
            return 0.0
        levels = self.digits(self.rows(states)).transpose(1, 2)
        return draw.sampler.read_noise(
            levels, draw.dies, self.reads.chunk_bits(self.kind), self.reads.tile, draw.random
        )

    def _summed(
        self, found: Tensor, noise: Tensor | float, scale: Tensor, step: Tensor, draw: Draw
    ) -> Tensor:
        """Results with the noise of all reads that they are summed of, without any converter."""
        if isinstance(noise, float) and noise == 0:
            return found
        with torch.no_grad():
            deviation = self.reads.summed(self, noise).to(found) * (step * scale)
            axis = 2 if self.operation.weight.ndim > 2 else -1
            tall = deviation.reshape(-1, *[1] * (found.ndim - 2), deviation.shape[-1])
            deviation = tall.movedim(-1, axis)
            drawn = torch.randn(found.shape, generator=draw.random).to(found)
        return found + drawn * deviation

    def _lined(
        self,
        found: Tensor,
        x: Tensor,
        steps: tuple[Tensor, Tensor, Tensor | None],
        held: Held,
        noise: Tensor | float,
        draw: Draw,
    ) -> Tensor:
        """Results on the line that the calibration of each chip finds, through its converters."""
        step, scale, adc_step = steps
        every = max(x.shape[1] // FITTED, 1) if adc_step is None else 1
        with torch.no_grad():
            target = found[:, ::every]
            if not self.normed:
                target = self._target(x[:, ::every], held.states, step)
            real = found
            if adc_step is not None:
                vectors = self._vectors(x / scale)
                given = held.pairs, adc_step, noise
                real = self._image(self.reads.run(self, vectors, given, draw))
                real = real * (self._of_outputs(step) * (scale * adc_step))
            slope, offset = self._line(real[:, ::every], target)
        if adc_step is None:
            return found * slope + offset
        return found + (real * slope + offset - found).detach()

    def _target(self, x: Tensor, states: Tensor, step: Tensor) -> Tensor:
        """What nominal devices give."""
        return self.product(x, self.levels.of(states)[None]) * self._of_outputs(step)

    def _line(self, real: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Line of each chip from its results to those wanted, as its calibration finds it."""
        axis = 2 if self.operation.weight.ndim > 2 else -1
        slope, offset = fitted(
            real.movedim(axis, -1).flatten(1, -2),
            target.movedim(axis, -1).flatten(1, -2),
            per_channel=self.per_channel,
        )
        tall = (len(slope), *[1] * (real.ndim - 2), -1)
        first, second = (part.reshape(tall).movedim(-1, axis) for part in (slope, offset))
        return first, second

    def observed(self, codes: Tensor, weight: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Input codes ``(vectors, inputs)`` and states ``(outputs, rows)``, with gradients."""
        vectors = self._vectors(codes, whole=False)
        flat = vectors.transpose(1, 2).flatten(2).flatten(0, 1)
        ratio = self.rows(weight / self.tall(step)).clamp(*self.levels.clip)
        smooth = ratio * (len(self.levels.values) - 1) / (self.levels.high - self.levels.low)
        states = self.rows(self.states(weight, step)).to(ratio.dtype)
        # What is added is 0, and leaves them whole.
        return flat.detach().round() + (flat - flat.detach()), states + (smooth - smooth.detach())

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """Exact products, each chip with its own weights."""
        if isinstance(self.operation, Linear):
            return _matrix(x, weight)
        return _windows(self.operation, self.step, x, weight)

    def _vectors(self, codes: Tensor, *, whole: bool = True) -> Tensor:
        """Codes, rounded, as ``(samples or 1, groups, vectors, rows)``."""
        codes = codes.round() if whole else codes
        operation = self.operation
        if isinstance(operation, Linear):
            return codes.flatten(1, -2)[:, None]
        chips, batch, channels, *_ = codes.shape
        flat, kernel = codes.flatten(0, 1), operation.weight.shape[2:]
        flat = padded(flat, operation.padding)
        stride, dilation = operation.stride, operation.dilation
        if len(kernel) == 1:
            flat = flat.unsqueeze(2)
            kernel, stride, dilation = ((1, *one) for one in (kernel, stride, dilation))
        wide = functional.unfold(flat, kernel, dilation, 0, stride)
        groups, places = self.groups, math.prod(kernel)
        parts = wide.reshape(chips, batch, groups, channels // groups, places, -1)
        return parts.permute(0, 2, 1, 5, 4, 3).reshape(
            chips, groups, batch * wide.shape[-1], places * (channels // groups)
        )

    def _image(self, found: Tensor) -> Tensor:
        """Results of vectors ``(samples, groups, vectors, outputs of a group)`` as the step's."""
        shape = self.step.shape
        chips, groups, vectors, _ = found.shape
        flat = found.transpose(1, 2).reshape(chips, vectors, -1)
        if isinstance(self.operation, Linear):
            return flat.reshape(chips, -1, *shape)
        positions = math.prod(shape[1:])
        return (
            flat.reshape(chips, -1, positions, shape[0]).transpose(2, 3).reshape(chips, -1, *shape)
        )


def _matrix(x: Tensor, weight: Tensor) -> Tensor:
    """A matrix for each chip on the last axis."""
    chips = max(len(x), len(weight))
    flat = x.flatten(1, -2)
    found = torch.matmul(flat, weight.transpose(1, 2))
    return found.reshape(chips, *x.shape[1:-1], weight.shape[1])


def _windows(operation: Conv, step: Step, x: Tensor, weight: Tensor) -> Tensor:
    """A convolution for each chip: chips are groups of channels."""
    chips = max(len(x), len(weight))
    groups: Any = operation.groups
    kernel: dict[str, Any] = {"stride": operation.stride, "dilation": operation.dilation}
    even = all(before == after for before, after in operation.padding)
    if even:
        kernel["padding"] = tuple(before for before, _ in operation.padding)
    else:
        x = padded(x, operation.padding)
    convolve = functional.conv1d if len(operation.stride) == 1 else functional.conv2d
    batch, flat = x.shape[1], weight.expand(chips, *weight.shape[1:]).flatten(0, 1)
    if len(x) == 1 and (groups == 1 or chips == 1):
        found = convolve(x.squeeze(0), flat, groups=groups, **kernel)
    else:
        side = x.expand(chips, *x.shape[1:]).transpose(0, 1).flatten(1, 2)
        found = convolve(side, flat, groups=chips * groups, **kernel)
    return found.reshape(batch, chips, *step.shape).transpose(0, 1)
