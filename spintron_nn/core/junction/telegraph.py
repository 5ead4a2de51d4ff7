"""Low-barrier junctions: two states, two rates, and what a reader sees of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_int

from ..checks import Reals, check_real, check_reals

__all__ = [
    "antiparallel_probability",
    "averaged_variance",
    "correlation_time",
    "noise_density",
    "sample_telegraph",
    "telegraph_rates",
    "update_p_bits",
]


def telegraph_rates(
    thermal_stability: ArrayLike, bias: ArrayLike = 0.0, attempt_time: ArrayLike = 1e-9
) -> tuple[Reals, Reals]:
    """Rates of a junction under bias, to and from the antiparallel state.

    ``exp(-Delta (1 - h)**2) / tau0`` and ``exp(-Delta (1 + h)**2) / tau0``, so that the share of
    the antiparallel state is ``1 / (1 + exp(-4 Delta h))``. A field is ``h = B / (mu0 Hk)``, a
    current through a perpendicular junction ``h = I / Ic0``; they add up. For barriers below about
    3 the rates are the right order of magnitude only; their ratio stays right.

    Parameters
    ----------
    thermal_stability : array, at least 0
        Barrier over thermal energy.
    bias : array, above -1 and below 1
        ``h``, positive towards the antiparallel state.
    attempt_time : array, s, above 0
        ``tau0``.

    Returns
    -------
    tuple of two arrays, 1/s
        Rate from parallel to antiparallel, and back.

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Neel, Ann. Geophys. 5, 99 (1949); Brown, Phys. Rev. 130, 1677 (1963).

    Examples
    --------
    >>> up, down = telegraph_rates(5.0, 0.1)
    >>> print(f"{up:.3g} {down:.3g}")  # exp(-4.05), exp(-6.05)
    1.74e+07 2.36e+06
    """
    owner = "telegraph_rates"
    barrier = check_reals(owner, "thermal_stability", thermal_stability, "at least 0")
    lean = check_reals(owner, "bias", bias, "above -1 and below 1")
    attempt = check_reals(owner, "attempt_time", attempt_time, "above 0", "s")
    rates = [np.exp(-barrier * (1 + sign * lean) ** 2) / attempt for sign in (-1, 1)]
    return rates[0], rates[1]


def antiparallel_probability(to_antiparallel: ArrayLike, to_parallel: ArrayLike) -> Reals:
    """Share of time in the antiparallel state, ``G_P->AP / (G_P->AP + G_AP->P)``.

    Parameters
    ----------
    to_antiparallel, to_parallel : array, 1/s, above 0
        Rates.

    Returns
    -------
    array, in 0..1

    Raises
    ------
    ParameterError
        If a rate is not above 0.

    Source
    ------
    Machlup, J. Appl. Phys. 25, 341 (1954).

    Examples
    --------
    >>> print(f"{antiparallel_probability(3e6, 1e6):.2f}")
    0.75
    """
    up, down = _rates("antiparallel_probability", to_antiparallel, to_parallel)
    return up / (up + down)


def correlation_time(to_antiparallel: ArrayLike, to_parallel: ArrayLike) -> Reals:
    """Time constant of the autocorrelation, one over the sum of both rates.

    Parameters
    ----------
    to_antiparallel, to_parallel : array, 1/s, above 0
        Rates.

    Returns
    -------
    array, s

    Raises
    ------
    ParameterError
        If a rate is not above 0.

    Source
    ------
    Machlup, J. Appl. Phys. 25, 341 (1954).

    Examples
    --------
    >>> print(f"{correlation_time(3e6, 1e6):.3g}")
    2.5e-07
    """
    up, down = _rates("correlation_time", to_antiparallel, to_parallel)
    return 1 / (up + down)


def noise_density(
    frequency: ArrayLike, step: ArrayLike, to_antiparallel: ArrayLike, to_parallel: ArrayLike
) -> Reals:
    """One-sided power density of telegraph noise, a Lorentzian.

    ``4 dR**2 p (1 - p) tau / (1 + (2 pi f tau)**2)``; over all frequencies it adds up to the
    variance ``dR**2 p (1 - p)``.

    Parameters
    ----------
    frequency : array, Hz, at least 0
        Frequency.
    step : array
        Difference of the two states, in ohm, siemens or whatever is read.
    to_antiparallel, to_parallel : array, 1/s, above 0
        Rates.

    Returns
    -------
    array, unit of the step squared, over Hz

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Machlup, J. Appl. Phys. 25, 341 (1954).

    Examples
    --------
    >>> print(f"{noise_density(0.0, 1.0, 1e6, 1e6):.3g}")  # 4 * 0.25 * 0.5 us
    5e-07
    """
    owner = "noise_density"
    cycles = check_reals(owner, "frequency", frequency, "at least 0", "Hz")
    height = check_reals(owner, "step", step)
    up, down = _rates(owner, to_antiparallel, to_parallel)
    time = 1 / (up + down)
    return 4 * height**2 * up * down * time**3 / (1 + (2 * np.pi * cycles * time) ** 2)


def averaged_variance(
    window: ArrayLike, step: ArrayLike, to_antiparallel: ArrayLike, to_parallel: ArrayLike
) -> Reals:
    """Variance of the mean over a read of some length.

    ``dR**2 p (1 - p) 2 (x - 1 + exp(-x)) / x**2`` with ``x = window / tau``: all of the telegraph
    noise in a short read, ``2 tau / window`` of it in a long one.

    Parameters
    ----------
    window : array, s, at least 0
        Time over which the reader integrates.
    step : array
        Difference of the two states.
    to_antiparallel, to_parallel : array, 1/s, above 0
        Rates.

    Returns
    -------
    array, unit of the step squared

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Twice the mean of the autocorrelation ``p (1 - p) exp(-t / tau)`` over the window.

    Examples
    --------
    >>> print(f"{averaged_variance(1e-6, 1.0, 5e5, 5e5):.4f}")  # 0.25 * 2 * exp(-1)
    0.1839
    """
    owner = "averaged_variance"
    length = check_reals(owner, "window", window, "at least 0", "s")
    height = check_reals(owner, "step", step)
    up, down = _rates(owner, to_antiparallel, to_parallel)
    x = length * (up + down)
    # Below 1e-4 the difference would lose its digits; the series has 1e-9 of it.
    long = np.maximum(x, 1e-4)
    share = np.where(x < 1e-4, 1 - x / 3, 2 * (long + np.expm1(-long)) / long**2)
    return height**2 * up * down / (up + down) ** 2 * share


def update_p_bits(inputs: ArrayLike, generator: np.random.Generator) -> NDArray[np.int8]:
    """One update of probabilistic bits, ``sgn(tanh(I) - r)`` with ``r`` uniform in -1..1.

    The mean of the output is ``tanh(I)``.

    Parameters
    ----------
    inputs : array
        Input of each bit, without unit.
    generator : numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    int8 array of -1 and 1
        One for each input.

    Raises
    ------
    ParameterError
        If an input is no number, or the generator none.

    Source
    ------
    Camsari, Faria, Sutton and Datta, Phys. Rev. X 7, 031014 (2017).

    Examples
    --------
    >>> update_p_bits([-20.0, 20.0], np.random.default_rng(1)).tolist()
    [-1, 1]
    """
    _check_generator("update_p_bits", generator)
    drive = np.tanh(check_reals("update_p_bits", "inputs", inputs))
    chance = generator.uniform(-1.0, 1.0, drive.shape)
    return np.where(drive > chance, 1, -1).astype(np.int8)


def sample_telegraph(
    to_antiparallel: ArrayLike,
    to_parallel: ArrayLike,
    *,
    interval: float,
    samples: int,
    generator: np.random.Generator,
) -> NDArray[np.bool_]:
    """Records of many junctions, read at equal intervals, in their stationary state.

    Exact for any interval. Over one interval a two-state process forgets where it was with
    probability ``1 - exp(-interval / tau)``, and then is antiparallel with the stationary
    probability; every sample is the last such draw.

    Parameters
    ----------
    to_antiparallel, to_parallel : array, 1/s, above 0
        Rates of every device.
    interval : float, s, above 0
        Time between two samples.
    samples : int, 1..2**24
        Samples of each record.
    generator : numpy.random.Generator
        Where the random numbers come from.

    Returns
    -------
    bool array of shape ``(*devices, samples)``
        True where the device is antiparallel.

    Raises
    ------
    ParameterError
        If an argument is out of range, or the records hold more than 2**26 samples.

    Source
    ------
    Solution of the two-state master equation; Machlup, J. Appl. Phys. 25, 341 (1954).

    Examples
    --------
    >>> record = sample_telegraph([1e6, 3e6], 1e6, interval=1e-6, samples=10_000,
    ...                           generator=np.random.default_rng(1))
    >>> record.shape, record.mean(axis=-1).round(2).tolist()
    ((2, 10000), [0.5, 0.75])
    """
    owner = "sample_telegraph"
    up, down = np.broadcast_arrays(*_rates(owner, to_antiparallel, to_parallel))
    _check_generator(owner, generator)
    step = check_real(owner, "interval", interval, "above 0", "s")
    count = check_int(owner, "samples", samples, 1, 1 << 24)
    if up.size * count > 1 << 26:
        raise ParameterError(
            f"{owner}: samples must leave at most 2**26 values, not {up.size * count}; sample "
            "fewer devices at a time"
        )
    shape = (*up.shape, count)
    fresh = generator.random(shape) < (up / (up + down))[..., None]
    forgets = generator.random(shape) < -np.expm1(-step * (up + down))[..., None]
    forgets[..., 0] = True
    last = np.where(forgets, np.arange(count, dtype=np.int32), 0)
    np.maximum.accumulate(last, axis=-1, out=last)
    return np.take_along_axis(fresh, last, axis=-1)


def _rates(owner: str, up: ArrayLike, down: ArrayLike) -> tuple[Reals, Reals]:
    """Check the two rates."""
    rising = check_reals(owner, "to_antiparallel", up, "above 0", "1/s")
    return rising, check_reals(owner, "to_parallel", down, "above 0", "1/s")


def _check_generator(owner: str, generator: Any) -> None:
    """Refuse what draws no numbers, and above all a seed."""
    if not isinstance(generator, np.random.Generator):
        raise ParameterError(
            f"{owner}: generator must be a numpy.random.Generator, not {generator!r}; "
            "numpy.random.default_rng(seed) makes one"
        )
