"""Quantisers with learned steps: gradients pass straight through what does not saturate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_ir import IntType

from . import kernels

__all__ = [
    "Coding",
    "LevelSet",
    "coded_activations",
    "held_weights",
    "inside",
    "passed_",
    "quantise_activations",
    "quantise_weights",
]

FEW = 16
"""Uneven levels up to which comparisons are faster than a search."""


class LevelSet:
    """Values that a weight can have on nominal devices, and the nearest one of a number.

    Parameters
    ----------
    values : float64 array of shape ``(2**bits,)``
        Value of each state (:func:`~spintron_nn.converter.levels.weight_values`); they need not
        rise, and may be equal.

    Attributes
    ----------
    exact : float64 array of shape ``(2**bits,)``
        The values.
    values : float32 Tensor of that shape
        The same.
    even : bool
        Whether they are the odd integers, which arithmetic rounds to.
    low, high : float
        Least and largest value.
    kind : torch.dtype
        Type of a state.
    clip : (float, float)
        Where gradients pass: between the outermost values. Two values alone have twice their
        distance, for half of all weights lie beyond them and would never move again.

    Examples
    --------
    >>> levels = LevelSet(np.array([-3.0, -1, 1, 3]))
    >>> levels.nearest(torch.tensor([-9.0, 0, 1.9])).tolist()
    [-3.0, 1.0, 1.0]
    """

    def __init__(self, values: NDArray[np.float64]) -> None:
        count = len(values)
        order = np.argsort(values, kind="stable")
        rising = values[order]
        self.even = bool((values == np.arange(1 - count, count, 2)).all())
        self.exact, self.values = values, torch.from_numpy(values).float()
        self.low, self.high = float(rising[0]), float(rising[-1])
        more = (self.high - self.low) / 2 if count == 2 else 0.0
        self.clip = (self.low - more, self.high + more)
        self._count = count
        self._edges = torch.from_numpy((rising[1:] + rising[:-1]) / 2).float()
        self.kind = torch.int8 if count <= 64 else torch.int16
        self._order = torch.from_numpy(order).to(self.kind)

    def states(self, ratio: Tensor) -> Tensor:
        """State of each weight, of :attr:`kind`; half-way between two it is that of the larger.

        Parameters
        ----------
        ratio : Tensor
            Weights over their step.
        """
        if self.even:
            # Half of the sum, in one pass; an integer type cuts off what is behind the point.
            place = torch.rsub(ratio, self._count / 2, alpha=-0.5)
            return place.clamp_(0.0, self._count - 1.0).to(self.kind)
        if self._count > FEW:
            place = torch.bucketize(ratio, self._edges.to(ratio.device), right=True)
        else:
            place = torch.zeros(ratio.shape, dtype=torch.int64, device=ratio.device)
            for edge in self._edges.tolist():
                place += ratio >= edge
        return self._order.to(ratio.device)[place]

    def put_(self, weight: Tensor, step: Tensor, states: Tensor) -> None:
        """Write the states of weights.

        Parameters
        ----------
        weight : float32 Tensor of shape ``(outputs, ...)``
            Weights.
        step : Tensor of shape ``(outputs,)`` or ``(1,)``
            Step of each output, or one for all.
        states : contiguous Tensor of that shape, of :attr:`kind`
            What is written.
        """
        if self.even and kernels.suits(weight, step):
            given, found = (part.detach().flatten(1).numpy() for part in (weight, states))
            kernels.weight_states(given, step.detach().numpy(), self._count, found)
        else:
            states.copy_(self.states(weight / step.reshape(-1, *[1] * (weight.ndim - 1))))

    def of(self, states: Tensor) -> Tensor:
        """Value of each state, float32."""
        if self.even:
            return torch.rsub(states, 1.0 - self._count, alpha=-2)
        return self.values.to(states.device)[states.long()]

    def nearest(self, ratio: Tensor) -> Tensor:
        """Value next to each weight over its step."""
        return self.of(self.states(ratio))


def quantise_activations(
    values: Tensor, scale: Tensor, kind: IntType, *, features: int = 1
) -> Tensor:
    """Quantise to ``codes * scale``, where ``codes = floor(values / scale + 1/2)``, saturated.

    Gradients of values pass where no code saturates. That of the scale is the published one,
    ``code - values / scale`` inside and the code beyond, summed, over ``sqrt(features * high)``.

    Parameters
    ----------
    values : Tensor
        Real values.
    scale : Tensor without axes, above 0
        Real value of one code.
    kind : IntType
        Type of the codes.
    features : int
        Values of one input.

    Source
    ------
    Esser et al., "Learned step size quantization", ICLR 2020: equations 1 to 3, section 2.2.

    Examples
    --------
    >>> quantise_activations(torch.tensor([0.3, 0.8, 9.0]), torch.tensor(0.5), IntType(2)).tolist()
    [0.5, 1.0, 1.5]
    """
    return coded_activations(values, scale, kind, features=features)[0]


def coded_activations(
    values: Tensor, scale: Tensor, kind: IntType, *, features: int = 1
) -> tuple[Tensor, Tensor]:
    """Quantise as :func:`quantise_activations`; return the codes, too, int8 or int16."""
    coding = Coding.of(kind, features)
    if not (values.requires_grad or scale.requires_grad):
        return coding.coded(values, scale)
    found: tuple[Tensor, Tensor] = _Activations.apply(values, scale, coding)
    return found


@dataclass(frozen=True)
class Coding:
    """How values become codes.

    Attributes
    ----------
    low, high : int
        Least and largest code.
    share : float
        Factor on the gradient of the scale.
    """

    low: int
    high: int
    share: float

    @cached_property
    def _limits(self) -> tuple[np.float32, np.float32]:
        """Least and largest code, as kernels take them."""
        return np.float32(self.low), np.float32(self.high)

    @staticmethod
    @cache
    def of(kind: IntType, features: int) -> Coding:
        """Codes of a type, of inputs with so many values."""
        high = kind.high
        return Coding(kind.low, high, (features * max(high, 1)) ** -0.5)

    def coded(self, values: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """What the nearest codes are worth, and the codes, int8 or int16."""
        kind = torch.int8 if self.high <= 127 else torch.int16
        if kernels.suits(values, scale):
            found, codes = torch.empty_like(values), torch.empty_like(values, dtype=kind)
            given = [part.view(-1).numpy() for part in (values.detach(), codes, found)]
            kernels.code(given[0], np.float32(scale.item()), self._limits, *given[1:])
            return found, codes
        codes = (values / scale).add_(0.5).floor_().clamp_(self.low, self.high).to(kind)
        return codes * scale, codes

    def gradients(
        self, grad: Tensor, values: Tensor, scale: Tensor, codes: Tensor, wanted: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Gradients of values and, where it is wanted, of their scale."""
        if kernels.suits(grad, values, scale):
            found = torch.empty_like(grad)
            given = [part.view(-1).numpy() for part in (grad, values.detach(), codes, found)]
            size = np.float32(scale.item())
            total = kernels.code_gradients(*given[:2], size, given[2], self._limits, given[3])
            return found, grad.new_tensor(total * self.share) if wanted else None
        step, ratio = None, values / scale
        if wanted:
            error = codes - inside(ratio, ratio, self.low, self.high)
            step = torch.dot(grad.reshape(-1), error.reshape(-1)).mul_(self.share)
        return inside(grad, ratio, self.low, self.high), step


