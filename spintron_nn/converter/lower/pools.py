"""The largest value and the mean of windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spintron_ir import IntType, Pool, Window

from ..graph import PoolOf, Step
from ..kernels import window_of
from .matrices import image_of
from .real import Chain, Line, Over
from .values import canonical, coded
from .work import Pending, Signal, Work, blocks_of_frames

__all__ = ["pool"]


def pool(work: Work, step: Step, operation: PoolOf) -> Signal | Pending:
    """A maximum of codes, or a mean: the exact sum of codes, divided in the function behind it."""
    signal = coded(work, step.inputs[0])
    kind, channels = signal.kind, len(signal.index)
    sizes = step.shape[1:]
    empty = kind.low if operation.kind == "max" else 0  # what no largest value is
    layers: list[tuple[str, Any]] = []
    inside = math.prod(operation.kernel)
    counts = np.array(float(inside))
    if signal.index.size == inside * channels and not any(map(any, operation.padding)):
        wanted = canonical(signal.index).reshape(1, -1)
        node, codes = work.arranged(signal, wanted, step.name)
        wide: tuple[int, ...] = codes.shape[1:]
    else:
        node, codes = image_of(work, signal, step.name)
        window = window_of(
            codes.shape[1:],
            kind,
            operation.kernel,
            stride=operation.stride,
            padding=operation.padding,
            dilation=operation.dilation,
            pad_value=empty,
        )
        layers.append((f"{step.name}_window", window))
        wide = window.shape
        if not operation.count_padding:
            counts = _counts(window)
    largest = operation.kind == "max"
    one = Pool(input=kind, in_shape=wide, channels=channels, mode="max" if largest else "sum")
    layers.append((step.name if largest else f"{step.name}_sum", one))
    found = np.empty((len(codes), *one.shape), dtype=one.type.dtype)
    for part in blocks_of_frames(len(codes), math.prod(wide)):
        values = codes[part]
        for _, layer in layers:
            values = layer.run(values)
        found[part] = values
    for name, layer in layers:
        node = work.add(name, layer, (node,))
    places = np.arange(math.prod(one.shape)).reshape(*sizes, channels)
    index = np.moveaxis(places, -1, 0)
    if largest:
        return Signal(node, found.reshape(len(found), -1), kind, signal.scale, index)
    total: IntType = one.type
    if operation.divisor is not None:
        counts = np.array(float(operation.divisor))
    chain = Chain((Line(np.array(signal.scale), np.zeros(())), Over(counts)))
    return Pending(
        name=step.name, step=step, layer=None, inputs=(node,), numbers=found,
        low=kind.low * inside, high=kind.high * inside, kind=total, chain=chain, index=index,
        steps=(step.name,),
    )  # fmt: skip


def _counts(window: Window) -> np.ndarray:
    """Values that are there at each position; one number where all are alike."""
    found = (window.pixels >= 0).sum(axis=1).astype(np.float64)
    if (found == found[0]).all():
        return np.array(found[0])
    return np.repeat(found[:, None], window.in_shape[2], axis=1)
