"""Training that trades accuracy for energy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real
from spintron_nn.core.energy import EnergyModel

from .chip_model import ChipModel
from .crossbar_layer import Crossbar
from .data import batch_size_of, tensors_of
from .energy import read_energy
from .energy_front import ParetoFront, measured
from .loop import Fit
from .metrics import Metric, accuracy
from .progress import Progress

__all__ = ["EnergyOptimizedTraining"]

Loss = Callable[[Tensor, Tensor], Tensor]

CustomLoss = Callable[[ChipModel, Tensor, Tensor], Tensor]
"""``loss(model, input, target)``, a mean over the batch."""

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
        self.custom = loss

    def energy_of(self, x: Tensor) -> float:
        """Energy of reads of one inference, joule, mean over inputs on one fresh chip."""
        meter, model = _Meter(self.energy), copy.deepcopy(self.model)  # statistics stay as they are
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
        fit = {"batch_size": batch_size_of(train_loader) or 64} | fit
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
        model as it is and for as long. The model itself stays as it is.

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
        settings = {"epochs": epochs, "learning_rate": lr} | batch | fit
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
        steps = _Weighted(self, plain, start) if self.custom is None else _Custom(self, plain)
        metrics = {
            name: steps.metric(metric)
            for name, metric in settings.get("metrics", {"accuracy": accuracy}).items()
        }
        facts = {"energy_at_start": start, **settings.get("facts", {})}
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
        """A copy of the model with other choices; what they leave as it was is carried over."""
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
        known, kinds = old.state_dict(), (_kinds(old), _kinds(new))
        kept = {
            name: value
            for name, value in new.state_dict().items()
            if name.startswith(("scale_", "step_", "written_"))
            and kinds[0].get(name) == kinds[1].get(name)
        }
        new.load_state_dict({name: known[name] for name in kept}, strict=False)
        return new


def _kinds(model: ChipModel) -> dict[str, Any]:
    """What the learned scales and steps belong to: types of codes and bits of weights."""
    places = [*model.trial.places.made.values(), *model.trial.places.joined.values()]
    found: dict[str, Any] = {f"scale_{place.scale}": place.kind for place in places}
    for name, crossbar in model.trial.crossbars.items():
        found |= {f"step_{name}": crossbar.bits, f"written_{name}": crossbar.bits}
    return found


class _Meter:
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


class _Weighted:
    """A step with the energy beside the loss of the scores."""

    def __init__(self, trainer: EnergyOptimizedTraining, plain: Loss, start: float) -> None:
        self.trainer, self.plain, self.start = trainer, plain, start
        self.meter = _Meter(trainer.energy)

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


class _Custom:
    """A step with a loss that calls the model itself."""

    def __init__(self, trainer: EnergyOptimizedTraining, plain: Loss) -> None:
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
