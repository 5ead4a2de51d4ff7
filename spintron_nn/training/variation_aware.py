"""Training for stated variations of the devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from spintron_nn.core.mtj_models import MTJConfig

from .chip_training import ChipTraining, config_of
from .progress import Progress
from .variation_model import technology_of

__all__ = ["VariationAwareTraining"]


class VariationAwareTraining(ChipTraining):
    """Training on freshly drawn chips whose devices vary as stated.

    Every step draws chips through :mod:`spintron_nn.core`, puts the quantised weights on their
    devices and computes the batch on all of them in one call. The loss is
    ``mean + robustness_weight * standard deviation`` over the chips.

    Parameters
    ----------
    model : torch.nn.Module
        A module that can be converted, a :class:`ChipModel` or a network of
        ``spintron_nn.models``; it is trained in its place.
    variation_model : dict of dict
        Mean and deviation of ``resistance``, ``switching_voltage`` (V) and ``retention_time``
        (years), as :func:`~spintron_nn.training.variation_model.technology_of` reads them.
    monte_carlo_samples : int, at least 1
        Chips of a step. Time and memory go with it; a few are as good as many where there are many
        steps.
    config : MTJConfig or None
        Technology that has everything else; None: that of the model, or of a plain module the
        default one.
    **choices
        Choices of the conversion of a plain module: ``quantization_bits``, ``activation_bits``,
        ``crossbar_size``, ``adc_bits`` and so on.

    Raises
    ------
    ParameterError
        If an argument is outside its range.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> x = torch.rand(64, 8, generator=torch.Generator().manual_seed(0))
    >>> layers = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> trainer = VariationAwareTraining(
    ...     layers, {"resistance": {"mean": 1.0, "std": 0.1}}, monte_carlo_samples=4
    ... )
    >>> history = trainer.train((x, (x[:, 0] > 0.5).long()), epochs=2, robustness_weight=0.1)
    >>> len(history), trainer.chips.convert(chip_seed=1).run(x).shape
    (2, (64, 2))
    """

    def __init__(
        self,
        model: nn.Module,
        variation_model: Mapping[str, Mapping[str, float]],
        monte_carlo_samples: int = 100,
        *,
        config: MTJConfig | None = None,
        **choices: Any,
    ) -> None:
        found, conditions = technology_of(variation_model, config_of(model, config))
        super().__init__(model, found, conditions, samples=monte_carlo_samples, choices=choices)

    def train(
        self,
        train_loader: Any,
        val_loader: Any = None,
        epochs: int = 50,
        robustness_weight: float = 0.1,
        *,
        lr: float = 1e-3,
        floating_epochs: int | None = None,
        **fit: Any,
    ) -> tuple[Progress, ...]:
        """Train on chips; the arguments are those of :meth:`SpintronicTrainer.train`."""
        return self._train(
            (train_loader, val_loader),
            {"epochs": epochs, "learning_rate": lr},
            robustness_weight=robustness_weight,
            floating_epochs=floating_epochs,
            fit=fit,
        )
