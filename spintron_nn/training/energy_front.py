"""Energy against accuracy of networks on sampled chips, and the best of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table
from torch import Tensor

from spintron_nn.core.energy import EnergyModel
from spintron_nn.simulation.chips import accuracies

if TYPE_CHECKING:
    from .chip_model import ChipModel

__all__ = ["ParetoFront", "ParetoPoint", "measured"]

ENERGY_FRAMES = 256
"""Frames that energy is the mean of, picked evenly: it varies little from frame to frame."""


@dataclass(frozen=True, eq=False)
class ParetoPoint:
    """A trained model, measured on held-out data on sampled chips.

    Attributes
    ----------
    energy_j : float, joule
        Of one inference, mean over the chips.
    read_j : float, joule
        The share of devices and word lines in it, what training changes; converters are the rest.
    accuracy, worst : float, 0..1
        Mean over the chips, and of the worst one.
    weight : float, 0..1
        Weight of the energy in the loss.
    choices : mapping of str
        Choices of the conversion that differ from those of the model that was given.
    model : ChipModel
        The model: ``model.convert(chip_seed=1)`` puts it on a chip.
    """

    energy_j: float
    read_j: float
    accuracy: float
    worst: float
    weight: float
    choices: Mapping[str, Any]
    model: ChipModel

    def as_dict(self) -> dict[str, Any]:
        """Everything but the model as plain Python values."""
        names = ("energy_j", "read_j", "accuracy", "worst", "weight")
        return {name: getattr(self, name) for name in names} | {"choices": dict(self.choices)}


@dataclass(frozen=True, eq=False)
class ParetoFront:
    """Points none of which another one beats in both energy and accuracy.

    Attributes
    ----------
    points : tuple of ParetoPoint
        By rising energy; accuracy rises along.
    dominated : tuple of ParetoPoint
        The rest, by rising energy.
    """

    points: tuple[ParetoPoint, ...]
    dominated: tuple[ParetoPoint, ...]

    @classmethod
    def of(cls, points: Iterable[ParetoPoint]) -> ParetoFront:
        """Divide points into those on the front and the rest; of equal ones the first is on it."""
        front: list[ParetoPoint] = []
        rest: list[ParetoPoint] = []
        for point in sorted(points, key=lambda point: (point.energy_j, -point.accuracy)):
            better = not front or point.accuracy > front[-1].accuracy
            (front if better else rest).append(point)
        return cls(tuple(front), tuple(rest))

    def as_dict(self) -> dict[str, Any]:
        """Everything but the models as plain Python values, for JSON."""
        return {
            "points": [point.as_dict() for point in self.points],
            "dominated": [point.as_dict() for point in self.dominated],
        }

    def table(self) -> Table:
        """The front for ``rich.print``."""
        made = Table("energy", "of it reads", "accuracy", "worst chip", "weight", "choices")
        for point in self.points:
            made.add_row(
                f"{point.energy_j * 1e12:.4g} pJ",
                f"{point.read_j * 1e12:.4g} pJ",
                f"{100 * point.accuracy:.2f} %",
                f"{100 * point.worst:.2f} %",
                f"{point.weight:g}",
                ", ".join(f"{name}={value}" for name, value in point.choices.items()),
            )
        return made


def measured(
    model: ChipModel,
    data: tuple[Tensor, Tensor],
    energy: EnergyModel,
    chips: int,
    weight: float,
    choices: Mapping[str, Any],
) -> ParetoPoint:
    """Put a model on chips and measure it there, in the integers that the hardware computes.

    Parameters
    ----------
    model : ChipModel
        The trained model.
    data : (inputs, labels)
        Held-out data.
    energy : EnergyModel
        What reads and conversions cost.
    chips : int
        Chips, of the seeds 1 and up.
    weight, choices
        As in :class:`ParetoPoint`.
    """
    x, y = data[0].numpy(), data[1].numpy()
    some = x[:: -(-len(x) // ENERGY_FRAMES)]
    made = [model.convert(chip_seed=seed) for seed in range(1, chips + 1)]
    shares = accuracies(made, x, y)
    reports = [energy.of_network(chip.network, chip.quantise_input(some)) for chip in made]
    return ParetoPoint(
        energy_j=float(np.mean([report.total_j for report in reports])),
        read_j=float(np.mean([report.cell_read_j + report.driver_j for report in reports])),
        accuracy=float(shares.mean()),
        worst=float(shares.min()),
        weight=weight,
        choices=choices,
        model=model,
    )
