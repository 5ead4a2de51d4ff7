"""What the devices of freshly drawn chips hold of the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .devices import DeviceSampler, Dies

if TYPE_CHECKING:
    from .crossbar_layer import Crossbar

__all__ = ["Draw", "Held", "drawn"]


@dataclass(frozen=True, eq=False)
class Draw:
    """The chips of a forward pass.

    Attributes
    ----------
    sampler : DeviceSampler
        What draws devices.
    dies : Dies
        What the devices of each chip have in common.
    random : Generator
        Random numbers.
    """

    sampler: DeviceSampler
    dies: Dies
    random: torch.Generator


@dataclass(frozen=True, eq=False)
class Held:
    """A matrix on chips.

    Attributes
    ----------
    ratio : Tensor of the shape of the weights
        Weights over their step.
    states : int32 Tensor of that shape
        State of each weight.
    pairs : Tensor of shape ``(samples, slices, outputs, rows)``
        What pairs of devices differ by, in even levels.
    whole : Tensor of shape ``(samples, *weights)``
        Value of each weight: its slices with their places.
    """

    ratio: Tensor
    states: Tensor
    pairs: Tensor
    whole: Tensor


@torch.no_grad()
def drawn(
    crossbars: Mapping[str, Crossbar],
    weights: Mapping[str, Tensor],
    steps: Mapping[str, Tensor],
    draw: Draw,
) -> dict[str, Held]:
    """Put matrices on chips; those to which places in an array mean nothing, all in one draw.

    Parameters
    ----------
    crossbars : mapping of str to Crossbar
        The matrices.
    weights, steps : mapping of str to Tensor
        Their weights and the steps of these.
    draw : Draw
        The chips.
    """
    ratios, states, levels = {}, {}, {}
    for name, crossbar in crossbars.items():
        ratios[name] = weights[name] / crossbar.tall(steps[name])
        states[name] = crossbar.levels.states(ratios[name])
        levels[name] = crossbar.digits(crossbar.rows(states[name]))
    if any(crossbar.oriented for crossbar in crossbars.values()):
        pairs = {
            name: draw.sampler.differences(
                one.transpose(1, 2).contiguous(), draw.dies, draw.random
            ).transpose(2, 3)
            for name, one in levels.items()
        }
    else:
        flat = torch.cat([one.reshape(-1) for one in levels.values()])
        every = draw.sampler.differences(flat[None, None], draw.dies, draw.random)[:, 0, 0]
        parts = every.split([one.numel() for one in levels.values()], dim=1)
        pairs = {
            name: part.reshape(-1, *one.shape)
            for part, (name, one) in zip(parts, levels.items(), strict=True)
        }
    return {
        name: Held(
            ratios[name], states[name], pairs[name], _whole(crossbar, states[name], pairs[name])
        )
        for name, crossbar in crossbars.items()
    }


def _whole(crossbar: Crossbar, states: Tensor, pairs: Tensor) -> Tensor:
    """Values of weights, in their own shape."""
    if crossbar.slices == 1:
        found = pairs[:, 0]
    else:
        places = range(0, crossbar.bits, crossbar.level_bits)
        shifts = pairs.new_tensor([float(1 << place) for place in places])
        found = torch.tensordot(pairs, shifts, dims=([1], [0]))
    if not crossbar.ordered or states.ndim == 2:
        return found.reshape(-1, *states.shape)
    outputs, channels, *kernel = states.shape
    return found.reshape(len(found), outputs, *kernel, channels).movedim(-1, 2)
