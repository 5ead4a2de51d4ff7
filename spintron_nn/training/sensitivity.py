"""What a network loses where one of its layers has fewer bits, measured on chips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError
from spintron_nn.converter.converter import SpintronConverter, calibration_of, graph_of
from spintron_nn.converter.model import SpintronicModel, real_array
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["MOST", "Networks", "Sensitivity"]

Reals = NDArray[np.float64]

OWN = ("quantization_bits", "layer_bits", "ideal", "calibration", "chip_seed", "wafer")
"""Arguments of a conversion that the search gives."""

MOST = 8
"""Most bits of a weight, and those of the other layers while one is measured."""


@dataclass(frozen=True)
class Sensitivity:
    """One layer with weights of some bits, all others with the most.

    Attributes
    ----------
    name : str
        Step of the model.
    bits : int
        Bits of its weights.
    loss : float
        Loss of the network, or distortion of its outputs.
    cost : int
        Devices or bits of the layer.
    """

    name: str
    bits: int
    loss: float
    cost: int


def _dies(chips: Sequence[int] | None) -> list[dict[str, Any]]:
    if chips is None:
        return [{"ideal": True}]
    if not isinstance(chips, (list, tuple, range)) or not chips:
        raise ParameterError(f"search_bits: chips must be a list of seeds, or None, not {chips!r}")
    return [{"chip_seed": seed, "wafer": seed} for seed in chips]


class Networks:
    """Networks of one model with other bits in its layers, and what they lose.

    Parameters
    ----------
    model, config, data, labels, unit, chips, conversion
        As for :func:`~spintron_nn.training.mixed_precision.search_bits`.

    Attributes
    ----------
    names : list of str
        Layers, in order.
    costs : dict of str to int
        What each costs with the most bits.
    least : float
        Loss of the network with the most bits.
    """

    def __init__(
        self,
        model: Any,
        config: MTJConfig,
        data: Any,
        labels: Any,
        unit: str,
        chips: Sequence[int] | None,
        conversion: dict[str, Any],
    ) -> None:
        own = [name for name in OWN if name in conversion]
        if own:
            raise ParameterError(
                f"search_bits: {', '.join(own)} must be left out: the search tries all choices on "
                "the chips of its own argument"
            )
        self.converter, self.data, self.unit = SpintronConverter(config), data, unit
        self.most = MOST - MOST % config.level_bits
        self.conversion = conversion | {"quantization_bits": self.most}
        self.dies = _dies(chips)
        self.graph = graph_of(model, calibration_of(data))
        whole = self._made({}, {"ideal": True})
        self.names = [layer.name for layer in whole.report.layers]
        self.target = self._outputs(whole)
        self.labels = None if labels is None else self._checked(labels)
        self.costs, self.least = self.of_network({})

    def of_network(self, bits: dict[str, int]) -> tuple[dict[str, int], float]:
        """Cost of each layer, and loss, with weights of some bits."""
        made = [self._made(bits, die) for die in self.dies]
        return self._cost(made[0]), fmean(self._loss(self._outputs(one)) for one in made)

    def of_layer(self, name: str, bits: int) -> Sensitivity:
        """One layer with fewer bits."""
        if bits == self.most:
            return Sensitivity(name, bits, self.least, self.costs[name])
        costs, loss = self.of_network({name: bits})
        return Sensitivity(name, bits, loss, costs[name])

    def _made(self, bits: dict[str, int], die: dict[str, Any]) -> SpintronicModel:
        return self.converter.convert(
            self.graph, calibration=self.data, layer_bits=bits, **self.conversion, **die
        )

    def _cost(self, made: SpintronicModel) -> dict[str, int]:
        if self.unit == "devices":
            return {layer.name: layer.devices for layer in made.report.layers}
        return {
            layer.name: layer.inputs * layer.outputs * (layer.bits or 0)
            for layer in made.report.layers
        }

    def _outputs(self, made: SpintronicModel) -> list[Reals]:
        one = isinstance(self.data, Mapping) and len(self.data) == 1
        found = made.run(next(iter(self.data.values())) if one else self.data)
        return list(found.values()) if isinstance(found, dict) else [found]

    def _checked(self, labels: Any) -> NDArray[np.int64]:
        scores = self.target[0]
        if len(self.target) != 1 or scores.ndim != 2:
            raise ParameterError(
                "search_bits: labels need a model of one output, a vector of scores; leave them "
                "out, and the distortion of the outputs is measured"
            )
        found = real_array("search_bits", "labels", labels)
        count, classes = scores.shape
        if found.shape != (count,) or not np.isin(found, np.arange(classes)).all():
            raise ParameterError(
                f"search_bits: labels must be {count} integers in 0..{classes - 1}, as many as "
                f"inputs, not of shape {found.shape} up to {found.max(initial=0):g}"
            )
        return found.astype(np.int64)

    def _loss(self, outputs: list[Reals]) -> float:
        """Cross entropy; or squared error over the variance, mean of the outputs."""
        if self.labels is not None:
            scores = outputs[0] - outputs[0].max(axis=1, keepdims=True)
            right = scores[np.arange(len(scores)), self.labels]
            return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - right))
        return float(
            np.mean([_distortion(*pair) for pair in zip(outputs, self.target, strict=True)])
        )


def _distortion(found: Reals, target: Reals) -> float:
    error, power = np.square(found - target).mean(), target.var()
    return float(error / power) if power > 0 else float(error)
