"""Learning rates over a run: torch's own schedulers, put together.

A schedule is a function of the optimiser, whose rate is the largest of the run, and of the number
of steps; it returns a scheduler that is advanced after every step.
"""

from __future__ import annotations

from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
)

from spintron_ir.errors import check_choice
from spintron_nn.core.checks import check_real

__all__ = ["Schedule", "one_cycle", "warm_up"]

Schedule = Callable[[Optimizer, int], LRScheduler]
"""``schedule(optimiser, steps)``."""

SMALLEST = 1e-4
"""Share of the largest rate that a linear decay ends at; LinearLR takes no start of 0."""


def one_cycle(optimiser: Optimizer, steps: int) -> LRScheduler:
    """Rise for a fifth of the steps, then fall to nearly zero, both as a cosine.

    Adam's first momentum falls and rises against it.

    Source
    ------
    Smith and Topin, "Super-Convergence", arXiv:1708.07120.

    Examples
    --------
    >>> import torch
    >>> adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> rate = one_cycle(adam, 100)
    >>> for _ in range(19):
    ...     adam.step()
    ...     rate.step()
    >>> rate.get_last_lr()
    [1.0]
    """
    rates = [group["lr"] for group in optimiser.param_groups]
    # A rise of exactly one step would be divided by the nought steps after it.
    share = 0.4 if steps == 5 else 0.2
    return OneCycleLR(optimiser, rates, total_steps=steps, pct_start=share)


def warm_up(share: float = 0.1, decay: str = "cosine") -> Schedule:
    """Schedule: a linear rise over a share of the steps, then a decay.

    Parameters
    ----------
    share : float, at least 0 and below 1
        Part of the steps that the rate rises in, from an equal part of the largest.
    decay : "cosine" or "linear"
        Shape of the fall after it.

    Raises
    ------
    ParameterError
        If an argument is outside its range.

    Examples
    --------
    >>> import torch
    >>> adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> rate = warm_up(0.4, "linear")(adam, 10)
    >>> rates = []
    >>> for _ in range(10):
    ...     rates.append(round(rate.get_last_lr()[0], 2))
    ...     adam.step()
    ...     rate.step()
    >>> rates
    [0.25, 0.44, 0.62, 0.81, 1.0, 0.83, 0.67, 0.5, 0.33, 0.17]
    """
    share = check_real("warm_up", "share", share, "at least 0 and below 1")
    check_choice("warm_up", "decay", decay, ("cosine", "linear"))

    def schedule(optimiser: Optimizer, steps: int) -> LRScheduler:
        rising = int(share * steps)
        left = steps - rising
        fall: LRScheduler
        rise = LinearLR(optimiser, 1 / max(rising, 1), total_iters=rising) if rising else None
        if decay == "cosine":
            fall = CosineAnnealingLR(optimiser, left)
        else:
            fall = LinearLR(optimiser, 1.0, SMALLEST, total_iters=left)
        if rise is None:
            return fall
        return SequentialLR(optimiser, [rise, fall], milestones=[rising])

    return schedule
