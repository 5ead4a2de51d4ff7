"""Whole trainings on real data, for demos, examples and tests: data, model, training, chip."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.converter.loading import export_of
from spintron_nn.converter.model import SpintronicModel
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.datasets import Dataset
from spintron_nn.simulation.chips import accuracies

from .chip_model import ChipModel
from .networks import NETWORKS
from .progress import Progress
from .qat import fine_tune, train

__all__ = [
    "DIGITS",
    "FASHION_LENET",
    "FASHION_MNIST",
    "FASHION_SEPARABLE",
    "Recipe",
    "Trained",
    "float_accuracy",
]


@torch.no_grad()
def float_accuracy(model: nn.Module, data: Dataset) -> float:
    """Share, 0..1, of test inputs that the module itself classifies right."""
    scores = model.eval()(torch.from_numpy(data.test_x))
    return float(np.mean(scores.argmax(dim=1).numpy() == data.test_y))


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training gave.

    Attributes
    ----------
    recipe : Recipe
        How it was made.
    data : Dataset
        What it was made from.
    config : MTJConfig
        Technology that it was tuned for.
    float_model : torch.nn.Module
        Trained in floating point.
    model : torch.nn.Module
        Tuned for chips, a :class:`ChipModel`; the one in floating point where it was not.
    """

    recipe: Recipe
    data: Dataset
    config: MTJConfig
    float_model: nn.Module
    model: nn.Module

    @cached_property
    def program(self) -> Any:
        """A model that was not tuned, as a ``torch.export`` program: exported once for all."""
        return export_of(self.model, self.data.train_x[:2])

    def on_chip(
        self, chip_seed: int = 0, *, config: MTJConfig | None = None, **changed: Any
    ) -> SpintronicModel:
        """Put the tuned model on a chip.

        Parameters
        ----------
        chip_seed : int
            Which die, and which wafer: each is from another.
        config : MTJConfig or None
            Technology of the chip; None is the one that the model was tuned for.
        **changed
            Arguments of ``SpintronConverter.convert`` that differ from the recipe's.
        """
        recipe = self.recipe
        config = self.config if config is None else config
        settings: dict[str, Any] = {
            "crossbar_size": recipe.crossbar_size,
            "adc_bits": recipe.adc_bits,
            "calibration": self.data.train_x[: recipe.calibration_frames],
            "name": self.data.name.replace("-", "_"),
            "chip_seed": chip_seed,
            "wafer": chip_seed,
        }
        if isinstance(self.model, ChipModel):
            return self.model.convert(config=config, **settings | changed)
        settings["quantization_bits"] = recipe.weight_bits
        settings["activation_bits"] = recipe.activation_bits
        return SpintronConverter(config).convert(self.program, **settings | changed)

    def accuracies(self, chips: Iterable[int], **changed: Any) -> tuple[float, ...]:
        """Test accuracies, 0..1, of the network on the chips of these seeds.

        Keyword arguments are those of :meth:`on_chip`.
        """
        models = [self.on_chip(seed, **changed) for seed in chips]
        if not models:
            return ()
        return tuple(accuracies(models, self.data.test_x, self.data.test_y).tolist())


