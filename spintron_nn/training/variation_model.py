"""Means and deviations of devices, as people state them, into a technology and conditions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spintron_ir import ParameterError
from spintron_nn.core.checks import check_real
from spintron_nn.core.mtj_models import MTJConfig

from .devices import Conditions

__all__ = ["YEAR", "technology_of"]

YEAR = 365.25 * 24 * 3600
"""Seconds of a year, the Julian one."""

QUANTITIES = {"resistance": "", "switching_voltage": "V", "retention_time": "years"}
"""What can be stated, and its unit; of a resistance the deviation over the mean alone counts."""

STORED = 1e-4, 1e-2
"""Shares of the mean retention time that a chip has waited; at the second 1 % of states are lost.

``(1 - exp(-2 * 0.01)) / 2`` is 0.0099.
"""


def technology_of(
    variation_model: Mapping[str, Mapping[str, float]], config: MTJConfig
) -> tuple[MTJConfig, Conditions]:
    """Technology with the stated variations, and the times that its chips are read at.

    All three quantities are log-normal from device to device: with ``r = std / mean``, ``r`` is
    taken as the deviation of their logarithm, which is what a technology calls a variation of
    ``r``. (The log-normal distribution whose own deviation over its mean is ``r`` has
    ``sqrt(ln(1 + r**2))``, 0.0998 for 0.1.)

    - ``resistance``: ``resistance_variation = r``. The mean may have any unit; resistances stay
      those of the technology.
    - ``switching_voltage``, V: ``switching_voltage = mean``, ``spread.switching = r``.
    - ``retention_time``, years at 25 Celsius: a device leaves its state at the rate
      ``1 / (t0 exp(Delta))``, so ``thermal_stability = ln(mean / t0)`` with the attempt time ``t0``
      of the technology, and as the logarithm of the time deviates like ``Delta``,
      ``thermal_stability_spread = r / Delta``. Chips are read after a time between 1/10,000 and
      1/100 of the mean, uniform in its logarithm: of nominal devices up to 1 % have lost their
      state.

    Parameters
    ----------
    variation_model : dict of dict
        ``{"mean": ..., "std": ...}`` of each quantity; what is left out stays as it is.
    config : MTJConfig
        Technology that has everything else.

    Returns
    -------
    (MTJConfig, Conditions)

    Raises
    ------
    ParameterError
        If a quantity is unknown, or is no mean above 0 and deviation of at least 0, or the
        technology cannot have it.

    Source
    ------
    Retention: Neel, Ann. Geophys. 5, 99 (1949); Brown, Phys. Rev. 130, 1677 (1963).

    Examples
    --------
    >>> decade, conditions = technology_of({"retention_time": {"mean": 10, "std": 2}}, MTJConfig())
    >>> round(decade.ageing.thermal_stability, 1)  # ten years at attempts of 1 ns
    40.3
    >>> [round(time / 86400, 1) for time in conditions.time]  # days
    [0.4, 36.5]
    """
    means = {name: _moments(name, found) for name, found in _checked(variation_model).items()}
    changed: dict[str, Any] = {}
    conditions = Conditions()
    if "resistance" in means:
        changed["resistance_variation"] = means["resistance"][1]
    if "switching_voltage" in means:
        mean, share = means["switching_voltage"]
        changed["switching_voltage"] = mean
        changed["spread"] = replace(config.spread, switching=share)
    if "retention_time" in means:
        years, share = means["retention_time"]
        mean = years * YEAR
        barrier = math.log(mean / config.ageing.attempt_time)
        if barrier <= 0:
            raise ParameterError(
                "training: the mean of variation_model['retention_time'] must be above the "
                f"attempt time of the technology, {config.ageing.attempt_time:g} s, not "
                f"{years:g} years"
            )
        changed["ageing"] = replace(
            config.ageing, thermal_stability=barrier, thermal_stability_spread=share / barrier
        )
        conditions = Conditions(time=(STORED[0] * mean, STORED[1] * mean))
    return replace(config, **changed), conditions


def _checked(given: Any) -> Mapping[str, Any]:
    """Return what has known names only."""
    wanted = f"variation_model must be a dict with names among {', '.join(QUANTITIES)}"
    if not isinstance(given, Mapping):
        raise ParameterError(f"training: {wanted}, not {given!r}")
    unknown = [name for name in given if name not in QUANTITIES]
    if unknown:
        raise ParameterError(
            f"training: {wanted}; {', '.join(map(repr, unknown))} is not among them"
        )
    return given


def _moments(name: str, found: Any) -> tuple[float, float]:
    """Mean, and deviation over it."""
    title = f"variation_model[{name!r}]"
    if not isinstance(found, Mapping) or set(found) != {"mean", "std"}:
        raise ParameterError(f"training: {title} must be a dict of 'mean' and 'std', not {found!r}")
    unit = QUANTITIES[name]
    mean = check_real("training", f"{title}['mean']", found["mean"], "above 0", unit)
    std = check_real("training", f"{title}['std']", found["std"], "at least 0", unit)
    return mean, std / mean
