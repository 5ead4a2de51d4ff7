"""A training run as it goes: all that changes from step to step."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from .distributed import Team
from .progress import Progress
from .settings import PRECISIONS, Settings

__all__ = ["Forward", "Session"]

Forward = Callable[[Tensor, torch.Generator], Tensor]
"""``forward(inputs, random)`` gives scores."""

Data = tuple[Tensor, Tensor]


class _Scores(nn.Module):
    """The forward pass as a module: gradients of one are averaged over processes."""

    def __init__(self, model: nn.Module, forward: Forward, random: torch.Generator) -> None:
        super().__init__()
        self.model, self.scores, self.random = model, forward, random

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(x, self.random)


class Session:
    """Model, optimiser, generators and position of a run of :class:`~spintron_nn.training.Fit`.

    Parameters are those of ``Fit.run``.
    """

    def __init__(
        self,
        fit: Settings,
        model: nn.Module,
        data: tuple[Data, Data | None],
        device: torch.device,
        team: Team,
        forward: Forward | None,
        predict: Callable[[Tensor], Tensor] | None,
    ) -> None:
        self.fit, self.model, self.device, self.team = fit, model.to(device), device, team
        (self.x, self.y), self.validation = data
        self.plain, self.predict = forward is None, predict
        if forward is None:
            model.train()
        self.random = torch.Generator().manual_seed(fit.seed)
        self.scores = team.wrap(
            _Scores(model, forward or (lambda batch, _: model(batch)), self.random)
        )
        # Each process needs two inputs of the last batch.
        self.starts = range(0, len(self.x) - 2 * team.size + 1, fit.batch_size)
        self.parameters = list(model.parameters())
        self.optimiser = fit.optimiser(self.parameters, lr=fit.learning_rate)
        self.schedule = fit.schedule(self.optimiser, fit.epochs * len(self.starts))
        self.scaler = torch.amp.GradScaler(device.type, enabled=fit.precision == "float16")
        self.epoch = self.step = 0
        self.order: Tensor | None = None
        self.sums: dict[str, float] = {}
        self.best: dict[str, Any] | None = None
        self.history: list[Progress] = []

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the run's result depends on, as far as it can be told."""
        fit = self.fit
        data = hashlib.sha256()
        for part in (self.x, self.y, *(self.validation or ())):
            data.update(f"{part.dtype} {tuple(part.shape)}".encode())
            data.update(part.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        return {
            "epochs": fit.epochs,
            "seed": fit.seed,
            "batch_size": fit.batch_size,
            "learning_rate": float(fit.learning_rate),
            "optimiser": type(self.optimiser).__name__,
            "schedule": type(self.schedule).__name__,
            "clip": fit.clip,
            "metrics": ", ".join(fit.metrics),
            "patience": fit.patience,
            "monitor": fit.monitor,
            "precision": fit.precision,
            "device": self.device.type,
            "processes": self.team.size,
            "data": data.hexdigest()[:16],
            **{name: str(value) for name, value in fit.facts.items()},
        }

    def run(self, save: Callable[[], None]) -> tuple[Progress, ...]:
        """Train from the present position to the end; ``save`` is called where it can go on."""
        while self.epoch < self.fit.epochs and not self._stopped():
            self._epoch(save)
        if self.best is not None:
            self.model.load_state_dict(self.best["weights"])
        self.team.same_buffers(self.model)
        if self.plain:
            self.model.eval()
        return tuple(self.history)

    def _stopped(self) -> bool:
        patience = self.fit.patience
        return bool(patience and self.best and self.epoch - self.best["epoch"] >= patience)

    def _epoch(self, save: Callable[[], None]) -> None:
        began = perf_counter()
        if self.order is None:
            self.order = torch.randperm(len(self.x), generator=self.random)
            self.sums = dict.fromkeys(("loss", *self.fit.metrics), 0.0)
        every = self.fit.checkpoint_every
        while self.step < len(self.starts):
            self._step(self.order)
            if every and self.step % every == 0 and self.step < len(self.starts):
                save()
        metrics = self._means()
        loss = metrics.pop("loss")
        self.team.same_buffers(self.model)
        validated = self._validate()
        self.epoch, self.step, self.order = self.epoch + 1, 0, None
        self._judge(validated)
        metrics |= {f"validation_{name}": value for name, value in validated.items()}
        rate, seconds = float(self.schedule.get_last_lr()[0]), perf_counter() - began
        told = Progress(self.epoch, self.fit.epochs, loss, rate, seconds, metrics)
        self.history.append(told)
        save()
        if self.fit.progress is not None and self.team.rank == 0:
            self.fit.progress(told)

    def _step(self, order: Tensor) -> None:
        fit, team = self.fit, self.team
        start = self.starts[self.step]
        picked = order[start : start + fit.batch_size]
        share = picked[team.rank :: team.size]
        x, y = self.x[share].to(self.device), self.y[share].to(self.device)
        with self._precision():
            scores = self.scores(x)
            loss = fit.loss(scores, y)
        # Processes are averaged evenly, and their shares may differ by one input.
        weight = len(share) * team.size / len(picked)
        self.optimiser.zero_grad()
        self.scaler.scale(loss if weight == 1 else loss * weight).backward()
        if fit.clip is not None:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.parameters, fit.clip)
        self.scaler.step(self.optimiser)
        scale = self.scaler.get_scale()
        self.scaler.update()
        if self.scaler.get_scale() >= scale:  # otherwise the gradients overflowed: no step
            self.schedule.step()
        self.step += 1
        self.sums["loss"] += float(loss.detach()) * weight
        with torch.no_grad():
            for name, metric in fit.metrics.items():
                self.sums[name] += float(metric(scores.detach(), y)) * len(share)

    def _precision(self) -> AbstractContextManager[Any]:
        if self.fit.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, PRECISIONS[self.fit.precision])

    def _means(self) -> dict[str, float]:
        """Means of the epoch: of the loss over batches, of metrics over inputs."""
        seen = min(len(self.x), self.starts[-1] + self.fit.batch_size)
        parts = self.team.gather(self.sums)
        sums = {name: sum(part[name] for part in parts) for name in self.sums}
        loss = sums["loss"] / self.team.size / len(self.starts)
        return {name: value / seen for name, value in sums.items()} | {"loss": loss}

    def _validate(self) -> dict[str, float]:
        """Loss and metrics on the validation data, by process 0."""
        sums: dict[str, float] = {}
        if self.validation is not None and self.team.rank == 0:
            modes = [(module, module.training) for module in self.model.modules()]
            self.model.eval()
            try:
                sums = self._judged(*self.validation)
            finally:
                for module, mode in modes:
                    module.training = mode
        return self.team.first(sums)

    @torch.no_grad()
    def _judged(self, inputs: Tensor, labels: Tensor) -> dict[str, float]:
        judges = {"loss": self.fit.loss, **self.fit.metrics}
        sums, size = dict.fromkeys(judges, 0.0), self.fit.batch_size
        for x, y in zip(inputs.split(size), labels.split(size), strict=True):
            x, y = x.to(self.device), y.to(self.device)
            scores = self.model(x) if self.predict is None else self.predict(x)
            for name, judge in judges.items():
                sums[name] += float(judge(scores, y)) * len(x)
        return {name: value / len(inputs) for name, value in sums.items()}

    def _judge(self, validated: dict[str, float]) -> None:
        """Keep the weights if they are the best so far."""
        if self.fit.patience is None:
            return
        name = self.fit.monitor
        value = -validated[name] if name == "loss" else validated[name]
        if self.best is None or value > self.best["value"] or math.isnan(self.best["value"]):
            weights = {key: tensor.clone() for key, tensor in self.model.state_dict().items()}
            self.best = {"epoch": self.epoch, "value": value, "weights": weights}
