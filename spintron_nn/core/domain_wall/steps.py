"""Fits measured conductance steps: a few physical numbers for each temperature."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError

from .step_model import StepLaw, StepModel
from .step_table import DIRECTIONS, StepTable

__all__ = ["StepLaw", "StepModel", "StepTable", "fit_steps", "pooled_error"]

Reals = NDArray[np.float64]

HOPS = (1.0, 0.7, 0.5)
"""Hops to start a fit from, over the median step; the distribution has several near optima."""

FEWER = 1e-2
"""Weight against hops that the data do not ask for."""

CLEAR = 1e-4
"""Gain for which a later start, of more hops, is preferred to an earlier one."""

NEEDLESS = 1e-6
"""Rise of the squared misfit below which a kind of hop is left out."""

MIDDLE = 0.1
"""Share of the track at either end that says nothing about the steps between them."""


def fit_steps(tables: Iterable[StepTable]) -> StepModel:
    """Fit the parameters of :class:`StepModel` to any number of measured tables.

    Tables of one temperature share one law, whatever their direction; one direction is enough.
    The distribution comes from the middle of the track, where each quantile is averaged over the
    conductance; the pushes of the ends come from all points. Quantiles count with
    ``sqrt(p (1 - p))``, so that the rare ones, which few pulses decide, count less.

    Parameters
    ----------
    tables : iterable of StepTable
        The ends of the track are the least and the largest conductance among them.

    Returns
    -------
    StepModel
        With one law for each temperature.

    Raises
    ------
    ParameterError
        If there is no table or if the steps have the wrong sign.

    Examples
    --------
    >>> law = StepLaw(temperature=0, hop=5e-6, stay=0.0, extra_hops=0.0, jitter=1e-8)
    >>> truth = StepModel(60e-6, 160e-6, (law,))
    >>> at, chance = np.linspace(60e-6, 160e-6, 5), np.array([0.1, 0.5, 0.9])
    >>> table = StepTable(at, chance, truth.quantile(chance[:, None], at, 0, "decreasing"), 0,
    ...                   "decreasing")
    >>> f"{fit_steps([table]).laws[0].hop:.3e}"
    '5.000e-06'
    """
    found = list(tables)
    if not found or not all(isinstance(table, StepTable) for table in found):
        raise ParameterError("fit_steps: tables must be at least one StepTable; load one first")
    low = min(float(np.min(table.conductance)) for table in found)
    high = max(float(np.max(table.conductance)) for table in found)
    temperatures = sorted({table.temperature for table in found})
    laws = tuple(
        _fit_law([table for table in found if table.temperature == kelvin], low, high)
        for kelvin in temperatures
    )
    return StepModel(low, high, laws)


def _forward(table: StepTable) -> tuple[Reals, Reals]:
    """Probabilities (q, 1) and steps (q, n) in the direction of the pulse."""
    chance, delta = np.asarray(table.quantile), np.asarray(table.delta_conductance)
    if table.direction == DIRECTIONS[0]:
        return chance[:, None], delta
    return 1 - chance[:, None], -delta


def _fit_law(tables: list[StepTable], low: float, high: float) -> StepLaw:
    kelvin = tables[0].temperature
    scale = float(np.median([np.median(_forward(table)[1]) for table in tables]))
    if scale <= 0:
        raise ParameterError(
            f"fit_steps: the tables of {kelvin:g} K must have steps that follow their direction, "
            f"and the median step is {scale:g} S along it; exchange increasing and decreasing"
        )
    chances, steps = [], []
    for table in tables:
        chance, delta = _forward(table)
        share = (np.asarray(table.conductance) - low) / (high - low)
        inside = (share >= MIDDLE) & (share <= 1 - MIDDLE)
        chances.append(chance[:, 0])
        steps.append(delta[:, inside if inside.any() else slice(None)].mean(axis=1) / scale)
    middle = _fit_middle(np.concatenate(chances), np.concatenate(steps))
    numbers = {"hop": middle[0] * scale, "stay": _snapped(middle[1])}
    numbers |= {"extra_hops": _snapped(middle[2]), "jitter": float(np.exp(middle[3])) * scale}
    low_push, high_push, end_reach = _fit_ends(tables, low, high, scale, numbers)
    low_push, high_push = _snapped(low_push), _snapped(high_push)
    return StepLaw(
        temperature=kelvin,
        **numbers,
        low_push=low_push * scale,
        high_push=high_push * scale,
        # Without a push its reach is undetermined: one hop stands for it.
        end_reach=end_reach * scale if low_push or high_push else numbers["hop"],
    )


def _fit_middle(chance: Reals, step: Reals) -> list[float]:
    """Hop, stay, extra hops and the logarithm of the jitter, for steps over their median."""
    from scipy.optimize import least_squares

    weight = np.sqrt(chance * (1 - chance))

    def residuals(numbers: Reals) -> Reals:
        hop, stay, extra_hops, log_jitter = numbers.tolist()
        law = StepLaw(0.0, hop, stay, extra_hops, float(np.exp(log_jitter)))
        return np.append(weight * (law.forward(chance) - step), FEWER * numbers[1:3])

    spread = max(float(np.ptp(step)) / 4, 1e-4)
    bounds = ([0.2, 0.0, 0.0, np.log(1e-5)], [2.0, 0.9, 5.0, np.log(2.0)])
    best = None
    for hop in HOPS:
        single = hop == HOPS[0]
        jitter = float(np.clip(spread / (1 if single else 3), 2e-5, 1.0))
        few = 1e-5 if single else 1e-2
        start = [hop, few, 1 / hop - 1 + few, np.log(jitter)]
        fit = least_squares(residuals, start, bounds=bounds, diff_step=1e-4)
        if best is None or fit.cost < best.cost - CLEAR:
            best = fit
    assert best is not None
    found = best.x
    for index in (1, 2):
        without = np.where(np.arange(4) == index, 0.0, found)
        if np.sum(residuals(without) ** 2) <= np.sum(residuals(found) ** 2) + NEEDLESS:
            found = without
    return found.tolist()


def _fit_ends(
    tables: list[StepTable], low: float, high: float, scale: float, numbers: dict[str, float]
) -> list[float]:
    """Pushes of both ends and their reach, over the median step."""
    from scipy.optimize import least_squares

    kelvin = tables[0].temperature

    def residuals(pushes: Reals) -> Reals:
        names = ("low_push", "high_push", "end_reach")
        ends = dict(zip(names, (pushes * scale).tolist()))
        model = StepModel(low, high, (StepLaw(temperature=kelvin, **numbers, **ends),))
        rows = []
        for table in tables:
            chance = np.asarray(table.quantile)[:, None]
            step = model.quantile(chance, table.conductance, kelvin, table.direction)
            weight = np.sqrt(chance * (1 - chance))
            rows.append((weight * (step - np.asarray(table.delta_conductance))).ravel() / scale)
        return np.concatenate(rows)

    bounds = ([0.0, 0.0, 0.1], [5.0, 5.0, 4.0])
    start = [0.05, 0.05, 1.0]
    fit = least_squares(residuals, start, bounds=bounds, loss="soft_l1", f_scale=0.3)
    return fit.x.tolist()


def _snapped(number: float) -> float:
    """Zero for what a fit left a hair above its bound."""
    return number if number > 1e-3 else 0.0


def pooled_error(
    model: StepModel, table: StepTable, probability: tuple[float, ...] = (0.16, 0.5, 0.84)
) -> Reals:
    """Relative error of the model's step quantiles, each averaged over a table's conductances.

    The averages stand because single columns scatter: each comes from few pulses. A measured
    average below half the median step would make the ratio meaningless; half of the median step
    takes its place.

    Parameters
    ----------
    model : StepModel
    table : StepTable
        What was measured; :meth:`StepTable.select` narrows it to what was left out of a fit.
    probability : tuple of float
        In the direction of the pulse: 0.16 is the short steps, 0.84 the long ones.

    Returns
    -------
    (len(probability),) array
        Mean of the model less mean of the measured step, over the latter, for each probability.
    """
    chance = np.asarray(probability)[:, None]
    chance = chance if table.direction == DIRECTIONS[0] else 1 - chance
    measured = table.at(chance, table.conductance).mean(axis=1)
    step = model.quantile(chance, table.conductance, table.temperature, table.direction)
    median = abs(float(table.at(0.5, table.conductance).mean()))
    sign = 1 if table.direction == DIRECTIONS[0] else -1
    return sign * (step.mean(axis=1) - measured) / np.maximum(np.abs(measured), median / 2)
