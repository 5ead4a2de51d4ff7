"""Operations on single values, and on their order."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..graph import Affine, Function, Norm, Pad, Permute, Reshape, Slice, Step, Upsample
from .close import close
from .real import Chain, Line, is_rising
from .work import Pending, Signal, Work

__all__ = [
    "affine",
    "canonical",
    "coded",
    "function",
    "identity",
    "norm",
    "opened",
    "pad",
    "permute",
    "reshape",
    "sliced",
    "upsample",
]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

TABLE_BITS = 8
"""Most bits of codes that a table is made for."""

WIDEST = 16
"""Most bits of codes that a matrix or a join takes."""

MORE_BITS = 2
"""Bits that the argument of a table has beyond an activation: functions are steep somewhere."""

ENOUGH = 1 << 22
"""Values that statistics are measured from where sums are not of integers."""


def coded(work: Work, name: str) -> Signal:
    """Codes of a tensor, made now if they are not yet."""
    value = work.values[name]
    if isinstance(value, Pending):
        bits = work.settings.activation_bits
        if name in work.met:
            bits = min(bits + MORE_BITS, TABLE_BITS)
        value = work.values[name] = close(work, value, bits)
    return value if value.kind.bits <= WIDEST else _narrowed(work, name, value)


def _narrowed(work: Work, name: str, wide: Signal) -> Signal:
    """Codes of values that came out as sums: the largest scores, say."""
    key = f"{name}_codes"
    found = work.values.get(key)
    if not isinstance(found, Signal):
        step = Step(key, Reshape(), (name,), wide.index.shape)
        pending = replace(identity(work, wide, step), steps=(name,))
        found = close(work, pending, work.settings.activation_bits)
        work.values[key] = found
    return found


def canonical(index: Ints) -> Ints:
    """Order of values of a tensor with its channels last."""
    return index if index.ndim < 2 else np.moveaxis(index, 0, -1)


def opened(work: Work, name: str, step: Step) -> Pending:
    """Return a tensor as a function of integers, to be taken further by :py:`step`."""
    value = work.values[name]
    if isinstance(value, Pending) and work.uses[name] == 1:
        return value
    return identity(work, coded(work, name), step)


def identity(work: Work, signal: Signal, step: Step) -> Pending:
    """Codes as a function of themselves."""
    shape, _ = work.ports[signal.node]
    index, node = signal.index, signal.node
    numbers = signal.codes.reshape(len(signal.codes), *shape)
    if not _is_order(index, math.prod(shape)):
        wanted = canonical(index)
        node, numbers = work.arranged(signal, wanted, step.name)
        places = np.arange(index.size).reshape(wanted.shape)
        index = places if index.ndim < 2 else np.moveaxis(places, -1, 0)
    kind = signal.kind
    return Pending(
        name=step.name, step=step, layer=None, inputs=(node,), numbers=numbers, low=kind.low,
        high=kind.high, kind=kind, index=index, steps=(),
        chain=Chain((Line(np.array(signal.scale), np.zeros(())),)),
    )  # fmt: skip


def _is_order(index: Ints, count: int) -> bool:
    """Whether each of a number of values stands in an index once."""
    if index.size != count or index.min() < 0:
        return False
    return bool((np.bincount(index.ravel(), minlength=count) == 1).all())


def _further(pending: Pending, step: Step, chain: Chain, **changed: bool) -> Pending:
    return replace(pending, chain=chain, steps=(*pending.steps, step.name), **changed)  # type: ignore[arg-type]


def _on_nodes(pending: Pending, array: Reals) -> Reals:
    """An array that broadcasts to a tensor, in the order of the node, with as few axes as do."""
    shape = pending.numbers.shape[1:]
    if (array == array.flat[0]).all():
        return np.array(array.flat[0])
    found = np.empty(math.prod(shape))
    found[pending.index.ravel()] = np.broadcast_to(array, pending.index.shape).ravel()
    rows = found.reshape(-1, shape[-1])
    return rows[0].copy() if (rows == rows[0]).all() else found.reshape(shape)


def _lined(
    work: Work, pending: Pending, step: Step, gain: Reals, mean: Reals, shift: Reals
) -> Pending:
    """``gain * (x - mean) + shift`` behind a function."""
    if pending.shared and gain.size + mean.size + shift.size > 3:
        pending = identity(work, close(work, pending, work.settings.activation_bits), step)
    first = pending.chain.pieces[0]
    if pending.matrix is not None and len(pending.chain.pieces) == 1 and isinstance(first, Line):
        line = Line(gain * first.slope, gain * (first.offset - mean) + shift)
        return _further(pending, step, Chain((line,)))
    return _further(pending, step, pending.chain.then(Line(gain, shift - gain * mean)))


def affine(work: Work, step: Step, operation: Affine) -> Pending:
    """A line for each value."""
    pending = opened(work, step.inputs[0], step)
    gain, shift = (_on_nodes(pending, array) for array in (operation.scale, operation.offset))
    return _lined(work, pending, step, gain, np.zeros(()), shift)


def norm(work: Work, step: Step, operation: Norm) -> Pending:
    """A batch normalisation, with the statistics of the chip where these are measured."""
    pending = opened(work, step.inputs[0], step)
    tall = (-1, *(1,) * (pending.index.ndim - 1))

    def on_nodes(array: Reals) -> Reals:
        return _on_nodes(pending, np.reshape(array, tall))

    mean, var = on_nodes(operation.mean), on_nodes(operation.var)
    if work.settings.recalibrate:
        mean, measured = _measured(pending)
        var = np.where(measured > 0, measured, var)
    gain = on_nodes(operation.gamma) / np.sqrt(var + operation.eps)
    return _lined(work, pending, step, gain, mean, on_nodes(operation.beta))


def _measured(pending: Pending) -> tuple[Reals, Reals]:
    """Mean and variance of each channel of a tensor, in the order of the node."""
    numbers, index, pieces = pending.numbers, pending.index, pending.chain.pieces
    channels = numbers.shape[-1]
    places = index.reshape(len(index), -1) % channels
    alike = len(index) == channels and (places == places[:, :1]).all()
    first = pieces[0]
    if alike and len(pieces) == 1 and isinstance(first, Line) and first.slope.ndim < 2:
        count, one, two = _moments(numbers.reshape(-1, channels))
        spread = (count * two - one * one).astype(np.float64)
        mean = one.astype(np.float64) / count * first.slope + first.offset
        return mean, spread / count**2 * first.slope**2
    values = pending.chain.values(numbers[:: max(numbers.size // ENOUGH, 1)])
    user = values.reshape(len(values), -1)[:, index.ravel()].reshape(len(values), len(index), -1)
    tall = (-1, *(1,) * (index.ndim - 1))
    mean, var = (found.reshape(tall) for found in (user.mean(axis=(0, 2)), user.var(axis=(0, 2))))
    return _on_nodes(pending, mean), _on_nodes(pending, var)


def _moments(rows: NDArray[np.integer]) -> tuple[int, NDArray[np.object_], NDArray[np.object_]]:
    """Number of rows, and exact sums of the values and squares of each column.

    Python's integers: statistics made of them have one rounding each.
    """
    bound = max(abs(int(rows.min())), abs(int(rows.max())), 1)
    step = max((1 << 62) // bound**2, 1)
    one = two = np.zeros(rows.shape[1], dtype=object)
    for start in range(0, len(rows), min(step, 1 << 16)):
        part = rows[start : start + min(step, 1 << 16)]
        wide = part.astype(np.int64) if bound < 1 << 31 else part.astype(object)
        one = one + wide.sum(axis=0).astype(object)
        two = two + (wide * wide).sum(axis=0).astype(object)
    return len(rows), one, two


def function(work: Work, step: Step, operation: Function) -> Pending:
    """A function of single values: fused where it rises, a table where it does not."""
    pending = opened(work, step.inputs[0], step)
    if operation.name == "neg":
        return _further(pending, step, pending.chain.then(Line(np.array(-1.0), np.zeros(()))))
    chain = pending.chain.then(operation)
    if pending.shared or is_rising(operation):
        return _further(pending, step, chain)
    if pending.layer is None and math.prod(chain.shape) == 1 and pending.kind.bits <= TABLE_BITS:
        return _further(pending, step, chain, shared=True)
    bits = min(work.settings.activation_bits + MORE_BITS, TABLE_BITS)
    before = replace(pending, steps=pending.steps or step.inputs)
    pending = identity(work, close(work, before, bits), step)
    return _further(pending, step, pending.chain.then(operation), shared=True)


def _ordered(work: Work, step: Step, index: Ints, *, whole: bool) -> Signal | Pending:
    """The same values under another index; those that are parts of others as codes."""
    name = step.inputs[0]
    value = work.values[name]
    if isinstance(value, Pending) and work.uses[name] == 1 and (whole or value.score):
        return replace(value, index=index, steps=(*value.steps, step.name))
    return replace(coded(work, name), index=index)


def _index(work: Work, step: Step) -> Ints:
    return work.values[step.inputs[0]].index


def reshape(work: Work, step: Step, _: object) -> Signal | Pending:
    """Another shape."""
    return _ordered(work, step, _index(work, step).reshape(step.shape), whole=True)


def permute(work: Work, step: Step, operation: Permute) -> Signal | Pending:
    """Another order of axes."""
    return _ordered(work, step, _index(work, step).transpose(operation.order), whole=True)


def sliced(work: Work, step: Step, operation: Slice) -> Signal | Pending:
    """Part of an axis."""
    places = list(range(operation.start, operation.stop, operation.step))
    return _ordered(work, step, _index(work, step).take(places, operation.axis), whole=False)


def upsample(work: Work, step: Step, operation: Upsample) -> Signal | Pending:
    """Each value repeated."""
    index = _index(work, step)
    for axis, count in enumerate(operation.factors):
        index = np.repeat(index, count, axis)
    return _ordered(work, step, index, whole=False)


def pad(work: Work, step: Step, operation: Pad) -> Signal:
    """Zeros around a tensor, or less of it."""
    signal = coded(work, step.inputs[0])
    sizes = signal.index.shape
    cut = tuple(
        slice(max(-before, 0), size - max(-after, 0))
        for (before, after), size in zip(operation.amounts, sizes, strict=True)
    )
    more = [(max(before, 0), max(after, 0)) for before, after in operation.amounts]
    index = np.pad(signal.index[cut], more, constant_values=-1)
    return replace(signal, index=index)
