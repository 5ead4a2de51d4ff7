"""Metrics of a batch of scores: the larger the better.

A metric is any function of scores and labels that returns the mean over the batch, so the
functional ones of torchmetrics fit, too. They are no dependency: the two that a classifier needs
are a line each, and the mean over batches and processes is one sum that the loop keeps anyway.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from spintron_ir.errors import check_int

__all__ = ["Metric", "accuracy", "top_k"]

Metric = Callable[[Tensor, Tensor], Tensor]
"""``metric(scores, labels)`` is a mean over the batch."""


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """Share, 0..1, of inputs whose label has the highest score.

    Parameters
    ----------
    scores : Tensor of shape ``(n, classes)``
        One for each class.
    labels : integer Tensor of shape ``(n,)``
        The right classes.

    Examples
    --------
    >>> import torch
    >>> accuracy(torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([1, 1]))
    tensor(0.5000)
    """
    return (scores.argmax(dim=1) == labels).float().mean()


def top_k(k: int) -> Metric:
    """Metric: share, 0..1, of inputs whose label is among the ``k`` highest scores.

    With fewer classes than ``k`` it is 1.

    Raises
    ------
    ParameterError
        If ``k`` is no integer of at least 1.

    Examples
    --------
    >>> import torch
    >>> top_k(2)(torch.tensor([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]]), torch.tensor([1, 1]))
    tensor(0.5000)
    """
    check_int("top_k", "k", k, 1, 1 << 20)

    def metric(scores: Tensor, labels: Tensor) -> Tensor:
        best = scores.topk(min(k, scores.shape[1]), dim=1).indices
        return (best == labels[:, None]).any(dim=1).float().mean()

    return metric
