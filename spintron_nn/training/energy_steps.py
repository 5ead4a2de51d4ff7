"""Steps of energy-optimised training: the forward pass, the loss, what metrics see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from spintron_nn.core.energy import EnergyModel

from .chip_model import ChipModel
from .crossbar_layer import Crossbar
from .energy import read_energy
from .metrics import Metric

__all__ = ["Custom", "CustomLoss", "Loss", "Meter", "Trainer", "Weighted"]

Loss = Callable[[Tensor, Tensor], Tensor]
"""``loss(scores, labels)``, a mean over the batch."""

CustomLoss = Callable[[ChipModel, Tensor, Tensor], Tensor]
"""``loss(model, input, target)``, a mean over the batch."""


class Trainer(Protocol):
    """What steps know of their trainer, as in ``EnergyOptimizedTraining``."""

    model: ChipModel
    energy: EnergyModel
    energy_weight: float
    accuracy_weight: float
    inferences: float | None
    custom: CustomLoss | None


class Meter:
    """Energy of the reads of a forward pass, of one inference."""

    def __init__(self, energy: EnergyModel) -> None:
        self.energy, self.parts = energy, list[Tensor]()

    def __call__(self, name: str, crossbar: Crossbar, codes: Tensor, states: Tensor) -> None:
        self.parts.append(read_energy(self.energy, crossbar.layer, codes, states))

    def total(self) -> Tensor:
        """The energy since this was called before, joule."""
        found = torch.stack(self.parts).sum()
        self.parts.clear()
        return found


class Weighted:
    """A step with the energy beside the loss of the scores."""

    def __init__(self, trainer: Trainer, plain: Loss, start: float) -> None:
        self.trainer, self.plain, self.start = trainer, plain, start
        self.meter = Meter(trainer.energy)

    def forward(self, inputs: Tensor, random: torch.Generator) -> Tensor:
        """Scores of a batch on one fresh chip."""
        scores: Tensor = self.trainer.model.on_chips(inputs, 1, random, observe=self.meter)
        return scores[0]

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """The weighted sum; of a validation the loss of the scores alone."""
        trainer, found = self.trainer, self.plain(scores, labels)
        if not trainer.model.training:
            return found
        energy = self.meter.total()
        if trainer.inferences is not None:
            updates = trainer.model.get_weight_updates()
            energy = energy + trainer.energy.write_j(updates) / trainer.inferences
        share = (energy / self.start).to(found.dtype)
        return trainer.accuracy_weight * found + trainer.energy_weight * share

    def metric(self, metric: Metric) -> Metric:
        """A metric of the scores, as it is."""
        return metric


class Custom:
    """A step with a loss that calls the model itself."""

    def __init__(self, trainer: Trainer, plain: Loss) -> None:
        self.trainer, self.plain = trainer, plain
        self.scores = torch.zeros(0)

    def forward(self, inputs: Tensor, random: torch.Generator) -> Tensor:
        """The inputs, which the loss takes the scores of."""
        return inputs

    def loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """The custom loss; of a validation that of the scores, which then are given."""
        model, custom = self.trainer.model, self.trainer.custom
        if custom is None or not model.training:
            return self.plain(inputs, labels)
        hook = model.register_forward_hook(self._seen)
        try:
            return custom(model, inputs, labels)
        finally:
            hook.remove()

    def _seen(self, _model: nn.Module, _inputs: Any, scores: Tensor) -> None:
        self.scores = scores.detach()

    def metric(self, metric: Metric) -> Metric:
        """A metric of the scores that the custom loss has taken."""

        def judge(given: Tensor, labels: Tensor) -> Tensor:
            return metric(self.scores if self.trainer.model.training else given, labels)

        return judge
