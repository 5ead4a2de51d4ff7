"""What a network gives: scores on one scale, codes, the index of the largest."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Argmax, ConversionError, Flatten, IntType, MulShift, Output, Quantise
from spintron_ir.layers import Softmax, TopK

from ..graph import ArgmaxOf, Model, SoftmaxOf, Step, TopKOf
from ..report import StageReport
from .close import close, emit, sample_values
from .matrix import Placed
from .real import Line
from .values import identity
from .work import Pending, Signal, Work

__all__ = ["argmax", "outputs_of", "softmax", "top"]

Reals = NDArray[np.float64]

SCORE_BITS = 16
"""Bits of scores that have a line of their own for each channel."""

OUTPUT_BITS = 8
"""Bits of what a function gives at the end: no matrix has to read them."""

BIAS = 1 << 31
"""A bias of scores stays below it, in their units."""

SHARE_BITS = 16
"""Bits of a softmax at the end."""


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


def _given(work: Work, pending: Pending, node: str, scale: float, codes: Any) -> Signal:
    """A signal that is not requantised any further."""
    work.stages.append(StageReport(node, pending.steps, scale, 0.0, pending.index))
    return Signal(node, codes.reshape(len(codes), -1), work.ports[node][1], scale, pending.index)


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
        bias = np.round(offset / scale)
        if not np.abs(bias).max() < BIAS:
            raise ConversionError(
                [f"{pending.step.origin or pending.step.name}: its bias is more than 2**31 units "
                 "of its scores, for its inputs hardly move; give other scales"]
            )  # fmt: skip
        layer = replace(placed.layer, bias=bias.astype(np.int64))
    node = emit(work, replace(pending, layer=layer), None)
    work.layers.append(placed.report(work.settings, scale, 0.0))
    codes = pending.numbers + layer.bias.astype(np.int64)
    if layer.requantise is not None:
        codes = layer.requantise.run(codes)
    return _given(work, pending, node, scale, codes)


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
    return _given(work, pending, node, float(line.slope), pending.numbers)


def _along(work: Work, signal: Signal, axis: int, name: str) -> tuple[str, NDArray[Any]]:
    """Bring the axis of a tensor that is looked along to the end."""
    return work.arranged(signal, np.moveaxis(signal.index, axis, -1), name)


def argmax(work: Work, step: Step, operation: ArgmaxOf) -> Signal:
    """Index of the largest value along an axis; of the least, that of the largest negative."""
    signal = _finished(work, step.inputs[0])
    node, codes = _along(work, signal, operation.axis, step.name)
    shape, kind = work.ports[node]
    if operation.smallest:
        turned = IntType(kind.bits + 1, signed=True)
        minus: Any = {"multiplier": [-1], "shift": [0], "zero_point": 0, "type": turned}
        layer = Quantise(in_shape=shape, input=kind, requantise=MulShift(**minus))
        node, codes, kind = work.add(f"{step.name}_minus", layer, (node,)), -codes, turned
    best: Any = TopK(in_shape=shape, input=kind, k=1)
    if len(shape) == 1:
        best = Argmax(input=kind, length=shape[0])
    found = np.argmax(codes, axis=-1).reshape(len(codes), -1)
    index = np.arange(found.shape[1]).reshape(step.shape)
    return Signal(work.add(step.name, best, (node,)), found, best.type, 1.0, index)


def top(work: Work, step: Step, operation: TopKOf) -> Signal:
    """The largest values along an axis, or their indices."""
    signal = _finished(work, step.inputs[0])
    node, codes = _along(work, signal, operation.axis, step.name)
    shape, kind = work.ports[node]
    layer = TopK(in_shape=shape, input=kind, k=operation.k, values=operation.values)
    found = layer.run(codes)
    index = np.moveaxis(np.arange(math.prod(layer.shape)).reshape(layer.shape), -1, operation.axis)
    scale = signal.scale if operation.values else 1.0
    node = work.add(step.name, layer, (node,))
    return Signal(node, found.reshape(len(found), -1), layer.type, scale, index)


def softmax(work: Work, step: Step, operation: SoftmaxOf) -> Signal:
    """Shares in fixed point, of codes of at most 8 bits; their order stays that of the values."""
    signal = ranked = _finished(work, step.inputs[0])
    if signal.kind.bits > OUTPUT_BITS:
        pending = replace(identity(work, signal, step), name=f"{step.name}_codes")
        signal = close(work, pending, OUTPUT_BITS)
    node, codes = _along(work, signal, operation.axis, step.name)
    shape, kind = work.ports[node]
    largest = (1 << 31) - 1
    table: Any = np.round(np.exp(-np.arange(1 << kind.bits) * signal.scale) * largest)
    bits = SHARE_BITS if step.name in work.given else max(work.settings.activation_bits, 2)
    layer = Softmax(
        in_shape=shape, input=kind, exponential=table.astype(np.int64), type=IntType(bits)
    )
    found = layer.run(codes)
    index = np.moveaxis(np.arange(codes[0].size).reshape(shape), -1, operation.axis)
    node = work.add(step.name, layer, (node,))
    work.ranks[step.name] = ranked
    return Signal(node, found.reshape(len(found), -1), layer.type, 0.5**bits, index)


def outputs_of(work: Work, model: Model, *, classify: bool) -> list[Output]:
    """Outputs in the shapes of the model; with the class where the only one is a vector."""
    found, operations = [], {step.name: step.operation for step in model.steps}
    single = len(model.outputs) == 1
    for title, name in model.outputs.items():
        signal = _finished(work, name)
        node = _named(work, signal, name)
        operation = operations.get(name)
        best = isinstance(operation, ArgmaxOf)
        chosen = best or (isinstance(operation, TopKOf) and not operation.values)
        own = title if not single else "class" if best else "scores"
        found.append(Output(name=own, node=node, scale=signal.scale))
        if single and classify and not chosen and signal.index.ndim < 2:
            ranked = _named(work, work.ranks.get(name, signal), name)
            shape, kind = work.ports[ranked]
            layer = Argmax(input=kind, length=shape[0])
            found.append(Output(name="class", node=work.add("argmax", layer, (ranked,))))
    return found


def _named(work: Work, signal: Signal, name: str) -> str:
    """Node that has a tensor in the order of the model."""
    index = signal.index if signal.index.ndim else signal.index.reshape(1)
    node, _ = work.arranged(signal, index, name)
    shape, kind = work.ports[node]
    if node in work.inputs:  # an output names a node
        layer = Flatten(in_shape=shape, type=kind, out_shape=shape)
        node = work.add(f"{name}_same", layer, (node,))
    return node
