"""A torch module as chips compute it, for training.

``ChipModel(module, config, calibration, *, learn_ranges=False, conditions=None, seed=0,
**choices)`` is what everything that trains for chips stands on:

- ``on_chips(x, samples, random, *, observe=None)``: scores of shape ``(samples, batch, *output)``,
- ``forward(x)``: in training mode one fresh chip, in evaluation mode the integers of a placed one,
- ``convert(chip_seed=, wafer=, ideal=, config=, **changed)``; ``place(...)`` takes the same,
- ``trained()``, ``calibrate()``, ``get_weight_updates()`` and ``program()``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.converter.graph import Model, Step
from spintron_nn.converter.model import SpintronicModel
from spintron_nn.converter.trained import Trained
from spintron_nn.core.mtj_models import MTJConfig

from .devices import Conditions, DeviceSampler
from .forward_pass import Observe, Pass
from .given import Given
from .held import Draw
from .parameters import filled, owners_of
from .placed import Placed
from .sizes import Sizes
from .trial import Trial, adc_steps

__all__ = ["ChipModel"]

REFRESH = 100
"""Forward passes after which the ranges of converters are calibrated anew."""

FEW = 64
"""Calibration inputs that this looks at."""


BITS = ("quantization_bits", "activation_bits", "layer_bits", "layer_activation_bits")
"""Choices that learned steps and scales belong to."""


class ChipModel(nn.Module):
    """A module on chips: quantised where a conversion quantises, with steps that are learned.

    The module's own parameters are trained. In training mode every forward pass is that of freshly
    drawn chips: weights stand on the device's real levels times a learned step, each on devices of
    its own; codes of activations have a learned scale; batch normalisations take the statistics of
    each chip; with :py:`adc_bits` columns are read bit by bit and tile by tile through converters.
    In evaluation mode the model is converted and computed in integers, exactly. What a module may
    hold is what can be converted; parameters other than those of matrices and batch normalisations
    have to be frozen.

    Scales and steps are kept as logarithms, so that an optimiser changes them by shares.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is not copied.
    config : MTJConfig
        Technology that chips are drawn from.
    calibration : array or tensor of shape ``(batch, *input)``
        Real inputs like those that the model will see; of several inputs a dict or a tuple.
    learn_ranges : bool
        Learn the steps of converters too; otherwise they are calibrated every 100 passes.
    conditions : Conditions or None
        Temperatures and ages of the chips; None: as the technology says.
    seed : int, 0..2**64-1
        Seed of the devices that chips are made of.
    **choices
        Choices of the conversion: fields of :class:`~spintron_nn.converter.settings.Settings`.
        Without :py:`adc_bits` these are 8; None trains with lossless converters.

    Attributes
    ----------
    samples : int
        Chips of a forward pass in training mode; more than one are a leading axis.

    Raises
    ------
    ConversionError
        If the module cannot be converted, or holds what cannot be trained.
    ParameterError
        If a choice is outside its range or the calibration does not fit.

    Source
    ------
    Esser et al., "Learned step size quantization", ICLR 2020; Jain et al., "Trained quantization
    thresholds", MLSys 2020: steps as logarithms.

    Examples
    --------
    >>> x = torch.rand(64, 8, generator=torch.Generator().manual_seed(0))
    >>> layers = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> model = ChipModel(layers, MTJConfig(), x)
    >>> model.on_chips(x, 3, torch.Generator().manual_seed(0)).shape
    torch.Size([3, 64, 2])
    """

    passes: Tensor
    written: Tensor

    def __init__(
        self,
        module: nn.Module,
        config: MTJConfig,
        calibration: Any,
        *,
        learn_ranges: bool = False,
        conditions: Conditions | None = None,
        seed: int = 0,
        **choices: Any,
    ) -> None:
        super().__init__()
        self.module, self.config, self.choices = module, config, dict(choices)
        self.learn_ranges, self.samples, self.conditions = learn_ranges, 1, conditions
        self.given = Given.of(module, config, calibration, choices)
        self.trial = Trial.of(self.given.model, self.given.data, self.given.settings)
        self.sampler = DeviceSampler(
            config, tile=self.given.settings.crossbar_size, conditions=conditions, seed=seed
        )
        self._owners = owners_of(self.trial.model, module)
        self.sizes = Sizes(self.trial, config.level_codes, learn_ranges=learn_ranges)
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))
        with torch.no_grad():
            self.register_buffer("written", self._held())
        self._placed: tuple[tuple[int, ...], Placed] | None = None
        self._where: dict[str, Any] = {"ideal": True}

    def forward(self, x: Any) -> Any:
        """Scores: of fresh chips in training mode, of the placed one in evaluation mode.

        Chips of the first are drawn from torch's global generator; there is a leading axis of
        chips only where :attr:`samples` is more than one. The second are float64, equal to
        ``convert(...).run(x)``.
        """
        if not self.training:
            return self._evaluated(x)
        found = self.on_chips(x, self.samples, torch.default_generator)
        if self.samples > 1:
            return found
        if isinstance(found, dict):
            return {name: value[0] for name, value in found.items()}
        return found[0]

    def on_chips(
        self, x: Any, samples: int, random: torch.Generator, *, observe: Observe | None = None
    ) -> Any:
        """Scores of a batch on freshly drawn chips, with gradients.

        They are computed in float32 whatever ``torch.autocast`` says: shorter numbers would round
        to other codes.

        Parameters
        ----------
        x : Tensor of shape ``(batch, *input)``
            Real inputs; of several inputs a dict or a tuple.
        samples : int
            Chips; each sees the whole batch.
        random : Generator
            What chips and dropouts are drawn from.
        observe : callable or None
            Told of every matrix: name, :class:`.Crossbar`, input codes of shape ``(vectors,
            inputs)`` and states of shape ``(outputs, rows)``, both whole numbers with gradients.

        Returns
        -------
        Tensor of shape ``(samples, batch, *output)``, or dict of such by name of several outputs

        Raises
        ------
        ParameterError
            If inputs have other shapes than those of the calibration, or there are none.
        """
        check_int("ChipModel", "samples", samples, 1, 1 << 16)
        if not isinstance(random, torch.Generator):
            raise ParameterError(
                f"ChipModel: random must be a torch.Generator, not {type(random).__name__}"
            )
        inputs = self.given.inputs(x)
        if not all(map(len, inputs.values())):
            raise ParameterError("ChipModel: x must hold at least one input, not none")
        self._placed = None
        passes = self.passes
        if self.trial.adc_steps and not self.learn_ranges and int(passes) % REFRESH == 0:
            if int(passes):
                self.calibrate()
        passes.add_(1)
        draw = Draw(self.sampler, self.sampler.dies(samples, random), random)
        device = passes.device.type
        if not torch.is_autocast_enabled(device):
            return Pass(self, draw, observe).run(inputs)
        with torch.autocast(device, enabled=False):
            return Pass(self, draw, observe).run(inputs)

    def calibrate(self) -> None:
        """Choose the steps of the converters anew, as a conversion of the present weights does."""
        data = {name: part[:FEW] for name, part in self.given.data.items()}
        model, trained = self._graph(), self.trained()
        self.sizes.calibrate(adc_steps(model, data, self.given.settings, trained))

    def trained(self) -> Trained:
        """Scales and steps, as a conversion takes them."""
        return self.sizes.trained()

    @torch.no_grad()
    def _graph(self) -> Model:
        """The graph with the present parameters, weights on their levels."""
        tensors, steps = self.tensors(), self.sizes().steps

        def weight(step: Step) -> NDArray[np.float64]:
            crossbar = self.trial.crossbars[step.name]
            states = crossbar.states(tensors[crossbar.key], steps[step.name])
            level = crossbar.levels.exact[states.cpu().numpy()]
            tall = (-1, *[1] * (level.ndim - 1))
            return np.asarray(level * self.sizes.step(step.name).reshape(tall))

        return filled(self.given.model, self.module, weight)

    def convert(
        self,
        *,
        chip_seed: int = 0,
        wafer: int = 0,
        ideal: bool = False,
        config: MTJConfig | None = None,
        **changed: Any,
    ) -> SpintronicModel:
        """Put the model on one chip, with the scales and steps that training found.

        Parameters
        ----------
        chip_seed, wafer, ideal
            As for ``SpintronConverter.convert``.
        config : MTJConfig or None
            Technology of the chip; None is the one that the model is trained for.
        **changed
            Other arguments of ``SpintronConverter.convert``, and choices that differ.

        Raises
        ------
        ParameterError
            If other bits are asked for than those whose steps and scales are learned.
        """
        for name in BITS:
            trained = getattr(self.given.settings, name)
            if changed.get(name, trained) != trained:
                raise ParameterError(
                    f"ChipModel: {name} must be what the model was trained with, {trained!r}, not "
                    f"{changed[name]!r}; make a ChipModel of its module with others"
                )
        converter = SpintronConverter(self.config if config is None else config)
        arguments: dict[str, Any] = {"calibration": self.given.data, "trained": self.trained()}
        place = {"chip_seed": chip_seed, "wafer": wafer, "ideal": ideal}
        return converter.convert(self._graph(), **arguments | self.choices | place | changed)

    def place(self, **chip: Any) -> SpintronicModel:
        """Say which chip evaluation mode computes, as for :meth:`convert`; return the model on it.

        Until it is called that is the ideal chip. When parameters have changed since, the model is
        put on the chip again.
        """
        self._where, self._placed = dict(chip), None
        return self._on_place().model

    def _on_place(self) -> Placed:
        parts = (*self.parameters(), *self.buffers())
        state = tuple(part._version for part in parts)
        if self._placed is None or self._placed[0] != state:
            device = self.passes.device
            self._placed = state, Placed(self.convert(**self._where), device)
        return self._placed[1]

    @torch.no_grad()
    def _evaluated(self, x: Any) -> Any:
        parts = tuple(self.given.inputs(x).values())
        return self._on_place().run(parts if len(parts) > 1 else parts[0])

    def tensors(self) -> dict[str, Tensor]:
        """Parameters and statistics of the module that its graph has, by name."""
        return {key: parts[name] for key, (parts, name) in self._owners.items()}

    def _held(self) -> Tensor:
        """State of every weight of all matrices in a row, one byte each."""
        tensors, steps = self.tensors(), self.sizes().steps
        states = [
            crossbar.states(tensors[crossbar.key], steps[name]).flatten()
            for name, crossbar in self.trial.crossbars.items()
        ]
        return torch.cat(states).to(torch.uint8)

    def get_weight_updates(self) -> list[Tensor]:
        """Changes of all weights since they were last written, over the range of a weight.

        Returns
        -------
        list of Tensor
            One for each matrix, of the shape of its weights, with straight-through gradients.
        """
        tensors, steps, at, found = self.tensors(), self.sizes().steps, 0, []
        for name, crossbar in self.trial.crossbars.items():
            weight, levels = tensors[crossbar.key], crossbar.levels
            before = self.written[at : at + weight.numel()].view(weight.shape).long()
            at += weight.numel()
            ratio = weight / crossbar.tall(steps[name])
            smooth = ratio.clamp(*levels.clip)
            now = smooth + (levels.nearest(ratio.detach()) - smooth).detach()
            width = max(levels.high - levels.low, 1e-30)
            found.append((now - levels.values.to(now)[before]) / width)
        return found

    @torch.no_grad()
    def program(self) -> None:
        """Take the present weights as those that devices hold."""
        self.written.copy_(self._held())
