"""Training of classifiers: in floating point, then on freshly drawn chips."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real
from spintron_nn.core.mtj_models import MTJConfig

from .chip_model import ChipModel
from .data import tensors_of
from .loop import Fit
from .metrics import accuracy
from .parameters import checked_module
from .progress import Progress
from .robust import loss_over_chips, metric_over_chips

__all__ = ["fine_tune", "train"]


def train(
    model: nn.Module,
    train_data: Any,
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

    Parameters
    ----------
    model : torch.nn.Module
        Classifier.
    train_data : DataLoader, Dataset, or (inputs, labels)
        Of shapes ``(n, *input)`` and ``(n,)``; read once
        (:func:`~spintron_nn.training.data.tensors_of`).
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
    ParameterError
        If an argument is outside its range, or inputs and labels do not fit each other.
    TrainingFileError
        If the checkpoint is damaged, or of another run.
    """
    checked_module("train", "model", model)
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
    train_data: Any,
    *,
    config: MTJConfig,
    weight_bits: int = 2,
    activation_bits: int = 4,
    samples: int = 1,
    teacher: nn.Module | None = None,
    teacher_share: float = 0.5,
    calibration_frames: int = 512,
    validation_data: Any = None,
    choices: Mapping[str, Any] | None = None,
    epochs: int = 20,
    learning_rate: float = 3e-3,
    **run: Any,
) -> ChipModel:
    """Fine-tune a copy of a classifier on chips of a technology; return it on chips.

    What a step computes is explained at :class:`~spintron_nn.training.chip_model.ChipModel`. The
    result is in evaluation mode; its ``convert`` puts it on a chip.

    Parameters
    ----------
    model : torch.nn.Module
        Trained classifier of what can be converted.
    train_data, validation_data : DataLoader, Dataset, or (inputs, labels), the second or None
        As for :func:`train`. The second is judged after every epoch, on the ideal chip.
    config : MTJConfig
        Technology that chips are sampled from.
    weight_bits, activation_bits : int, 1..8
        Bits of weights, and of inputs and activations.
    samples : int, at least 1
        Chips that each step sees at once; the loss is the mean over them.
    teacher : torch.nn.Module or None
        Classifier whose shares are part of the target, such as the model in floating point.
    teacher_share : float, 0..1
        How much of the target these are.
    calibration_frames : int
        Training inputs, the first ones, that quantisers and converters are calibrated on.
    choices : mapping or None
        Other arguments of :class:`ChipModel`, such as ``crossbar_size`` or ``conditions``. Unless
        ``adc_bits`` are given there are no converters in training, which is much faster.
    epochs, learning_rate, **run
        As for :func:`train`, with the arguments that it has besides.

    Raises
    ------
    ConversionError
        If the model holds what cannot be converted, or not be trained.
    ParameterError, TrainingFileError
        As for :func:`train`.

    Source
    ------
    Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", arXiv:1503.02531, 2015:
    the teacher, at temperature 1.
    """
    checked_module("fine_tune", "model", model)
    if teacher is not None:
        checked_module("fine_tune", "teacher", teacher)
    check_int("fine_tune", "samples", samples, 1, 1 << 16)
    check_int("fine_tune", "calibration_frames", calibration_frames, 1, 1 << 30)
    check_real("fine_tune", "teacher_share", teacher_share, "in 0..1")
    bits = {"quantization_bits": weight_bits, "activation_bits": activation_bits}
    settings = {"batch_size": 64, "seed": 0, "label_smoothing": 0.05} | run
    data = _data("fine_tune", train_data, settings["batch_size"])
    parts = [data]
    if validation_data is not None:
        parts.append(_data("fine_tune", validation_data, 2, name="validation_data"))
    made = {"adc_bits": None, "seed": settings["seed"]} | bits | dict(choices or {})
    chips = ChipModel(copy.deepcopy(model).float(), config, data[0][:calibration_frames], **made)
    if teacher is not None:  # validation is by the labels alone
        parts = [
            (x, _taught(teacher, x, y, share)) for (x, y), share in zip(parts, (teacher_share, 0.0))
        ]
    settings |= {"epochs": epochs, "learning_rate": learning_rate}
    facts = {"choices": made, "technology": config, "samples": samples}
    _run(chips, parts, samples, settings, facts)
    return chips


def _run(
    chips: ChipModel,
    parts: list[tuple[Tensor, Tensor]],
    samples: int,
    settings: dict[str, Any],
    facts: dict[str, Any],
) -> None:
    """Train on chips, and judge by the ideal one."""
    smoothing = settings.pop("label_smoothing")
    fit = Fit(
        loss=loss_over_chips(nn.CrossEntropyLoss(label_smoothing=smoothing)),
        metrics={"accuracy": metric_over_chips(_accuracy)},
        facts=facts | {"label_smoothing": smoothing},
        **settings,
    )
    chips.train()
    fit.run(
        chips,
        parts[0],
        validation_data=parts[1] if len(parts) > 1 else None,
        forward=lambda inputs, random: chips.on_chips(inputs, samples, random),
        predict=lambda inputs: chips(inputs).float()[None],
    )
    chips.eval()


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
    owner: str, data: Any, batch_size: int, *, name: str = "train_data"
) -> tuple[Tensor, Tensor]:
    """Inputs and classes, at least two of each."""
    check_int(owner, "batch_size", batch_size, 2, 1 << 20)
    x, y = tensors_of(name, data)
    if y.ndim != 1 or y.is_floating_point() or len(x) < 2:
        raise ParameterError(
            f"{owner}: {name} must have at least two inputs, each with its class as one integer, "
            f"not {len(x)} with labels of shape {tuple(y.shape)} and type {y.dtype}"
        )
    return x, y
