"""Products with weights as chips hold them, with gradients of weights and steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from .held import Held
from .quantisers import Coding, LevelSet, passed_

__all__ = ["Result", "held_product", "product", "through"]


@dataclass(frozen=True, eq=False)
class Result:
    """A product, and what chips give for it.

    Attributes
    ----------
    exact : Tensor
        The product.
    given : Tensor of its shape
        What is computed on with: noise, converters and a line.
    slope : Tensor that broadcasts to it, or None
        What gradients of the second are multiplied by for those of the first; None: 1.
    size : Tensor of shape ``(samples or 1, 1, outputs or 1)``, or None
        Of a matrix: factor of what chips hold, the step in units.
    """

    exact: Tensor
    given: Tensor
    slope: Tensor | None = None
    size: Tensor | None = None


Given = Callable[[Tensor, Tensor | None], Result]
"""``given(x, codes)`` finds what chips give for vectors, whose codes may be None."""


def product(x: Tensor, whole: Tensor, size: Tensor) -> Tensor:
    """Product of vectors and a matrix on each chip, ``x @ (whole * size).T``.

    Parameters
    ----------
    x : Tensor of shape ``(samples or 1, vectors, rows)``
        Vectors.
    whole : Tensor of shape ``(samples, outputs, rows)``
        Matrices. Where both are int8 they may be multiplied as such; results are the same, up to
        sums of ``2**24``.
    size : Tensor of shape ``(samples or 1, 1, outputs or 1)``
        Factor of each output.

    Returns
    -------
    Tensor of shape ``(samples, vectors, outputs)``, of the type of the factor
    """
    chips, vectors, rows = x.shape
    if chips > 1:
        return torch.matmul(x.to(size.dtype), whole.to(size.dtype).mT) * size
    chips, flat = whole.shape[0], whole.reshape(-1, rows)
    left = x.reshape(vectors, rows)
    # Of a single row torch mixes up what is a row and what a column.
    if x.dtype == flat.dtype == torch.int8 and rows > 1 and x.is_cpu and exact_bytes():
        found = torch._int_mm(left, flat.T)
    else:
        found = left.to(size.dtype) @ flat.to(size.dtype).T
    if chips == 1:
        return found * size
    return found.view(vectors, chips, -1).transpose(0, 1) * size


@cache
def exact_bytes() -> bool:
    """Whether this processor multiplies matrices of bytes, and does not saturate on the way."""
    if not getattr(torch.cpu, "_is_vnni_supported", bool)():
        return False
    least = torch.full((32, 64), -128, dtype=torch.int8)
    return bool((torch._int_mm(least, least.T) == 64 << 14).all())


def through(exact: Tensor, result: Result) -> Tensor:
    """What chips give, with the gradients of the product."""
    found: Tensor = _Through.apply(exact, result.given, result.slope)
    return found


class _Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, exact: Tensor, given: Tensor, slope: Tensor | None) -> Tensor:
        ctx.slope = slope
        return given.view_as(given)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = grads
        return grad if ctx.slope is None else grad * ctx.slope, None, None


def held_product(
    x: Tensor,
    weight: Tensor,
    step: Tensor,
    bias: Tensor | None,
    levels: LevelSet,
    held: Held,
    result: Result | Given,
    coding: tuple[Tensor, Coding] | None = None,
) -> Tensor:
    """What chips give for the product of vectors and a matrix, ``x @ (held * step).T``, and a bias.

    Gradients are those of :func:`~.quantisers.held_weights` with a product behind it, in
    fewer passes over the weights: the gradient of the step takes the results in place of the
    gradients of all weights, and those of a weight are summed over the chips in one product.

    Parameters
    ----------
    x : Tensor of shape ``(samples or 1, vectors, rows)``
        Vectors.
    weight : Tensor of shape ``(outputs, rows)``
        Weights.
    step : Tensor of shape ``(outputs,)`` or ``(1,)``
        Step of each output, or one for all.
    bias : Tensor of shape ``(outputs,)``, or None
        Bias.
    levels : LevelSet
        What a weight can be.
    held : Held
        What chips hold.
    result : Result or callable
        The product, and what chips give for it; a callable finds it of the vectors and of their
        codes, where nothing is differentiated.
    coding : (Tensor without axes, Coding) or None
        Scale and codes that the vectors are quantised to on the way, as by
        :func:`~.quantisers.coded_activations`; None where they are already.

    Returns
    -------
    Tensor of shape ``(samples, vectors, outputs)``
    """
    scale, coding_ = (None, None) if coding is None else coding
    found: Tensor = _Product.apply(x, weight, step, bias, scale, levels, held, result, coding_)
    return found


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        step: Tensor,
        bias: Tensor | None,
        scale: Tensor | None,
        levels: LevelSet,
        held: Held,
        result: Result | Given,
        coding: Coding | None,
    ) -> Tensor:
        values = codes = None
        if coding is not None and scale is not None:
            values = x
            x, codes = coding.coded(values, scale)
        if callable(result):
            result = result(x, codes)
        ctx.save_for_backward(x, weight, step, values, scale, codes)
        ctx.levels, ctx.held, ctx.result, ctx.coding = levels, held, result, coding
        return result.given.view_as(result.given) if bias is None else result.given + bias

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, weight, step, values, scale, codes = ctx.saved_tensors
        held: Held = ctx.held
        result: Result = ctx.result
        (low, high), top = ctx.levels.clip, max(ctx.levels.high, 1e-30)
        wants, (outputs, rows) = ctx.needs_input_grad, weight.shape
        flat, inputs = grad.reshape(-1, outputs), x.reshape(-1, rows)
        of_bias = flat.sum(0) if wants[3] else None
        if result.slope is not None:
            grad = grad * result.slope
            flat = grad.reshape(-1, outputs)
        # Vectors that all chips share: gradients of these are summed first.
        shared = flat.shape[0] > inputs.shape[0]
        summed = grad.sum(0) if shared else flat
        of_weight, along = passed_(torch.mm(summed.t(), inputs), weight, step, low, high)
        of_step = of_x = of_scale = None
        if wants[2]:
            exact = torch.linalg.vecdot(flat, result.exact.reshape(-1, outputs), dim=0)
            of_step = torch.addcdiv(along, exact, step, value=-1.0)
            if step.numel() == 1:
                of_step = of_step.sum(0, keepdim=True)
            of_step.mul_(-((weight.numel() // step.numel() * top) ** -0.5))
        if wants[0]:
            assert result.size is not None
            whole, sized = held.matrix.to(grad.dtype), grad * result.size
            if shared:
                sized = sized.transpose(0, 1)
            if shared or whole.shape[0] == 1:
                sized = sized.reshape(inputs.shape[0], -1)
                of_x = torch.mm(sized, whole.reshape(-1, rows)).view(x.shape)
            else:
                of_x = torch.matmul(sized, whole)
            if ctx.coding is not None:
                of_x, of_scale = ctx.coding.gradients(of_x, values, scale, codes, wants[4])
        return of_x, of_weight, of_step, of_bias, of_scale, None, None, None, None
