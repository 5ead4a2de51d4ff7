"""What the devices of freshly drawn chips hold of the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    states : integer Tensor of the shape of the weights
        State of each.
    codes : integer or float32 Tensor of shape ``(samples, slices, weights in a row)``
        What pairs of devices differ by, in units; of one slice it may have no axis.
    values : integer or float32 Tensor of shape ``(samples, weights in a row)``
        What weights are worth, in units: their slices with their places.
    unit : Tensor of shape ``(samples, 1, 1)``
        Even levels of a unit on each chip.
    """

    states: Tensor
    codes: Tensor
    values: Tensor
    unit: Tensor

    @property
    def matrix(self) -> Tensor:
        """Values as ``(samples, outputs, rows)``, in units, rows in the order of the weights."""
        return self.values.reshape(self.values.shape[0], self.states.shape[0], -1)

    @property
    def whole(self) -> Tensor:
        """Values of the shape ``(samples, *weights)``, in even levels."""
        found = self.values * self.unit[:, 0]
        return found.reshape(-1, *self.states.shape)

    @property
    def pairs(self) -> Tensor:
        """Pairs of the shape ``(samples, slices, *weights)``, in units."""
        return self.codes.reshape(self.codes.shape[0], -1, *self.states.shape)


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
    found: dict[str, Held] = {}
    alike: dict[int, list[str]] = {}
    for name, crossbar in crossbars.items():
        if crossbar.oriented:
            found[name] = _placed(crossbar, weights[name], steps[name], draw)
        else:
            alike.setdefault(id(crossbar.levels), []).append(name)
    for names in alike.values():
        chosen = [crossbars[name] for name in names]
        given = [weights[name] for name in names], [steps[name] for name in names]
        found |= zip(names, _in_a_row(chosen, *given, draw), strict=True)
    return found


def _in_a_row(
    crossbars: Sequence[Crossbar], weights: Sequence[Tensor], steps: Sequence[Tensor], draw: Draw
) -> list[Held]:
    """Matrices of the same levels, each pass over all of their weights together."""
    first, sizes = crossbars[0], [weight.numel() for weight in weights]
    states = weights[0].new_empty(sum(sizes), dtype=first.levels.kind)
    parts = [
        part.view(weight.shape)
        for part, weight in zip(states.split_with_sizes(sizes), weights, strict=True)
    ]
    for weight, step, part in zip(weights, steps, parts, strict=True):
        first.levels.put_(weight, step, part)
    digits = first.digits(states).unsqueeze(1)
    codes, unit = draw.sampler.codes(digits, draw.dies, draw.random)
    codes, unit = codes.squeeze(2), unit.squeeze(1)
    values = _values(first, codes)
    held = values.split_with_sizes(sizes, -1)
    apart = held if first.slices == 1 else codes.split_with_sizes(sizes, -1)
    each = zip(parts, apart, held, strict=True)
    return [Held(part, code, value, unit) for part, code, value in each]


def _placed(crossbar: Crossbar, weight: Tensor, step: Tensor, draw: Draw) -> Held:
    """A matrix whose devices depend on what is a row and what a column."""
    states = crossbar.states(weight, step)
    levels = crossbar.digits(crossbar.rows(states)).transpose(1, 2).contiguous()
    found, unit = draw.sampler.codes(levels, draw.dies, draw.random)
    found = (found * unit).transpose(2, 3)
    outputs, channels, *kernel = weight.shape
    if kernel and crossbar.ordered:
        found = found.unflatten(3, (*kernel, channels)).movedim(-1, 3)
    codes = found.flatten(2)
    return Held(states, codes, _values(crossbar, codes), unit.new_ones(len(unit), 1, 1))


def _values(crossbar: Crossbar, codes: Tensor) -> Tensor:
    """Values of weights, of ``(samples, slices, weights)``."""
    if crossbar.slices == 1:
        return codes[:, 0]
    places = range(0, crossbar.bits, crossbar.level_bits)
    shifts = torch.tensor([float(1 << place) for place in places], device=codes.device)
    return torch.tensordot(codes.to(shifts.dtype), shifts, dims=([1], [0]))
