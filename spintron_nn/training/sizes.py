"""Learned sizes of a model: codes of activations, steps of weights, steps of converters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spintron_nn.converter.quantise import quantise_weights
from spintron_nn.converter.trained import Trained, nearest_adc_step

from .trial import Trial

__all__ = ["Now", "Sizes"]


@dataclass(frozen=True, eq=False)
class Now:
    """Sizes as they are in one forward pass, by name, with gradients.

    Attributes
    ----------
    scales : dict of str to Tensor without axes
        Real value of one code.
    steps : dict of str to Tensor of shape ``(outputs,)`` or ``(1,)``
        Step of the weights of a matrix.
    ranges : dict of str to Tensor without axes
        Even levels of one code of a matrix's converters; empty where these are lossless.
    """

    scales: dict[str, Tensor]
    steps: dict[str, Tensor]
    ranges: dict[str, Tensor]


class Sizes(nn.Module):
    """Natural logarithms of all sizes, in a vector for each kind: an optimiser changes shares.

    Scales of inputs stay as the trial conversion found them, so that no gradient has to reach them.

    Parameters
    ----------
    trial : Trial
        What there is to size, and the sizes to start from.
    level_codes : int
        Conductance codes of an even level.
    learn_ranges : bool
        Whether the steps of converters are learned; otherwise they are set from outside.
    """

    def __init__(self, trial: Trial, level_codes: int, *, learn_ranges: bool) -> None:
        super().__init__()
        self.names, self.level_codes, self.learn_ranges = (
            trial.places.names,
            level_codes,
            learn_ranges,
        )
        starts, fixed = trial.places.starts, set(trial.model.inputs)
        self.fixed = [name for name in starts if name in fixed]
        self.free = [name for name in starts if name not in fixed]
        self._known: tuple[Any, int, dict[str, Tensor]] = (None, 0, {})
        self.register_buffer("inputs", _logarithm([starts[name] for name in self.fixed]))
        self._keep("scales", _logarithm([starts[name] for name in self.free]), learned=True)
        steps = {}
        for name, crossbar in trial.crossbars.items():
            weight, apart = crossbar.operation.weight, crossbar.per_channel
            flat = weight.reshape(len(weight), -1)
            _, step = quantise_weights(flat, crossbar.levels.exact, per_channel=apart)
            steps[name] = step if apart else step[:1]
        self.counts = {name: len(step) for name, step in steps.items()}
        self._counts = list(self.counts.values())
        self.steps = nn.Parameter(_logarithm(np.concatenate([np.empty(0), *steps.values()])))
        self.reads = list(trial.adc_steps)
        ranges = _logarithm([trial.adc_steps[name] / level_codes for name in self.reads])
        self._keep("ranges", ranges, learned=learn_ranges)

    scales: Tensor
    inputs: Tensor
    ranges: Tensor

    def _keep(self, name: str, values: Tensor, *, learned: bool) -> None:
        """Keep a vector, as a parameter where something of it is learned."""
        if learned and values.numel():
            self.register_parameter(name, nn.Parameter(values))
        else:
            self.register_buffer(name, values)

    def forward(self) -> Now:
        """Sizes of a forward pass."""
        scales = self._of_inputs()
        if self.free:
            scales |= zip(self.free, self.scales.exp().unbind(), strict=True)
        parts = self.steps.exp().split_with_sizes(self._counts)
        steps = dict(zip(self.counts, parts, strict=True))
        if not self.reads:
            return Now(scales, steps, {})
        ranges = self.ranges.exp()
        if self.learn_ranges:
            held = ranges.new_tensor([step / self.level_codes for step in self._steps()])
            ranges = ranges + (held - ranges).detach()
        return Now(scales, steps, dict(zip(self.reads, ranges.unbind(), strict=True)))

    def _of_inputs(self) -> dict[str, Tensor]:
        """Scales of inputs, which stay as they are until others are loaded."""
        inputs = self.inputs
        known, version, scales = self._known
        if known is not inputs or version != inputs._version:
            scales = dict(zip(self.fixed, inputs.exp().unbind(), strict=True))
            self._known = inputs, inputs._version, scales
        return dict(scales)

    def _steps(self) -> list[float]:
        """Learned steps of converters in conductance codes, as converters can have them."""
        least = 1 / 15  # of the finest step
        found = [math.exp(value) * self.level_codes for value in self.ranges.tolist()]
        return [nearest_adc_step(max(step, least)) for step in found]

    def calibrate(self, steps: dict[str, float]) -> None:
        """Set the steps of the converters, in conductance codes."""
        found = _logarithm([steps[name] / self.level_codes for name in self.reads])
        self.ranges.data.copy_(found)

    def step(self, name: str) -> NDArray[np.float64]:
        """Step of the weights of a matrix, ``(outputs,)`` or ``(1,)``."""
        parts = self.steps.detach().cpu().double().split(list(self.counts.values()))
        found: NDArray[np.float64] = np.exp(parts[list(self.counts).index(name)].numpy())
        return found

    def trained(self) -> Trained:
        """All sizes, as a conversion takes them."""
        scales = dict(zip(self.free, self.scales.tolist(), strict=True))
        scales |= dict(zip(self.fixed, self.inputs.tolist(), strict=True))
        learned = self._steps() if self.learn_ranges else []
        return Trained(
            scales={
                name: math.exp(scales[scale])
                for scale, names in self.names.items()
                for name in names
            },
            steps={name: self.step(name) for name in self.counts},
            adc_steps=dict(zip(self.reads, learned, strict=False)),
        )


def _logarithm(values: Any) -> Tensor:
    return torch.log(torch.as_tensor(np.asarray(values, dtype=np.float64))).float()
