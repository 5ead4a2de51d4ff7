"""What a training tells after every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Progress"]


@dataclass(frozen=True)
class Progress:
    """State of a training run after an epoch.

    Attributes
    ----------
    epoch, epochs : int
        Epochs done and asked for.
    loss : float
        Mean loss of the epoch's batches, each before the step that it led to.
    learning_rate : float
        Of the next step.
    seconds : float
        Time of the epoch with its validation; of a continued one, of what was left of it.
    metrics : mapping of str to float
        Means of the metrics over the same batches, and ``validation_loss`` and
        ``validation_NAME`` where there are validation data.

    Examples
    --------
    >>> state = Progress(1, 5, 0.7, learning_rate=0.01, metrics={"accuracy": 0.5})
    >>> state.accuracy, list(state.figures())
    (0.5, ['loss', 'learning_rate', 'seconds', 'accuracy'])
    """

    epoch: int
    epochs: int
    loss: float
    learning_rate: float = 0.0
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def accuracy(self) -> float | None:
        """Accuracy, 0..1: on validation data if there are any, otherwise while training."""
        return self.metrics.get("validation_accuracy", self.metrics.get("accuracy"))

    def figures(self) -> dict[str, float]:
        """All numbers but the epochs by name, for logging."""
        numbers = {"loss": self.loss, "learning_rate": self.learning_rate, "seconds": self.seconds}
        return numbers | dict(self.metrics)
