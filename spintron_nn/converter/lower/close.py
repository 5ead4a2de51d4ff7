"""From functions of integers to codes, by thresholds that are exactly they."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ConversionError, Dense, IntType, Quantise
from spintron_ir.requantise import Requantiser

from ..quantise import codes_of
from ..report import StageReport
from .named import bits_of, scale_of
from .real import Chain
from .work import Pending, Signal, Work, blocks_of_frames

__all__ = ["close", "closed", "emit", "kind_of", "sample_values"]

Reals = NDArray[np.float64]

ENOUGH = 1 << 20
"""Values of a tensor with positions that its scale is chosen from."""

LARGEST = 2.0**200
"""Largest real value that codes are made of."""


def sample_values(pending: Pending) -> Reals:
    """Real values ``(rows, channels)`` of the calibration data: all, or an even choice."""
    numbers = pending.numbers
    if numbers.ndim == 2:
        return pending.chain.values(numbers)
    frames = np.arange(len(numbers))[:: max(numbers.size // ENOUGH, 1)]
    values = pending.chain.values(numbers[frames])
    return values.reshape(-1, values.shape[-1])


def kind_of(pending: Pending, bits: int) -> IntType:
    """Type of the codes of a function: signed where it has values below zero."""
    if pending.shared:
        low = float(pending.chain.values(np.arange(pending.low, pending.high + 1)).min())
    else:
        # What a matrix reaches depends on the chip: only its functions count.
        ends = (-np.inf, np.inf) if pending.matrix is not None else (pending.low, pending.high)
        low = pending.chain.bounds(*ends)[0]
    return IntType(bits, signed=low < 0)


def close(work: Work, pending: Pending, bits: int) -> Signal:
    """Choose the scale of a function's codes, and make them; a name may ask for other bits."""
    name = pending.steps[-1:]
    kind = kind_of(pending, bits_of(work, name, bits))
    values = sample_values(pending)
    if not np.abs(values).max(initial=0.0) < LARGEST:
        raise ConversionError(
            [f"{pending.step.origin or pending.step.name}: gives values beyond 2**200 for the "
             "calibration data; scale its input"]
        )  # fmt: skip
    return closed(work, pending, kind, scale_of(work, name, values, kind), values)


def closed(
    work: Work, pending: Pending, kind: IntType, scale: float, values: Reals | None = None
) -> Signal:
    """Make codes of a given type and scale."""
    if values is None:
        values = sample_values(pending)
    beyond = values > (kind.high + 0.5) * scale
    if kind.signed:
        beyond |= values < (kind.low - 0.5) * scale
    clipped = float(np.mean(beyond))
    requantise = _requantiser(pending, scale, kind)
    node = emit(work, pending, requantise)
    if pending.matrix is not None:
        work.layers.append(pending.matrix.report(work.settings, scale, clipped))
    numbers, chain = pending.numbers, pending.chain
    codes = np.empty((len(numbers), math.prod(numbers.shape[1:])), dtype=kind.dtype)
    for part in blocks_of_frames(len(numbers), codes.shape[1]):
        found = codes_of(chain.values(numbers[part]), scale, kind)
        codes[part] = found.reshape(-1, codes.shape[1])
    if pending.steps:
        work.stages.append(StageReport(node, pending.steps, scale, clipped, pending.index))
    return Signal(node, codes, kind, scale, pending.index)


def _requantiser(pending: Pending, scale: float, kind: IntType) -> Requantiser:
    chain = pending.chain
    if pending.shared:
        return chain.table(pending.kind, scale, kind)
    return _flat(pending).thresholds(pending.low, pending.high, scale, kind)


def _flat(pending: Pending) -> Chain:
    """The chain with arrays for one channel, for each, or for each value."""
    shape, chain = pending.numbers.shape[1:], pending.chain
    if len(chain.shape) > 1:
        return chain.spread(shape)
    if isinstance(pending.layer, Dense) or math.prod(chain.shape) > 1:
        return chain.spread(shape[-1:])
    return chain.spread((1,))


def emit(work: Work, pending: Pending, requantise: Requantiser | None) -> str:
    """Add the nodes of a function; return the last."""
    layer, name, sources = pending.layer, pending.name, pending.inputs
    if layer is not None:
        changed: dict[str, Any] = {}
        # A matrix has a channel for each column, and no function of single values.
        inside = requantise is not None and (
            not isinstance(layer, Dense) or requantise.cols == layer.cols
        )
        if inside:
            changed["requantise"] = requantise
        if pending.matrix is not None and pending.matrix.positions is not None:
            changed["positions"] = pending.matrix.positions
        node = work.add(name, replace(layer, **changed) if changed else layer, sources)
        if inside or requantise is None:
            return node
        name, sources = f"{name}_codes", (node,)
    assert requantise is not None
    shape, kind = work.ports[sources[0]]
    return work.add(name, Quantise(in_shape=shape, input=kind, requantise=requantise), sources)
