"""Where a conversion makes codes of real values, of which type and scale: read off a trial one."""

from __future__ import annotations

from dataclasses import dataclass

from spintron_ir import IntType
from spintron_ir.layers import Concat
from spintron_ir.requantise import Table, Thresholds
from spintron_nn.converter.graph import (
    Concatenate,
    Model,
    Pad,
    Permute,
    PoolOf,
    Reshape,
    Slice,
    SoftmaxOf,
    Step,
    Upsample,
)
from spintron_nn.converter.model import SpintronicModel

__all__ = ["Place", "Places", "places_of"]


@dataclass(frozen=True)
class Place:
    """A tensor of a model that a chip has as codes.

    Attributes
    ----------
    scale : str
        Name of the learned scale; tensors side by side share one. Empty where it is fixed.
    kind : IntType
        Type of the codes.
    start : float
        Real value of one code in the trial conversion.
    """

    scale: str
    kind: IntType
    start: float


@dataclass(frozen=True, eq=False)
class Places:
    """All such tensors of a model.

    Attributes
    ----------
    made : dict of str to Place
        Codes that are made of an input or of a step's result, by its name.
    joined : dict of str to Place
        Codes that inputs of a :class:`Concatenate` step are brought to, by the step's name.
    read : dict of str to Place
        Codes of every tensor that is some, by its name: moving values changes no codes.
    names : dict of str to tuple of str
        Inputs and steps whose codes have a scale, by the scale's name.
    starts : dict of str to float
        Real value of one code in the trial conversion, by the scale's name.
    """

    made: dict[str, Place]
    joined: dict[str, Place]
    read: dict[str, Place]
    names: dict[str, tuple[str, ...]]
    starts: dict[str, float]


def places_of(model: Model, trial: SpintronicModel) -> Places:
    """Read the places of codes off a conversion.

    Parameters
    ----------
    model : Model
        The model, simplified as the conversion does it.
    trial : SpintronicModel
        A conversion of it.
    """
    ports, network = trial.network.inputs, trial.network
    made = {
        name: Place(name, port.type, port.scale)
        for name, port in zip(model.inputs, ports, strict=True)
    }
    layers = {node.name: node.layer for node in network.nodes}
    joins: dict[str, Place] = {}
    for stage in trial.report.stages:
        layer, name = layers[stage.node], stage.steps[-1]
        if isinstance(getattr(layer, "requantise", None), (Table, Thresholds)):
            made[name] = Place(name, layer.type, stage.scale)
        elif isinstance(layer, Concat):
            joins[name] = Place(name, layer.type, stage.scale)
    for step in model.steps:
        if isinstance(step.operation, SoftmaxOf) and step.name not in model.outputs.values():
            kind = layers[step.name].type
            made[step.name] = Place("", kind, 0.5**kind.bits)
    return _read(model, made, joins)


def _read(model: Model, made: dict[str, Place], joins: dict[str, Place]) -> Places:
    """Follow the codes through what only moves them."""
    moved = (Reshape, Permute, Slice, Upsample, Pad)
    read = {name: made[name] for name in model.inputs}
    joined: dict[str, Place] = {}
    for step in model.steps:
        operation = step.operation
        if isinstance(operation, Concatenate) and step.name in joins:
            joined[step.name] = read[step.name] = _shared(step, joins[step.name], made, read)
        elif step.name in made:
            read[step.name] = made[step.name]
        elif isinstance(operation, moved) or (
            isinstance(operation, PoolOf) and operation.kind == "max"
        ):
            if step.inputs[0] in read:
                read[step.name] = read[step.inputs[0]]
    names: dict[str, tuple[str, ...]] = {}
    starts: dict[str, float] = {}
    for found in (made, joined):
        for name, place in found.items():
            if not place.scale:
                continue
            names[place.scale] = (*names.get(place.scale, ()), name)
            starts[place.scale] = place.start
    return Places(made, joined, read, names, starts)


def _shared(step: Step, join: Place, made: dict[str, Place], read: dict[str, Place]) -> Place:
    """The place of tensors side by side: that of an input of theirs which has the same codes."""
    alike = [
        read[name]
        for name in step.inputs
        if name in read and (read[name].start, read[name].kind) == (join.start, join.kind)
    ]
    if not alike:
        return join
    for name, place in made.items():
        if place in alike:
            made[name] = alike[0]
    for name, place in read.items():
        if place in alike:
            read[name] = alike[0]
    return alike[0]
