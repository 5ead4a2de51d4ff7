"""Settings of a training run: everything but the model and the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer

from spintron_ir import ParameterError
from spintron_ir.errors import check_bool, check_choice, check_int
from spintron_nn.core.checks import check_real

from .metrics import Metric, accuracy
from .progress import Progress
from .schedules import Schedule, one_cycle

__all__ = ["PRECISIONS", "Settings", "further"]

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Types of a forward pass."""

OWN = ("epochs", "learning_rate")
"""Fields of a run that trainers have as arguments of their own."""

DEVICE = re.compile(r"cpu|cuda(:\d{1,2})?")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Fields of :class:`~spintron_nn.training.loop.Fit`, where each is explained, and their checks.

    Raises
    ------
    ParameterError
        If one is outside its range.
    """

    epochs: int
    seed: int = 0
    batch_size: int = 64
    learning_rate: float = 1e-3
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy
    optimiser: Callable[..., Optimizer] = torch.optim.Adam
    schedule: Schedule = one_cycle
    clip: float | None = 1.0
    metrics: Mapping[str, Metric] = field(default_factory=lambda: {"accuracy": accuracy})
    patience: int | None = None
    monitor: str = "loss"
    precision: str = "float32"
    device: str = "cpu"
    distributed: bool = False
    checkpoint: str | PathLike[str] | None = None
    checkpoint_every: int | None = None
    generators: Mapping[str, torch.Generator | np.random.Generator] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[Progress], None] | None = None

    def __post_init__(self) -> None:
        check_int("training", "epochs", self.epochs, 1, 1 << 20)
        check_int("training", "seed", self.seed, 0, 1 << 62)
        check_int("training", "batch_size", self.batch_size, 2, 1 << 20)
        check_real("training", "learning_rate", self.learning_rate, "above 0")
        if self.clip is not None:
            check_real("training", "clip", self.clip, "above 0")
        for name in ("patience", "checkpoint_every"):
            if getattr(self, name) is not None:
                check_int("training", name, getattr(self, name), 1, 1 << 40)
        check_choice("training", "monitor", self.monitor, ("loss", *self.metrics))
        check_choice("training", "precision", self.precision, tuple(PRECISIONS))
        check_bool("training", "distributed", self.distributed)
        if not isinstance(self.device, str) or not DEVICE.fullmatch(self.device):
            raise ParameterError(
                "training: device must be 'cpu', or 'cuda' with or without a number, not "
                f"{self.device!r}"
            )
        device, found = torch.device(self.device), torch.cuda.device_count()
        if device.type == "cuda" and (device.index or 0) >= found:
            raise ParameterError(
                f"training: device {self.device!r} needs a GPU of that number, and torch finds "
                f"{found}; use 'cpu'"
            )


def further(fit: dict[str, Any]) -> dict[str, Any]:
    """Return what a trainer is given for its run; refuse names that are no fields, or its own."""
    known = [one.name for one in fields(Settings) if one.name not in OWN]
    unknown = [name for name in fit if name not in known]
    if unknown:
        raise ParameterError(
            f"training: train takes, beside its own arguments, {', '.join(known)}, not "
            f"{', '.join(unknown)}"
        )
    return fit