class _Activations(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, scale: Tensor, coding: Coding) -> tuple[Tensor, Tensor]:
        found, codes = coding.coded(values, scale)
        ctx.save_for_backward(values, scale, codes)
        ctx.coding = coding
        ctx.mark_non_differentiable(codes)
        ctx.set_materialize_grads(False)
        return found, codes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        found = ctx.coding.gradients(grads[0], *ctx.saved_tensors, ctx.needs_input_grad[1])
        return (*found, None)


def inside(grad: Tensor, ratio: Tensor, low: float, high: float) -> Tensor:
    """Gradient where a ratio lies between two bounds, 0 elsewhere, in one pass."""
    found: Tensor = torch.ops.aten.hardtanh_backward.default(grad, ratio, low, high)
    return found


def passed_(
    grad: Tensor, weight: Tensor, step: Tensor, low: float, high: float
) -> tuple[Tensor, Tensor]:
    """Gradients of weights ``(outputs, rows)`` that do not saturate, in their place.

    And for each output the sum of these times the weight over its step.
    """
    if kernels.suits(grad, weight, step):
        sums, limits = grad.new_empty(len(grad)), (np.float32(low), np.float32(high))
        given = (part.detach().numpy() for part in (grad, weight, step))
        kernels.weight_gradients(*given, limits, sums.numpy())
        return grad, sums
    ratio = weight / step[:, None]
    backward = torch.ops.aten.hardtanh_backward.grad_input
    found: Tensor = backward(grad, ratio, low, high, grad_input=grad)
    return found, torch.linalg.vecdot(found, ratio)


