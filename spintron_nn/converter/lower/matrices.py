"""Linear layers and convolutions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..graph import (
    Affine,
    ArgmaxOf,
    Conv,
    Linear,
    Model,
    Norm,
    Permute,
    Reshape,
    Slice,
    SoftmaxOf,
    Step,
    TopKOf,
    Upsample,
)
from ..kernels import window_of
from .matrix import Vectors, Weights, place
from .real import Chain, Line
from .values import canonical, coded
from .work import Pending, Signal, Work

__all__ = ["conv", "image_of", "linear", "scores_of"]

Ints = NDArray[np.int64]

PLACES = Reshape, Permute
PARTS = Slice, Upsample
ENDS = ArgmaxOf, TopKOf, SoftmaxOf


def scores_of(model: Model) -> dict[str, bool]:
    """Matrices whose results are only given out or compared; true where lines lie between.

    Their results are sums on one scale. Where each channel has a line of its own, they are scaled
    to codes of 16 bits.
    """
    takers: dict[str, list[Step]] = {}
    for step in model.steps:
        for source in step.inputs:
            takers.setdefault(source, []).append(step)
    given = set(model.outputs.values())
    found = {}
    for step in model.steps:
        if isinstance(step.operation, (Linear, Conv)):
            last, scaled, cut = step, False, False
            while True:
                after = takers.get(last.name, [])
                if all(isinstance(one.operation, ENDS) for one in after):
                    found[step.name] = scaled
                    break
                if len(after) != 1 or last.name in given:
                    break
                last = after[0]
                lined = isinstance(last.operation, (Norm, Affine))
                cut = cut or isinstance(last.operation, PARTS)
                scaled = scaled or lined
                if (lined and cut) or not (lined or isinstance(last.operation, PLACES + PARTS)):
                    break
    return found


def linear(work: Work, step: Step, operation: Linear) -> Pending:
    """A matrix on the last axis."""
    signal = coded(work, step.inputs[0])
    index = signal.index
    width, count = index.shape[-1], math.prod(index.shape[:-1])
    rows = index.reshape(count, width)
    order = rows[0] - rows[0].min()
    # Vectors that stand one after the other, in one order, are left there: the weights move.
    straight = np.arange(count)[:, None] * width + order
    wanted: Ints
    if (rows == straight).all() and (np.sort(order) == np.arange(width)).all():
        wanted, source = np.arange(rows.size), np.argsort(order)
    else:
        wanted, source = rows, np.arange(width)
    shape = (width,) if index.ndim == 1 else (count, width)
    node, codes = work.arranged(signal, wanted.reshape(shape), step.name)
    same = (source == np.arange(width)).all()
    weights = Weights(operation.weight, operation.bias, order=None if same else source)
    positions = None if index.ndim == 1 else count
    places = np.arange(count * len(operation.weight)).reshape(step.shape)
    vectors = Vectors(codes, None, width, positions)
    return _placed(work, step, signal, (node,), weights, vectors, places)


def image_of(work: Work, signal: Signal, name: str) -> tuple[str, NDArray[np.integer]]:
    """Bring a tensor of channels and one or two axes into ``(height, width, channels)``."""
    wanted = canonical(signal.index)
    return work.arranged(signal, wanted if wanted.ndim == 3 else wanted[None], name)


def conv(work: Work, step: Step, operation: Conv) -> Pending:
    """A convolution: a matrix at every position of a window."""
    signal, kernel = coded(work, step.inputs[0]), operation.weight.shape[2:]
    outputs, channels, groups = len(operation.weight), len(signal.index), operation.groups
    weights = Weights(operation.weight, operation.bias, groups)
    count = math.prod(step.shape[1:])
    plain = max(*operation.stride, *operation.dilation, *kernel) == 1
    if plain and not any(map(any, operation.padding)) and groups == 1:
        wanted = canonical(signal.index).reshape(count, channels)
        node, codes = work.arranged(signal, wanted, step.name)
        vectors = Vectors(codes, None, channels, count)
    else:
        node, codes = image_of(work, signal, step.name)
        window = window_of(
            codes.shape[1:],
            signal.kind,
            kernel,
            stride=operation.stride,
            padding=operation.padding,
            dilation=operation.dilation,
            groups=groups,
        )
        node = work.add(f"{step.name}_window", window, (node,))
        vectors = Vectors(codes, window, window.shape[1], count)
    places = np.arange(count * outputs).reshape(*step.shape[1:], outputs)
    return _placed(work, step, signal, (node,), weights, vectors, np.moveaxis(places, -1, 0))


def _placed(
    work: Work,
    step: Step,
    signal: Signal,
    inputs: tuple[str, ...],
    weights: Weights,
    vectors: Vectors,
    index: Ints,
) -> Pending:
    scores = work.scores.get(step.name)
    # Steps that differ from column to column need a multiplier each.
    apart = scores is not False or work.settings.code_steps == "column"
    placed = place(
        step.name,
        weights,
        vectors,
        signal.kind,
        signal.scale,
        work.settings,
        work.trained,
        per_channel=apart,
    )
    work.steps[step.name] = placed.step
    if placed.choice is not None and work.settings.adc_bits != 1:
        work.adc_steps[step.name] = placed.choice.step
    total = placed.layer.ranges.total
    return Pending(
        name=step.name, step=step, layer=placed.layer, inputs=inputs, numbers=placed.acc,
        low=total.low, high=total.high, kind=total.type, matrix=placed,
        chain=Chain((Line(placed.slope, placed.offset),)), steps=(step.name,),
        index=index, score=scores is not None,
    )  # fmt: skip
