"""What each non-ideality of a technology costs a trained network, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

from .recipes import Trained

__all__ = ["EffectCost", "cost_of_effects"]

ALL = "all together"
"""Name of the last row."""


@dataclass(frozen=True)
class EffectCost:
    """Test accuracies with one effect of a technology switched on.

    Attributes
    ----------
    name : str
        Effect, as :meth:`spintron_nn.MTJConfig.effects` names it; or the converters' resolution, or
        everything together.
    accuracies : tuple of float, 0..1
        One for each chip.
    cost : float
        Mean accuracy lost against nominal devices with lossless converters; may be negative.
    """

    name: str
    accuracies: tuple[float, ...]
    cost: float

    @property
    def mean(self) -> float:
        """Mean over the chips."""
        return fmean(self.accuracies)

    @property
    def worst(self) -> float:
        """Accuracy of the worst chip."""
        return min(self.accuracies)

    @property
    def spread(self) -> float:
        """Standard deviation over the chips."""
        return pstdev(self.accuracies)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "mean": self.mean,
            "worst": self.worst,
            "spread": self.spread,
            "cost": self.cost,
        }


def cost_of_effects(
    trained: Trained,
    chips: Sequence[int],
    *,
    progress: Callable[[str], None] | None = None,
) -> tuple[EffectCost, ...]:
    """Put a trained network on chips that have one non-ideality each.

    The first row has ideal devices and converters of the recipe's resolution. Each further row
    has, beside that resolution, one effect of the technology, drawn as on the whole chip of the
    same seed. The last has all of them. The network is the same throughout: the one that was tuned
    for the whole technology.

    Parameters
    ----------
    trained : Trained
        Network, data and technology.
    chips : sequence of int
        Seeds of the chips.
    progress : callable or None
        Called with the name of each effect before it is measured.
    """
    config = trained.config
    nominal = trained.on_chip(ideal=True).accuracy(trained.data.test_x, trained.data.test_y)
    rows = []

    def measure(name: str, seeds: Sequence[int], effects: tuple[str, ...]) -> None:
        if progress is not None:
            progress(name)
        found = trained.accuracies(seeds, config=config.only(*effects))
        rows.append(EffectCost(name, found, nominal - fmean(found)))

    measure("converter resolution", chips[:1], ())  # nothing that differs from chip to chip
    for effect in config.effects():
        measure(effect, chips, (effect,))
    measure(ALL, chips, config.effects())
    return tuple(rows)
