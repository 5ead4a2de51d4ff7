"""The training loop: schedule, clipping, early stopping, checkpoints, one device or many."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spintron_ir import ParameterError

from .checkpoint import restore, store
from .distributed import ALONE, team
from .progress import Progress
from .session import Forward, Session
from .settings import Settings

__all__ = ["Fit"]


@dataclass(frozen=True, kw_only=True)
class Fit(Settings):
    """A training run: everything but the model and the data.

    The same run on the same model and data gives the same weights, bit for bit, on one kind of
    machine and version of torch; also where it is interrupted and continued from its checkpoint.

    Parameters
    ----------
    epochs : int, at least 1
        Passes over the data.
    seed : int, 0..2**62
        Fixes the order of the data and what is drawn in a step; the global generators stay.
    batch_size : int, at least 2
        Inputs a step, over all processes. A last batch of one has no statistics: it is left out.
    learning_rate : float
        Largest learning rate.
    loss : callable
        ``loss(scores, labels)``, a mean over the batch; for smoothed labels
        ``nn.CrossEntropyLoss(label_smoothing=0.1)``.
    optimiser : callable
        ``optimiser(parameters, lr=learning_rate)``, a class of ``torch.optim`` or a partial of it.
    schedule : callable
        ``schedule(optimiser, steps)``, as in :mod:`spintron_nn.training.schedules`.
    clip : float or None
        Largest norm of a step's gradient.
    metrics : mapping of str to callable
        ``metric(scores, labels)``, means over the batch, by name.
    patience : int or None
        Stop after so many epochs without a better validation, and restore the weights of the best.
    monitor : str
        What is better: ``"loss"``, the smaller, or the name of a metric, the larger.
    precision : "float32", "bfloat16" or "float16"
        Of the forward pass, by ``torch.autocast``; weights stay in float32. Float16 scales its
        losses by ``torch.amp.GradScaler``. Worth it on a GPU.
    device : str
        Where to train, ``"cpu"`` or ``"cuda"``; the model stays there. Data are moved by the batch.
    distributed : bool
        One of the processes of torchrun. Each trains on its share of each batch, gradients are
        averaged; batch normalisations see the share only, and their statistics are of process 0.
        Only that process writes. It may not be the same as one process within float32.
    checkpoint : path or None
        File to continue from where it exists, whatever the model's weights are by then, and to
        write at the start and after every epoch. That of a finished run gives its result at once;
        that of another run is refused.
    checkpoint_every : int or None
        Also write it after so many steps.
    generators : mapping of str to torch.Generator or numpy.random.Generator
        What the loss, the model or the data draw from; the checkpoint keeps their states, too.
    facts : mapping of str
        What else the result depends on: a checkpoint of a run of other facts is refused.
    progress : callable or None
        Called by process 0 with a :class:`Progress` after every epoch.

    Raises
    ------
    ParameterError
        If an argument is outside its range.

    Examples
    --------
    >>> import torch
    >>> x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    >>> model = nn.Linear(2, 2, bias=False)
    >>> _ = nn.init.zeros_(model.weight)
    >>> fit = Fit(epochs=10, batch_size=16, learning_rate=0.1)
    >>> history = fit.run(model, (x, (x[:, 0] > 0).long()))
    >>> history[-1].loss < history[0].loss, history[-1].accuracy > 0.9
    (True, True)
    """

    def run(
        self,
        model: nn.Module,
        train_data: tuple[Tensor, Tensor],
        *,
        validation_data: tuple[Tensor, Tensor] | None = None,
        forward: Forward | None = None,
        predict: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Progress, ...]:
        """Train a model in its place.

        Parameters
        ----------
        model : torch.nn.Module
            What to train.
        train_data, validation_data : (inputs, labels)
            Tensors of shapes ``(n, *input)`` and ``(n, *label)``.
        forward : callable or None
            ``forward(inputs, random)`` gives the scores of a step, with a ``torch.Generator`` that
            is the same in all processes. None calls the model in training mode, and leaves it in
            evaluation mode.
        predict : callable or None
            ``predict(inputs)`` gives the scores of a validation. None calls the model in
            evaluation mode.

        Returns
        -------
        tuple of Progress
            One for each epoch, those before an interruption included.

        Raises
        ------
        ParameterError
            If data do not fit each other, or are missing.
        TrainingFileError
            If the checkpoint is damaged, or of another run.
        """
        device = self._device()
        with team(device) if self.distributed else nullcontext(ALONE) as group:
            _check_data("train_data", train_data, 2 * group.size)
            if validation_data is not None:
                _check_data("validation_data", validation_data, 1)
            elif self.patience is not None:
                raise ParameterError(
                    "training: patience judges by validation_data; give them, or no patience"
                )
            gpus = [device] if device.type == "cuda" else []
            with torch.random.fork_rng(devices=gpus):
                torch.manual_seed(self.seed + group.rank)  # dropout draws from the global generator
                data = (train_data, validation_data)
                session = Session(self, model, data, device, group, forward, predict)
                if not restore(session):
                    store(session)  # the model as it was given: a run may be cut off before a step
                return session.run(lambda: store(session))

    def _device(self) -> torch.device:
        device = torch.device(self.device)
        if device.type == "cuda" and device.index is None:
            number = int(os.environ.get("LOCAL_RANK", "0")) if self.distributed else 0
            device = torch.device("cuda", number)
        return device


def _check_data(name: str, data: tuple[Tensor, Tensor], least: int) -> None:
    x, y = data
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        raise ParameterError(
            f"training: {name} must be two tensors, not {type(x).__name__} and "
            f"{type(y).__name__}; use torch.as_tensor"
        )
    if x.ndim < 1 or y.ndim < 1 or len(x) != len(y) or len(x) < least:
        raise ParameterError(
            f"training: {name} must be inputs (n, *input) and labels (n, *label) with n of at "
            f"least {least}, not shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
