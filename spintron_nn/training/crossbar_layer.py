"""A matrix on chips: its weights on freshly drawn devices, read with or without converters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from spintron_ir import Dense, IntType
from spintron_nn.converter.graph import Conv, Linear, Step

from .held import Draw, Held
from .operations import padded
from .product import Result, held_product, product, through
from .quantisers import Coding, LevelSet, held_weights
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

    @cached_property
    def operation(self) -> Linear | Conv:
        """The operation."""
        operation = self.step.operation
        assert isinstance(operation, (Linear, Conv))
        return operation

    @property
    def name(self) -> str:
        """Name of the step."""
        return self.step.name

    @cached_property
    def key(self) -> str:
        """Name of the weights in the module's state."""
        return str(self.operation.weight_key)

    @property
    def kind(self) -> IntType:
        """Type of the inputs."""
        return self.layer.input

    @cached_property
    def slices(self) -> int:
        """Pairs of devices a weight."""
        return self.bits // self.level_bits

    @cached_property
    def ordered(self) -> bool:
        """Whether the order of rows matters."""
        return self.oriented or self.reads.adc_bits is not None

    @cached_property
    def linear(self) -> bool:
        """Whether it takes vectors, not windows."""
        return isinstance(self.operation, Linear)

    @cached_property
    def alone(self) -> bool:
        """Whether an input has the matrix once, or an image of places."""
        return not self.linear or len(self.step.shape) == 1

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
        """Weights or states as ``(..., outputs, rows)``, as a chip has them where that matters."""
        axes = self.operation.weight.ndim
        if axes == 2:
            return weight
        turned = weight.movedim(1 - axes, -1) if self.ordered else weight
        return turned.flatten(1 - axes)

    def forward(
        self,
        x: Tensor,
        codes: Tensor | None,
        parameters: tuple[Tensor, Tensor | None],
        steps: tuple[Tensor, Tensor, Tensor | None],
        held: Held,
        draw: Draw,
        coding: Coding | None = None,
    ) -> Tensor:
        """Result on each chip, ``(samples, batch, *step.shape)``.

        Parameters
        ----------
        x : Tensor of shape ``(samples or 1, batch, *inputs)``
            Quantised inputs.
        codes : int8 or int16 Tensor of that shape, or None
            Their codes; None where they are no whole ones, or not known.
        parameters : (Tensor, Tensor or None)
            Weights and, if there is one, bias.
        steps : (Tensor, Tensor, Tensor or None)
            Step of the weights, of the inputs, and of the converters in even levels, None where
            these are lossless.
        held : Held
            What the chips hold of the weights.
        draw : Draw
            The chips.
        coding : Coding or None
            Of a matrix: the codes that inputs are quantised to here, in one with the product.
        """
        (weight, bias), (step, scale, adc_step) = parameters, steps
        if self.linear:
            inner = x.shape[1:-1]
            if len(inner) > 1:
                x, codes = x.flatten(1, -2), None if codes is None else codes.flatten(1, -2)

            def given(x: Tensor, made: Tensor | None) -> Result:
                return self._on_vectors(x, codes if made is None else made, steps, held, draw)

            way = None if coding is None else (scale, coding)
            found = held_product(x, weight, step, bias, self.levels, held, given, way)
            return found if len(inner) == 1 else found.unflatten(1, inner)
        on_chips = held_weights(weight, self.tall(step), self.levels, held.whole)
        exact = self.product(x, on_chips)
        with torch.no_grad():
            read = None if adc_step is None else self._read(x, codes, steps, held, draw)[0]
            result = self._result(exact.detach(), read, x, steps, held, draw)
        found = through(exact, result)
        return found if bias is None else found + self._of_outputs(bias)

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
        if not draw.sampler.noisy:
            return 0.0
        levels = self.digits(self.rows(states)).transpose(1, 2)
        return draw.sampler.read_noise(
            levels, draw.dies, self.reads.chunk_bits(self.kind), self.reads.tile, draw.random
        )

    def _summed(
        self, found: Tensor, noise: Tensor | float, scale: Tensor, step: Tensor, draw: Draw
    ) -> Tensor:
        """Results with the noise of all reads that they are summed of, without any converter."""
        deviation = self.reads.summed(self, noise).to(found) * (step * scale)
        axis = 2 if self.operation.weight.ndim > 2 else -1
        tall = deviation.reshape(-1, *[1] * (found.ndim - 2), deviation.shape[-1])
        drawn = torch.randn(found.shape, generator=draw.random).to(found)
        return found + drawn * tall.movedim(-1, axis)

    def _on_vectors(
        self,
        x: Tensor,
        codes: Tensor | None,
        steps: tuple[Tensor, Tensor, Tensor | None],
        held: Held,
        draw: Draw,
    ) -> Result:
        """Product of vectors and a matrix, and what chips give for it."""
        step, scale, adc_step = steps
        size = step * held.unit
        if adc_step is not None:
            read, exact = self._read(x, codes, steps, held, draw)
            return self._result(exact * (step * scale), read, x, steps, held, draw, size)
        if codes is None:
            exact = product(x, held.matrix, size)
        else:
            exact = product(codes, held.matrix, size * scale)
        return self._result(exact, None, x, steps, held, draw, size)

    def _read(
        self,
        x: Tensor,
        codes: Tensor | None,
        steps: tuple[Tensor, Tensor, Tensor | None],
        held: Held,
        draw: Draw,
    ) -> tuple[Tensor, Tensor]:
        """Accumulators of codes of converters, and of what these were made of, in even levels."""
        assert steps[2] is not None
        vectors = self._vectors((x / steps[1]).round_() if codes is None else codes.to(x.dtype))
        noise = self._noise(held.states, draw)
        found = self.reads.run(self, vectors, (held, steps[2], noise), draw)
        first, second = (self._image(part) for part in found)
        return first, second

    def _result(
        self,
        exact: Tensor,
        read: Tensor | None,
        x: Tensor,
        steps: tuple[Tensor, Tensor, Tensor | None],
        held: Held,
        draw: Draw,
        size: Tensor | None = None,
    ) -> Result:
        """What chips give for a product: read, on the line that their calibration finds."""
        step, scale, adc_step = steps
        if read is None or adc_step is None:
            given = exact
            if draw.sampler.noisy:
                given = self._summed(exact, self._noise(held.states, draw), scale, step, draw)
            if self.normed:
                return Result(exact, given, None, size)
            every = max(x.shape[1] // FITTED, 1) if self.alone else 1
        else:
            given, every = read * (self._of_outputs(step) * (scale * adc_step)), 1
        target = exact
        if not self.normed:
            target = self._target(x[:, ::every], held.states, step)
        slope, offset = self._line(given[:, ::every], target)
        lined = torch.addcmul(offset, given, slope)
        return Result(exact, lined, slope if adc_step is None else None, size)

    def _target(self, x: Tensor, states: Tensor, step: Tensor) -> Tensor:
        """What nominal devices give."""
        nominal = self.levels.of(states)
        if self.linear:
            return torch.matmul(x, nominal.t()) * step
        return self.product(x, nominal[None]) * self._of_outputs(step)

    def _line(self, real: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Line of each chip from its results to those wanted, as its calibration finds it."""
        if self.linear:
            return fitted(real, target, per_channel=self.per_channel)
        axis = 2
        slope, offset = fitted(
            real.movedim(axis, -1).flatten(1, -2),
            target.movedim(axis, -1).flatten(1, -2),
            per_channel=self.per_channel,
        )
        tall = (real.shape[0], *[1] * (real.ndim - 2), -1)
        first, second = (part.reshape(tall).movedim(-1, axis) for part in (slope, offset))
        return first, second

    def observed(self, codes: Tensor, weight: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Input codes ``(vectors, inputs)`` and states ``(outputs, rows)``, with gradients."""
        vectors = self._vectors(codes)
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

    def _vectors(self, codes: Tensor) -> Tensor:
        """Codes as ``(samples or 1, groups, vectors, rows)``."""
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
        """Results of vectors ``(samples, groups, vectors, outputs of a group)`` as the step's.

        Of a matrix they stay vectors.
        """
        if self.linear:
            return found[:, 0]
        shape = self.step.shape
        chips, _, vectors, _ = found.shape
        flat = found.transpose(1, 2).reshape(chips, vectors, -1)
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
