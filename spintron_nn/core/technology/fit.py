"""Quantities of a card from measured tables, with the uncertainty that the fit leaves."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError

from ..checks import check_reals
from ..domain_wall.programming import write_error
from ..domain_wall.steps import StepModel, StepTable, fit_steps, pooled_error

__all__ = [
    "Fitted",
    "fit_bias",
    "fit_resistances",
    "fit_step_tables",
    "fit_switching",
    "fit_thermal_switching",
]

Reals = NDArray[np.float64]

ATTEMPT_TIME = 1e-9
"""Seconds between attempts of a device to leave its state."""

ROOM = 300.0
CLOSE = 0.25
"""Distance between levels over which a verified write is repeated."""

ENDS = "from the largest and least conductance of the tables"


@dataclass(frozen=True)
class Fitted:
    """One fitted quantity.

    Attributes
    ----------
    name : str
        Dotted name in the schema of cards.
    value : float or tuple of float
        In SI units.
    uncertainty : float or None
        One standard deviation in the same unit; None where the fit has none to give.
    note : str
        What else should be known.
    """

    name: str
    value: float | tuple[float, ...]
    uncertainty: float | None = None
    note: str = ""


def fit_resistances(resistance_p: ArrayLike, resistance_ap: ArrayLike) -> tuple[Fitted, ...]:
    """Medians and spread of devices that were measured in both states.

    Parameters
    ----------
    resistance_p, resistance_ap : (n,) array, ohm, above 0
        Of the same devices, three at least; antiparallel above parallel.

    Returns
    -------
    tuple of Fitted
        ``transport.resistance_low`` and ``tmr`` (medians), ``spread.resistance`` and ``tmr``
        (standard deviations of the logarithms, by the quartiles, so that a few broken devices do
        not count) and ``spread.resistance_tmr`` (correlation of the logarithms, by ranks).

    Source
    ------
    A normal distribution has its quartiles at 0.6745 standard deviations; the deviation of a
    median is 1.253, that of the deviation by quartiles 1.166 standard deviations over the root of
    the number of devices. Pearson's correlation is ``2 sin(pi r / 6)`` of the ranks'.

    Examples
    --------
    >>> fits = fit_resistances([4e3, 5e3, 6e3], [8e3, 10e3, 12e3])
    >>> fits[0].value, fits[1].value
    (5000.0, 1.0)
    """
    owner = "fit_resistances"
    low = check_reals(owner, "resistance_p", resistance_p, "above 0", "ohm")
    high = check_reals(owner, "resistance_ap", resistance_ap, "above 0", "ohm")
    _check_length(owner, 3, resistance_p=low, resistance_ap=high)
    if (high <= low).any():
        raise ParameterError(
            "fit_resistances: resistance_ap must be above resistance_p in every device, and "
            f"{int((high <= low).sum())} of {low.size} are not; leave shorted devices out, or "
            "exchange the columns"
        )
    tmr = high / low - 1
    count, root = low.size, math.sqrt(low.size)
    spread, tmr_spread = _deviation(np.log(low)), _deviation(np.log(tmr))
    correlation = _correlation(low, tmr)
    median, ratio = float(np.median(low)), float(np.median(tmr))
    return (
        Fitted("transport.resistance_low", median, 1.253 * spread * median / root),
        Fitted("transport.tmr", ratio, 1.253 * tmr_spread * ratio / root),
        Fitted("spread.resistance", spread, 1.166 * spread / root, f"{count} devices"),
        Fitted("spread.tmr", tmr_spread, 1.166 * tmr_spread / root, f"{count} devices"),
        Fitted("spread.resistance_tmr", correlation, (1 - correlation**2) / math.sqrt(count - 1)),
    )


def fit_bias(voltage: ArrayLike, resistance_p: ArrayLike, resistance_ap: ArrayLike) -> tuple:
    """TMR without bias and the bias that halves it, ``TMR / (1 + (V / V_h)**2)``.

    Parameters
    ----------
    voltage : (n,) array, V
        Three values of different magnitude at least.
    resistance_p : (n,) array, or one number, ohm, above 0
    resistance_ap : (n,) array, ohm, above 0

    Returns
    -------
    tuple of Fitted
        ``transport.tmr`` and ``transport.bias_half``.

    Examples
    --------
    >>> volt = np.array([0.0, 0.1, 0.3, 0.5])
    >>> tmr, half = fit_bias(volt, 5e3, 5e3 * (1 + 1.2 / (1 + (volt / 0.5) ** 2)))
    >>> round(tmr.value, 6), round(half.value, 6)
    (1.2, 0.5)
    """
    owner = "fit_bias"
    volt = check_reals(owner, "voltage", voltage, unit="V")
    low = check_reals(owner, "resistance_p", resistance_p, "above 0", "ohm")
    high = check_reals(owner, "resistance_ap", resistance_ap, "above 0", "ohm")
    if low.ndim == 0:
        low = np.full(volt.shape, float(low))
    _check_length(owner, 3, voltage=volt, resistance_p=low, resistance_ap=high)
    ratio = high / low - 1
    if np.unique(np.abs(volt)).size < 2 or (ratio <= 0).any():
        raise ParameterError(
            "fit_bias: the table must have several magnitudes of voltage, and resistance_ap above "
            "resistance_p at each; leave out the points beyond breakdown"
        )
    start = (float(ratio.max()), max(float(np.abs(volt).max()), 1e-3))
    values, deviations = _curve(
        owner, lambda v, top, half: top / (1 + (v / half) ** 2), volt, ratio, start
    )
    reach = f"{volt.min():g} to {volt.max():g} V"
    return (
        Fitted("transport.tmr", values[0], deviations[0], reach),
        Fitted("transport.bias_half", abs(values[1]), deviations[1], reach),
    )


def fit_switching(
    voltage: ArrayLike, probability: ArrayLike, trials: ArrayLike | None = None
) -> tuple[Fitted, ...]:
    """Switching voltage and its spread from probabilities of one pulse length.

    The probability is that of a normal distribution of ``ln V``.

    Parameters
    ----------
    voltage : (n,) array, V, above 0
    probability : (n,) array, 0..1
    trials : (n,) array, at least 1, optional
        Pulses behind each probability, which weigh it; equal weights where left out.

    Returns
    -------
    tuple of Fitted
        ``write.switching_voltage`` (half of the pulses switch) and ``spread.switching``.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> volt = np.array([0.25, 0.28, 0.3, 0.33, 0.36])
    >>> half, spread = fit_switching(volt, norm.cdf(np.log(volt / 0.3) / 0.1))
    >>> round(half.value, 6), round(spread.value, 6)
    (0.3, 0.1)
    """
    from scipy.special import ndtr

    owner = "fit_switching"
    volt = check_reals(owner, "voltage", voltage, "above 0", "V")
    share = check_reals(owner, "probability", probability, "in 0..1")
    _check_length(owner, 3, voltage=volt, probability=share)
    _check_crossing(owner, share)
    order = np.argsort(share)
    start = (float(np.log(np.interp(0.5, share[order], volt[order]))), 0.1)
    values, deviations = _curve(
        owner,
        lambda v, middle, width: ndtr((np.log(v) - middle) / width),
        volt,
        share,
        start,
        _scatter(owner, share, trials),
    )
    half = math.exp(values[0])
    return (
        Fitted("write.switching_voltage", half, half * deviations[0], "half of the pulses switch"),
        Fitted("spread.switching", abs(values[1]), deviations[1], "from pulse to pulse and device"),
    )


def fit_thermal_switching(
    voltage: ArrayLike, pulse: ArrayLike, probability: ArrayLike, trials: ArrayLike | None = None
) -> tuple[Fitted, ...]:
    """Stability and critical voltage from probabilities of several pulse lengths.

    ``P = 1 - exp(-t / tau)``, ``tau = 1 ns * exp(Delta (1 - V / V_c))``: switching by heat, below
    the critical voltage.

    Parameters
    ----------
    voltage : (n,) array, V, above 0
    pulse : (n,) array, s, above 0
        Two different lengths at least.
    probability : (n,) array, 0..1
    trials : (n,) array, at least 1, optional
        As in :func:`fit_switching`.

    Returns
    -------
    tuple of Fitted
        ``magnetics.thermal_stability`` and ``write.critical_voltage``.

    Source
    ------
    Koch, Katine and Sun, Phys. Rev. Lett. 92, 088302 (2004).
    """
    owner = "fit_thermal_switching"
    volt = check_reals(owner, "voltage", voltage, "above 0", "V")
    time = check_reals(owner, "pulse", pulse, "above 0", "s")
    share = check_reals(owner, "probability", probability, "in 0..1")
    _check_length(owner, 4, voltage=volt, pulse=time, probability=share)
    _check_crossing(owner, share)
    if np.unique(time).size < 2 or np.unique(volt).size < 2:
        raise ParameterError(
            "fit_thermal_switching: the table must have two pulse lengths and two voltages at "
            "least; one pulse length alone gives no stability"
        )
    # Linear in Delta and Delta / V_c where the probability is neither 0 nor 1: a start.
    inside = (share > 0.01) & (share < 0.99)
    rate = np.log(time[inside] / ATTEMPT_TIME) - np.log(-np.log1p(-share[inside]))
    slope, top = (-1.0, 2.0)
    if np.unique(volt[inside]).size >= 2:
        slope, top = np.polyfit(volt[inside], rate, 1).tolist()
    start = (max(top, 1.0), max(-slope, 1e-3))

    def model(points: Reals, barrier: float, lowering: float) -> Reals:
        exponent = np.clip(barrier - lowering * points[0], -50.0, 700.0)
        return -np.expm1(-points[1] / ATTEMPT_TIME * np.exp(-exponent))

    values, deviations = _curve(
        owner, model, np.stack([volt, time]), share, start, _scatter(owner, share, trials)
    )
    barrier, lowering = values
    if barrier <= 0 or lowering <= 0:
        raise ParameterError(
            "fit_thermal_switching: the probability must rise with voltage and pulse; check the "
            "columns"
        )
    relative = math.hypot(deviations[0] / barrier, deviations[1] / lowering)
    critical = barrier / lowering
    return (
        Fitted("magnetics.thermal_stability", barrier, deviations[0], "attempt time 1 ns"),
        Fitted("write.critical_voltage", critical, critical * relative, "attempt time 1 ns"),
    )


def fit_step_tables(
    tables: Sequence[StepTable], levels: int | None = None
) -> tuple[tuple[Fitted, ...], StepModel]:
    """Steps of a domain wall, and what they make of the device.

    Parameters
    ----------
    tables : sequence of StepTable
        Of one device.
    levels : int, optional
        Levels it shall have: the error of a write is stated for them.

    Returns
    -------
    fitted : tuple of Fitted
        ``steps.*``, ``transport.resistance_low`` and ``tmr`` of both ends of the track, and
        ``programming.error``: what verified writes leave near 300 K, simulated.
    model : StepModel
        What was fitted.
    """
    model = fit_steps(tables)
    worst = max(float(np.abs(pooled_error(model, table)).max()) for table in tables)
    note = f"16, 50 and 84 % quantiles of the tables within {max(worst, 0.001):.1%}"
    found = [
        Fitted(
            f"steps.{name}",
            tuple(value) if isinstance(value, list) else value,
            None,
            note if name == "hop" else "",
        )
        for name, value in model.as_dict().items()
    ]
    ratio = model.high_conductance / model.low_conductance - 1
    found.append(Fitted("transport.resistance_low", 1 / model.high_conductance, None, ENDS))
    found.append(Fitted("transport.tmr", ratio, None, ENDS))
    if levels is not None:
        kelvin = min(model.temperatures, key=lambda kelvin: abs(kelvin - ROOM))
        # Simulated; the seed makes the same card of the same tables.
        random = np.random.default_rng(0)
        error = write_error(model, levels, random, temperature=kelvin, tolerance=CLOSE)
        note = f"single pulses, verified, until within {CLOSE:g} of a distance, at {kelvin:g} K"
        found.append(Fitted("programming.error", error, None, note))
    return tuple(found), model


def _deviation(values: Reals) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / 1.349


def _correlation(first: Reals, second: Reals) -> float:
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(first), rankdata(second)])
    if (np.ptp(ranks, axis=1) == 0).any():
        return 0.0
    return float(np.clip(2 * math.sin(math.pi / 6 * np.corrcoef(ranks)[0, 1]), -1, 1))


def _check_length(owner: str, least: int, **columns: Reals) -> None:
    sizes = {column.shape for column in columns.values()}
    (shape, *others) = sizes
    if others or len(shape) != 1 or shape[0] < least:
        raise ParameterError(
            f"{owner}: {', '.join(columns)} must be equally long columns of at least {least} "
            f"numbers, not {', '.join(str(column.shape) for column in columns.values())}"
        )


def _check_crossing(owner: str, share: Reals) -> None:
    if not share.min() < 0.5 < share.max():
        raise ParameterError(
            f"{owner}: probability must lie on both sides of 0.5, not in {share.min():g}.."
            f"{share.max():g}; measure more voltages"
        )


def _scatter(owner: str, share: Reals, trials: ArrayLike | None) -> Reals | None:
    """Standard deviation of each probability; none is certain, however it came out."""
    if trials is None:
        return None
    count = check_reals(owner, "trials", trials, "at least 1")
    _check_length(owner, 1, trials=count, probability=share)
    likely = (share * count + 1) / (count + 2)
    return np.sqrt(likely * (1 - likely) / count)


def _curve(
    owner: str,
    model: Callable[..., Reals],
    points: Reals,
    measured: Reals,
    start: tuple[float, float],
    scatter: Reals | None = None,
) -> tuple[list[float], list[float]]:
    """Parameters of a least-squares fit and their standard deviations."""
    from scipy.optimize import OptimizeWarning, curve_fit

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", OptimizeWarning)
            values, covariance = curve_fit(
                model, points, measured, p0=start, sigma=scatter,
                absolute_sigma=scatter is not None, maxfev=5000,
            )  # fmt: skip
        deviations = np.sqrt(np.diag(covariance))
    except (RuntimeError, ValueError):
        deviations = np.array([np.inf])
    if not np.isfinite(deviations).all() or not np.isfinite(values).all():
        raise ParameterError(
            f"{owner}: the points must determine both parameters, and the fit does not settle; "
            "measure more points around the bend"
        )
    return values.tolist(), deviations.tolist()