def quantise_weights(weight: Tensor, step: Tensor, levels: LevelSet) -> Tensor:
    """Quantise weights to the nearest levels of nominal devices, ``level * step``.

    Gradients pass straight through between the outermost levels. That of the step is as in
    :func:`quantise_activations`, with the level as the code; its scale is ``1 / sqrt(weights *
    high)``, with the weights that share a step.

    Parameters
    ----------
    weight : Tensor of shape ``(outputs, ...)``
        Weights.
    step : Tensor that broadcasts to it, above 0
        A step for each output, or one for all.
    levels : LevelSet
        What a weight can be.

    Examples
    --------
    >>> levels = LevelSet(np.array([-3.0, -1, 1, 3]))
    >>> quantise_weights(torch.tensor([[0.3, -2.0]]), torch.tensor([[0.5]]), levels).tolist()
    [[0.5, -1.5]]
    """
    ratio = (weight / step).detach()
    return held_weights(weight, step, levels, levels.nearest(ratio)[None].to(ratio))[0]


def held_weights(weight: Tensor, step: Tensor, levels: LevelSet, held: Tensor) -> Tensor:
    """Weights as chips hold them, ``held * step``, with the gradients of :func:`quantise_weights`.

    That of a weight is the sum over the chips, and that of the step has what chips hold in place
    of the level.

    Parameters
    ----------
    weight, step, levels
        As for :func:`quantise_weights`.
    held : Tensor of shape ``(samples, *weight.shape)``
        What chips hold, in units of the step.

    Returns
    -------
    Tensor of shape ``(samples, *weight.shape)``
    """
    found: Tensor = _Weights.apply(weight, step, levels, held)
    return found


class _Weights(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, step: Tensor, levels: LevelSet, held: Tensor) -> Tensor:
        ctx.save_for_backward(weight, step, held)
        ctx.levels = levels
        return held * step

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (grad,) = grads
        weight, step, held = ctx.saved_tensors
        levels, ratio = ctx.levels, weight / step
        summed = grad[0] if len(grad) == 1 else grad.sum(dim=0)
        passed = inside(summed, ratio, *levels.clip)
        chips, steps = len(grad), step.numel()
        found = _dots(grad, held, chips, steps).sum(dim=0) - _dots(passed, ratio, 1, steps)[0]
        share = (ratio.numel() // steps * max(levels.high, 1e-30)) ** -0.5
        return passed, (found * share).reshape(step.shape), None, None


def _dots(one: Tensor, other: Tensor, chips: int, steps: int) -> Tensor:
    """Products of two tensors summed over what shares a step, ``(chips, steps)``."""
    shape = chips, steps, -1
    found: Tensor = torch.linalg.vecdot(one.reshape(shape), other.reshape(shape))
    return found
