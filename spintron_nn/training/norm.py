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
    chips = len(x)
    flat = x[0] if chips == 1 else x.transpose(0, 1).flatten(1, 2)
    gamma, beta = (
        None if key is None else tensors[key].repeat(chips) if chips > 1 else tensors[key]
        for key in (norm.gamma_key, norm.beta_key)
    )
    found, mean, deviation = torch.native_batch_norm(
        flat, gamma, beta, None, None, True, 0.0, norm.eps
    )
    _track(module, norm, tensors, (mean, deviation), flat.numel() // flat.shape[1])
    if chips == 1:
        return found[None]
    return found.unflatten(1, (chips, -1)).transpose(0, 1)


@torch.no_grad()
def _track(
    module: nn.Module,
    norm: Norm,
    tensors: Mapping[str, Tensor],
    measured: tuple[Tensor, Tensor],
    count: int,
) -> None:
    """Move the running statistics as torch does, ``measured`` a mean and an inverse deviation."""
    assert norm.mean_key is not None and norm.var_key is not None
    momentum, counter = momentum_of(module, norm.mean_key)
    if counter is not None:
        counter += 1
    if momentum is None:
        momentum = 1.0 / float(counter) if counter is not None else 0.0
    running = tensors[norm.mean_key], tensors[norm.var_key]
    mean, deviation = (part.view(-1, len(running[0])) for part in measured)
    var = (deviation**-2 - norm.eps).mul_(count / max(count - 1, 1))
    for kept, fresh in zip(running, (mean, var), strict=True):
        kept.lerp_(fresh.mean(dim=0).to(kept.dtype), momentum)
