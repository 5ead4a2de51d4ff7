"""Training that trades accuracy for energy."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real
from spintron_nn.core.energy import EnergyModel

from .chip_model import ChipModel
from .data import batch_size_of, tensors_of
from .energy_front import ParetoFront, measured
from .energy_steps import Custom, CustomLoss, Meter, Weighted
from .loop import Fit
from .metrics import accuracy
from .progress import Progress
from .settings import further

__all__ = ["EnergyOptimizedTraining"]

START_FRAMES = 256
"""Inputs that the energy at the start is measured on."""

MOST_BITS = 8
"""Converter bits that a front starts from where the model's own are lossless."""


class EnergyOptimizedTraining:
    """Training on freshly drawn chips with the energy of reads in the loss.

    The loss is ``accuracy_weight * cross_entropy + energy_weight * energy / energy at the start``.
    The energy is that of devices and word lines, whose gradient
    :func:`~spintron_nn.training.energy.read_energy` gives: training makes activations smaller and
    sparser. Converters and sizes are choices of the model and a constant of the loss;
    :meth:`front` goes through them. With :py:`inferences` the energy of writing the changed weights
    is added, divided by them.

    Parameters
    ----------
    model : ChipModel, or a network of ``spintron_nn.models`` that is prepared
        What to train, in its place.
    energy_weight, accuracy_weight : float, at least 0
        Weights of the loss.
    energy : EnergyModel or None
        What reads cost; None has the defaults for the model's technology.
    inferences : float or None
        Inferences between two times that weights are written; None: writes do not count.
    seed : int
        Fixes the order of the data and the chips.

    Examples
    --------
    >>> from spintron_nn import MTJConfig
    >>> x = torch.rand(64, 8, generator=torch.Generator().manual_seed(0))
    >>> layers = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> model = ChipModel(layers, MTJConfig(), x)
    >>> trainer = EnergyOptimizedTraining(model, energy_weight=0.3, accuracy_weight=0.7)
    >>> history = trainer.train((x, (x[:, 0] > 0.5).long()), epochs=2)
    >>> len(history)
    2
    """

    def __init__(
        self,
        model: nn.Module,
        energy_weight: float = 0.3,
        accuracy_weight: float = 0.7,
        *,
        energy: EnergyModel | None = None,
        inferences: float | None = None,
        seed: int = 0,
    ) -> None:
        owner = "EnergyOptimizedTraining"
        chips = getattr(model, "chips", model)
        if not isinstance(chips, ChipModel):
            raise ParameterError(
                f"{owner}: model must be a ChipModel, or a network of spintron_nn.models after "
                f"prepare(calibration), not a {type(model).__name__}"
            )
        for name, value in (("energy_weight", energy_weight), ("accuracy_weight", accuracy_weight)):
            check_real(owner, name, value, "at least 0")
        if inferences is not None:
            check_real(owner, "inferences", inferences, "above 0")
        self.model = chips
        self.energy_weight, self.accuracy_weight = energy_weight, accuracy_weight
        self.energy = EnergyModel(chips.config) if energy is None else energy
        self.inferences, self.seed = inferences, seed
        self.custom: CustomLoss | None = None

    def set_custom_loss(self, loss: CustomLoss) -> None:
        """Train with ``loss(model, input, target)`` in place of the loss of the weights.

        ``model(input)`` are the scores of a fresh chip then, ``model.get_weight_updates()`` what
        has to be written; validation reports the cross entropy.
        """
        if not callable(loss):
            raise ParameterError(
                "EnergyOptimizedTraining: loss must be a function of model, input and target, not "
                f"{type(loss).__name__}"
            )
        self.custom = loss

    def energy_of(self, x: Tensor) -> float:
        """Energy of reads of one inference, joule, mean over inputs on one fresh chip."""
        meter, model = Meter(self.energy), copy.deepcopy(self.model)  # statistics stay as they are
        x = x.to(next(model.parameters()).device)
        with torch.no_grad():
            model.on_chips(x, 1, torch.Generator().manual_seed(self.seed), observe=meter)
        return float(meter.total())

    def train(
        self,
        train_loader: Any,
        val_loader: Any = None,
        epochs: int = 10,
        lr: float = 1e-3,
        **fit: Any,
    ) -> tuple[Progress, ...]:
        """Train the model in its place; it is in evaluation mode then.

        Parameters
        ----------
        train_loader, val_loader : DataLoader, Dataset or (inputs, labels)
            Data; None for no validation. That of an epoch is on the ideal chip.
        epochs, lr : int, float
            Passes over the data, and largest learning rate.
        **fit
            Other fields of :class:`~spintron_nn.training.Fit`.
        """
        data = tensors_of("train_loader", train_loader)
        held_out = None if val_loader is None else tensors_of("val_loader", val_loader)
        fit = {"batch_size": batch_size_of(train_loader) or 64} | further(fit)
        start = self.energy_of(data[0][:START_FRAMES])
        return self._train(data, held_out, start, {"epochs": epochs, "learning_rate": lr} | fit)

    def front(
        self,
        train_loader: Any,
        val_loader: Any,
        *,
        weights: Sequence[float] = (0.0, 0.2, 0.5),
        choices: Sequence[Mapping[str, Any]] | None = None,
        epochs: int = 5,
        lr: float = 1e-3,
        chips: int = 10,
        **fit: Any,
    ) -> ParetoFront:
        """Energy against accuracy over weights of the energy and choices of the conversion.

        For each of the choices and weights a copy of the model is trained on, all of them from the
        model as it is and for as long, with the loss of the weights. The model itself stays as it
        is.

        Parameters
        ----------
        train_loader, val_loader
            As for :meth:`train`; energy and accuracy are of the second, on sampled chips.
        weights : sequence of float, 0..1
            Weights of the energy; that of the cross entropy is the rest of 1.
        choices : sequence of dict, or None
            Choices of the conversion that differ from the model's, such as ``{"adc_bits": 5}``.
            None: its own, and fewer bits in the converters, down to two.
        epochs, lr, fit
            Of the training of each point.
        chips : int
            Chips that each point is measured on.
        """
        check_int("EnergyOptimizedTraining", "chips", chips, 1, 1 << 16)
        for weight in weights:
            check_real("EnergyOptimizedTraining", "weights", weight, "in 0..1")
        data = tensors_of("train_loader", train_loader)
        held_out = tensors_of("val_loader", val_loader)
        batch = {"batch_size": batch_size_of(train_loader) or 64}
        settings = {"epochs": epochs, "learning_rate": lr} | batch | further(fit)
        start, points = self.energy_of(data[0][:START_FRAMES]), []
        for changed in self._choices() if choices is None else choices:
            begun = self._with(changed)
            for weight in weights:
                model = copy.deepcopy(begun)
                step = EnergyOptimizedTraining(
                    model,
                    weight,
                    1 - weight,
                    energy=self.energy,
                    inferences=self.inferences,
                    seed=self.seed,
                )
                step._train(data, None, start, settings)
                points.append(measured(model, held_out, self.energy, chips, weight, changed))
        return ParetoFront.of(points)

    def _train(
        self,
        data: tuple[Tensor, Tensor],
        held_out: tuple[Tensor, Tensor] | None,
        start: float,
        settings: dict[str, Any],
    ) -> tuple[Progress, ...]:
        """Train with the energy over that at the start in the loss."""
        plain = settings.get("loss", functional.cross_entropy)
        steps = Weighted(self, plain, start) if self.custom is None else Custom(self, plain)
        metrics = {
            name: steps.metric(metric)
            for name, metric in settings.get("metrics", {"accuracy": accuracy}).items()
        }
        told = {
            "energy_weight": self.energy_weight,
            "accuracy_weight": self.accuracy_weight,
            "energy_at_start": start,
            "inferences": self.inferences,
        }
        facts = told | settings.get("facts", {})
        fit = Fit(**(settings | {"loss": steps.loss, "metrics": metrics, "facts": facts}))
        self.model.train()
        try:
            return fit.run(self.model, data, validation_data=held_out, forward=steps.forward)
        finally:
            self.model.eval()

    def _choices(self) -> list[dict[str, Any]]:
        """The model's own choices, and fewer bits in its converters, down to two."""
        bits = self.model.given.settings.adc_bits
        top = MOST_BITS if bits is None else bits - 1
        return [{}, *({"adc_bits": fewer} for fewer in range(top, 1, -1))]

    def _with(self, changed: Mapping[str, Any]) -> ChipModel:
        """A copy of the model with other choices."""
        old = self.model
        new = ChipModel(
            copy.deepcopy(old.module),
            old.config,
            old.given.data,
            learn_ranges=old.learn_ranges,
            conditions=old.conditions,
            seed=self.seed,
            **{**old.choices, **changed},
        )
        _carry_over(old, new)
        return new


@torch.no_grad()
def _carry_over(old: ChipModel, new: ChipModel) -> None:
    """Take over learned scales and steps, where codes and weights have as many bits as before."""
    kinds = [_kinds(model) for model in (old, new)]
    known = dict(zip(old.sizes.free, old.sizes.scales, strict=True))
    for place, name in enumerate(new.sizes.free):
        if kinds[0].get(name) == kinds[1][name]:
            new.sizes.scales[place] = known[name]
    counts = list(old.sizes.counts.values())
    pairs = zip(old.sizes.steps.split(counts), new.sizes.steps.split(counts), strict=True)
    alike = [
        crossbar.bits == new.trial.crossbars[name].bits
        for name, crossbar in old.trial.crossbars.items()
    ]
    for same, (learned, start) in zip(alike, pairs, strict=True):
        if same:
            start.copy_(learned)
    if all(alike):
        new.written.copy_(old.written)


def _kinds(model: ChipModel) -> dict[str, Any]:
    """Types of the codes that learned scales belong to."""
    places = model.trial.places
    return {place.scale: place.kind for place in [*places.made.values(), *places.joined.values()]}
