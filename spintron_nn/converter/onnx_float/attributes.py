"""Attributes of operators: of the right kind, and none that is not known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .tensors import Constant, Part

__all__ = ["axis_of", "check_known", "choice", "flag", "number", "numbers", "real", "sizes"]

LIMIT = 1 << 24

AGAIN = "export the model again"


def check_known(op: Operation, known: str) -> None:
    """Refuse attributes that are not among the words of :py:`known`."""
    other = sorted(set(op.attributes) - set(known.split()))
    if other:
        raise Refusal(f"has the attribute {other[0]!r}, which {op.kind} does not have: {AGAIN}")


def number(op: Operation, name: str, default: int, low: int = -LIMIT, high: int = LIMIT) -> int:
    """An integer."""
    value = op.attributes.get(name, default)
    if not isinstance(value, int) or not low <= value <= high:
        raise Refusal(f"its {name} must be an integer in {low}..{high}, not {value!r}: {AGAIN}")
    return value


def flag(op: Operation, name: str, default: int = 0) -> bool:
    """An integer that is 0 or 1."""
    return bool(number(op, name, default, 0, 1))


def real(op: Operation, name: str, default: float) -> float:
    """A finite number."""
    value = op.attributes.get(name, default)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refusal(f"its {name} must be a finite number, not {value!r}: {AGAIN}")
    return float(value)


def numbers(op: Operation, name: str, default: Sequence[int], low: int = -LIMIT) -> tuple[int, ...]:
    """A list of as many integers as :py:`default` has."""
    value = op.attributes.get(name, tuple(default))
    if (
        not isinstance(value, tuple)
        or len(value) != len(default)
        or not all(isinstance(item, int) and low <= item <= LIMIT for item in value)
    ):
        raise Refusal(
            f"its {name} must be {len(default)} integers of at least {low}, not {value!r}: {AGAIN}"
        )
    return value


def choice(op: Operation, name: str, choices: str) -> str:
    """One of the words of :py:`choices`; the first is the default."""
    words = choices.split()
    value = op.attributes.get(name, words[0])
    if value not in words:
        raise Refusal(f"its {name} must be one of {', '.join(words)}, not {value!r}: {AGAIN}")
    return str(value)


def axis_of(axis: Any, rank: int) -> int:
    """An axis counted from the front."""
    if not isinstance(axis, (int, np.integer)) or not -rank <= axis < rank:
        raise Refusal(f"has no axis {axis} in {rank} axes: {AGAIN}")
    return int(axis) % rank


def sizes(part: Part, what: str) -> tuple[int, ...]:
    """Integers of a constant input."""
    if not isinstance(part, Constant):
        raise Refusal(
            f"needs constant {what}, and they depend on the input or are missing: export the "
            "model with fixed shapes"
        )
    if part.values.dtype.kind not in "iu" or part.values.ndim > 1 or part.values.size > 4096:
        raise Refusal(f"its {what} must be a short list of integers: {AGAIN}")
    return tuple(int(value) for value in part.values.reshape(-1))
