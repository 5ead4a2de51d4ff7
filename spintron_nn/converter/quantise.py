"""Real numbers to integers: weights, activations, and the thresholds between activation codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import IntType, Thresholds

__all__ = [
    "Affine",
    "best_scale",
    "bisected",
    "codes_of",
    "nearest_states",
    "percentile_scale",
    "percentile_step",
    "quantise_weights",
]

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

HALF_STEPS = (0.798, 0.498, 0.293, 0.168, 0.094, 0.052, 0.0288, 0.0157)
"""Half the best step of a uniform quantiser of 1..8 bits for a normal source, in its deviations."""

ROUNDS = 4
"""Rounds of the weight quantiser: most of what can be gained, and cheap enough for every step."""

ON_LEVELS = 1e-10
"""Share of the power that is left as error where weights lie on levels, but for rounding."""

SHARES = np.geomspace(1.0, 0.05, 96)
"""Scales tried for an activation over the one that saturates nothing."""

MANY = 16
"""Values for each code from which on it pays to leave out scales before they are tried."""

CLEARLY = 1e-7
"""Share of the power by which the error of a scale must be larger to be so for certain."""

FEW = 15
"""Edges that are compared with each number in turn; more are searched."""

ENOUGH = 1 << 16
"""Values that are enough to choose a scale from."""


def quantise_weights(
    weight: Reals, values: Reals, *, per_channel: bool, step: Reals | None = None
) -> tuple[Ints, Reals]:
    """Quantise weights to the values of a technology times a step, with little squared error.

    On even levels the values are ``-(2**bits - 1), ..., -1, 1, ..., 2**bits - 1``: no zero, because
    a pair of devices in opposite states has none. The step starts from the best one of a normal
    distribution and is applied and fitted in turns, each of which lowers the error; weights that
    lie on values already keep them. A network that was trained on chips comes with its steps
    (:class:`~spintron_nn.converter.trained.Trained`); training starts from these.

    Parameters
    ----------
    weight : array of shape ``(outputs, inputs)``
        Weights.
    values : array of shape ``(2**bits,)``, 1..8 bits
        Values of the states of a weight (:func:`~spintron_nn.converter.levels.weight_values`).
    per_channel : bool
        A step for each output, otherwise one for all.
    step : float64 array of shape ``(outputs,)`` or None
        The step, where it is not to be found.

    Returns
    -------
    states : int64 array of shape ``(outputs, inputs)``
        Index of each weight's value.
    step : float64 array of shape ``(outputs,)``, above 0
        ``weight`` is about ``values[states] * step``.

    Source
    ------
    Max, "Quantizing for minimum distortion", IRE Transactions 1960: start values and the
    alternation.
    """
    if step is not None:
        return nearest_states(weight, values, step[:, None]), step
    axes = (1,) if per_channel else (0, 1)
    rising = np.sort(values)
    edges = (rising[1:] + rising[:-1]) / 2
    level, product = np.empty(weight.shape), np.empty(weight.shape)

    def total(one: Reals, other: Reals) -> Reals:
        return np.multiply(one, other, out=product).sum(axis=axes, keepdims=True)

    def round_to(step: Reals) -> None:
        reached = _reached(np.divide(weight, step, out=product), edges)
        rising.take(reached, out=level, mode="clip")

    def error(step: Reals) -> Reals:
        round_to(step)
        np.subtract(np.multiply(level, step, out=level), weight, out=level)
        return total(level, level)

    def fitted(step: Reals) -> Reals:
        step = np.where(step > 0, step, 1.0)
        for _ in range(ROUNDS):
            round_to(step)
            power = total(level, level)
            best = total(weight, level) / np.where(power > 0, power, 1.0)
            step = np.where(best > 0, best, step)
        return step

    start = HALF_STEPS[len(values).bit_length() - 2]
    normal = fitted(start * np.sqrt(np.mean(weight**2, axis=axes, keepdims=True)))
    whole = fitted(np.abs(weight).max(axis=axes, keepdims=True) / np.abs(rising).max())
    on_levels = error(whole) < ON_LEVELS * np.square(weight).sum(axis=axes, keepdims=True)
    step = np.where(on_levels, whole, normal)
    states = nearest_states(weight, values, step)
    return states, np.broadcast_to(step[:, 0], (len(weight),)).copy()


def nearest_states(weight: Reals, values: Reals, step: Reals) -> Ints:
    """States whose values times a step are nearest to weights, the larger value of equally near.

    Parameters
    ----------
    weight : array of shape ``(outputs, inputs)``
        Weights.
    values : array of shape ``(2**bits,)``
        Values of the states of a weight.
    step : array that broadcasts to the weights, above 0
        Real value of 1.

    Examples
    --------
    >>> weight = np.array([[-1.0, 0.0, 0.4]])
    >>> nearest_states(weight, np.array([-1.0, 1.0]), np.ones((1, 1))).tolist()
    [[0, 1, 1]]
    """
    order = np.argsort(values, kind="stable")
    rising = values[order]
    edges = (rising[1:] + rising[:-1]) / 2
    return order[_reached(weight / step, edges)].astype(np.int64, copy=False)


def _reached(x: Reals, edges: Reals) -> NDArray[np.integer]:
    """How many edges, which rise, each number reaches."""
    if len(edges) > FEW:
        return np.searchsorted(edges, x, side="right")
    found = np.zeros(x.shape, dtype=np.int8)
    for edge in edges:
        found += (x >= edge).view(np.int8)
    return found


def codes_of(x: ArrayLike, scale: float, kind: IntType) -> Ints:
    """Codes of real values: ``floor(x / scale + 0.5)``, saturated to the type."""
    return np.clip(np.floor(np.asarray(x) / scale + 0.5), kind.low, kind.high).astype(np.int64)


def best_scale(values: Reals, kind: IntType) -> float:
    """Return the scale with the least squared error of ``codes_of(values) * scale``.

    Scales from the one that saturates nothing down to a twentieth of it are tried, and the best is
    fitted to its own codes. Where no value is on the side of the type, the scale is 1.

    Parameters
    ----------
    values : float64 array of shape ``(batch, ...)``
        What is to be quantised; a share of a larger batch, evenly spread, is looked at.
    kind : IntType
        Type of the codes; what is below an unsigned type counts as zero, for a ReLU makes it so.
    """
    flat = _share(values)
    target = flat if kind.signed else np.maximum(flat, 0.0)
    whole = _between(float(target.min(initial=0.0)), float(target.max(initial=0.0)), kind)
    if whole <= 0:
        return 1.0

    code, rest = np.empty_like(target), np.empty_like(target)

    def error(scale: float) -> float:
        np.add(np.divide(target, scale, out=code), 0.5, out=code)
        np.clip(np.floor(code, out=code), kind.low, kind.high, out=code)
        np.subtract(np.multiply(code, scale, out=rest), target, out=rest)
        return float(np.square(rest, out=rest).sum())

    scales = whole * SHARES
    if target.size >> kind.bits > MANY:
        scales = scales[_promising(target, scales, kind)]
    least, best = min(((error(scale), scale) for scale in scales.tolist()), key=lambda two: two[0])
    error(best)
    power = float(np.square(code, out=rest).sum())
    fitted = float(np.multiply(code, target, out=rest).sum()) / power if power else best
    return fitted if fitted > 0 and error(fitted) < least else best


def _promising(target: Reals, scales: Reals, kind: IntType) -> NDArray[np.bool_]:
    """Scales among which the one of the least squared error is.

    The values of a code lie side by side once they are sorted, so that their errors are sums of
    differences of running sums, which differ from the errors by rounding alone: what is clearly
    worse is left out.
    """
    rising = np.sort(target if kind.signed else target[target > 0])  # a zero has no error
    value = scales[:, None] * np.arange(kind.low, kind.high + 1)
    places = np.zeros((len(scales), value.shape[1] + 1), dtype=np.intp)
    places[:, 1:-1] = np.searchsorted(rising, (value[:, 1:] + value[:, :-1]) / 2)
    places[:, -1] = len(rising)
    with np.errstate(all="ignore"):
        sums, squares = (np.append(0.0, np.cumsum(x)) for x in (rising, rising * rising))
        count, part = np.diff(places), np.diff(sums[places])
        rough = squares[-1] + (value * (count * value - 2 * part)).sum(axis=1)
        # Where squares are beyond floats none is clearly worse.
        return ~(rough > rough.min() + (CLEARLY * squares[-1] + 1e-300))


def percentile_scale(values: Reals, kind: IntType, percent: float) -> float:
    """Return the scale that cuts off what lies beyond a percentile on either side.

    Parameters
    ----------
    values : float64 array of shape ``(batch, ...)``
        As for :func:`best_scale`.
    kind : IntType
        Type of the codes.
    percent : float, 50..100
        The percentile; 100 cuts off nothing that is looked at.

    Examples
    --------
    >>> percentile_scale(np.arange(101.0)[:, None], IntType(4), 90)
    6.0
    """
    flat = _share(values)
    low, high = np.percentile(flat, (100 - percent, percent))
    scale = _between(min(float(low), 0.0), max(float(high), 0.0), kind)
    if scale <= 0:  # so few values are others than 0 that the percentile is 0
        scale = _between(float(flat.min(initial=0.0)), float(flat.max(initial=0.0)), kind)
    return scale if scale > 0 else 1.0


def percentile_step(weight: Reals, values: Reals, percent: float, *, per_channel: bool) -> Reals:
    """Step of weights ``(outputs,)`` whose largest value is a percentile of their magnitudes."""
    found = np.percentile(np.abs(weight), percent, axis=1 if per_channel else None)
    step = np.broadcast_to(found, (len(weight),)) / np.abs(values).max()
    return np.where(step > 0, step, 1.0)


def _share(values: Reals) -> Reals:
    """As many values, evenly spread, as a scale is chosen from."""
    rows = np.asarray(values, dtype=np.float64)
    return rows[:: max(rows.size // ENOUGH, 1)].ravel()


def _between(low: float, high: float, kind: IntType) -> float:
    """Scale with which neither of two values is beyond a type."""
    scale = high / max(kind.high, 1)
    return max(scale, low / kind.low) if kind.signed else scale


@dataclass(frozen=True, eq=False)
class Affine:
    """A real function of each channel's accumulator, followed by a quantiser.

    ``code = saturate(floor((slope * acc + offset) / scale + 0.5))``, worked out in float64 in this
    order. Every step of it is monotone, rounding included, so that the code is a count of integer
    thresholds: :meth:`thresholds` finds them by bisection on the very same function and thus
    equals it on every accumulator. A ReLU is part of it where the type is unsigned.

    Parameters
    ----------
    slope, offset : float64 arrays of shape ``(channels,)``
        Function of each channel.
    scale : float, above 0
        Real value of one code.
    kind : IntType
        Type of the codes.
    """

    slope: Reals
    offset: Reals
    scale: float
    kind: IntType

    def values(self, acc: ArrayLike) -> Reals:
        """Real values of accumulators ``(..., channels)``."""
        return self.slope * np.asarray(acc, dtype=np.float64) + self.offset

    def codes(self, acc: ArrayLike) -> Ints:
        """Codes of accumulators ``(..., channels)``."""
        return codes_of(self.values(acc), self.scale, self.kind)

    def thresholds(self, low: int, high: int) -> Thresholds:
        """Thresholds that equal :meth:`codes` on every accumulator in :py:`low..high`.

        Parameters
        ----------
        low, high : int
            Range of the accumulators of all channels.
        """
        sign = np.where(self.slope < 0, -1, 1)
        return bisected(lambda acc: self.values(acc) / self.scale + 0.5, sign, low, high, self.kind)


def bisected(
    codes: Callable[[Ints], Reals], sign: NDArray[Any], low: int, high: int, kind: IntType
) -> Thresholds:
    """Thresholds that equal a monotone function on every accumulator in :py:`low..high`.

    Parameters
    ----------
    codes : function
        From accumulators ``(..., channels)`` to numbers whose ``floor``, saturated, is the code.
    sign : int64 array of shape ``(channels,)``
        -1 for each channel whose function falls, 1 for the others.
    low, high : int
        Range of the accumulators of all channels.
    kind : IntType
        Type of the codes.
    """
    wanted = np.arange(kind.low + 1, kind.high + 1)
    shape = (len(wanted), len(sign))
    # Least t in low..high of the turned accumulator whose code is at least the wanted one;
    # one more than the largest where none is.
    turned_low = np.where(sign > 0, low, -high)
    turned_high = np.where(sign > 0, high, -low)
    first = np.broadcast_to(turned_low, shape).copy()
    beyond = np.broadcast_to(turned_high + 1, shape).copy()
    for _ in range((high + 1 - low).bit_length()):
        middle = first + beyond
        middle >>= 1
        reached = codes(np.minimum(middle, turned_high) * sign) >= wanted[:, None]
        beyond = np.where(reached, middle, beyond)
        middle += 1
        # Where nothing is left between both, they stay.
        first = np.minimum(np.where(reached, first, middle), beyond)
    # The last bit of an exponential may fall where the function rises.
    found = np.maximum.accumulate(first.T, axis=1)
    return Thresholds(thresholds=found, sign=sign, low=kind.low, type=kind)
