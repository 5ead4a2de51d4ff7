"""Training of classifiers: in floating point, then on freshly drawn chips."""

from __future__ import annotations

import copy
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.converter.model import real_array
from spintron_nn.core.checks import check_real
from spintron_nn.core.mtj_models import MTJConfig

from .chip_model import ChipModel
from .devices import Conditions
from .loop import Fit
from .metrics import accuracy
from .progress import Progress
from .robust import loss_over_chips, metric_over_chips

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
    crossbar_size: int = 128,
    adc_bits: int | None = None,
    learn_ranges: bool = False,
    conditions: Conditions | None = None,
    samples: int = 1,
    teacher: nn.Module | None = None,
    teacher_share: float = 0.5,
    calibration_frames: int = 512,
    validation_data: tuple[Any, Any] | None = None,
    epochs: int = 20,
    seed: int = 0,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    label_smoothing: float = 0.05,
    checkpoint: str | PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ChipModel:
    """Fine-tune a copy of a classifier on chips of a technology; return it on chips.

    What a step computes is explained at :class:`~spintron_nn.training.chip_model.ChipModel`. The
    result is in evaluation mode; its ``convert`` puts it on a chip, its ``module`` is the tuned
    copy.

    Parameters
    ----------
    model : torch.nn.Module
        Trained classifier of what can be converted.
    train_data, validation_data : (inputs, labels), the second or None
        Arrays or tensors of shapes ``(n, *input)`` and ``(n,)``. The second is judged after every
        epoch, on the ideal chip.
    config : MTJConfig
        Technology that chips are sampled from.
    weight_bits, activation_bits : int, 1..8
        Bits of weights, and of inputs and activations.
    crossbar_size : int
        Rows and columns of a tile.
    adc_bits : int, 1..16, or None
        Bits of the converters in training; None leaves them out, which is several times as fast.
    learn_ranges : bool
        Learn the ranges of the converters, in place of calibrating them now and then.
    conditions : Conditions or None
        Temperatures and ages of the chips.
    samples : int, at least 1
        Chips that each step sees at once; the loss is the mean over them.
    teacher : torch.nn.Module or None
        Classifier whose shares are part of the target: often the model before it was quantised.
    teacher_share : float, 0..1
        How much of the target these are.
    calibration_frames : int
        Training inputs, the first ones, that quantisers and converters are calibrated on.
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
        If the model holds what cannot be converted, or not be trained.
    ParameterError
        If an argument is outside its range, or inputs and labels do not fit each other.
    TrainingFileError
        If the checkpoint is damaged, or of another run.

    Source
    ------
    Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", arXiv:1503.02531, 2015:
    the teacher, at temperature 1.
    """
    check_int("fine_tune", "weight_bits", weight_bits, 1, 8)
    check_int("fine_tune", "activation_bits", activation_bits, 1, 8)
    check_int("fine_tune", "samples", samples, 1, 1 << 16)
    check_int("fine_tune", "calibration_frames", calibration_frames, 1, 1 << 30)
    check_real("fine_tune", "teacher_share", teacher_share, "in 0..1")
    x, y = _data("fine_tune", train_data, batch_size)
    held_out = None
    if validation_data is not None:
        held_out = _data("fine_tune", validation_data, batch_size, name="validation_data")
    chips = ChipModel(
        copy.deepcopy(model).float(),
        config,
        x[:calibration_frames],
        learn_ranges=learn_ranges,
        conditions=conditions,
        seed=seed,
        quantization_bits=weight_bits,
        activation_bits=activation_bits,
        crossbar_size=crossbar_size,
        adc_bits=adc_bits,
    )
    if teacher is not None:
        y = _taught(teacher, x, y, teacher_share)
        held_out = None if held_out is None else (held_out[0], _taught(teacher, *held_out, 0.0))
    facts = {
        "label_smoothing": label_smoothing,
        "choices": chips.choices,
        "technology": config,
        "conditions": conditions,
        "samples": samples,
        "learn_ranges": learn_ranges,
    }
    fit = Fit(
        epochs=epochs,
        seed=seed,
        batch_size=batch_size,
        learning_rate=learning_rate,
        loss=loss_over_chips(nn.CrossEntropyLoss(label_smoothing=label_smoothing)),
        metrics={"accuracy": metric_over_chips(_accuracy)},
        facts=facts,
        checkpoint=checkpoint,
        progress=progress,
    )
    chips.train()
    fit.run(
        chips,
        (x, y),
        validation_data=held_out,
        forward=lambda inputs, random: chips.on_chips(inputs, samples, random),
        predict=lambda inputs: chips(inputs).float()[None],
    )
    return chips.eval()


@torch.no_grad()
def _taught(teacher: nn.Module, x: Tensor, y: Tensor, share: float) -> Tensor:
    """Targets of each class: labels, and what a teacher says."""
    training = teacher.training
    scores = torch.cat([teacher.eval()(part) for part in x.split(1024)]).float()
    teacher.train(training)
    said = scores.softmax(dim=1)
    return (1 - share) * functional.one_hot(y, said.shape[1]) + share * said


def _accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """Accuracy by labels, or by the largest of the targets of all classes."""
    return accuracy(scores, labels if labels.ndim == 1 else labels.argmax(dim=1))


def _data(
    owner: str, data: tuple[Any, Any], batch_size: int, *, name: str = "train_data"
) -> tuple[Tensor, Tensor]:
    check_int(owner, "batch_size", batch_size, 2, 1 << 20)
    x = torch.from_numpy(real_array(owner, "inputs", data[0]).astype(np.float32))
    labels = real_array(owner, "labels", data[1])
    if x.ndim < 2 or labels.shape != x.shape[:1] or len(x) < 2:
        raise ParameterError(
            f"{owner}: {name} must be inputs (n, *input) and labels (n,) with n of at least "
            f"2, not shapes {tuple(x.shape)} and {labels.shape}"
        )
    return x, torch.from_numpy(labels.astype(np.int64))
