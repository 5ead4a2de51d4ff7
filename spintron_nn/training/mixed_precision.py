"""Bits of each layer under a budget: sensitivities measured, the best choice of them exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from spintron_ir import ParameterError
from spintron_ir.errors import check_choice, check_int
from spintron_nn.converter.converter import SpintronConverter, calibration_of, graph_of
from spintron_nn.converter.model import SpintronicModel, real_array
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["MixedPrecision", "Sensitivity", "best_within", "search_bits"]

Reals = NDArray[np.float64]

UNITS = ("devices", "bits")

OWN = ("quantization_bits", "layer_bits", "ideal", "calibration", "chip_seed", "wafer")
"""Arguments of a conversion that the search gives."""

MOST = 8
"""Most bits of a weight, and those of the other layers while one is measured."""


PRECISE = 1e3
"""Spread of losses in the integer programme, whose solver stops at 1e-6 from the best."""


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


@dataclass(frozen=True)
class MixedPrecision:
    """Bits of each layer, for :py:`layer_bits` of conversion and training.

    Attributes
    ----------
    bits : dict of str to int
        Bits of the weights of each step.
    cost : int
        Devices or bits of the network.
    unit : str
        Which of both.
    expected : float
        Loss if what single layers add simply adds up.
    loss : float
        Loss that a network of these bits has.
    sensitivities : tuple of Sensitivity
        What was measured.
    """

    bits: dict[str, int]
    cost: int
    unit: str
    expected: float
    loss: float
    sensitivities: tuple[Sensitivity, ...]


def search_bits(
    model: Any,
    config: MTJConfig,
    data: Any,
    labels: Any = None,
    *,
    budget: int,
    unit: str = "devices",
    choices: Sequence[int] | None = None,
    chips: Sequence[int] | None = None,
    **conversion: Any,
) -> MixedPrecision:
    """Find the bits of every layer's weights with which a network within a budget loses least.

    Every layer is put on a chip with each of the choices, all others with the most bits: what the
    network then loses is the sensitivity. Of all combinations within the budget that of
    the least sum is taken, by an integer programme. That losses add is an assumption: :py:`loss` of
    the result is measured.

    Parameters
    ----------
    model : torch.nn.Module, exported program, path or Model
        Trained model.
    config : MTJConfig
        Technology.
    data : array, tensor, dict or tuple
        Inputs, some hundreds: for calibration, and to measure losses.
    labels : array of shape ``(batch,)`` or None
        Classes: the loss is the cross entropy then. Without, it is the mean squared error of the
        outputs from those of an ideal chip and the most bits, over their variance.
    budget : int
        Most devices, or bits of weights, of the network.
    unit : str
        ``devices``: those that the conversion writes, both of each pair in every slice, reference
        columns included; or ``bits``.
    choices : sequence of int or None
        Bits to choose from; None: all up to 8 that fill devices.
    chips : sequence of int or None
        Seeds of chips, each of another wafer, over which losses are averaged; None: the ideal chip.
        Where devices vary, many bits are worth less than there.
    **conversion
        Arguments of ``SpintronConverter.convert``: ``activation_bits``, ``scheme`` and others.

    Raises
    ------
    ConversionError
        If the model holds what cannot be converted.
    ParameterError
        If an argument is outside its range, or the budget does not hold the fewest bits.

    Source
    ------
    Dong et al., "HAWQ-V2", NeurIPS 2020: sensitivity of a layer as what its quantisation adds to
    the loss, there by curvature, here measured. Yao et al., "HAWQ-V3", ICML 2021: the integer
    programme.
    """
    widths = _widths(config, choices)
    check_int("search_bits", "budget", budget, 1, 1 << 60)
    check_choice("search_bits", "unit", unit, UNITS)
    trial = _Trial(model, config, data, labels, unit, _dies(chips), conversion)
    found = [trial.of_layer(name, bits) for name in trial.names for bits in widths]
    chosen = best_within(found, budget, unit)
    bits = {one.name: one.bits for one in chosen}
    cost, loss = trial.of_network(bits)
    return MixedPrecision(
        bits=bits,
        cost=sum(cost.values()),
        unit=unit,
        expected=trial.least + sum(one.loss - trial.least for one in chosen),
        loss=loss,
        sensitivities=tuple(found),
    )


def _widths(config: MTJConfig, choices: Sequence[int] | None) -> list[int]:
    level = config.level_bits
    if choices is None:
        return list(range(level, MOST + 1, level))
    if not isinstance(choices, (list, tuple, range)) or not choices:
        raise ParameterError(
            f"search_bits: choices must be a list of bits, or None, not {choices!r}"
        )
    for bits in choices:
        check_int("search_bits", "choices", bits, 1, MOST)
        if bits % level:
            raise ParameterError(
                f"search_bits: choices must be multiples of the {level} bits that a device of "
                f"{config.levels} levels holds, not {bits}"
            )
    return sorted(set(choices))


def _dies(chips: Sequence[int] | None) -> list[dict[str, Any]]:
    if chips is None:
        return [{"ideal": True}]
    if not isinstance(chips, (list, tuple, range)) or not chips:
        raise ParameterError(f"search_bits: chips must be a list of seeds, or None, not {chips!r}")
    return [{"chip_seed": seed, "wafer": seed} for seed in chips]


class _Trial:
    """Networks of one model on an ideal chip, and what they lose."""

    def __init__(
        self,
        model: Any,
        config: MTJConfig,
        data: Any,
        labels: Any,
        unit: str,
        dies: list[dict[str, Any]],
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
        self.conversion, self.dies = conversion | {"quantization_bits": self.most}, dies
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


def best_within(found: Sequence[Sensitivity], budget: int, unit: str) -> list[Sensitivity]:
    """One of the sensitivities of each layer: the least sum of losses within a budget."""
    names = list(dict.fromkeys(one.name for one in found))
    cost = np.array([one.cost for one in found], dtype=np.float64)
    each = np.array([[one.name == name for one in found] for name in names], dtype=np.float64)
    least = sum(min(one.cost for one in found if one.name == name) for name in names)
    if least > budget:
        raise ParameterError(
            f"search_bits: budget must be at least the {least} {unit} of the fewest bits, not "
            f"{budget}; give more, or fewer bits to choose from"
        )
    loss = np.array([one.loss for one in found])
    spread = float(np.ptp(loss)) or 1.0
    limit: float = budget
    while True:
        solved = milp(
            loss / spread * PRECISE,
            integrality=np.ones(len(found)),
            bounds=Bounds(0, 1),
            constraints=[LinearConstraint(each, 1, 1), LinearConstraint(cost, ub=limit)],
            options={"mip_rel_gap": 0},
        )
        if solved.x is None:
            raise ParameterError(
                f"search_bits: the integer programme has no answer ({solved.message}); give "
                "another budget"
            )
        chosen = [one for one, share in zip(found, solved.x, strict=True) if share > 0.5]
        beyond = sum(one.cost for one in chosen)
        if beyond <= budget:
            return chosen
        limit = beyond - 0.5  # the solver's tolerance let a little too much through
