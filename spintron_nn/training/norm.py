"""Batch normalisation of many chips at once, each with the statistics of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from spintron_nn.converter.graph import Norm

from .parameters import momentum_of

__all__ = ["normalised"]


def normalised(module: nn.Module, tensors: Mapping[str, Tensor], norm: Norm, x: Tensor) -> Tensor:
    """Normalise each channel of each chip over the batch; update the running statistics.

    These move by the mean over the chips. A conversion measures them anew on its chip.

    Parameters
    ----------
    module : Module
        Owner of parameters and statistics.
    tensors : mapping of str to Tensor
        These, by name.
    norm : Norm
        The normalisation.
    x : Tensor of shape ``(samples, batch, channels, ...)``
        Values.
    """
    assert norm.mean_key is not None and norm.var_key is not None
    chips = x.shape[0]
    running = [tensors[norm.mean_key], tensors[norm.var_key]]
    gamma, beta = (None if key is None else tensors[key] for key in (norm.gamma_key, norm.beta_key))
    momentum = _momentum(module, norm.mean_key)
    if chips == 1:
        return _batch_norm(x.squeeze(0), running, (gamma, beta), momentum, norm.eps).unsqueeze(0)
    flat = x.transpose(0, 1).flatten(1, 2)
    every = [part.repeat(chips) for part in running]
    gamma, beta = (None if part is None else part.repeat(chips) for part in (gamma, beta))
    found = _batch_norm(flat, every, (gamma, beta), momentum, norm.eps)
    with torch.no_grad():
        for kept, moved in zip(running, every, strict=True):
            kept.copy_(moved.view(chips, -1).mean(dim=0))
    return found.unflatten(1, (chips, -1)).transpose(0, 1)


def _momentum(module: nn.Module, key: str) -> float:
    """Momentum of running statistics now; a mean over all batches has that of their number."""
    momentum, counter = momentum_of(module, key)
    if counter is not None:
        counter += 1
    if momentum is None:
        return 0.0 if counter is None else 1.0 / float(counter)
    return momentum


def _batch_norm(
    x: Tensor,
    running: list[Tensor],
    line: tuple[Tensor | None, Tensor | None],
    momentum: float,
    eps: float,
) -> Tensor:
    mean, var = running
    fast = torch.backends.cudnn.enabled
    return torch.batch_norm(x, *line, mean, var, True, momentum, eps, fast)
