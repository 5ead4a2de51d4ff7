"""A forward pass of a model on freshly drawn chips, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from spintron_ir import ConversionError
from spintron_nn.converter.graph import Function, Norm, Step

from .crossbar_layer import Crossbar
from .held import Draw, drawn
from .norm import normalised
from .operations import OPERATIONS
from .places import Place
from .quantisers import Coding, coded_activations
from .trial import Dropped

if TYPE_CHECKING:
    from .chip_model import ChipModel

__all__ = ["Observe", "Pass"]

RELU = Function("relu")

Observe = Callable[[str, Crossbar, Tensor, Tensor], None]
"""``observe(name, crossbar, codes, states)`` is told of every matrix of a forward pass."""


class Pass:
    """One forward pass of a model on some chips.

    Parameters
    ----------
    model : ChipModel
        The model.
    draw : Draw
        The chips.
    observe : callable or None
        Told of every matrix.
    """

    def __init__(self, model: ChipModel, draw: Draw, observe: Observe | None) -> None:
        self.model, self.draw, self.observe = model, draw, observe
        self.trial = model.trial
        self.tensors, self.now = model.tensors(), model.sizes()
        crossbars = self.trial.crossbars
        weights = {name: self.tensors[crossbar.key] for name, crossbar in crossbars.items()}
        self.held = drawn(crossbars, weights, self.now.steps, draw)
        self.codes: dict[str, Tensor] = {}
        self.inner = self.trial.inner if observe is None else frozenset[str]()

    def run(self, inputs: dict[str, Tensor]) -> Any:
        """Scores, of one output or by name."""
        graph, dropped = self.trial.model, self.trial.dropped
        values = {name: self._coded(name, x.unsqueeze(0).float()) for name, x in inputs.items()}
        left = dict(self.trial.uses)
        for step in graph.steps:
            given = [values[name] for name in step.inputs]
            if dropped:
                given = [self._dropped(x, (step.name, place)) for place, x in enumerate(given)]
            values[step.name] = self._step(step, given)
            for name in step.inputs:
                left[name] -= 1
                if not left[name]:
                    del values[name]
                    self.codes.pop(name, None)
        chips = self.draw.dies.samples
        found = {}
        for title, name in graph.outputs.items():
            value = self._dropped(values[name], (name, -1))
            if value.shape[0] < chips:
                value = value.expand(chips, *value.shape[1:])
            found[title] = value
        return found if len(found) > 1 else next(iter(found.values()))

    def _coded(self, name: str, x: Tensor, place: Place | None = None) -> Tensor:
        """The codes of a tensor, where it has some, as real values."""
        place = self.trial.places.made.get(name) if place is None else place
        if place is None or name in self.inner:
            return x
        features = math.prod(x.shape[2:])
        found, codes = coded_activations(x, self._scale(place), place.kind, features=features)
        if name:
            self.codes[name] = codes
        return found

    def _scale(self, place: Place) -> Tensor:
        """Real value of one code; that of shares is what their bits say."""
        return self.now.scales[place.scale] if place.scale else torch.tensor(place.start)

    def _dropped(self, x: Tensor, where: tuple[str, int]) -> Tensor:
        dropped: Dropped | None = self.trial.dropped.get(where)
        if dropped is None or dropped.share == 0:
            return x
        shape = x.shape if not dropped.channels else (*x.shape[:3], *[1] * (x.ndim - 3))
        drawn = torch.rand(shape, generator=self.draw.random).to(x.device)
        kept = (drawn >= dropped.share).to(x.dtype)
        return x * kept.mul_(1.0 / (1.0 - dropped.share) if dropped.share < 1 else 0.0)

    def _step(self, step: Step, given: list[Tensor]) -> Tensor:
        operation, place = step.operation, self.trial.places.made.get(step.name)
        if step.name in self.trial.crossbars:
            found = self._matrix(self.trial.crossbars[step.name], step, given[0])
        elif isinstance(operation, Norm):
            found = normalised(self.model.module, self.tensors, operation, given[0])
        elif operation == RELU and place is not None and not place.kind.signed:
            found = given[0]  # codes without a sign cut off what is below zero
        elif step.name in self.trial.places.joined:
            joined = self.trial.places.joined[step.name]
            given = [self._coded("", part, joined) for part in given]
            return OPERATIONS[type(operation)](step, *given)
        else:
            found = OPERATIONS[type(operation)](step, *given)
        return self._coded(step.name, found)

    def _matrix(self, crossbar: Crossbar, step: Step, x: Tensor) -> Tensor:
        weight, key = self.tensors[crossbar.key], crossbar.operation.bias_key
        bias = None if key is None else self.tensors[key]
        place = self.trial.places.read.get(step.inputs[0])
        if place is None:
            raise ConversionError([f"{step.origin or step.name}: takes values that are no codes"])
        scale, size = self._scale(place), self.now.steps[step.name]
        if self.observe is not None:
            self.observe(step.name, crossbar, *crossbar.observed(x / scale, weight, size))
        steps = size, scale, self.now.ranges.get(step.name)
        dropped = (step.name, 0) in self.trial.dropped
        codes = None if dropped else self.codes.get(step.inputs[0])
        coding = None
        if step.inputs[0] in self.inner:
            coding = Coding.of(place.kind, math.prod(x.shape[2:]))
        held = self.held[step.name]
        return crossbar.forward(x, codes, (weight, bias), steps, held, self.draw, coding)
