"""Quantisers that gradients pass through, and the devices of a fresh chip in every step."""

from __future__ import annotations

import torch
from torch import Tensor

from spintron_nn.converter.quantise import HALF_STEPS, ROUNDS
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["activation_scale", "chip_weights", "device_error", "fake_quantise"]

SCALES = 12
"""Activation scales tried in every step."""


@torch.no_grad()
def chip_weights(weight: Tensor, values: Tensor, *, per_channel: bool) -> tuple[Tensor, Tensor]:
    """States of the weights and their step, as the converter's ``quantise_weights``.

    Parameters
    ----------
    weight : Tensor of shape ``(outputs, inputs)``
        Weights.
    values : Tensor of shape ``(2**bits,)``
        Values of the states (:func:`spintron_nn.converter.levels.weight_values`).
    per_channel : bool
        A step for each output, otherwise one for all.

    Returns
    -------
    states : integer Tensor of shape ``(outputs, inputs)``
        Index of each weight's value.
    step : Tensor that broadcasts to it
        ``weight`` is about ``values[states] * step``.
    """
    axes = (1,) if per_channel else (0, 1)
    rising, order = values.sort(stable=True)
    edges = (rising[1:] + rising[:-1]) / 2
    start = HALF_STEPS[len(values).bit_length() - 2]
    step = start * weight.square().mean(dim=axes, keepdim=True).sqrt()
    step = torch.where(step > 0, step, torch.ones_like(step))
    for _ in range(ROUNDS):
        level = rising[torch.bucketize(weight / step, edges, right=True)]
        power = level.square().sum(dim=axes, keepdim=True)
        fitted = (weight * level).sum(dim=axes, keepdim=True) / power
        step = torch.where(fitted > 0, fitted, step)
    return order[torch.bucketize(weight / step, edges, right=True)], step


@torch.no_grad()
def device_error(states: Tensor, bits: int, config: MTJConfig, random: torch.Generator) -> Tensor:
    """Error of weights on the pairs of devices of a chip that is sampled here and now.

    Every weight stands on ``bits / level_bits`` pairs; both devices of each have their own
    log-normal factor and their own chance to be stuck, as in :class:`spintron_nn.Chip`.

    Returns
    -------
    float Tensor of the shape of :py:`states`
        What the chip adds to each value, in units of the values.
    """
    top = config.levels - 1
    # Conductance of each level, in distances between levels.
    table = top * (1 / config.read_tmr + torch.tensor(config.fractions))
    total = torch.zeros(states.shape)
    for shift in range(0, bits, config.level_bits):
        level = (states >> shift) & top
        for wanted, sign in ((level, 1.0), (top - level, -1.0)):
            normal = torch.randn(states.shape, generator=random)
            held = wanted
            if config.stuck_p or config.stuck_ap:
                draw = torch.rand(states.shape, generator=random)
                held = torch.where(draw < config.stuck_p + config.stuck_ap, 0, held)
                held = torch.where(draw < config.stuck_p, top, held)
            conductance = table[held] * torch.exp(-config.resistance_variation * normal)
            total += sign * (1 << shift) * (conductance - table[wanted])
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
