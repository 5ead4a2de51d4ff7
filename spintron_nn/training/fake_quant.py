"""Quantisers that gradients pass through, and the devices of a fresh chip in every step."""

from __future__ import annotations

import torch
from torch import Tensor

from spintron_nn.converter.quantise import HALF_STEPS, ROUNDS
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["activation_scale", "device_error", "fake_quantise", "odd_weights"]

SCALES = 12
"""Activation scales tried in every step."""


@torch.no_grad()
def odd_weights(weight: Tensor, bits: int, *, per_channel: bool) -> tuple[Tensor, Tensor]:
    """Odd integers and their step, as :func:`spintron_nn.converter.quantise.quantise_weights`.

    Parameters
    ----------
    weight : Tensor of shape ``(outputs, inputs)``
        Weights.
    bits : int, 1..8
        Bits of a weight.
    per_channel : bool
        A step for each output, otherwise one for all.

    Returns
    -------
    odd : Tensor of shape ``(outputs, inputs)``
        Odd integers, as floats.
    step : Tensor that broadcasts to it
        ``weight`` is about ``odd * step``.
    """
    axes = (1,) if per_channel else (0, 1)
    top = float((1 << bits) - 1)
    step = HALF_STEPS[bits - 1] * weight.square().mean(dim=axes, keepdim=True).sqrt()
    step = torch.where(step > 0, step, torch.ones_like(step))
    for _ in range(ROUNDS):
        odd = (2 * (weight / (2 * step)).floor() + 1).clamp(-top, top)
        fitted = (weight * odd).sum(dim=axes, keepdim=True) / odd.square().sum(
            dim=axes, keepdim=True
        )
        step = torch.where(fitted > 0, fitted, step)
    return (2 * (weight / (2 * step)).floor() + 1).clamp(-top, top), step


@torch.no_grad()
def device_error(odd: Tensor, bits: int, config: MTJConfig, random: torch.Generator) -> Tensor:
    """Error of odd weights on the pairs of devices of a chip that is sampled here and now.

    Every weight stands on ``bits / level_bits`` pairs; both devices of each have their own
    log-normal factor and their own chance to be stuck, as in :class:`spintron_nn.Chip`.

    Returns
    -------
    Tensor of the shape of :py:`odd`
        What the chip adds to each weight, in units of the odd integers.
    """
    top = config.levels - 1
    base = top / config.tmr  # conductance of level 0, in distances between levels
    digits = ((odd + (1 << bits) - 1) / 2).to(torch.int64)
    total = torch.zeros_like(odd)
    for shift in range(0, bits, config.level_bits):
        level = ((digits >> shift) & top).to(odd.dtype)
        for wanted, sign in ((level, 1.0), (top - level, -1.0)):
            normal = torch.randn(odd.shape, generator=random, dtype=odd.dtype)
            held = wanted
            if config.stuck_p or config.stuck_ap:
                draw = torch.rand(odd.shape, generator=random, dtype=odd.dtype)
                held = torch.where(draw < config.stuck_p + config.stuck_ap, 0.0, held)
                held = torch.where(draw < config.stuck_p, float(top), held)
            conductance = (base + held) * torch.exp(-config.resistance_variation * normal)
            total += sign * (1 << shift) * (conductance - (base + wanted))
    return total


@torch.no_grad()
def activation_scale(values: Tensor, high: int, *, signed: bool) -> Tensor:
    """Scale with the least squared error on these values, of a few that are tried."""
    largest = values.abs().max() if signed else values.max()
    if largest <= 0:
        return torch.ones_like(largest)
    scales = largest / high * torch.logspace(0, -0.9, SCALES, dtype=values.dtype)
    target = values if signed else values.clamp(min=0)
    low = -high - 1 if signed else 0
    codes = (target[None] / scales[:, None, None] + 0.5).floor().clamp(low, high)
    errors = (codes * scales[:, None, None] - target[None]).square().sum(dim=(1, 2))
    return scales[errors.argmin()]


def fake_quantise(values: Tensor, scale: Tensor, high: int, *, signed: bool) -> Tensor:
    """Quantise; gradients pass straight through where nothing saturates."""
    low = -high - 1 if signed else 0
    inside = values.clamp(low * float(scale), high * float(scale))
    codes = (values / scale + 0.5).floor().clamp(low, high)
    return inside + (codes * scale - inside).detach()