@dataclass(frozen=True)
class Recipe:
    """How to train a classifier and what chip it is for.

    Parameters
    ----------
    widths : tuple of int
        Sizes of the network's layers.
    float_epochs, tune_epochs : int
        Epochs in floating point, and then on chips; with none of these the trained network is
        quantised as it is.
    float_rate, tune_rate : float
        Largest learning rates of both.
    batch_size : int
        Inputs a step.
    dropout : float, 0..1
        Dropout after each ReLU.
    weight_bits, activation_bits : int
        Bits of weights, and of inputs and activations.
    crossbar_size : int
        Rows and columns of a tile.
    adc_bits : int or None
        Bits of a column converter.
    calibration_frames : int
        Training inputs that a conversion looks at.
    architecture : str
        Which of :data:`~spintron_nn.training.networks.NETWORKS` it is.
    tune_adc_bits : int or None
        Bits of the converters in training on chips; None leaves them out there.
    """

    widths: tuple[int, ...]
    float_epochs: int
    tune_epochs: int
    float_rate: float
    tune_rate: float
    batch_size: int
    dropout: float
    weight_bits: int
    activation_bits: int
    crossbar_size: int
    adc_bits: int | None
    calibration_frames: int
    architecture: str = "mlp"
    tune_adc_bits: int | None = None

    def run(
        self,
        data: Dataset,
        *,
        config: MTJConfig | None = None,
        seed: int = 0,
        checkpoint: str | PathLike[str] | None = None,
        progress: Callable[[str, Progress], None] | None = None,
    ) -> Trained:
        """Train in floating point, then on chips.

        Parameters
        ----------
        data : Dataset
            What to train on.
        config : MTJConfig or None
            Technology; None is the default one.
        seed : int
            Fixes start weights, order of the data and all sampled chips.
        checkpoint : path or None
            Folder, made if need be, of the checkpoints ``train.safetensors`` and
            ``tune.safetensors``: an interrupted run goes on from them.
        progress : callable or None
            Called after every epoch with ``"train"`` or ``"tune"`` and the progress of it.
        """
        config = MTJConfig() if config is None else config
        pairs = (data.train_x, data.train_y)

        def report(phase: str) -> Callable[[Progress], None] | None:
            return None if progress is None else lambda state: progress(phase, state)

        def kept(phase: str) -> Path | None:
            return None if checkpoint is None else Path(checkpoint) / f"{phase}.safetensors"

        if checkpoint is not None:
            Path(checkpoint).mkdir(parents=True, exist_ok=True)
        float_model = train(
            NETWORKS[self.architecture](self.widths, dropout=self.dropout, seed=seed),
            pairs,
            epochs=self.float_epochs,
            seed=seed,
            batch_size=self.batch_size,
            learning_rate=self.float_rate,
            checkpoint=kept("train"),
            progress=report("train"),
        )
        if not self.tune_epochs:
            return Trained(self, data, config, float_model, float_model)
        model = fine_tune(
            float_model,
            pairs,
            config=config,
            weight_bits=self.weight_bits,
            activation_bits=self.activation_bits,
            choices={"crossbar_size": self.crossbar_size, "adc_bits": self.tune_adc_bits},
            calibration_frames=self.calibration_frames,
            epochs=self.tune_epochs,
            seed=seed,
            batch_size=self.batch_size,
            learning_rate=self.tune_rate,
            checkpoint=kept("tune"),
            progress=report("tune"),
        )
        return Trained(self, data, config, float_model, model)


DIGITS = Recipe(
    widths=(64, 64, 32, 10),
    float_epochs=40,
    tune_epochs=10,
    float_rate=1e-2,
    tune_rate=6e-3,
    batch_size=64,
    dropout=0.0,
    weight_bits=2,
    activation_bits=4,
    crossbar_size=64,
    adc_bits=6,
    calibration_frames=1257,
)
"""Handwritten digits: 98 % on chips of 10 % variation after some seconds."""

FASHION_MNIST = Recipe(
    widths=(784, 128, 10),
    float_epochs=15,
    tune_epochs=40,
    float_rate=5e-3,
    tune_rate=5e-3,
    batch_size=256,
    dropout=0.1,
    weight_bits=2,
    activation_bits=4,
    crossbar_size=128,
    adc_bits=6,
    calibration_frames=2000,
)
"""Pictures of clothes: 88 % on chips of 10 % variation after some two minutes."""

FASHION_LENET = Recipe(
    architecture="lenet",
    widths=(8, 16, 120, 84, 10),
    float_epochs=6,
    tune_epochs=3,
    float_rate=5e-3,
    tune_rate=3e-3,
    batch_size=128,
    dropout=0.0,
    weight_bits=2,
    activation_bits=4,
    crossbar_size=128,
    adc_bits=6,
    calibration_frames=512,
)
"""Pictures of clothes, LeNet-5's shape: 90 % on chips with all that goes wrong."""

FASHION_SEPARABLE = replace(
    FASHION_LENET, architecture="separable", widths=(16, 32, 64, 64, 10), weight_bits=4, adc_bits=8
)
"""Pictures of clothes, depthwise separable convolutions with weights of four bits."""
