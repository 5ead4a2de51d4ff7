"""Bits of each layer under a budget: sensitivities measured, the best choice of them exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from spintron_ir import ParameterError
from spintron_ir.errors import check_choice, check_int
from spintron_nn.core.mtj_models import MTJConfig

from .sensitivity import MOST, Networks, Sensitivity

__all__ = ["MixedPrecision", "best_within", "search_bits"]

UNITS = ("devices", "bits")

PRECISE = 1e3
"""Spread of losses in the integer programme, whose solver stops at 1e-6 from the best."""


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
    the least sum is taken, by an integer programme. That losses add is an assumption: the result is
    measured, and where the same bits for all layers lose less, these are taken.

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
    networks = Networks(model, config, data, labels, unit, chips, conversion)
    found = [networks.of_layer(name, bits) for name in networks.names for bits in widths]
    tried = []
    for chosen in [best_within(found, budget, unit), *_uniform(found, widths, budget)]:
        bits = {one.name: one.bits for one in chosen}
        costs, loss = networks.of_network(bits)
        expected = networks.least + sum(one.loss - networks.least for one in chosen)
        tried.append(MixedPrecision(bits, sum(costs.values()), unit, expected, loss, tuple(found)))
    return min(tried, key=lambda one: one.loss)


def _uniform(
    found: Sequence[Sensitivity], widths: list[int], budget: int
) -> list[list[Sensitivity]]:
    """The most bits for all layers within a budget; nothing where there are none."""
    alike = [[one for one in found if one.bits == bits] for bits in widths]
    return [layers for layers in alike if sum(one.cost for one in layers) <= budget][-1:]


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
