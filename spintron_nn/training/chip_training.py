"""Training of a model on sampled chips: what the trainers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.converter.model import SpintronicModel
from spintron_nn.core.mtj_models import MTJConfig

from .chip_model import ChipModel
from .data import batch_size_of, tensors_of
from .devices import Conditions
from .loop import Fit
from .metrics import accuracy
from .parameters import checked_module
from .progress import Progress
from .robust import loss_over_chips, metric_over_chips
from .settings import further

__all__ = ["ChipTraining", "config_of"]

FRAMES = 512
"""Training inputs that quantisers and converters are calibrated on."""

FLOATING = 5
"""Epochs on chips for each one in floating point before them."""

JUDGES = 2
"""Chips that an epoch is judged on."""


@runtime_checkable
class Preparable(Protocol):
    """A network of ``spintron_nn.models``, which imports this package."""

    network: nn.Module
    config: MTJConfig
    chips: ChipModel | None

    def prepare(self, calibration: Any) -> ChipModel:
        """Put the network on chips."""


def config_of(model: nn.Module, given: MTJConfig | None) -> MTJConfig:
    """Technology that is given, or that of the model; of a plain module the default one."""
    if given is not None:
        return given
    return model.config if isinstance(model, (ChipModel, Preparable)) else MTJConfig()


class ChipTraining:
    """A model on freshly drawn chips of a technology: the base of the trainers.

    Parameters
    ----------
    model : torch.nn.Module
        A module that can be converted, a :class:`ChipModel` or a network of
        ``spintron_nn.models``; it is trained in its place. The last two are put anew on chips of
        the technology and the conditions; what their quantisers have learned stays.
    config : MTJConfig
        Technology that chips are drawn from.
    conditions : Conditions
        Temperatures and ages that they are read at.
    samples : int, at least 1
        Chips of a step, computed in one call; each sees the whole batch.
    choices : mapping of str
        Choices of the conversion of a plain module, such as ``quantization_bits``; others bring
        their own.

    Attributes
    ----------
    chips : ChipModel or None
        The model on chips; of a plain module, from the first training on.
    """

    def __init__(
        self,
        model: nn.Module,
        config: MTJConfig,
        conditions: Conditions,
        *,
        samples: int,
        choices: Mapping[str, Any],
    ) -> None:
        self.config, self.conditions, self.choices = config, conditions, dict(choices)
        self.samples = check_int("training", "monte_carlo_samples", samples, 1, 1 << 16)
        self.model = checked_module("training", "model", model)
        self.chips = model if isinstance(model, ChipModel) else getattr(model, "chips", None)
        if choices and isinstance(model, (ChipModel, Preparable)):
            raise ParameterError(
                f"training: a {type(model).__name__} has its choices already; give "
                f"{', '.join(choices)} where it is made"
            )
        if self.chips is not None:
            self._put_anew(self.chips)

    def _put_anew(self, chips: ChipModel) -> None:
        """Put a model on chips of the technology and the conditions, with all it has learned."""
        state = chips.state_dict()
        given = chips.given.data
        ChipModel.__init__(
            chips,
            chips.module,
            self.config,
            given if len(given) > 1 else next(iter(given.values())),
            learn_ranges=chips.learn_ranges,
            conditions=self.conditions,
            **chips.choices,
        )
        chips.load_state_dict(state)
        if isinstance(self.model, Preparable):
            self.model.config = self.config

    def _train(
        self,
        loaders: tuple[Any, Any],
        own: dict[str, Any],
        *,
        robustness_weight: float,
        floating_epochs: int | None,
        fit: dict[str, Any],
    ) -> tuple[Progress, ...]:
        """Train in floating point where need be, then on chips."""
        data = tensors_of("train_loader", loaders[0])
        held_out = None if loaders[1] is None else tensors_of("val_loader", loaders[1])
        settings = {"batch_size": batch_size_of(loaders[0]) or 64} | own | further(fit)
        loss = loss_over_chips(settings.get("loss", functional.cross_entropy), robustness_weight)
        if floating_epochs is None:
            floating_epochs = 0 if self.chips is not None else -(-settings["epochs"] // FLOATING)
        check_int("training", "floating_epochs", floating_epochs, 0, 1 << 20)
        if floating_epochs:
            self._warm_up(data, held_out, settings | {"epochs": floating_epochs})
        chips = self._on_chips(data[0])
        metrics = settings.get("metrics", {"accuracy": accuracy})
        told = {
            "technology": self.config,
            "conditions": self.conditions,
            "chips": self.samples,
            "robustness_weight": robustness_weight,
            **settings.get("facts", {}),
        }
        settings |= {"loss": loss, "facts": told}
        settings["metrics"] = {name: metric_over_chips(one) for name, one in metrics.items()}
        judges = _Judges(chips, self.config, self.conditions)

        def forward(x: Tensor, random: torch.Generator) -> Tensor:
            judges.forget()
            found: Tensor = chips.on_chips(x, self.samples, random)
            return found

        chips.train()
        try:
            return Fit(**settings).run(
                chips, data, validation_data=held_out, forward=forward, predict=judges
            )
        finally:
            chips.eval()

    def _warm_up(
        self,
        data: tuple[Tensor, Tensor],
        held_out: tuple[Tensor, Tensor] | None,
        settings: dict[str, Any],
    ) -> None:
        """Train in floating point; a checkpoint of it lies beside that on chips."""
        module = self.model.network if isinstance(self.model, Preparable) else self.model
        if self.chips is not None:
            raise ParameterError(
                "training: floating_epochs must be 0 for a model that is on chips already, not "
                f"{settings['epochs']}; train it in floating point before"
            )
        if settings.get("checkpoint") is not None:
            path = Path(settings["checkpoint"])
            settings["checkpoint"] = path.with_name(f"{path.stem}-floating{path.suffix}")
        Fit(**settings).run(module, data, validation_data=held_out)
        module.cpu()  # where it is read; training on chips moves it back

    def _on_chips(self, x: Tensor) -> ChipModel:
        """The model on chips, calibrated on the first training inputs unless it is so already."""
        if self.chips is None and isinstance(self.model, Preparable):
            self.model.config = self.config
            self.chips = self.model.prepare(x[:FRAMES])
            self._put_anew(self.chips)
        elif self.chips is None:
            self.chips = ChipModel(
                self.model, self.config, x[:FRAMES], conditions=self.conditions, **self.choices
            )
        return self.chips


class _Judges:
    """Scores on some chips, in the integers that the hardware computes.

    Dies and wafers are those of the seeds 0 and up, each at another of the conditions.
    """

    def __init__(self, chips: ChipModel, config: MTJConfig, conditions: Conditions) -> None:
        points = conditions.points(config)
        self.chips = chips
        self.configs = [
            replace(config, ageing=points[place % len(points)]) for place in range(JUDGES)
        ]
        self.placed: list[SpintronicModel] = []

    def forget(self) -> None:
        """The model has changed: put it on chips anew before the next scores."""
        self.placed = []

    def __call__(self, x: Tensor) -> Tensor:
        """Scores of shape ``(chips, batch, *scores)``."""
        if not self.placed:
            self.placed = [
                self.chips.convert(chip_seed=place, wafer=place, config=config)
                for place, config in enumerate(self.configs)
            ]
        inputs = x.cpu().numpy()
        found = np.stack([model.run(inputs) for model in self.placed])
        return torch.from_numpy(found).to(x)
