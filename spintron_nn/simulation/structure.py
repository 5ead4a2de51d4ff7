"""Whether networks are chips of one model: the same graph, with numbers of each chip's own."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from spintron_ir import Dense, Network, Noise, ParameterError
from spintron_ir.record import Record

__all__ = ["check_one_structure", "with_noise_alike"]

OWN = {
    "network": ("name", "metadata"),
    "port": ("scale",),
    "output": ("scale",),
    "adc": ("shift", "gain", "offset"),
    "noise": ("seed", "amplitude"),
    "flatten": ("type",),
    "window": ("type",),
    "gather": ("type",),
    "concat": ("inputs",),
    "pool": ("input",),
    "quantise": ("input",),
    "argmax": ("input",),
    "topk": ("input",),
}
"""Fields that each chip may have of its own: sums that nothing requantises differ in width."""

VALUES = {
    "dense": ("codes", "reference", "bias"),
    "adc": ("transitions",),
    "mulshift": ("multiplier", "shift"),
    "tflite": ("multiplier", "shift"),
    "thresholds": ("thresholds", "sign"),
    "table": ("table",),
    "join": ("tables",),
    "softmax": ("exponential",),
}
"""Arrays that may hold other numbers in each chip, of the same shape."""


def with_noise_alike(networks: Sequence[Network]) -> list[Network]:
    """Chips of which all have noise in a layer where one has: in the others it is 0.

    A chip has none where its noise is less than conversion can express.
    """
    depth = min(len(network.nodes) for network in networks)
    noisy = [
        len({getattr(network.nodes[place].layer, "noise", None) is None for network in networks})
        == 2
        for place in range(depth)
    ]
    return [_silent(network, noisy) if any(noisy) else network for network in networks]


def _silent(network: Network, noisy: Sequence[bool]) -> Network:
    nodes = list(network.nodes)
    for place, wanted in enumerate(noisy):
        layer = nodes[place].layer
        if wanted and isinstance(layer, Dense) and layer.noise is None:
            none = Noise(seed=0, amplitude=np.zeros((1, 1, 1, 1), dtype=np.int64))
            changed = dataclasses.replace(layer, noise=none)
            nodes[place] = dataclasses.replace(nodes[place], layer=changed)
    return dataclasses.replace(network, nodes=tuple(nodes))


def check_one_structure(networks: Sequence[Network]) -> None:
    """Raise :exc:`ParameterError`, with the first difference, unless only numbers differ.

    Those are what devices, converters, noise and requantisers of each chip hold.
    """
    for number, other in enumerate(networks[1:], 1):
        found = _difference(networks[0], other)
        if found is not None:
            where, first, second = found
            where = where.removeprefix(".")
            raise ParameterError(
                f"TorchNetwork: networks must be chips of one model, but {where} is {second} in "
                f"networks[{number}] and {first} in networks[0]: convert one model with the same "
                "choices for every chip"
            )


@functools.cache
def _compared(cls: Any) -> tuple[tuple[str, bool], ...]:
    """Fields of a record that must agree, and whether that goes for shapes alone."""
    own, values = OWN.get(cls.kind, ()), VALUES.get(cls.kind, ())
    names = [field.name for field in dataclasses.fields(cls)]
    return tuple((name, name in values) for name in names if name not in own)


def _difference(first: Any, second: Any) -> tuple[str, str, str] | None:
    """Where two records differ in more than numbers, and both values."""
    if first is second:
        return None
    if type(first) is not type(second):
        return "", _shown(first), _shown(second)
    if isinstance(first, Record):
        kind: Any = type(first)
        for name, shape in _compared(kind):
            parts = getattr(first, name), getattr(second, name)
            if shape and parts[0] is not None and parts[1] is not None:
                parts = parts[0].shape, parts[1].shape
            found = _difference(*parts)
            if found is not None:
                return f".{name}{found[0]}", *found[1:]
        return None
    if isinstance(first, tuple):
        if len(first) != len(second):
            return "", f"of {len(first)} parts", f"of {len(second)} parts"
        for index, parts in enumerate(zip(first, second, strict=True)):
            found = _difference(*parts)
            if found is not None:
                label = parts[0].name if hasattr(parts[0], "name") else index
                return f"[{label!r}]{found[0]}", *found[1:]
        return None
    if isinstance(first, np.ndarray):
        return None if np.array_equal(first, second) else ("", "one array", "another")
    return None if first == second else ("", _shown(first), _shown(second))


def _shown(value: Any) -> str:
    """A value in a message: short."""
    return f"of kind {value.kind}" if isinstance(value, Record) else repr(value)
