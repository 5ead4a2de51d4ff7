"""Where branches meet: sums, products, tensors side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Concat, ConversionError, IntType, Join

from ..graph import Add, Concatenate, Model, Mul, Step
from ..report import StageReport
from .close import closed, kind_of, sample_values
from .named import asked_scale, bits_of, scale_of
from .real import Chain, Line
from .values import canonical, coded, opened
from .work import Pending, Signal, Work

__all__ = ["add", "concatenate", "met_only", "multiply"]

Ints = NDArray[np.int64]

WIDEST = 60
"""Bits of the numbers in the tables of a join, beyond those of a code and of their sum."""


def met_only(model: Model) -> set[str]:
    """Tensors that only sums and products take: no matrix has to read their codes."""
    met = {source for step in model.steps for source in step.inputs}
    met -= set(model.outputs.values())
    for step in model.steps:
        if not isinstance(step.operation, (Add, Mul)):
            met -= set(step.inputs)
    return met


def add(work: Work, step: Step, operation: Add) -> Pending:
    """A sum with factors: exact, in units of a power of two."""
    signals = [coded(work, name) for name in step.inputs]
    factors = [
        Fraction(signal.scale) * Fraction(factor)
        for signal, factor in zip(signals, operation.factors, strict=True)
    ]
    # A float is a multiple of a power of two: the least one of all is the unit.
    unit = Fraction(1, max(factor.denominator for factor in factors))
    numbers = [int(factor / unit) for factor in factors]
    common = math.gcd(*numbers) or 1
    unit, numbers = unit * common, [number // common for number in numbers]
    tables = None
    if any(number != 1 for number in numbers):
        tables = _tables(step, signals, numbers)
    return _joined(work, step, signals, "sum", tables, float(unit))


def multiply(work: Work, step: Step, _: Mul) -> Pending:
    """A product of codes; the product of scales of 12 bits is exact."""
    signals = [coded(work, name) for name in step.inputs]
    return _joined(work, step, signals, "product", None, signals[0].scale * signals[1].scale)


def _tables(step: Step, signals: list[Signal], numbers: list[int]) -> Ints:
    bits = max(signal.kind.bits for signal in signals)
    if (
        max(abs(number) for number in numbers).bit_length() + bits + len(numbers).bit_length()
        > WIDEST
    ):
        raise ConversionError(
            [f"{step.origin or step.name}: its inputs have scales too far apart for an exact sum; "
             "scale one of them"]
        )  # fmt: skip
    tables = np.zeros((len(signals), 1, 1 << bits), dtype=np.int64)
    for number, signal, row in zip(numbers, signals, tables[:, 0], strict=True):
        codes = np.arange(signal.kind.low, signal.kind.high + 1)
        row[: len(codes)] = codes * number
    return tables


def _joined(
    work: Work, step: Step, signals: list[Signal], mode: str, tables: Ints | None, unit: float
) -> Pending:
    """A join of tensors, all in the order in which the first whole one stands."""
    axes = len(step.shape)
    spread = [
        np.broadcast_to(
            signal.index.reshape((1,) * (axes - signal.index.ndim) + signal.index.shape), step.shape
        )
        for signal in signals
    ]
    shape, places = _order(work, step.shape, signals)
    nodes, values = [], []
    for signal, index in zip(signals, spread, strict=True):
        node, codes = work.arranged(signal, index.ravel()[places].reshape(shape), step.name)
        nodes.append(node)
        values.append(codes)
    layer = Join(
        inputs=tuple(signal.kind for signal in signals), in_shape=shape, mode=mode, tables=tables
    )
    numbers = _run(layer, values)
    index = np.empty(places.size, dtype=np.int64)
    index[places] = np.arange(places.size)
    total = layer.total
    return Pending(
        name=step.name, step=step, layer=layer, inputs=tuple(nodes), numbers=numbers,
        low=total.low, high=total.high, kind=total.type, index=index.reshape(step.shape),
        chain=Chain((Line(np.array(unit), np.zeros(())),)), steps=(step.name,),
    )  # fmt: skip


def _run(layer: Join, values: list[NDArray[np.integer]]) -> NDArray[np.integer]:
    found = np.empty(values[0].shape, dtype=layer.type.dtype)
    for frame in range(len(found)):
        part = slice(frame, frame + 1)
        found[part] = layer.run(*(codes[part] for codes in values))
    return found


def _order(
    work: Work, shape: tuple[int, ...], signals: list[Signal]
) -> tuple[tuple[int, ...], Ints]:
    """Shape of the inputs of a join, and which value of the tensor stands at each place."""
    size = math.prod(shape)
    for signal in signals:
        given, _ = work.ports[signal.node]
        flat = signal.index.ravel()
        if flat.size == size == math.prod(given) and (np.sort(flat) == np.arange(size)).all():
            return given, np.argsort(flat)
    last = canonical(np.arange(size).reshape(shape))
    return last.shape, last.ravel()


def concatenate(work: Work, step: Step, operation: Concatenate) -> Signal:
    """Tensors side by side, on one scale: those on another are requantised."""
    names, alike = step.inputs, None
    given = [work.values[name] for name in names]
    open_ = [
        isinstance(value, Pending) and work.uses[name] == 1 for name, value in zip(names, given)
    ]
    if not any(open_):
        signals = [coded(work, name) for name in names]
        kinds = {(signal.scale, signal.kind) for signal in signals}
        alike = signals if len(kinds) == 1 and _as_asked(work, step, signals[0]) else None
    if alike is None:
        alike = _alike(work, step)
    if len(step.shape) == 1:
        wanted = [np.arange(math.prod(work.ports[signal.node][0])) for signal in alike]
        if any(signal.index.size != order.size for signal, order in zip(alike, wanted)):
            wanted = [signal.index for signal in alike]
        axis = 0
    else:
        wanted = [canonical(signal.index) for signal in alike]
        axis = (operation.axis or len(step.shape)) - 1
    parts = [
        work.arranged(signal, order, f"{step.name}_{number}")
        for number, (signal, order) in enumerate(zip(alike, wanted, strict=True))
    ]
    shapes = tuple(tuple(codes.shape[1:]) for _, codes in parts)
    kind = alike[0].kind
    layer = Concat(inputs=(kind,) * len(parts), in_shapes=shapes, axis=axis)
    node = work.add(step.name, layer, tuple(node for node, _ in parts))
    codes = np.concatenate([codes for _, codes in parts], axis=axis + 1)
    index = np.arange(math.prod(layer.shape)).reshape(layer.shape)
    if len(step.shape) == 1:
        starts = np.cumsum([0, *(order.size for order in wanted)])
        index = np.concatenate(
            [start + (signal.index if order is not signal.index else np.arange(order.size))
             for start, signal, order in zip(starts, alike, wanted)]
        )  # fmt: skip
    else:
        index = np.moveaxis(index, -1, 0)
    work.stages.append(StageReport(node, (step.name,), alike[0].scale, 0.0, index))
    return Signal(node, codes.reshape(len(codes), -1), kind, alike[0].scale, index)


def _as_asked(work: Work, step: Step, signal: Signal) -> bool:
    """Whether codes are those that were asked for tensors side by side."""
    bits, scale = bits_of(work, (step.name,), signal.kind.bits), asked_scale(work, (step.name,))
    alike = bits == signal.kind.bits and scale in (None, signal.scale)
    if alike:
        work.scales[step.name] = signal.scale
    return alike


def _alike(work: Work, step: Step) -> list[Signal]:
    """Codes of all inputs on the scale that is best for all of them together."""
    made: dict[str, Signal] = {}
    openings = []
    for name in step.inputs:
        pending = opened(work, name, step)
        openings.append(replace(pending, name=name) if pending.layer is None else pending)
    asked = step.name, *(name for pending in openings for name in pending.steps[-1:])
    bits = bits_of(work, asked, work.settings.activation_bits)
    kinds = [kind_of(pending, bits) for pending in openings]
    kind = IntType(bits, signed=any(one.signed for one in kinds))
    values = np.concatenate([sample_values(pending).ravel() for pending in openings])
    scale = scale_of(work, asked, values[:, None], kind)
    found = []
    for name, pending in zip(step.inputs, openings, strict=True):
        if name not in made:
            value = work.values[name]
            same = isinstance(value, Signal) and (value.scale, value.kind) == (scale, kind)
            made[name] = value if same else closed(work, pending, kind, scale)  # type: ignore[assignment]
        found.append(made[name])
    return found
