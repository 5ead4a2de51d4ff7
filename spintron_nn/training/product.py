"""Products with weights as chips hold them, with gradients of weights and steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .quantisers import LevelSet, inside

__all__ = ["held_product"]


def held_product(
    x: Tensor,
    weight: Tensor,
    step: Tensor,
    levels: LevelSet,
    ratio: Tensor,
    held: Tensor,
    bias: Tensor | None,
) -> Tensor:
    """Product of vectors and a matrix on each chip, ``x @ (held * step).T + bias``.

    Values and gradients are those of :func:`~.quantisers.held_weights` with a product behind it, in
    fewer passes over the weights: the step multiplies results, its gradient takes the results in
    place of the gradients of all weights, and those of a weight are summed over the chips in one
    product.

    Parameters
    ----------
    x : Tensor of shape ``(samples or 1, ..., rows)``
        Vectors.
    weight : Tensor of shape ``(outputs, rows)``
        Weights.
    step : Tensor of shape ``(outputs,)`` or ``(1,)``
        Step of each output, or one for all.
    levels : LevelSet
        What a weight can be.
    ratio : Tensor of shape ``(outputs, rows)``
        Weights over their step.
    held : Tensor of shape ``(samples, outputs, rows)``
        What chips hold, in units of the step.
    bias : Tensor of shape ``(outputs,)``, or None
        Bias.

    Returns
    -------
    Tensor of shape ``(samples, ..., outputs)``
    """
    vectors = x.reshape(x.shape[0], -1, x.shape[-1])
    found: Tensor = _Product.apply(vectors, weight, step, levels, ratio, held, bias)
    return found if x.ndim == 3 else found.reshape(-1, *x.shape[1:-1], found.shape[-1])


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        step: Tensor,
        levels: LevelSet,
        ratio: Tensor,
        held: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        found = torch.matmul(x, held.mT)
        ctx.save_for_backward(x, ratio, step, held, found)
        ctx.levels, ctx.biased = levels, bias is not None
        return found * step if bias is None else torch.addcmul(bias, found, step)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, ratio, step, held, found = ctx.saved_tensors
        levels: LevelSet = ctx.levels
        shared = len(x) == 1
        # Vectors that all chips share, or one chip: its gradients are summed first.
        summed = grad.sum(dim=0) if shared and len(grad) > 1 else grad.flatten(0, 1)
        of_weight = inside(summed.T @ x.flatten(0, 1), ratio, *levels.clip)
        of_step = None
        if ctx.needs_input_grad[2]:
            of_step = torch.linalg.vecdot(grad.flatten(0, 1), found.flatten(0, 1), dim=0)
            of_step = of_step.sub_(torch.linalg.vecdot(of_weight, ratio))
            if step.numel() == 1:
                of_step = of_step.sum().reshape(1)
            of_step.mul_((ratio.numel() // step.numel() * max(levels.high, 1e-30)) ** -0.5)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = torch.matmul(grad * step, held)
            of_x = of_x.sum(dim=0, keepdim=True) if shared and len(grad) > 1 else of_x
        of_bias = grad.flatten(0, 1).sum(dim=0) if ctx.biased else None
        return of_x, of_weight, of_step, None, None, None, of_bias
