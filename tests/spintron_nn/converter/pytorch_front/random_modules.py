"""Random modules over everything that the torch front end takes, in float64.

Weights and inputs are small integers, so that sums are exact. What follows a function that is not
(sigmoid, a mean over nine) adds nothing up.
"""

import torch
from torch import nn

from spintron_nn.converter.loading import quiet
from tests.spintron_nn.converter.pytorch_front.random_layers import (
    EXACT,
    ORDERED,
    averaged,
    integers,
    pick,
    smooth,
)

__all__ = ["Net", "random_net"]

MAX_VALUES = 600
LARGEST = 1 << 20


class Net(nn.Module):
    """Functions one after the other; each takes values by their places."""

    def __init__(self, calls, outputs, layers):
        super().__init__()
        self.calls, self.outputs = calls, outputs
        self.layers = nn.ModuleList(layers)

    def forward(self, *inputs):
        values = list(inputs)
        for call, places in self.calls:
            values.append(call(*(values[place] for place in places)))
        return {f"y{at}": values[place] for at, place in enumerate(self.outputs)}


def joined(random, x, y):
    """A function of two values whose shapes fit, or None."""
    if x.ndim != y.ndim or x.ndim < 2:
        return None
    axes = [at for at in range(1, x.ndim) if x.shape[at] != y.shape[at]]
    axis = axes[0] if axes else int(random.integers(1, x.ndim))
    choices = []
    if len(axes) <= 1:
        choices.append(lambda x, y: torch.cat([x, y, x], axis))
    if all(1 in (x.shape[at], y.shape[at]) for at in axes):
        choices += [
            lambda x, y: x + y,
            lambda x, y: x - y,
            lambda x, y: torch.add(x, y, alpha=-3),
            lambda x, y: x * y,
        ]
    if not axes:
        choices.append(lambda x, y: torch.stack([x, y], axis))
    return pick(random, *choices) if choices else None


def random_net(random, steps, inputs=1):
    """A module and its inputs, a batch of two."""
    shapes = [(3, 5, 4), (4, 6, 6), (2, 9), (4, 3), (7,), (12,), (2, 3, 4, 2)]
    values = []
    for _ in range(inputs):
        values.append(integers(random, 2, *pick(random, *shapes), low=-3, high=4))
    given = [value.clone() for value in values]
    exact = [True] * inputs
    calls, layers = [], []
    while len(calls) < steps:
        place = int(random.integers(max(0, len(values) - 3), len(values)))
        made, places = None, (place,)
        if random.random() < 0.2:
            other = int(random.integers(len(values)))
            made, places = joined(random, values[place], values[other]), (place, other)
            good = exact[place] and exact[other]
            if not good:
                continue
        else:
            good = exact[place]
            last = good and random.random() < 0.15
            maker = pick(random, *([smooth, averaged] if last else EXACT if good else ORDERED))
            made = maker(random, values[place])
            good = good and not last
        if made is None:
            continue
        try:
            with quiet(), torch.no_grad():
                value = made(*(values[at].clone() for at in places))
        except (RuntimeError, ValueError):  # a window larger than the image
            continue
        fits = 0 < value.numel() <= 2 * MAX_VALUES and value.abs().max() < LARGEST
        if not fits or not value.isfinite().all():
            continue
        if isinstance(made, nn.Module):
            layers.append(made)
        calls.append((made, places))
        values.append(value)
        exact.append(good)
    outputs = [len(values) - 1, int(random.integers(inputs, len(values)))]
    return Net(calls, outputs, layers).eval(), given
