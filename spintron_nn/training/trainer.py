"""Training for a spread of the devices and a range of temperatures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from spintron_nn.core.mtj_models import MTJConfig

from .chip_training import ChipTraining, config_of
from .devices import Conditions
from .progress import Progress

__all__ = ["SpintronicTrainer"]


class SpintronicTrainer(ChipTraining):
    """Training on freshly drawn chips of a spread, each at a temperature of a range.

    Every step draws chips through :mod:`spintron_nn.core`, puts the quantised weights on their
    devices and computes the batch on all of them in one call.

    Parameters
    ----------
    model : torch.nn.Module
        A module that can be converted, a :class:`ChipModel` or a network of
        ``spintron_nn.models``; it is trained in its place.
    device_variations : float, 0..1
        Standard deviation of ``ln R`` from device to device; 0.1 is 10 %.
    temperature_range : (low, high), Celsius
        Temperatures that chips are read at, all equally likely.
    monte_carlo_samples : int, at least 1
        Chips of a step.
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
    >>> trainer = SpintronicTrainer(layers, device_variations=0.2, temperature_range=(0, 85))
    >>> history = trainer.train((x, (x[:, 0] > 0.5).long()), epochs=2, lr=0.001)
    >>> len(history), trainer.chips.config.resistance_variation
    (2, 0.2)
    """

    def __init__(
        self,
        model: nn.Module,
        device_variations: float = 0.1,
        temperature_range: tuple[float, float] = (0, 85),
        *,
        monte_carlo_samples: int = 2,
        config: MTJConfig | None = None,
        **choices: Any,
    ) -> None:
        super().__init__(
            model,
            replace(config_of(model, config), resistance_variation=device_variations),
            Conditions(temperature=temperature_range),
            samples=monte_carlo_samples,
            choices=choices,
        )

    def train(
        self,
        train_loader: Any,
        val_loader: Any = None,
        epochs: int = 100,
        lr: float = 1e-3,
        *,
        robustness_weight: float = 0.0,
        floating_epochs: int | None = None,
        **fit: Any,
    ) -> tuple[Progress, ...]:
        """Train on chips; the model is in evaluation mode then, in which it is a chip's integers.

        Parameters
        ----------
        train_loader, val_loader : DataLoader, Dataset or (inputs, labels)
            Data, as :func:`~spintron_nn.training.data.tensors_of` reads them, once. The second are
            judged after every epoch on two sampled chips of other temperatures, exactly as the
            hardware computes them; None: no validation.
        epochs : int
            Passes over the data on chips.
        lr : float
            Largest learning rate.
        robustness_weight : float, at least 0
            Weight in the loss of its standard deviation over the chips of a step; with several
            processes, over a process's share of the batch.
        floating_epochs : int or None
            Epochs in floating point before, so that quantisers start from a trained network. None:
            a fifth of :py:`epochs`, or none where the model is on chips already. Give 0 where it
            is trained.
        **fit
            Other fields of :class:`~spintron_nn.training.Fit`: ``loss``, ``optimiser``,
            ``schedule``, ``metrics``, ``patience``, ``checkpoint``, ``progress``, ``seed``,
            ``device``, ``distributed`` and so on. ``batch_size`` is the loader's unless given. A
            floating-point part keeps a checkpoint of its own beside that of the chips.

        Returns
        -------
        tuple of Progress
            The epochs on chips.

        Raises
        ------
        ParameterError
            If data or an argument are not what they must be.
        ConversionError
            If the model cannot be converted.
        """
        return self._train(
            (train_loader, val_loader),
            {"epochs": epochs, "learning_rate": lr},
            robustness_weight=robustness_weight,
            floating_epochs=floating_epochs,
            fit=fit,
        )
