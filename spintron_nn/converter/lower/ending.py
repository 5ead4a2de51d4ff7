"""What a network gives: scores on one scale, codes, the index of the largest."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Argmax, Flatten, IntType, MulShift, Output

from ..graph import ArgmaxOf, Model, Step
from ..report import StageReport
from .close import close, emit, sample_values
from .matrix import Placed
from .real import Line
from .work import Pending, Signal, Work

__all__ = ["argmax", "outputs_of"]

Reals = NDArray[np.float64]

SCORE_BITS = 16
"""Bits of scores that have a line of their own for each channel."""

OUTPUT_BITS = 8
"""Bits of what a function gives at the end: no matrix has to read them."""


def _finished(work: Work, name: str) -> Signal:
    """Integers of a tensor that is given out, on one scale."""
    value = work.values[name]
    if isinstance(value, Signal):
        return value
    done = _scores(work, value) or _sums(work, value)
    if done is None:
        bits = OUTPUT_BITS if work.uses[name] == 1 else work.settings.activation_bits
        done = close(work, value, bits)
    work.values[name] = done
    return done


def _given(work: Work, pending: Pending, node: str, scale: float) -> Signal:
    """A signal that no layer takes any further."""
    work.stages.append(StageReport(node, pending.steps, scale, 0.0, pending.index))
    codes = np.zeros((0, math.prod(pending.numbers.shape[1:])), dtype=np.int64)
    return Signal(node, codes, work.ports[node][1], scale, pending.index)


def _scores(work: Work, pending: Pending) -> Signal | None:
    """Accumulators of a matrix with a bias; scaled where each channel has its own line."""
    first, placed = pending.chain.pieces[0], pending.matrix
    if not pending.score or not isinstance(first, Line) or first.slope.ndim > 1:
        return None
    if len(pending.chain.pieces) > 1 or first.offset.ndim > 1:
        return None
    shape = placed.slope.shape
    slope, offset = (np.broadcast_to(array, shape) for array in (first.slope, first.offset))
    scaled = work.scores[placed.name] or work.settings.code_steps == "column"
    if scaled:
        layer, scale = _scaled(placed, slope, offset, sample_values(pending))
    else:
        scale = float(slope[0])
        layer = replace(placed.layer, bias=np.round(offset / scale).astype(np.int64))
    node = emit(work, replace(pending, layer=layer), None)
    work.layers.append(placed.report(work.settings, scale, 0.0))
    return _given(work, pending, node, scale)


def _scaled(placed: Placed, slope: Reals, offset: Reals, values: Reals) -> tuple[Any, float]:
    """Scores ``slope * acc + offset`` as 16-bit integers, with room for twice what was seen."""
    kind = IntType(SCORE_BITS, signed=True)
    scale = float(np.abs(values).max() or 1.0) * 2 / kind.high
    # The bias is added before the multiplier: a channel of slope 0 keeps a slope just above.
    tiny = np.abs(offset).max() / (1 << 30) + np.finfo(np.float64).tiny
    slope = np.where(np.abs(slope) < tiny, np.copysign(tiny, slope), slope)
    bias: Any = np.round(offset / slope).astype(np.int64)
    exponent = 30 - np.floor(np.log2(np.abs(slope / scale))).astype(np.int64) - 1
    shift: Any = np.clip(exponent, 0, 62)
    multiplier: Any = np.round(slope / scale * 2.0**shift).astype(np.int64)
    requantise = MulShift(multiplier=multiplier, shift=shift, zero_point=0, type=kind)
    return replace(placed.layer, bias=bias, requantise=requantise), scale


def _sums(work: Work, pending: Pending) -> Signal | None:
    """Exact sums of a join or a pool, which have a scale already."""
    line = pending.chain.line
    if pending.matrix is not None or pending.shared or line is None or not pending.steps:
        return None
    if line.slope.ndim or line.offset.ndim or line.offset != 0 or line.slope <= 0:
        return None
    node = pending.inputs[0] if pending.layer is None else emit(work, pending, None)
    return _given(work, pending, node, float(line.slope))


def argmax(work: Work, step: Step, operation: ArgmaxOf) -> Signal:
    """Index of the largest value of a vector."""
    signal = _finished(work, step.inputs[0])
    node, _ = work.arranged(signal, signal.index.reshape(-1), step.name)
    length = signal.index.size
    layer = Argmax(input=work.ports[node][1], length=length)
    node = work.add(step.name, layer, (node,))
    codes = np.zeros((0, 1), dtype=np.int64)
    return Signal(node, codes, layer.type, 1.0, np.zeros(step.shape, dtype=np.int64))


def outputs_of(work: Work, model: Model, *, classify: bool) -> list[Output]:
    """Outputs in the shapes of the model; with the class where the only one is a vector."""
    found, operations = [], {step.name: step.operation for step in model.steps}
    single = len(model.outputs) == 1
    for title, name in model.outputs.items():
        signal = _finished(work, name)
        index = signal.index if signal.index.ndim else signal.index.reshape(1)
        node, _ = work.arranged(signal, index, name)
        shape, kind = work.ports[node]
        if node in work.inputs:  # an output names a node
            node = work.add("same", Flatten(in_shape=shape, type=kind, out_shape=shape), (node,))
        best = isinstance(operations.get(name), ArgmaxOf)
        own = title if not single else "class" if best else "scores"
        found.append(Output(name=own, node=node, scale=signal.scale))
        if single and classify and not best and len(shape) == 1:
            layer = Argmax(input=kind, length=shape[0])
            found.append(Output(name="class", node=work.add("argmax", layer, (node,))))
    return found
