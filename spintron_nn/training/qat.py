"""Training on chips: each step sees quantised weights on the devices of another die."""

from __future__ import annotations

import copy
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from spintron_ir import IntType, ParameterError
from spintron_ir.errors import check_int
from spintron_nn.converter.graph import Norm
from spintron_nn.converter.levels import weight_values
from spintron_nn.converter.loading import export_of
from spintron_nn.converter.model import real_array
from spintron_nn.converter.pytorch_front import parse
from spintron_nn.converter.quantise import best_scale
from spintron_nn.converter.settings import check_bits
from spintron_nn.converter.stack import Stack, Stage
from spintron_nn.converter.stack_of import stack_of
from spintron_nn.core.mtj_models import MTJConfig

from .fake_quant import activation_scale, chip_weights, device_error, fake_quantise
from .loop import Fit
from .progress import Progress

__all__ = ["fine_tune", "train"]


def train(
    model: nn.Module,
    train_data: tuple[Any, Any],
    *,
    epochs: int,
    seed: int = 0,
    batch_size: int = 64,
    learning_rate: float = 1e-2,
    label_smoothing: float = 0.05,
    checkpoint: str | PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> nn.Module:
    """Train a classifier in floating point; return a trained copy, in evaluation mode.

    Parameters and determinism are those of :func:`fine_tune`.
    """
    data = _data("train", train_data, batch_size)
    trained = copy.deepcopy(model)
    fit = Fit(
        epochs=epochs,
        seed=seed,
        batch_size=batch_size,
        learning_rate=learning_rate,
        loss=nn.CrossEntropyLoss(label_smoothing=label_smoothing),
        facts={"label_smoothing": label_smoothing},
        checkpoint=checkpoint,
        progress=progress,
    )
    fit.run(trained, data)
    return trained


def fine_tune(
    model: nn.Module,
    train_data: tuple[Any, Any],
    *,
    config: MTJConfig,
    weight_bits: int = 2,
    activation_bits: int = 4,
    epochs: int = 20,
    seed: int = 0,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    label_smoothing: float = 0.05,
    checkpoint: str | PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> nn.Module:
    """Fine-tune a classifier for chips of a technology; return a tuned copy.

    In every step weights are quantised as the converter does it and put on the devices of a newly
    sampled chip, activations are quantised, and batch normalisations use the batch. Gradients pass
    quantisers straight through and are clipped. The result is a plain module of the same structure
    with other parameters; give it to ``SpintronConverter.convert`` with the same bits.

    Parameters
    ----------
    model : torch.nn.Module
        Trained classifier of Linear, BatchNorm1d, ReLU, Dropout and Flatten.
    train_data : (inputs, labels)
        Arrays or tensors of shapes ``(n, *input)`` and ``(n,)``.
    config : MTJConfig
        Technology that chips are sampled from.
    weight_bits, activation_bits : int, 1..8
        Bits of weights, and of inputs and activations.
    epochs : int, at least 1
        Passes over the data; the learning rate rises for a fifth of them and then falls to zero.
    seed : int
        Fixes the order of the data and all chips: the same call gives the same result.
    batch_size : int, at least 2
        Inputs a step.
    learning_rate : float
        Largest learning rate of Adam.
    label_smoothing : float
        Share of the target that goes to all classes evenly.
    checkpoint : path or None
        File to continue from where it exists, and to write after every epoch, as for :class:`Fit`.
    progress : callable or None
        Called with a :class:`Progress` after every epoch.

    Raises
    ------
    ConversionError
        If the model holds what cannot be converted.
    ParameterError
        If an argument is outside its range, or inputs and labels do not fit each other.
    TrainingFileError
        If the checkpoint is damaged, or of another run.
    """
    check_int("fine_tune", "weight_bits", weight_bits, 1, 8)
    check_int("fine_tune", "activation_bits", activation_bits, 1, 8)
    check_bits(config, weight_bits, "pair")
    x, y = _data("fine_tune", train_data, batch_size)
    stack = stack_of(parse(export_of(model, x[:2].numpy())))
    tuned = copy.deepcopy(model).float().eval()
    chip_model = _OnChips(tuned, stack, config, weight_bits, activation_bits, x)
    bits = (weight_bits, activation_bits)
    fit = Fit(
        epochs=epochs,
        seed=seed,
        batch_size=batch_size,
        learning_rate=learning_rate,
        loss=nn.CrossEntropyLoss(label_smoothing=label_smoothing),
        facts={"label_smoothing": label_smoothing, "bits": bits, "technology": config},
        checkpoint=checkpoint,
        progress=progress,
    )
    fit.run(tuned, (x, y), forward=chip_model.forward)
    return tuned


def _data(owner: str, data: tuple[Any, Any], batch_size: int) -> tuple[Tensor, Tensor]:
    check_int(owner, "batch_size", batch_size, 2, 1 << 20)
    x = torch.from_numpy(real_array(owner, "inputs", data[0]).astype(np.float32))
    labels = real_array(owner, "labels", data[1])
    if x.ndim < 2 or labels.shape != x.shape[:1] or len(x) < 2:
        raise ParameterError(
            f"{owner}: train_data must be inputs (n, *input) and labels (n,) with n of at least "
            f"2, not shapes {tuple(x.shape)} and {labels.shape}"
        )
    return x, torch.from_numpy(labels.astype(np.int64))


class _OnChips:
    """The forward pass of a stack of stages, on the parameters of a module."""

    def __init__(
        self,
        module: nn.Module,
        stack: Stack,
        config: MTJConfig,
        weight_bits: int,
        activation_bits: int,
        x: Tensor,
    ) -> None:
        self.state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        self.stack, self.config = stack, config
        self.weight_bits, self.activation_bits = weight_bits, activation_bits
        self.momentum = 0.1
        self.values = torch.from_numpy(weight_values(config, weight_bits)).float()
        signed = bool(x.min() < 0)
        kind = IntType(activation_bits, signed=signed)
        self.input = (torch.tensor(best_scale(x.double().numpy(), kind)), kind)

    def _tensor(self, key: str | None) -> Tensor | None:
        return None if key is None else self.state[key]

    def forward(self, x: Tensor, random: torch.Generator) -> Tensor:
        """Scores of a batch on a fresh chip."""
        scale, kind = self.input
        x = fake_quantise(x.flatten(1), scale, kind.high, signed=kind.signed)
        x = functional.dropout(x, self.stack.input_dropout)
        last = self.stack.stages[-1]
        for stage in self.stack.stages:
            x = self._linear(stage, x, random, per_channel=stage is not last or bool(stage.norm))
            x = self._norm(stage.norm, x)
            if stage is not last:
                x = self._activate(stage, x)
            x = functional.dropout(x, stage.dropout)
        return x

    def _linear(
        self, stage: Stage, x: Tensor, random: torch.Generator, *, per_channel: bool
    ) -> Tensor:
        weight = self._tensor(stage.weight_key)
        assert weight is not None
        states, step = chip_weights(weight, self.values, per_channel=per_channel)
        error = device_error(states, self.weight_bits, self.config, random)
        on_chip = step * (self.values[states] + error)
        return functional.linear(
            x, weight + (on_chip - weight).detach(), self._tensor(stage.bias_key)
        )

    def _norm(self, norm: Norm | None, x: Tensor) -> Tensor:
        if norm is None:
            return x
        return functional.batch_norm(
            x,
            self._tensor(norm.mean_key),
            self._tensor(norm.var_key),
            self._tensor(norm.gamma_key),
            self._tensor(norm.beta_key),
            training=True,
            momentum=self.momentum,
            eps=norm.eps,
        )

    def _activate(self, stage: Stage, x: Tensor) -> Tensor:
        signed = not stage.relu
        high = IntType(self.activation_bits, signed=signed).high
        scale = activation_scale(x.detach(), high, signed=signed)
        return fake_quantise(x, scale, high, signed=signed)
