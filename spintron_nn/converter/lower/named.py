"""What was asked for by the name of a tensor: its bits, and its scale.

Scales of graphs that are more than a chain of matrices are rounded to 12 significant bits: a code
times its scale is then a multiple of a power of two and has few bits, so that products with it and
sums of several such values have no rounding at all, in whatever order they are worked out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spintron_ir import IntType, ParameterError

from ..graph import Conv, Linear, Model
from ..quantise import best_scale, percentile_scale
from ..settings import Settings
from ..trained import Trained, refuse_names
from .work import Work

__all__ = ["asked_scale", "bits_of", "check_matrices", "check_tensors", "rounded", "scale_of"]

T = TypeVar("T", int, float)

SCALE_BITS = 12
"""Significant bits of a scale."""


def rounded(scale: float) -> float:
    """Scale with 12 significant bits.

    >>> rounded(1 / 3) * 2**13
    2731.0
    """
    mantissa, exponent = math.frexp(scale)
    return math.ldexp(round(mantissa * (1 << SCALE_BITS)), exponent - SCALE_BITS)


def bits_of(work: Work, names: Sequence[str], otherwise: int) -> int:
    """Bits of tensors on one scale: those asked for by name, or what is usual there."""
    asked = _asked(work.settings.layer_activation_bits, "layer_activation_bits", names)
    return otherwise if asked is None else asked


def asked_scale(work: Work, names: Sequence[str]) -> float | None:
    """Scale that was trained for tensors, None where calibration is to choose it."""
    scale = _asked(work.trained.scales, "trained.scales", names)
    return None if scale is None else _kept(work, float(scale))


def scale_of(work: Work, names: Sequence[str], values: NDArray[np.float64], kind: IntType) -> float:
    """Scale of tensors that share one: the trained one, or the best for their values."""
    scale, percent = asked_scale(work, names), work.settings.percentile
    if scale is None:
        found = best_scale if percent is None else partial(percentile_scale, percent=percent)
        scale = _kept(work, found(values, kind))
    work.scales.update(dict.fromkeys(names, scale))
    return scale


def _kept(work: Work, scale: float) -> float:
    return rounded(scale) if work.exact else scale


def _asked(given: Mapping[str, T], title: str, names: Sequence[str]) -> T | None:
    found = {name: given[name] for name in names if name in given}
    if len(set(found.values())) > 1:
        text = ", ".join(f"{value!r} for {name}" for name, value in found.items())
        raise ParameterError(
            f"convert: {title} must agree for tensors side by side, which share their codes, not "
            f"be {text}"
        )
    return next(iter(found.values()), None)


def check_matrices(model: Model, settings: Settings, trained: Trained) -> None:
    """Refuse names of matrices that the model does not have."""
    names = [step.name for step in model.steps if isinstance(step.operation, (Linear, Conv))]
    for title, given in (
        ("layer_bits", settings.layer_bits),
        ("trained.steps", trained.steps),
        ("trained.adc_steps", trained.adc_steps),
    ):
        refuse_names(title, given, names, "steps with weights")


def check_tensors(work: Work) -> None:
    """Refuse names of tensors that no codes of chosen bits and scale were made of."""
    for title, given in (
        ("layer_activation_bits", work.settings.layer_activation_bits),
        ("trained.scales", work.trained.scales),
    ):
        refuse_names(title, given, work.scales, "tensors that become codes")
