"""Changes of a graph that change no value: what a chip need not compute."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..graph import ArgmaxOf, Conv, Dropout, Function, Model, Pad, PoolOf, SoftmaxOf, TopKOf
from .real import is_rising

__all__ = ["simplified", "uses_of"]


def uses_of(model: Model) -> Counter[str]:
    """How often each input and step is taken, by steps and as an output."""
    uses = Counter(source for step in model.steps for source in step.inputs)
    uses.update(model.outputs.values())
    return uses


def simplified(model: Model) -> Model:
    """Return the same model without dropouts, with zeros inside convolutions and maxima late.

    A rising function of a maximum is the maximum of that function: behind a matrix it costs
    nothing, and the maximum then looks at fewer bits.
    """
    return _functions_first(_padding_inside(_order_kept(_without_dropout(model))))


def _without_dropout(model: Model) -> Model:
    source: dict[str, str] = {}
    kept = []
    for step in model.steps:
        inputs = tuple(source.get(name, name) for name in step.inputs)
        if isinstance(step.operation, Dropout):
            source[step.name] = inputs[0]
        else:
            kept.append(replace(step, inputs=inputs))
    outputs = {name: source.get(step, step) for name, step in model.outputs.items()}
    return replace(model, steps=tuple(kept), outputs=outputs)


def _order_kept(model: Model) -> Model:
    """Indices of the largest shares, as those of the largest values."""
    steps = {step.name: step for step in model.steps}
    for step in model.steps:
        operation, before = step.operation, steps.get(step.inputs[0])
        largest = isinstance(operation, ArgmaxOf) and not operation.smallest
        indices = largest or (isinstance(operation, TopKOf) and not operation.values)
        if not indices or before is None or not isinstance(before.operation, SoftmaxOf):
            continue
        if before.operation.axis == operation.axis:  # type: ignore[union-attr]
            steps[step.name] = replace(step, inputs=before.inputs)
    taken = {source for step in steps.values() for source in step.inputs}
    taken |= set(model.outputs.values())
    return replace(model, steps=tuple(step for step in steps.values() if step.name in taken))


def _padding_inside(model: Model) -> Model:
    """Zeros around the image of a convolution, as that convolution's own."""
    uses, steps = uses_of(model), {step.name: step for step in model.steps}
    for step in model.steps:
        before = steps.get(step.inputs[0])
        if not isinstance(step.operation, Conv) or before is None or uses[before.name] > 1:
            continue
        pad, conv = before.operation, step.operation
        if not isinstance(pad, Pad) or pad.value or min(map(min, pad.amounts)) < 0:
            continue
        if pad.amounts[0] != (0, 0) or len(pad.amounts) != 1 + len(conv.padding):
            continue
        both = zip(pad.amounts[1:], conv.padding, strict=True)
        padding = tuple((one[0] + two[0], one[1] + two[1]) for one, two in both)
        steps[step.name] = replace(
            step, operation=replace(conv, padding=padding), inputs=before.inputs
        )
        del steps[before.name]
    return replace(model, steps=tuple(steps.values()))


def _functions_first(model: Model) -> Model:
    uses, steps = uses_of(model), {step.name: step for step in model.steps}
    for name in steps:
        step = steps[name]
        before = steps.get(step.inputs[0])
        while (
            isinstance(step.operation, Function)
            and is_rising(step.operation)
            and before is not None
            and isinstance(before.operation, PoolOf)
            and before.operation.kind == "max"
            and uses[before.name] == 1
        ):
            # The names go with what is computed last, so that whoever takes it needs no change.
            source = before.inputs[0]
            shape = model.inputs[source] if source in model.inputs else steps[source].shape
            first = replace(step, name=before.name, inputs=before.inputs, shape=shape)
            steps[step.name] = replace(before, name=step.name, inputs=(first.name,))
            steps[first.name] = first
            step, before = first, steps.get(source)
    return replace(model, steps=tuple(steps.values()))
