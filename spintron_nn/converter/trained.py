"""Quantisers that training found, in place of those that a conversion would choose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError

__all__ = ["Trained", "adc_parts", "nearest_adc_step", "refuse_names"]

Reals = NDArray[np.float64]

LEAST, LARGEST = 1e-150, 1e150
"""Scales and steps whose squares are still numbers."""

MOST_GAIN = 15
"""Largest gain of a converter whose step is learned."""

MOST_SHIFT = 31
"""Largest shift of a converter."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Quantisers of a model by name; what has none is calibrated.

    Parameters
    ----------
    scales : dict of str to float
        Real value of one code, by the name of the model's input or step that the codes stand for.
        Tensors side by side have one scale. In graphs with branches 12 bits of a scale are kept.
    steps : dict of str to float64 array of shape ``(outputs,)`` or ``(1,)``
        Step of the weights, by the name of their step: a weight stands on the state whose value
        (:func:`~spintron_nn.converter.levels.weight_values`) times the step is nearest. Outputs
        that are compared with each other have one step for all.
    adc_steps : dict of str to float
        Conductance codes of one converter code, by the name of the matrix, ``2**shift / gain`` with
        a gain of at most 15; lossless converters have none and ignore it. Offsets are calibrated.

    Raises
    ------
    ParameterError
        If a number is not in 1e-150..1e150, or a step is none that converters have.
    """

    scales: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, Any] = field(default_factory=dict)
    adc_steps: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for title in ("scales", "steps", "adc_steps"):
            given = getattr(self, title)
            if not isinstance(given, Mapping):
                raise ParameterError(
                    f"Trained: {title} must be a dict by name, not {type(given).__name__}"
                )
            for name, value in given.items():
                if title == "steps":
                    _check_step(name, value)
                else:
                    _check_number(f"{title}[{name!r}]", value)
        for name, step in self.adc_steps.items():
            adc_parts(name, step)

    def weight_step(self, name: str, outputs: int, *, per_channel: bool) -> Reals | None:
        """Step of each output of a matrix, None where it is not given.

        Parameters
        ----------
        name : str
            Name of the matrix.
        outputs : int
            Its outputs.
        per_channel : bool
            Whether each output may have its own.

        Raises
        ------
        ParameterError
            If there are not as many as must be.
        """
        if name not in self.steps:
            return None
        step = np.asarray(self.steps[name], dtype=np.float64)
        if len(step) not in (1, outputs) or (len(step) > 1 and not per_channel):
            wanted = f"{outputs} steps or one"
            if not per_channel:
                wanted = "one step for its outputs, which are compared"
            raise ParameterError(
                f"convert: trained.steps[{name!r}] must have {wanted}, not {len(step)}"
            )
        return np.broadcast_to(step, (outputs,)).copy()


def _check_number(title: str, value: Any) -> None:
    number = value if isinstance(value, (int, float, np.integer, np.floating)) else math.nan
    if isinstance(value, bool) or not LEAST <= number <= LARGEST:
        raise ParameterError(
            f"Trained: {title} must be a number in {LEAST}..{LARGEST}, not {value!r}"
        )


def _check_step(name: str, value: Any) -> None:
    found = value if isinstance(value, np.ndarray) else np.empty(0)
    if found.ndim != 1 or not found.size or found.dtype.kind != "f":
        what = f"one of {found.dtype} and shape {found.shape}" if found is value else repr(value)
        raise ParameterError(
            f"Trained: steps[{name!r}] must be an array of floats of shape (outputs,) or (1,), "
            f"not {what}"
        )
    bad = int((~((found >= LEAST) & (found <= LARGEST))).sum())
    if bad:
        raise ParameterError(
            f"Trained: steps[{name!r}] must be in {LEAST}..{LARGEST}, and {bad} of {found.size} "
            "are not"
        )


def adc_parts(name: str, step: float) -> tuple[int, int]:
    """Shift and gain of a converter's step ``2**shift / gain``.

    Raises
    ------
    ParameterError
        If it is none such.

    Examples
    --------
    >>> adc_parts("fc", 2.0**5 / 3)
    (5, 3)
    """
    for gain in range(1, MOST_GAIN + 1):
        shift = round(math.log2(step * gain))
        if 0 <= shift <= MOST_SHIFT and 2.0**shift / gain == step:
            return shift, gain
    raise ParameterError(
        f"Trained: adc_steps[{name!r}] must be 2**shift / gain with a gain of at most {MOST_GAIN} "
        f"and a shift of at most {MOST_SHIFT}, not {step!r}; round it with nearest_adc_step"
    )


def nearest_adc_step(step: float) -> float:
    """Step ``2**shift / gain`` that a converter can have next to a learned one, by ratio.

    Examples
    --------
    >>> nearest_adc_step(10.8), 2**5 / 3
    (10.666666666666666, 10.666666666666666)
    """
    _check_number("step", step)
    steps = [
        2.0**shift / gain for gain in range(1, MOST_GAIN + 1) for shift in range(MOST_SHIFT + 1)
    ]
    return min(steps, key=lambda one: abs(math.log(one / step)))


def refuse_names(title: str, given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse names that are none of those that there are.

    Parameters
    ----------
    title : str
        Argument that has the names.
    given, known : iterables of str
        Names.
    what : str
        What the known ones are.

    Raises
    ------
    ParameterError
        With both.
    """
    there = list(known)
    unknown = [name for name in given if name not in there]
    if unknown:
        raise ParameterError(
            f"convert: {title} must name {what}, which are {', '.join(there) or 'none'}, not "
            f"{', '.join(map(str, unknown))}"
        )
