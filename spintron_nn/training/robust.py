"""A loss and metrics of scores on several chips at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from spintron_nn.core.checks import check_real

from .metrics import Metric

__all__ = ["loss_over_chips", "metric_over_chips"]

Loss = Callable[[Tensor, Tensor], Tensor]


def loss_over_chips(loss: Loss, robustness_weight: float = 0.0) -> Loss:
    """Loss of scores on chips: ``mean + robustness_weight * deviation`` over the chips.

    The deviation is the square root of the mean squared difference from the mean; one chip has
    none, and where all chips lose the same its gradient is taken as 0.

    Parameters
    ----------
    loss : callable
        ``loss(scores, labels)`` of one chip, a mean over the batch. It is called once for all
        chips, by ``torch.vmap``.
    robustness_weight : float, at least 0
        Weight of the deviation.

    Returns
    -------
    callable
        ``loss(scores, labels)`` of scores of shape ``(samples, batch, *scores)``.

    Raises
    ------
    ParameterError
        If the weight is out of range.

    Examples
    --------
    >>> from torch.nn.functional import mse_loss
    >>> scores = torch.tensor([[1.0, 1.0], [2.0, 2.0]])  # two chips: they lose 1 and 4
    >>> loss_over_chips(mse_loss, 0.5)(scores, torch.zeros(2))  # 2.5 + 0.5 * 1.5
    tensor(3.2500)
    """
    weight = check_real("training", "robustness_weight", robustness_weight, "at least 0")
    each = torch.vmap(loss, in_dims=(0, None))

    def judge(scores: Tensor, labels: Tensor) -> Tensor:
        losses = each(scores, labels)
        if not weight:
            return losses.mean()
        return losses.mean() + weight * losses.std(correction=0)

    return judge


def metric_over_chips(metric: Metric) -> Metric:
    """Metric of scores on chips, of shape ``(samples, batch, *scores)``: its mean over them.

    Examples
    --------
    >>> from spintron_nn.training import accuracy
    >>> scores = torch.tensor([[[1.0, 2.0]], [[2.0, 1.0]]])  # one input on two chips
    >>> metric_over_chips(accuracy)(scores, torch.tensor([1]))
    tensor(0.5000)
    """

    def judge(scores: Tensor, labels: Tensor) -> Tensor:
        # A mean over a batch is one over the batches of all chips side by side, which are as large.
        copies = labels.expand(len(scores), *labels.shape)
        return metric(scores.flatten(0, 1), copies.flatten(0, 1))

    return judge
